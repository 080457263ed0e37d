//! What things are called by.

use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )+};
}

ids! {
    /// A patient, as `patient` names them.
    PatientId;
    /// A clinic, as `patient` names it.
    ClinicId;
    /// A practitioner, as `patient` names them.
    PractitionerId;
    /// An encounter, as `patient` names it.
    EncounterId;
    /// A user, as `auth` names them.
    UserId;
    /// A payer: an insurer, or whoever else pays for others.
    PayerId;
    /// An invoice.
    InvoiceId;
    /// A credit note.
    CreditNoteId;
    /// A payment.
    PaymentId;
    /// A refund of a payment.
    RefundId;
    /// A claim.
    ClaimId;
    /// A remittance: a payment of a payer, and what for.
    RemittanceId;
    /// A coverage: what a payer covers of a patient's costs.
    CoverageId;
    /// A financial act in the journal.
    JournalId;
    /// A fee schedule.
    FeeScheduleId;
    /// A series of numbers.
    SeriesId;
    /// A day of the books that was closed.
    DayId;
}

//! Where a claim is in its life. FHIR's `Claim.status` says less, and `ClaimResponse.outcome` the rest of it.

use serde::{Deserialize, Serialize};

/// Where a claim is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Is being written.
    Draft,
    /// Was scrubbed, and can be sent.
    Ready,
    /// Is sent; nobody has said that it came.
    Submitted,
    /// The payer has it and will decide (277CA).
    Accepted,
    /// The payer's front end sent it back (999, 277CA): nobody decided about it, and it is sent again when it is mended.
    Rejected,
    /// The payer wants to know more, or took back what it had decided (277).
    Pended,
    /// Everything was decided and nothing denied; what the patient owes may be all of it (835).
    #[serde(rename = "adjudicated-paid")]
    Paid,
    /// Some of it was denied (835).
    PartiallyPaid,
    /// All of it was denied (835).
    Denied,
    /// The payer is asked to decide again.
    Appealed,
    /// Another claim stands in its place (frequency 7).
    Corrected,
    /// It is withdrawn, or another claim took it back (frequency 8).
    Voided,
    /// Nobody waits for anything.
    Closed,
}

impl Status {
    /// Every status, in the order of a life.
    pub const ALL: [Self; 13] = [
        Self::Draft,
        Self::Ready,
        Self::Submitted,
        Self::Accepted,
        Self::Rejected,
        Self::Pended,
        Self::Paid,
        Self::PartiallyPaid,
        Self::Denied,
        Self::Appealed,
        Self::Corrected,
        Self::Voided,
        Self::Closed,
    ];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Ready => "ready",
            Self::Submitted => "submitted",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Pended => "pended",
            Self::Paid => "adjudicated-paid",
            Self::PartiallyPaid => "partially-paid",
            Self::Denied => "denied",
            Self::Appealed => "appealed",
            Self::Corrected => "corrected",
            Self::Voided => "voided",
            Self::Closed => "closed",
        }
    }

    /// Whether nothing leads out of it any more.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Corrected | Self::Voided)
    }

    /// Whether the payer has decided, and the decision stands.
    pub const fn is_adjudicated(self) -> bool {
        matches!(self, Self::Paid | Self::PartiallyPaid | Self::Denied)
    }

    /// Whether the payer has not yet said that it has the claim, so that the time for filing runs.
    pub const fn is_unfiled(self) -> bool {
        matches!(self, Self::Draft | Self::Ready | Self::Submitted | Self::Rejected)
    }
}

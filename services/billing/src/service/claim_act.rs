//! What is done to claims.

use jiff::civil::Date;
use uuid::Uuid;

use crate::{
    domain::{
        books::claims::Acknowledgement,
        claim::{content::Content, remittance::ClaimPayment},
        coverage::PayerId,
        ids::{ClaimId, CoverageId, InvoiceId, JournalId, RemittanceId},
        money::Currency,
    },
    outbound::{claims::PatientData, journal::Wanted},
};

/// What is done to a claim.
#[derive(Clone, Debug)]
pub enum ClaimAct {
    /// Writes it.
    Create(Box<NewClaim>),
    /// Replaces what a draft says.
    Amend(Content),
    /// Scrubs it.
    Prepare,
    /// Opens it to be written on.
    Revise,
    /// Sends it, with who the patient is.
    Submit(Box<PatientData>),
    /// The clearing house has taken its submission of this number.
    Sent(u32),
    /// What the payer says before it decides.
    Acknowledge {
        /// What it says.
        said: Acknowledgement,
        /// Its own number of the claim.
        control_number: Option<String>,
        /// Why.
        reasons: Vec<String>,
    },
    /// Asks to decide again.
    Appeal(String),
    /// Gives it up.
    Withdraw(String),
    /// Waits for nothing any more.
    Close(String),
    /// Books what a remittance says of it.
    Book(Box<Booked>),
}

/// A claim that is to be written.
#[derive(Clone, Debug)]
pub struct NewClaim {
    /// For which invoice.
    pub invoice: InvoiceId,
    /// By which coverage.
    pub coverage: CoverageId,
    /// The claim that it takes the place of, or takes back.
    pub prior: Option<PriorClaim>,
    /// What it says.
    pub content: Content,
}

/// What a new claim is to an old one.
#[derive(Clone, Copy, Debug)]
pub enum PriorClaim {
    /// Takes its place.
    Replaced(ClaimId),
    /// Takes it back.
    Voided(ClaimId),
}

impl PriorClaim {
    /// The old one.
    pub const fn id(self) -> ClaimId {
        match self {
            Self::Replaced(id) | Self::Voided(id) => id,
        }
    }
}

/// What a remittance says of a claim.
#[derive(Clone, Debug)]
pub struct Booked {
    /// Which remittance.
    pub remittance_id: RemittanceId,
    /// Where in it.
    pub at: usize,
    /// Whose.
    pub payer_id: PayerId,
    /// In what.
    pub currency: Currency,
    /// The day of the payment.
    pub paid_on: Date,
    /// What.
    pub payment: ClaimPayment,
}

/// Makes ids of acts that a remittance does.
const BOOKINGS: Uuid = Uuid::from_u128(0x2f0b_8a61_94d7_4c33_8e15_7b06_d2c9_51ae);

impl Booked {
    /// The act that books what stands at a place of a remittance: one, however often it is tried.
    pub fn journal_id(remittance: RemittanceId, at: usize) -> JournalId {
        JournalId(Uuid::new_v5(&BOOKINGS, format!("{remittance}/{at}").as_bytes()))
    }
}

impl ClaimAct {
    /// What the audit calls it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Create(_) => "create",
            Self::Amend(_) => "amend",
            Self::Prepare => "prepare",
            Self::Revise => "revise",
            Self::Submit(_) => "submit",
            Self::Sent(_) => "sent",
            Self::Acknowledge { .. } => "acknowledge",
            Self::Appeal(_) => "appeal",
            Self::Withdraw(_) => "withdraw",
            Self::Close(_) => "close",
            Self::Book(_) => "book",
        }
    }

    /// What has to be loaded for it, beside the claim.
    pub(super) fn wants(&self, wanted: &mut Wanted) {
        match self {
            Self::Create(new) => {
                wanted.invoices.push(new.invoice);
                wanted.coverages.push(new.coverage);
                wanted.claims.extend(new.prior.map(PriorClaim::id));
            }
            Self::Prepare => wanted.all_claims = true,
            _ => {}
        }
    }
}

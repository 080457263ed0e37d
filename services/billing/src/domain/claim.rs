//! Claims: what a payer is asked to pay for, and what came of it; <http://hl7.org/fhir/R4/claim.html>, and X12 837P
//! where FHIR has no word.

pub mod adjudication;
pub mod adjustment;
pub mod content;
pub mod deadlines;
pub mod file;
mod finding;
mod npi;
pub mod remittance;
pub mod scrub;
mod status;
pub mod transitions;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use self::{
    deadlines::Windows,
    transitions::{Action, Reason, transition},
};
pub use self::{finding::Finding, npi::Npi, status::Status};
pub use super::ids::{ClaimId, InvoiceId};
use super::{
    ids::{CoverageId, PatientId, PayerId},
    money::{Amount, Currency},
};

/// What a claim is to the ones before, X12 CLM05-3.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Frequency {
    /// The first for these services.
    Original,
    /// Takes the place of another.
    Replacement,
    /// Takes another back.
    Void,
}

impl Frequency {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Original => "1",
            Self::Replacement => "7",
            Self::Void => "8",
        }
    }
}

/// What kind of payer it goes to, X12 SBR09.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Filing {
    /// A commercial insurer.
    Commercial,
    /// Blue Cross and Blue Shield.
    BlueCross,
    /// A health maintenance organisation.
    Hmo,
    /// A preferred provider organisation.
    Ppo,
    /// Medicare part B.
    MedicareB,
    /// Medicaid.
    Medicaid,
    /// TRICARE.
    Tricare,
    /// Compensation of workers.
    WorkersCompensation,
    /// Anybody else.
    Other,
}

impl Filing {
    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Commercial => "CI",
            Self::BlueCross => "BL",
            Self::Hmo => "HM",
            Self::Ppo => "12",
            Self::MedicareB => "MB",
            Self::Medicaid => "MC",
            Self::Tricare => "CH",
            Self::WorkersCompensation => "WC",
            Self::Other => "ZZ",
        }
    }
}

/// The claim before, FHIR's related with the relationship `prior`.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Prior {
    /// Which.
    pub claim_id: ClaimId,
    /// The payer's own number of it (REF*F8), which it finds it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub control_number: Option<String>,
}

/// A service that is claimed for, X12 loop 2400. It is known by its number: where it stands, from 1 on.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// CPT or HCPCS.
    pub procedure: String,
    /// Up to four.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<String>,
    /// How often.
    pub units: u32,
    /// The date of service.
    pub date: Date,
    /// CMS's place of service, two digits.
    pub place_of_service: String,
    /// For all units.
    pub charge: Amount,
    /// Which diagnoses it was for, by where they stand, from 1 on; the first is the main one.
    pub pointers: Vec<u8>,
}

/// A professional claim to one payer.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    /// Its id.
    pub id: ClaimId,
    /// Where it is in its life.
    pub status: Status,
    /// When it was first written.
    pub created: Timestamp,
    /// Who was treated.
    pub patient_id: PatientId,
    /// By which coverage.
    pub coverage_id: CoverageId,
    /// Who is asked, FHIR's insurer.
    pub payer_id: PayerId,
    /// What kind of payer that is.
    pub filing: Filing,
    /// For which invoice.
    pub invoice_id: InvoiceId,
    /// What the amounts are in.
    pub currency: Currency,
    /// What it is to the claim before.
    pub frequency: Frequency,
    /// The claim before, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior: Option<Prior>,
    /// Who asks, FHIR's provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub billing_provider: Option<Npi>,
    /// Who treated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rendering_provider: Option<Npi>,
    /// ICD-10-CM, up to twelve.
    pub diagnoses: Vec<String>,
    /// What is claimed for, up to fifty.
    pub lines: Vec<Line>,
    /// When the payer last decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adjudicated_on: Option<Date>,
}

/// What happens to a claim.
#[derive(Clone, Copy, Debug)]
pub enum Change<'a> {
    /// Scrubbed against this.
    Prepare(&'a scrub::Facts<'a>),
    /// See [`Action::Revise`].
    Revise,
    /// See [`Action::Submit`].
    Submit,
    /// See [`Action::Accept`].
    Accept,
    /// See [`Action::Reject`].
    Reject,
    /// See [`Action::Pend`].
    Pend,
    /// See [`Action::Pay`]; on this day.
    Pay(Date),
    /// See [`Action::PayPartially`]; on this day.
    PayPartially(Date),
    /// See [`Action::Deny`]; on this day.
    Deny(Date),
    /// See [`Action::Reverse`].
    Reverse,
    /// Asks again on a day, by a payer that gives so much time for it.
    Appeal(Date, &'a Windows),
    /// This claim takes its place.
    Correct(&'a Claim),
    /// This claim takes it back.
    Void(&'a Claim),
    /// See [`Action::Withdraw`].
    Withdraw,
    /// See [`Action::Close`].
    Close,
}

impl Change<'_> {
    /// What is done.
    pub const fn action(&self) -> Action {
        match self {
            Self::Prepare(_) => Action::Prepare,
            Self::Revise => Action::Revise,
            Self::Submit => Action::Submit,
            Self::Accept => Action::Accept,
            Self::Reject => Action::Reject,
            Self::Pend => Action::Pend,
            Self::Pay(_) => Action::Pay,
            Self::PayPartially(_) => Action::PayPartially,
            Self::Deny(_) => Action::Deny,
            Self::Reverse => Action::Reverse,
            Self::Appeal(..) => Action::Appeal,
            Self::Correct(_) => Action::Correct,
            Self::Void(_) => Action::Void,
            Self::Withdraw => Action::Withdraw,
            Self::Close => Action::Close,
        }
    }
}

/// Why nothing happens.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The table has no row for it.
    #[error("a claim that is {} cannot {}: {}", from.code(), action.name(), reason.words())]
    NotAllowed {
        /// What it is.
        from: Status,
        /// What was wanted.
        action: Action,
        /// Why not.
        reason: Reason,
    },
    /// Scrubbing finds this.
    #[error("the claim is not clean")]
    Unclean(Vec<Finding<scrub::Code>>),
    /// The last day for an appeal was this.
    #[error("the window for appeals is over")]
    TooLate(Date),
    /// The other claim does not name it, has not the frequency for it, or is not yet with the payer.
    #[error("the other claim does not stand for this one")]
    OtherClaim,
}

impl Claim {
    /// What is asked for.
    pub fn total(&self) -> Amount {
        self.lines.iter().map(|line| line.charge).sum()
    }

    /// What it is after a change.
    pub fn change(&self, change: Change<'_>) -> Result<Self, Refusal> {
        let (from, action) = (self.status, change.action());
        let row = transition(Some(from), action).map_err(|reason| Refusal::NotAllowed { from, action, reason })?;
        let mut next = Self { status: row.to, ..self.clone() };
        match change {
            Change::Prepare(facts) => {
                let findings = scrub::scrub(self, facts);
                if !findings.is_empty() {
                    return Err(Refusal::Unclean(findings));
                }
            }
            Change::Pay(on) | Change::PayPartially(on) | Change::Deny(on) => next.adjudicated_on = Some(on),
            Change::Appeal(today, windows) => {
                let due = self.adjudicated_on.map(|on| windows.appeal_due(on)).filter(|due| today > *due);
                due.map_or(Ok(()), |due| Err(Refusal::TooLate(due)))?;
            }
            Change::Correct(other) => self.replaced_by(other, Frequency::Replacement)?,
            Change::Void(other) => self.replaced_by(other, Frequency::Void)?,
            Change::Revise
            | Change::Submit
            | Change::Accept
            | Change::Reject
            | Change::Pend
            | Change::Reverse
            | Change::Withdraw
            | Change::Close => {}
        }
        Ok(next)
    }

    fn replaced_by(&self, other: &Self, frequency: Frequency) -> Result<(), Refusal> {
        let names_it = other.prior.as_ref().is_some_and(|prior| prior.claim_id == self.id);
        let same = other.payer_id == self.payer_id && other.patient_id == self.patient_id;
        // One that its payer does not take leaves this one as it is.
        let filed = !other.status.is_unfiled() && other.status != Status::Voided;
        if names_it && same && filed && other.frequency == frequency { Ok(()) } else { Err(Refusal::OtherClaim) }
    }
}

#[cfg(test)]
pub(crate) mod tests;

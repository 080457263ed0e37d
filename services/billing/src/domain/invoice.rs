//! Invoices; <http://hl7.org/fhir/R4/invoice.html>.

mod amounts;
mod line;
mod moves;
#[cfg(test)]
mod tests;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

pub use self::{
    amounts::{Balance, Totals},
    line::{BadLine, Discount, Line, LineAmounts, MOST_LINES},
};
use super::{
    fees::Code,
    ids::{ClinicId, CreditNoteId, EncounterId, InvoiceId, JournalId, PatientId, PractitionerId, SeriesId},
    money::{Amount, Currency},
};

/// What state an invoice is in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Prepared; its lines may change.
    Draft,
    /// Numbered, and asked for.
    Issued,
    /// A part of it is paid.
    PartiallyPaid,
    /// Nothing of it is open.
    Paid,
    /// Nothing of it is open, and a part of it was given up.
    WrittenOff,
    /// Taken back as a whole after it was issued.
    Void,
    /// Taken back before it was issued.
    EnteredInError,
}

impl Status {
    /// Whether money can move on it.
    pub const fn is_live(self) -> bool {
        matches!(self, Self::Issued | Self::PartiallyPaid | Self::Paid | Self::WrittenOff)
    }
}

/// The encounter that an invoice is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    /// Which encounter.
    pub encounter_id: EncounterId,
    /// The latest version of it that was heard of.
    pub version: u64,
    /// Who treated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub practitioner_id: Option<PractitionerId>,
}

/// What a person has to look at before the invoice is right.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Review {
    /// The encounter has no services; perhaps they were forgotten.
    NoServices,
    /// No fee schedule has a price for one of the services.
    NoPrice,
    /// The encounter was amended after the invoice was issued or edited by hand.
    EncounterAmended,
    /// The encounter was entered in error, and the invoice is issued.
    EncounterInError,
}

/// The number that an invoice or a credit note has got.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Number {
    /// The series.
    pub series_id: SeriesId,
    /// The place in it, from 1.
    pub place: u64,
    /// As it is printed: `INV-000042`.
    pub text: String,
}

/// A part of an invoice that was taken back.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreditNote {
    /// What it is called by.
    pub id: CreditNoteId,
    /// Its number.
    pub number: Number,
    /// When.
    pub issued_at: Timestamp,
    /// How much, with tax, of which line, by its sequence.
    pub lines: Vec<CreditedLine>,
    /// Why.
    pub reason: String,
}

/// What was taken back of a line.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct CreditedLine {
    /// Which line, from 1.
    pub sequence: u32,
    /// With tax.
    pub amount: Amount,
}

/// Why a rest is given up.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteOffReason {
    /// It is not worth a letter.
    SmallBalance,
    /// Nobody can be made to pay it.
    BadDebt,
    /// The clinic does not want it.
    Courtesy,
}

/// An invoice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invoice {
    /// What it is called by; made of the encounter's id where it was drafted from one.
    #[serde(skip, default = "Invoice::no_id")]
    pub id: InvoiceId,
    /// Who was treated.
    pub patient_id: PatientId,
    /// Where; whose numbers it gets.
    pub clinic_id: ClinicId,
    /// Of what encounter, if of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The state.
    pub status: Status,
    /// The currency of every amount.
    pub currency: Currency,
    /// What was done.
    pub lines: Vec<Line>,
    /// The diagnoses that the lines point to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnoses: Vec<Code>,
    /// What a person has to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub review: Vec<Review>,
    /// Whether a person has changed its lines.
    #[serde(default)]
    pub edited: bool,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// Its number, once it is issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    /// When it was issued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_at: Option<Timestamp>,
    /// The act that issued it, which voiding it reverses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_by: Option<JournalId>,
    /// The day by which it is to be paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Date>,
    /// What has become of its total.
    #[serde(default)]
    pub balance: Balance,
    /// What was taken back of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credit_notes: Vec<CreditNote>,
    /// Why it was taken back as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why something cannot be done to an invoice.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It is in a state in which this cannot be done.
    #[error("this cannot be done to an invoice that is {}", words(*.0))]
    Status(Status),
    /// Nothing is on it.
    #[error("it has no lines")]
    Empty,
    /// A line has no price.
    #[error("a line has no price")]
    NoPrice {
        /// The index of the line.
        at: usize,
    },
    /// Money has moved on it.
    #[error("it is paid, claimed, credited or written off in part; what was done to it must be taken back first")]
    Moved,
    /// It is more than what is open.
    #[error("more than what is open")]
    AboveOpen {
        /// What is open.
        open: Amount,
    },
    /// What payers have paid of it is not the patient's to get back.
    #[error("more than what is open and what the patient has paid")]
    AbovePaid {
        /// What could be taken back.
        left: Amount,
    },
    /// More is taken back of a line than it has left.
    #[error("more than what is left of the line")]
    AboveLine {
        /// The index of what was asked.
        at: usize,
        /// What is left.
        left: Amount,
    },
    /// There is no such line.
    #[error("there is no such line")]
    NoLine {
        /// The index of what was asked.
        at: usize,
    },
    /// A payer is still to say what it pays.
    #[error("a payer is still to say what it pays")]
    Claimed,
}

const fn words(status: Status) -> &'static str {
    match status {
        Status::Draft => "a draft",
        Status::Issued => "issued",
        Status::PartiallyPaid => "partially paid",
        Status::Paid => "paid",
        Status::WrittenOff => "written off",
        Status::Void => "void",
        Status::EnteredInError => "entered in error",
    }
}

impl Invoice {
    fn no_id() -> InvoiceId {
        InvoiceId(uuid::Uuid::nil())
    }

    /// The sums of its lines.
    pub fn totals(&self) -> Totals {
        Totals::of(&self.lines)
    }

    /// Replaces what is on a draft.
    pub fn amend(&mut self, lines: Vec<Line>) -> Result<(), Refusal> {
        self.must_be(&[Status::Draft])?;
        self.lines = lines;
        self.edited = true;
        self.review.retain(|review| !matches!(review, Review::NoServices | Review::NoPrice));
        if self.lines.iter().any(|line| line.unit_price.is_none()) {
            self.review.push(Review::NoPrice);
        }
        Ok(())
    }

    /// A person has looked at it. What keeps it from being issued stays to be looked at.
    pub fn reviewed(&mut self) {
        self.review.retain(|review| self.status == Status::Draft && *review == Review::NoPrice);
    }

    /// Takes a draft back.
    pub fn enter_in_error(&mut self, reason: Option<String>) -> Result<(), Refusal> {
        self.must_be(&[Status::Draft])?;
        self.status = Status::EnteredInError;
        self.reason = reason;
        Ok(())
    }

    /// Whether it can be issued as it stands.
    pub fn may_issue(&self) -> Result<(), Refusal> {
        self.must_be(&[Status::Draft])?;
        if self.lines.is_empty() {
            return Err(Refusal::Empty);
        }
        match self.lines.iter().position(|line| line.unit_price.is_none()) {
            Some(at) => Err(Refusal::NoPrice { at }),
            None => Ok(()),
        }
    }

    /// Whether it was ever asked for, so that there is something to print.
    pub fn was_issued(&self) -> Result<(), Refusal> {
        if self.number.is_some() { Ok(()) } else { Err(Refusal::Status(self.status)) }
    }

    /// Hears of its encounter: `lines` are what it says now, none when it was entered in error. Tells whether anything
    /// is another.
    pub fn hear(&mut self, version: u64, heard: Option<(Vec<Line>, Vec<Code>)>) -> bool {
        let Some(source) = self.source.as_mut().filter(|source| source.version < version) else { return false };
        source.version = version;
        match (self.status, heard) {
            (Status::Draft, None) => self.status = Status::EnteredInError,
            (Status::Draft, Some((lines, diagnoses))) if !self.edited => {
                self.review = Review::of(&lines);
                (self.lines, self.diagnoses) = (lines, diagnoses);
            }
            (Status::Void | Status::EnteredInError, _) => {}
            (_, None) => self.look_at(Review::EncounterInError),
            (_, Some((lines, _))) => {
                if !same_services(&self.lines, &lines) {
                    self.look_at(Review::EncounterAmended);
                }
            }
        }
        true
    }

    fn look_at(&mut self, review: Review) {
        if !self.review.contains(&review) {
            self.review.push(review);
        }
    }

    fn must_be(&self, states: &[Status]) -> Result<(), Refusal> {
        if states.contains(&self.status) { Ok(()) } else { Err(Refusal::Status(self.status)) }
    }

    fn must_be_live(&self) -> Result<(), Refusal> {
        if self.status.is_live() { Ok(()) } else { Err(Refusal::Status(self.status)) }
    }
}

impl Review {
    /// What is to be looked at in a fresh draft.
    pub fn of(lines: &[Line]) -> Vec<Self> {
        let no_price = lines.iter().any(|line| line.unit_price.is_none());
        [(lines.is_empty(), Self::NoServices), (no_price, Self::NoPrice)]
            .into_iter()
            .filter_map(|(is_so, review)| is_so.then_some(review))
            .collect()
    }
}

fn same_services(lines: &[Line], heard: &[Line]) -> bool {
    let services = |lines: &[Line]| -> Vec<_> {
        lines.iter().map(|line| (line.code.clone(), line.modifiers.clone(), line.units)).collect()
    };
    services(lines) == services(heard)
}

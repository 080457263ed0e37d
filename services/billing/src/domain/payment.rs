//! Payments of patients, in the life cycle of a card payment, which the other methods have the ends of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    ids::{InvoiceId, PatientId, PaymentId, RefundId, UserId},
    ledger::LedgerAccount,
    money::{Amount, Currency},
};

/// How somebody pays.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// Notes and coins.
    Cash,
    /// A card, known by the reference that its terminal gave and its last four digits.
    Card,
    /// A transfer to the clinic's bank account.
    Transfer,
    /// A cheque.
    Check,
}

impl Method {
    /// Where its money is once it is there.
    pub const fn account(self) -> LedgerAccount {
        match self {
            Self::Cash => LedgerAccount::Cash,
            Self::Card | Self::Check => LedgerAccount::Clearing,
            Self::Transfer => LedgerAccount::Bank,
        }
    }
}

/// What state a payment is in.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Announced.
    Pending,
    /// The card's issuer holds the money ready.
    Authorised,
    /// The money is there.
    Captured,
    /// A part went back.
    PartiallyRefunded,
    /// All of it went back.
    Refunded,
    /// It did not come about.
    Failed,
    /// It was called off before the money was there.
    Voided,
    /// The bank took it back.
    ChargedBack,
}

impl Status {
    /// Whether money of it is there.
    pub const fn has_money(self) -> bool {
        matches!(self, Self::Captured | Self::PartiallyRefunded)
    }
}

/// What of a payment is used for an invoice.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Allocation {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// How much.
    pub amount: Amount,
}

/// How far a refund has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RefundStatus {
    /// It waits for a second person.
    AwaitingApproval,
    /// The money went back.
    Completed,
    /// The second person said no.
    Rejected,
}

/// Money that goes back by the way that it came.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Refund {
    /// What it is called by.
    pub id: RefundId,
    /// How much.
    pub amount: Amount,
    /// How far it has come.
    pub status: RefundStatus,
    /// Why.
    pub reason: String,
    /// Who wants it.
    pub requested_by: UserId,
    /// When they did.
    pub requested_at: Timestamp,
    /// The second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_by: Option<UserId>,
    /// Why they said no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision_reason: Option<String>,
}

/// A payment.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Payment {
    /// What it is called by; made of the key of its request.
    #[serde(skip, default = "Payment::no_id")]
    pub id: PaymentId,
    /// Whose account it is for.
    pub patient_id: PatientId,
    /// How.
    pub method: Method,
    /// How far it has come.
    pub status: Status,
    /// The currency of every amount.
    pub currency: Currency,
    /// How much.
    pub amount: Amount,
    /// What the terminal, the bank or the cheque calls it; never the number of a card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The last four digits of the card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub card_last4: Option<String>,
    /// When it was written down.
    pub recorded_at: Timestamp,
    /// When its money was there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub captured_at: Option<Timestamp>,
    /// What it is used for, in the order of its use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allocations: Vec<Allocation>,
    /// What went back or is to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    /// What is there and not used.
    #[serde(default)]
    pub unapplied: Amount,
    /// What went back.
    #[serde(default)]
    pub refunded: Amount,
    /// Why it failed, was called off or was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Why something cannot be done to a payment.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It is in a state in which this cannot be done.
    #[error("this cannot be done to a payment that is {}", words(*.0))]
    Status(Status),
    /// Only a card is authorised first.
    #[error("only a card is authorised")]
    NotACard,
    /// Nobody takes cash back but who has it.
    #[error("cash is not charged back")]
    Cash,
    /// More is to be used than is not used.
    #[error("more than what is unapplied")]
    AboveUnapplied {
        /// What is not used.
        unapplied: Amount,
    },
    /// More is to go back than is there.
    #[error("more than what is left of the payment")]
    AboveCaptured {
        /// What is left: captured, and neither refunded nor asked to be.
        left: Amount,
    },
    /// There is no such refund.
    #[error("the payment has no such refund")]
    NoRefund,
    /// It is decided already.
    #[error("the refund was decided already")]
    RefundDecided,
    /// Who asked for it cannot approve it.
    #[error("who asked for a refund cannot approve it")]
    SamePerson,
}

const fn words(status: Status) -> &'static str {
    match status {
        Status::Pending => "pending",
        Status::Authorised => "authorised",
        Status::Captured => "captured",
        Status::PartiallyRefunded => "partially refunded",
        Status::Refunded => "refunded",
        Status::Failed => "failed",
        Status::Voided => "voided",
        Status::ChargedBack => "charged back",
    }
}

impl Payment {
    fn no_id() -> PaymentId {
        PaymentId(uuid::Uuid::nil())
    }

    /// The issuer of the card holds the money ready.
    pub fn authorise(&mut self) -> Result<(), Refusal> {
        if self.method != Method::Card {
            return Err(Refusal::NotACard);
        }
        self.must_be(&[Status::Pending])?;
        self.status = Status::Authorised;
        Ok(())
    }

    /// It did not come about.
    pub fn fail(&mut self, reason: String) -> Result<(), Refusal> {
        self.end(Status::Failed, reason)
    }

    /// It is called off.
    pub fn void(&mut self, reason: String) -> Result<(), Refusal> {
        self.end(Status::Voided, reason)
    }

    fn end(&mut self, status: Status, reason: String) -> Result<(), Refusal> {
        self.must_be(&[Status::Pending, Status::Authorised])?;
        self.status = status;
        self.reason = Some(reason);
        Ok(())
    }

    /// What could still be asked back.
    pub fn refundable(&self) -> Amount {
        if !self.status.has_money() {
            return Amount::ZERO;
        }
        let awaiting = self.refunds.iter().filter(|refund| refund.status == RefundStatus::AwaitingApproval);
        self.amount - self.refunded - awaiting.map(|refund| refund.amount).sum()
    }

    /// Asks for money back, which a second person has to approve.
    pub fn ask_back(&mut self, refund: Refund) -> Result<(), Refusal> {
        self.must_have_money()?;
        let left = self.refundable();
        if refund.amount > left {
            return Err(Refusal::AboveCaptured { left });
        }
        self.refunds.push(refund);
        Ok(())
    }

    /// A second person decides; the money of what they approve goes back by
    /// [`approve_refund`](super::books::PatientBooks::approve_refund).
    pub fn reject_refund(&mut self, id: RefundId, by: UserId, reason: String) -> Result<(), Refusal> {
        let refund = self.awaiting(id)?;
        refund.status = RefundStatus::Rejected;
        refund.decided_by = Some(by);
        refund.decision_reason = Some(reason);
        Ok(())
    }

    pub(super) fn awaiting(&mut self, id: RefundId) -> Result<&mut Refund, Refusal> {
        let refund = self.refunds.iter_mut().find(|refund| refund.id == id).ok_or(Refusal::NoRefund)?;
        if refund.status == RefundStatus::AwaitingApproval { Ok(refund) } else { Err(Refusal::RefundDecided) }
    }

    pub(super) fn must_be(&self, states: &[Status]) -> Result<(), Refusal> {
        if states.contains(&self.status) { Ok(()) } else { Err(Refusal::Status(self.status)) }
    }

    pub(super) fn must_have_money(&self) -> Result<(), Refusal> {
        if self.status.has_money() { Ok(()) } else { Err(Refusal::Status(self.status)) }
    }
}

/// Whether a text has the number of a card in it, which must be kept nowhere: 13 to 19 digits, with spaces or hyphens
/// between them, whose check digit is right (ISO/IEC 7812-1, annex B).
pub fn has_card_number(text: &str) -> bool {
    let mut runs: Vec<Vec<u32>> = vec![Vec::new()];
    for letter in text.chars() {
        match (letter.to_digit(10), letter) {
            (Some(digit), _) => runs.last_mut().into_iter().for_each(|run| run.push(digit)),
            (None, ' ' | '-') => {}
            (None, _) => runs.push(Vec::new()),
        }
    }
    runs.iter().any(|run| (13..=19).contains(&run.len()) && is_issued(run) && passes_luhn(run))
}

/// Whether cards have numbers that begin so (ISO/IEC 7812-1: banking and travel, and Mastercard's of 2). A receipt's number
/// that begins with its year is none, of which one in ten has the check digit by chance.
fn is_issued(digits: &[u32]) -> bool {
    let beginning = digits.iter().take(4).fold(0, |number, digit| number * 10 + digit);
    (2_221..=2_720).contains(&beginning) || (3_000..=6_999).contains(&beginning)
}

fn passes_luhn(digits: &[u32]) -> bool {
    let doubled = |digit: u32| if digit > 4 { digit * 2 - 9 } else { digit * 2 };
    let sum: u32 =
        digits.iter().rev().enumerate().map(|(at, &digit)| if at % 2 == 1 { doubled(digit) } else { digit }).sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_card_is_found_however_it_is_written() {
        for text in [
            "4111111111111111",
            "card 4111 1111 1111 1111 ok",
            "5500-0000-0000-0004",
            "2223000048400011",
            "x378282246310005y",
        ] {
            assert!(has_card_number(text), "{text}");
        }
        // These have the right check digit: a day and a place in it.
        for text in ["20261130000007", "T-20261130-000015"] {
            assert!(passes_luhn(&text.chars().filter_map(|letter| letter.to_digit(10)).collect::<Vec<_>>()), "{text}");
            assert!(!has_card_number(text), "{text}");
        }
        for text in ["", "4111111111111112", "1234", "tok_1NZx", "411111 a 1111111111", "2026-11-30"] {
            assert!(!has_card_number(text), "{text}");
        }
    }
}

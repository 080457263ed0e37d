//! The books: double entry, in a journal to which one only adds.
//!
//! A financial act is one journal entry with its postings; what was wrong is put right by another one that reverses it.
//! Every amount moves from one account to another, so that no act can be out of balance.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};

use super::{
    ids::{ClaimId, ClinicId, InvoiceId, JournalId, PatientId, PayerId, PaymentId, UserId},
    money::{Amount, Currency},
};

/// An account of the books.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerAccount {
    /// What patients owe; by invoice.
    PatientReceivable,
    /// What payers owe, or are expected to; by invoice and claim.
    InsuranceReceivable,
    /// Notes and coins in the drawer.
    Cash,
    /// Cards and cheques: taken, and on their way to the bank.
    Clearing,
    /// Money in the bank.
    Bank,
    /// What patients have paid and no invoice has used: the clinic owes it to them; by payment.
    Unapplied,
    /// What payers have paid and no claim has used, by payer; below nothing what they will keep of the next payment.
    InsuranceUnapplied,
    /// Taxes that were charged for the state.
    TaxPayable,
    /// What services cost by the fee schedule, before discounts; by service.
    Revenue,
    /// What was taken off before the invoice was issued.
    Discount,
    /// What a contract with a payer leaves unpaid; CARC 45.
    ContractualAdjustment,
    /// Small rests that are not worth a letter.
    SmallBalanceWriteOff,
    /// What nobody can be made to pay.
    BadDebt,
    /// What the clinic does not want to be paid.
    Courtesy,
    /// What a payer has denied and nobody asks for any more.
    DenialWriteOff,
    /// What payers pay for having paid late.
    InterestIncome,
}

impl LedgerAccount {
    /// All of them, in the order of a trial balance.
    pub const ALL: [Self; 16] = [
        Self::Cash,
        Self::Clearing,
        Self::Bank,
        Self::PatientReceivable,
        Self::InsuranceReceivable,
        Self::Unapplied,
        Self::InsuranceUnapplied,
        Self::TaxPayable,
        Self::Revenue,
        Self::InterestIncome,
        Self::Discount,
        Self::ContractualAdjustment,
        Self::SmallBalanceWriteOff,
        Self::BadDebt,
        Self::Courtesy,
        Self::DenialWriteOff,
    ];
}

/// What happened, as far as money is concerned.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// An invoice was issued.
    InvoiceIssued,
    /// An invoice was taken back as a whole.
    InvoiceVoided,
    /// A part of an invoice was taken back.
    InvoiceCredited,
    /// A rest will not be asked for any more.
    InvoiceWrittenOff,
    /// A payment was announced; nothing has moved.
    PaymentAnnounced,
    /// The issuer of a card holds money ready; nothing has moved.
    PaymentAuthorised,
    /// A payment did not come about; nothing has moved.
    PaymentFailed,
    /// A payment was called off; nothing has moved.
    PaymentVoided,
    /// Money came in.
    PaymentCaptured,
    /// Money that was there is used for other invoices.
    PaymentAllocated,
    /// Money is asked back, and a second person has to approve; nothing has moved.
    RefundRequested,
    /// A second person said no; nothing has moved.
    RefundRejected,
    /// Money went back to who had paid.
    PaymentRefunded,
    /// The bank took money back.
    PaymentChargedBack,
    /// A claim was written; nothing has moved.
    ClaimCreated,
    /// What a claim says, or how far it has come, is another; nothing has moved.
    ClaimChanged,
    /// A payer is asked for what was the patient's to pay.
    ClaimSubmitted,
    /// A payer has said that it has a claim; money moves where that claim takes the place of another.
    ClaimAcknowledged,
    /// A payer's answer was booked.
    ClaimAnswered,
    /// A payer took an answer back.
    ClaimReversed,
    /// A claim is given up before anybody decided about it.
    ClaimWithdrawn,
    /// Nobody waits for anything of a claim any more.
    ClaimClosed,
    /// A payer has paid, for claims that are booked one by one.
    RemittanceReceived,
}

/// Whose and what for, as far as an account is kept by it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct About {
    /// Which invoice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice_id: Option<InvoiceId>,
    /// Which payment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_id: Option<PaymentId>,
    /// Which claim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim_id: Option<ClaimId>,
    /// Which payer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer_id: Option<PayerId>,
    /// Which service, by its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_code: Option<String>,
}

/// An account, and what of it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Place {
    /// The account.
    pub account: LedgerAccount,
    /// What of it.
    #[serde(flatten)]
    pub about: About,
}

impl Place {
    /// An account that is kept by nothing.
    pub fn of(account: LedgerAccount) -> Self {
        Self { account, about: About::default() }
    }

    /// An account of one invoice.
    pub fn of_invoice(account: LedgerAccount, invoice: InvoiceId) -> Self {
        Self { account, about: About { invoice_id: Some(invoice), ..About::default() } }
    }

    /// An account of one claim.
    pub fn of_claim(account: LedgerAccount, invoice: InvoiceId, claim: ClaimId, payer: PayerId) -> Self {
        let about =
            About { invoice_id: Some(invoice), claim_id: Some(claim), payer_id: Some(payer), ..About::default() };
        Self { account, about }
    }

    /// An account of one payer.
    pub fn of_payer(account: LedgerAccount, payer: PayerId) -> Self {
        Self { account, about: About { payer_id: Some(payer), ..About::default() } }
    }

    /// An account of one payment.
    pub fn of_payment(account: LedgerAccount, payment: PaymentId) -> Self {
        Self { account, about: About { payment_id: Some(payment), ..About::default() } }
    }
}

/// One side of what moved.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Posting {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// More than nothing where it is a debit, less where it is a credit.
    pub amount: Amount,
}

/// An amount that moved from one place to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Move<'a> {
    /// Where it was debited.
    pub debit: &'a Place,
    /// Where it was credited.
    pub credit: &'a Place,
    /// More than nothing.
    pub amount: Amount,
}

/// The postings of one act: a debit and its credit, or the reverse, one after the other.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Postings(Vec<Posting>);

impl Postings {
    /// Debits one account and credits another; an amount below nothing does the reverse, and nothing does nothing.
    pub fn transfer(&mut self, amount: Amount, debit: Place, credit: Place) {
        if !amount.is_zero() {
            self.0.push(Posting { place: debit, amount });
            self.0.push(Posting { place: credit, amount: -amount });
        }
    }

    /// The postings that take these back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self(self.0.iter().map(|posting| Posting { amount: -posting.amount, ..posting.clone() }).collect())
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &Posting> {
        self.0.iter()
    }

    /// The same, two and two: what [`transfer`](Self::transfer) is the only one to add to.
    pub fn moves(&self) -> impl Iterator<Item = Move<'_>> {
        self.0.as_chunks().0.iter().map(|[one, other]| {
            let (debit, credit) = if one.amount.is_positive() { (one, other) } else { (other, one) };
            Move { debit: &debit.place, credit: &credit.place, amount: debit.amount }
        })
    }

    /// Whether nothing moved.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was debited less what was credited where `what` says so.
    pub fn sum(&self, what: impl Fn(&Place) -> bool) -> Amount {
        self.0.iter().filter(|posting| what(&posting.place)).map(|posting| posting.amount).sum()
    }
}

/// A financial act.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JournalEntry {
    /// What it is called by; made of the key of its request.
    #[serde(skip, default = "JournalEntry::no_id")]
    pub id: JournalId,
    /// What happened.
    pub act: Act,
    /// On whose account; of nobody's where a payer pays for many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patient_id: Option<PatientId>,
    /// In which clinic, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clinic_id: Option<ClinicId>,
    /// The currency of every posting.
    pub currency: Currency,
    /// When it was written.
    pub recorded_at: Timestamp,
    /// The day of the books that it belongs to.
    pub date: Date,
    /// Who did it; nobody where an event did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// The act that it takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverses: Option<JournalId>,
    /// What moved.
    pub postings: Postings,
}

impl JournalEntry {
    fn no_id() -> JournalId {
        JournalId(uuid::Uuid::nil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_debited_is_credited() {
        let mut postings = Postings::default();
        let (cash, revenue) = (Place::of(LedgerAccount::Cash), Place::of(LedgerAccount::Revenue));
        postings.transfer(Amount(100), cash.clone(), revenue.clone());
        postings.transfer(Amount(-30), cash.clone(), revenue);
        postings.transfer(Amount::ZERO, cash.clone(), cash.clone());
        assert_eq!(postings.iter().count(), 4);
        assert_eq!(postings.sum(|_| true), Amount::ZERO);
        assert_eq!(postings.sum(|place| place.account == LedgerAccount::Cash), Amount(70));
        assert_eq!(postings.reversed().sum(|place| place.account == LedgerAccount::Cash), Amount(-70));
        assert_eq!(postings.reversed().reversed(), postings);
        let moves = |postings: &Postings| -> Vec<_> {
            postings.moves().map(|one| (one.debit.account, one.credit.account, one.amount)).collect()
        };
        let (cash, revenue) = (LedgerAccount::Cash, LedgerAccount::Revenue);
        assert_eq!(moves(&postings), [(cash, revenue, Amount(100)), (revenue, cash, Amount(30))]);
        assert_eq!(moves(&postings.reversed()), [(revenue, cash, Amount(100)), (cash, revenue, Amount(30))]);
    }

    #[test]
    fn an_account_is_one_word_in_a_document() {
        for account in LedgerAccount::ALL {
            let written = serde_json::to_string(&Posting { place: Place::of(account), amount: Amount(5) }).unwrap();
            let read: Posting = serde_json::from_str(&written).unwrap();
            assert_eq!((read.place.account, read.amount), (account, Amount(5)));
        }
        let place = Place::of_invoice(LedgerAccount::PatientReceivable, InvoiceId(uuid::Uuid::nil()));
        let written = serde_json::to_value(Posting { place, amount: Amount(-5) }).unwrap();
        let expected = serde_json::json!({
            "account": "patient-receivable", "invoiceId": uuid::Uuid::nil(), "amount": -5,
        });
        assert_eq!(written, expected);
    }
}

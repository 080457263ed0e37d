//! What money does to an invoice.

use std::collections::BTreeMap;

use super::{CreditedLine, Invoice, Refusal, Status};
use crate::domain::{
    ledger::{LedgerAccount, Place, Postings},
    money::Amount,
};

/// What is taken back, apart by where it was posted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(in crate::domain) struct TakenBack {
    /// Without tax, by the code of the service.
    pub by_service: BTreeMap<String, Amount>,
    /// The tax in it.
    pub tax: Amount,
}

impl Invoice {
    /// What its issue posts: the patient owes the total, the services have earned the gross price.
    pub(in crate::domain) fn charges(&self) -> Postings {
        let mut postings = Postings::default();
        let of_invoice = |account| Place::of_invoice(account, self.id);
        for line in &self.lines {
            let amounts = line.amounts();
            let mut revenue = of_invoice(LedgerAccount::Revenue);
            revenue.about.service_code = Some(line.code.code.clone());
            let receivable = || of_invoice(LedgerAccount::PatientReceivable);
            postings.transfer(amounts.gross - amounts.discount, receivable(), revenue.clone());
            postings.transfer(amounts.discount, of_invoice(LedgerAccount::Discount), revenue);
            postings.transfer(amounts.tax, receivable(), of_invoice(LedgerAccount::TaxPayable));
        }
        postings
    }

    /// Takes it back as a whole.
    pub(in crate::domain) fn void(&mut self, reason: String) -> Result<(), Refusal> {
        self.must_be_live()?;
        if self.balance.has_moved() {
            return Err(Refusal::Moved);
        }
        self.status = Status::Void;
        self.balance = super::Balance::default();
        self.reason = Some(reason);
        Ok(())
    }

    /// Gives up what the patient owes of it, or a part; answers how much.
    pub(in crate::domain) fn write_off(&mut self, amount: Option<Amount>) -> Result<Amount, Refusal> {
        self.must_be(&[Status::Issued, Status::PartiallyPaid])?;
        let open = self.balance.patient_open;
        if open.is_zero() && self.balance.insurance_open.is_positive() {
            return Err(Refusal::Claimed);
        }
        let amount = amount.unwrap_or(open);
        if amount > open {
            return Err(Refusal::AboveOpen { open });
        }
        self.balance.patient_open -= amount;
        self.balance.written_off += amount;
        self.settle();
        Ok(amount)
    }

    /// Takes amounts back of its lines; answers their sum, and what is in it.
    pub(in crate::domain) fn credit_lines(
        &mut self,
        credited: &[CreditedLine],
    ) -> Result<(Amount, TakenBack), Refusal> {
        self.must_be_live()?;
        let (mut sum, mut taken) = (Amount::ZERO, TakenBack::default());
        let mut lines = self.lines.clone();
        for (at, CreditedLine { sequence, amount }) in credited.iter().enumerate() {
            let index = usize::try_from(*sequence).ok().and_then(|sequence| sequence.checked_sub(1));
            let line = index.and_then(|index| lines.get_mut(index)).ok_or(Refusal::NoLine { at })?;
            let left = line.amounts().total - line.credited;
            if *amount > left {
                return Err(Refusal::AboveLine { at, left });
            }
            let tax = line.tax_within(line.credited + *amount) - line.tax_within(line.credited);
            line.credited += *amount;
            sum += *amount;
            taken.tax += tax;
            *taken.by_service.entry(line.code.code.clone()).or_default() += *amount - tax;
        }
        self.lines = lines;
        Ok((sum, taken))
    }

    /// Brings the state in line with the balance, after money moved.
    pub(in crate::domain) fn settle(&mut self) {
        debug_assert_eq!(self.balance.total(), self.totals().total, "what became of an invoice is all of it");
        self.restate();
    }
}

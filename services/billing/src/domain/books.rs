//! The money of one patient: what is done to their invoices and payments, and what the journal says of it.
//!
//! All that can meet is here together, so that no act has to trust what another left: an act changes invoices and
//! payments and gives the postings of it, or is refused and has changed nothing.

pub mod claims;
#[cfg(test)]
mod model;
mod refusal;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};

pub use self::refusal::Refusal;

use super::{
    claim::{adjudication::Accumulators, file::ClaimFile},
    ids::{ClaimId, CoverageId, CreditNoteId, InvoiceId, PaymentId, RefundId, UserId},
    invoice::{self, CreditNote, CreditedLine, Invoice, Number, WriteOffReason},
    ledger::{Act, LedgerAccount, Place, Postings},
    money::Amount,
    payment::{self, Allocation, Payment, Refund, RefundStatus},
};

/// The invoices and payments of one patient that an act can touch.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PatientBooks {
    /// The invoices.
    pub invoices: BTreeMap<InvoiceId, Invoice>,
    /// The payments.
    pub payments: BTreeMap<PaymentId, Payment>,
    /// The claims.
    pub claims: BTreeMap<ClaimId, ClaimFile>,
    /// What was used of the coverages that the claims are by.
    pub accumulators: BTreeMap<CoverageId, Accumulators>,
}

/// What an act moved.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Moved {
    /// The act.
    pub act: Act,
    /// The postings.
    pub postings: Postings,
}

/// What a payment is to be used for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Direction {
    /// The invoices that are due first, as far as it goes.
    OldestFirst,
    /// These and no others; what is left stays unapplied.
    To(Vec<Allocation>),
}

impl PatientBooks {
    /// Issues a draft under a number; the patient owes all of it.
    pub fn issue(&mut self, id: InvoiceId, number: Number, due: Date, now: Timestamp) -> Result<Moved, Refusal> {
        let invoice = self.invoice_mut(id)?;
        invoice.may_issue()?;
        let total = invoice.totals().total;
        invoice.number = Some(number);
        invoice.issued_at = Some(now);
        invoice.due = Some(due);
        invoice.balance = invoice::Balance { patient_open: total, ..invoice::Balance::default() };
        invoice.settle();
        Ok(Moved { act: Act::InvoiceIssued, postings: invoice.charges() })
    }

    /// Takes an issued invoice back as a whole, on which nothing has moved.
    pub fn void(&mut self, id: InvoiceId, reason: String) -> Result<Moved, Refusal> {
        let invoice = self.invoice_mut(id)?;
        invoice.void(reason)?;
        Ok(Moved { act: Act::InvoiceVoided, postings: invoice.charges().reversed() })
    }

    /// Gives up what is open of an invoice for the patient, or a part of it.
    pub fn write_off(
        &mut self,
        id: InvoiceId,
        amount: Option<Amount>,
        reason: WriteOffReason,
    ) -> Result<Moved, Refusal> {
        let invoice = self.invoice_mut(id)?;
        let written_off = invoice.write_off(amount)?;
        let account = match reason {
            WriteOffReason::SmallBalance => LedgerAccount::SmallBalanceWriteOff,
            WriteOffReason::BadDebt => LedgerAccount::BadDebt,
            WriteOffReason::Courtesy => LedgerAccount::Courtesy,
        };
        let mut postings = Postings::default();
        postings.transfer(written_off, Place::of_invoice(account, id), receivable(id));
        Ok(Moved { act: Act::InvoiceWrittenOff, postings })
    }

    /// Takes back a part of an invoice. What was paid of it already is the patient's again, the latest payment first.
    pub fn credit(
        &mut self,
        id: InvoiceId,
        note: CreditNoteId,
        number: Number,
        lines: Vec<CreditedLine>,
        reason: String,
        now: Timestamp,
    ) -> Result<Moved, Refusal> {
        let note = CreditNote { id: note, number, issued_at: now, lines, reason };
        self.whole(|books| books.take_back(id, note))
    }

    fn take_back(&mut self, id: InvoiceId, note: CreditNote) -> Result<Moved, Refusal> {
        let mut postings = Postings::default();
        let invoice = self.invoice_mut(id)?;
        let (credited, taxed) = invoice.credit_lines(&note.lines)?;
        // What is not open any more was paid; by whom, decides whether it can be given back here.
        let surplus = credited - invoice.balance.patient_open;
        if surplus.is_positive() {
            if surplus > invoice.balance.patient_paid {
                let left = invoice.balance.patient_open + invoice.balance.patient_paid;
                return Err(invoice::Refusal::AbovePaid { left }.into());
            }
            self.release(id, surplus, &mut postings)?;
        }
        let invoice = self.invoice_mut(id)?;
        invoice.balance.patient_open -= credited;
        invoice.balance.credited += credited;
        for (code, net) in taxed.by_service {
            postings.transfer(net, revenue(id, &code), receivable(id));
        }
        postings.transfer(taxed.tax, Place::of_invoice(LedgerAccount::TaxPayable, id), receivable(id));
        invoice.credit_notes.push(note);
        invoice.settle();
        Ok(Moved { act: Act::InvoiceCredited, postings })
    }

    /// Writes down a payment whose money is there, and uses it.
    pub fn record(&mut self, mut payment: Payment, direction: &Direction, now: Timestamp) -> Result<Moved, Refusal> {
        let id = payment.id;
        payment.status = payment::Status::Pending;
        let before = self.payments.insert(id, payment);
        let recorded = self.capture(id, direction, now);
        if recorded.is_err() {
            match before {
                Some(before) => drop(self.payments.insert(id, before)),
                None => drop(self.payments.remove(&id)),
            }
        }
        recorded
    }

    /// The money of a payment is there, and is used.
    pub fn capture(&mut self, id: PaymentId, direction: &Direction, now: Timestamp) -> Result<Moved, Refusal> {
        let payment = self.payment_mut(id)?;
        payment.must_be(&[payment::Status::Pending, payment::Status::Authorised])?;
        let (amount, account) = (payment.amount, payment.method.account());
        let plan = self.plan(amount, direction)?;
        let payment = self.payment_mut(id)?;
        payment.status = payment::Status::Captured;
        payment.captured_at = Some(now);
        payment.unapplied = amount;
        let mut postings = Postings::default();
        postings.transfer(amount, Place::of_payment(account, id), unapplied(id));
        self.apply(id, plan, &mut postings)?;
        Ok(Moved { act: Act::PaymentCaptured, postings })
    }

    /// Uses what is unapplied of a payment.
    pub fn allocate(&mut self, id: PaymentId, direction: &Direction) -> Result<Moved, Refusal> {
        let payment = self.payment_mut(id)?;
        payment.must_have_money()?;
        let unapplied = payment.unapplied;
        let plan = self.plan(unapplied, direction)?;
        let mut postings = Postings::default();
        self.apply(id, plan, &mut postings)?;
        Ok(Moved { act: Act::PaymentAllocated, postings })
    }

    /// Gives money back that nobody has to approve.
    pub fn refund(&mut self, id: PaymentId, refund: Refund) -> Result<Moved, Refusal> {
        let payment = self.payment_mut(id)?;
        let refund_id = refund.id;
        payment.ask_back(Refund { status: RefundStatus::AwaitingApproval, ..refund })?;
        self.give_back(id, refund_id, None)
    }

    /// Gives money back that a second person approves.
    pub fn approve_refund(&mut self, id: PaymentId, refund: RefundId, by: UserId) -> Result<Moved, Refusal> {
        self.payment_mut(id)?.must_have_money()?;
        if self.payment_mut(id)?.awaiting(refund)?.requested_by == by {
            return Err(payment::Refusal::SamePerson.into());
        }
        self.give_back(id, refund, Some(by))
    }

    fn give_back(&mut self, id: PaymentId, refund: RefundId, decided_by: Option<UserId>) -> Result<Moved, Refusal> {
        let mut postings = Postings::default();
        let refund = self.payment_mut(id)?.awaiting(refund)?;
        refund.status = RefundStatus::Completed;
        refund.decided_by = decided_by;
        let amount = refund.amount;
        self.unapply(id, amount, &mut postings)?;
        let payment = self.payment_mut(id)?;
        payment.unapplied -= amount;
        payment.refunded += amount;
        let all = payment.refunded == payment.amount;
        payment.status = if all { payment::Status::Refunded } else { payment::Status::PartiallyRefunded };
        postings.transfer(amount, unapplied(id), Place::of_payment(payment.method.account(), id));
        Ok(Moved { act: Act::PaymentRefunded, postings })
    }

    /// The bank has taken back what is left of a payment: what it had paid is open again.
    pub fn charge_back(&mut self, id: PaymentId, reason: String) -> Result<Moved, Refusal> {
        let payment = self.payment_mut(id)?;
        payment.must_have_money()?;
        if payment.method == payment::Method::Cash {
            return Err(payment::Refusal::Cash.into());
        }
        let left = payment.amount - payment.refunded;
        let mut postings = Postings::default();
        self.unapply(id, left, &mut postings)?;
        let payment = self.payment_mut(id)?;
        payment.unapplied -= left;
        payment.refunds.retain(|refund| refund.status != RefundStatus::AwaitingApproval);
        payment.status = payment::Status::ChargedBack;
        payment.reason = Some(reason);
        postings.transfer(left, unapplied(id), Place::of_payment(payment.method.account(), id));
        Ok(Moved { act: Act::PaymentChargedBack, postings })
    }

    /// What of `amount` goes to which invoice.
    fn plan(&self, amount: Amount, direction: &Direction) -> Result<Vec<Allocation>, Refusal> {
        match direction {
            Direction::OldestFirst => Ok(self.oldest_first(amount)),
            Direction::To(allocations) => {
                let mut open: BTreeMap<InvoiceId, Amount> = BTreeMap::new();
                for (at, allocation) in allocations.iter().enumerate() {
                    let invoice = self.invoices.get(&allocation.invoice_id).ok_or(Refusal::NoInvoice { at })?;
                    let refused = |source| Refusal::Allocation { at, source };
                    if !invoice.status.is_live() {
                        return Err(refused(invoice::Refusal::Status(invoice.status)));
                    }
                    let open = open.entry(allocation.invoice_id).or_insert(invoice.balance.patient_open);
                    if allocation.amount > *open {
                        return Err(refused(invoice::Refusal::AboveOpen { open: *open }));
                    }
                    *open -= allocation.amount;
                }
                let wanted: Amount = allocations.iter().map(|allocation| allocation.amount).sum();
                if wanted > amount {
                    return Err(payment::Refusal::AboveUnapplied { unapplied: amount }.into());
                }
                Ok(allocations.clone())
            }
        }
    }

    fn oldest_first(&self, mut amount: Amount) -> Vec<Allocation> {
        let mut open: Vec<_> =
            self.invoices.values().filter(|invoice| invoice.balance.patient_open.is_positive()).collect();
        open.sort_by_key(|invoice| (invoice.due, invoice.issued_at, invoice.id));
        let mut plan = Vec::new();
        for invoice in open {
            let part = amount.min(invoice.balance.patient_open);
            if part.is_positive() {
                plan.push(Allocation { invoice_id: invoice.id, amount: part });
                amount -= part;
            }
        }
        plan
    }

    fn apply(&mut self, id: PaymentId, plan: Vec<Allocation>, postings: &mut Postings) -> Result<(), Refusal> {
        for Allocation { invoice_id, amount } in plan {
            let invoice = self.invoice_mut(invoice_id)?;
            invoice.balance.patient_open -= amount;
            invoice.balance.patient_paid += amount;
            invoice.settle();
            postings.transfer(amount, unapplied(id), receivable(invoice_id));
            let payment = self.payment_mut(id)?;
            payment.unapplied -= amount;
            match payment.allocations.iter_mut().find(|allocation| allocation.invoice_id == invoice_id) {
                Some(allocation) => allocation.amount += amount,
                None => payment.allocations.push(Allocation { invoice_id, amount }),
            }
        }
        Ok(())
    }

    /// Takes back so much of what a payment is used for that `amount` of it is not used, the latest use first.
    fn unapply(&mut self, id: PaymentId, amount: Amount, postings: &mut Postings) -> Result<(), Refusal> {
        let payment = self.payment_mut(id)?;
        let mut missing = amount - payment.unapplied;
        while missing.is_positive() {
            let Some(last) = self.payment_mut(id)?.allocations.last().cloned() else {
                return Err(payment::Refusal::AboveCaptured { left: amount - missing }.into());
            };
            let part = missing.min(last.amount);
            self.take_from(id, last.invoice_id, part, postings);
            missing -= part;
        }
        Ok(())
    }

    /// Gives back `amount` of what was paid on an invoice, of the latest payment first.
    fn release(&mut self, invoice: InvoiceId, mut amount: Amount, postings: &mut Postings) -> Result<(), Refusal> {
        let mut payers: Vec<_> = self
            .payments
            .values()
            .filter_map(|payment| {
                let used = payment.allocations.iter().find(|allocation| allocation.invoice_id == invoice)?;
                Some((payment.captured_at, payment.id, used.amount))
            })
            .collect();
        payers.sort();
        while let Some((_, payment, used)) = payers.pop().filter(|_| amount.is_positive()) {
            let part = amount.min(used);
            self.take_from(payment, invoice, part, postings);
            amount -= part;
        }
        if amount.is_zero() { Ok(()) } else { Err(Refusal::NoPayment) }
    }

    fn take_from(&mut self, payment: PaymentId, invoice: InvoiceId, part: Amount, postings: &mut Postings) {
        if let Some(payment) = self.payments.get_mut(&payment) {
            payment.unapplied += part;
            for allocation in payment.allocations.iter_mut().filter(|used| used.invoice_id == invoice) {
                allocation.amount -= part;
            }
            payment.allocations.retain(|allocation| allocation.amount.is_positive());
        }
        if let Some(invoice) = self.invoices.get_mut(&invoice) {
            invoice.balance.patient_open += part;
            invoice.balance.patient_paid -= part;
            invoice.settle();
        }
        postings.transfer(part, receivable(invoice), unapplied(payment));
    }

    fn invoice_mut(&mut self, id: InvoiceId) -> Result<&mut Invoice, Refusal> {
        self.invoices.get_mut(&id).ok_or(Refusal::NoInvoice { at: 0 })
    }

    /// A payment, to be changed where no money moves.
    pub fn payment_mut(&mut self, id: PaymentId) -> Result<&mut Payment, Refusal> {
        self.payments.get_mut(&id).ok_or(Refusal::NoPayment)
    }
}

fn receivable(invoice: InvoiceId) -> Place {
    Place::of_invoice(LedgerAccount::PatientReceivable, invoice)
}

fn unapplied(payment: PaymentId) -> Place {
    Place::of_payment(LedgerAccount::Unapplied, payment)
}

fn revenue(invoice: InvoiceId, code: &str) -> Place {
    let mut place = Place::of_invoice(LedgerAccount::Revenue, invoice);
    place.about.service_code = Some(code.to_owned());
    place
}

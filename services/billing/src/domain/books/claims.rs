//! What claims and their answers do to the money of a patient.
//!
//! What a claim asks for is the payer's to pay from its submission on, as far as it is open. An answer settles that: what
//! is paid and what a contract leaves unpaid is gone, what is denied stays with the claim until it is closed, and the
//! rest is the patient's. What a payer takes back is expected of it again.

mod settlement;

use jiff::{Timestamp, civil::Date};

use super::{Moved, PatientBooks, Refusal, receivable};
use crate::domain::{
    claim::{
        Change, Claim, Frequency, Status,
        deadlines::Windows,
        file::ClaimFile,
        remittance::{ClaimPayment, Known, check_claim},
        transitions::Action,
    },
    coverage::{PayerId, PlanYear},
    ids::{ClaimId, InvoiceId, JournalId, RemittanceId},
    invoice,
    ledger::{Act, LedgerAccount, Place, Postings},
    money::{Amount, Currency},
};

/// What a payer says before it decides.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Acknowledgement {
    /// It has the claim and will decide.
    Accepted,
    /// It sends it back.
    Rejected,
    /// It wants to know more.
    Pended,
}

/// A remittance's part for one claim, and how it is booked.
#[derive(Clone, Debug)]
pub struct Answer {
    /// By which act.
    pub journal_id: JournalId,
    /// Of which remittance.
    pub remittance_id: RemittanceId,
    /// Where it stands in it, from 0 on.
    pub at: usize,
    /// Who pays.
    pub payer_id: PayerId,
    /// In what.
    pub currency: Currency,
    /// The day of the payment.
    pub paid_on: Date,
    /// The day of the books.
    pub date: Date,
    /// What is said.
    pub payment: ClaimPayment,
}

/// What is known of a claim beside the books.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// How long its payer waits.
    pub windows: Windows,
    /// When the plan year of its coverage begins.
    pub plan_year: PlanYear,
}

impl PatientBooks {
    /// Does something in whole, or nothing of it.
    pub(super) fn whole(&mut self, act: impl FnOnce(&mut Self) -> Result<Moved, Refusal>) -> Result<Moved, Refusal> {
        let before = self.clone();
        let done = act(self);
        if done.is_err() {
            *self = before;
        }
        done
    }

    /// Writes a claim down for an issued invoice.
    pub fn write_claim(&mut self, claim: Claim, windows: Windows) -> Result<Moved, Refusal> {
        let invoice = self.invoices.get(&claim.invoice_id).ok_or(Refusal::NoInvoice { at: 0 })?;
        if !invoice.status.is_live() {
            return Err(invoice::Refusal::Status(invoice.status).into());
        }
        match &claim.prior {
            None => {
                let of_same = |file: &&ClaimFile| {
                    (file.claim.invoice_id, file.claim.payer_id) == (claim.invoice_id, claim.payer_id) && file.live
                };
                if let Some(other) = self.claims.values().find(of_same) {
                    return Err(Refusal::ClaimExists(other.claim.id));
                }
            }
            Some(prior) => {
                let before = self.claim(prior.claim_id)?;
                let same = (before.claim.invoice_id, before.claim.coverage_id) == (claim.invoice_id, claim.coverage_id);
                if !same || !before.live || before.claim.status.is_unfiled() {
                    return Err(Refusal::NotPrior);
                }
            }
        }
        let mut file = ClaimFile::of(claim);
        file.refresh(windows);
        self.claims.insert(file.claim.id, file);
        Ok(Moved { act: Act::ClaimCreated, postings: Postings::default() })
    }

    /// Changes what a claim says, or how far it has come, where no money moves.
    pub fn change_claim(
        &mut self,
        id: ClaimId,
        windows: Windows,
        change: impl FnOnce(&mut ClaimFile) -> Result<(), Refusal>,
    ) -> Result<Moved, Refusal> {
        self.whole(|books| {
            let file = books.claim_mut(id)?;
            change(file)?;
            file.refresh(windows);
            Ok(Moved { act: Act::ClaimChanged, postings: Postings::default() })
        })
    }

    /// Sends a claim: what it asks for is the payer's to pay, as far as it is open.
    ///
    /// A claim that stands for another gets what that one expects when the payer has taken it.
    pub fn submit_claim(&mut self, id: ClaimId, windows: Windows, now: Timestamp) -> Result<Moved, Refusal> {
        let file = self.claim(id)?;
        let status = self.invoices.get(&file.claim.invoice_id).ok_or(Refusal::NoInvoice { at: 0 })?.status;
        if !status.is_live() {
            return Err(invoice::Refusal::Status(status).into());
        }
        self.whole(|books| books.send(id, windows, now))
    }

    fn send(&mut self, id: ClaimId, windows: Windows, now: Timestamp) -> Result<Moved, Refusal> {
        let file = self.claim_mut(id)?;
        file.claim = file.claim.change(Change::Submit)?;
        file.submissions += 1;
        file.submitted_at = file.submitted_at.or(Some(now));
        file.sent_at = None;
        file.payer_reasons.clear();
        file.refresh(windows);
        let mut postings = Postings::default();
        if file.claim.frequency == Frequency::Original {
            let (invoice, total, expected) = (file.claim.invoice_id, file.claim.total(), file.expected);
            let open = self.invoice_mut(invoice)?.balance.patient_open;
            self.expect(id, total.min(expected + open) - expected, &mut postings)?;
        }
        Ok(Moved { act: Act::ClaimSubmitted, postings })
    }

    /// Hears what a payer says before it decides.
    pub fn acknowledge_claim(
        &mut self,
        id: ClaimId,
        said: Acknowledgement,
        control_number: Option<String>,
        reasons: Vec<String>,
        windows: Windows,
    ) -> Result<Moved, Refusal> {
        self.whole(|books| books.hear(id, said, control_number, reasons, windows))
    }

    fn hear(
        &mut self,
        id: ClaimId,
        said: Acknowledgement,
        control_number: Option<String>,
        reasons: Vec<String>,
        windows: Windows,
    ) -> Result<Moved, Refusal> {
        let file = self.claim_mut(id)?;
        file.claim = file.claim.change(match said {
            Acknowledgement::Accepted => Change::Accept,
            Acknowledgement::Rejected => Change::Reject,
            Acknowledgement::Pended => Change::Pend,
        })?;
        file.rejections += u32::from(said == Acknowledgement::Rejected);
        file.control_number = control_number.or(file.control_number.take());
        file.payer_reasons = reasons;
        file.refresh(windows);
        let mut postings = Postings::default();
        if said != Acknowledgement::Rejected {
            self.take_place(id, windows, &mut postings)?;
        }
        Ok(Moved { act: Act::ClaimAcknowledged, postings })
    }

    /// Gives a claim up that no payer has taken: the patient owes what it asked for.
    pub fn withdraw_claim(&mut self, id: ClaimId, reason: String, windows: Windows) -> Result<Moved, Refusal> {
        let file = self.claim_mut(id)?;
        file.claim = file.claim.change(Change::Withdraw)?;
        file.reason = Some(reason);
        file.refresh(windows);
        let expected = file.expected;
        let mut postings = Postings::default();
        self.expect(id, -expected, &mut postings)?;
        Ok(Moved { act: Act::ClaimWithdrawn, postings })
    }

    /// Waits for nothing any more: what was denied is given up.
    pub fn close_claim(&mut self, id: ClaimId, reason: String, windows: Windows) -> Result<Moved, Refusal> {
        let file = self.claim_mut(id)?;
        file.claim = file.claim.change(Change::Close)?;
        file.reason = Some(reason);
        let given_up = file.expected;
        file.given_up += given_up;
        file.expected = Amount::ZERO;
        file.refresh(windows);
        let mut postings = Postings::default();
        self.give_up(id, given_up, &mut postings)?;
        Ok(Moved { act: Act::ClaimClosed, postings })
    }

    /// Books a payer's answer, or that it takes one back.
    pub fn book_answer(&mut self, answer: &Answer, facts: Facts) -> Result<Moved, Refusal> {
        let known = self.claims.get(&answer.payment.claim_id);
        let known = known.map(|file| Known {
            claim: &file.claim,
            standing: file.standing.as_ref().map(|standing| &standing.payment),
        });
        let action = check_claim(&answer.payment, answer.at, answer.payer_id, answer.currency, known)
            .map_err(Refusal::Unbookable)?;
        self.whole(|books| match action {
            Action::Reverse => books.take_back_answer(answer, facts),
            _ => books.settle(answer, action, facts),
        })
    }

    /// A claim that its payer has takes the place of the one that it names.
    fn take_place(&mut self, id: ClaimId, windows: Windows, postings: &mut Postings) -> Result<(), Refusal> {
        let claim = self.claim(id)?.claim.clone();
        let Some(prior) = claim.prior.as_ref().map(|prior| prior.claim_id) else { return Ok(()) };
        let before = self.claim_mut(prior)?;
        if before.successor == Some(id) {
            return Ok(());
        }
        before.claim = before.claim.change(match claim.frequency {
            Frequency::Void => Change::Void(&claim),
            _ => Change::Correct(&claim),
        })?;
        before.successor = Some(id);
        before.refresh(windows);
        self.hand_over(prior, postings)
    }

    /// What a claim expects that another stands for goes to that one, or to the patient where it was taken back.
    fn hand_over(&mut self, id: ClaimId, postings: &mut Postings) -> Result<(), Refusal> {
        let file = self.claim(id)?;
        let expected = file.expected;
        match (file.claim.status, file.successor) {
            (Status::Corrected, Some(successor)) => {
                let from = insurance(&file.claim);
                let to = insurance(&self.claim(successor)?.claim);
                postings.transfer(expected, to, from);
                self.claim_mut(id)?.expected = Amount::ZERO;
                self.claim_mut(successor)?.expected += expected;
                // Which may have been followed itself.
                self.hand_over(successor, postings)
            }
            (Status::Voided, _) => self.expect(id, -expected, postings),
            _ => Ok(()),
        }
    }

    /// So much more is expected of a payer, and less of the patient; below nothing the reverse.
    fn expect(&mut self, id: ClaimId, more: Amount, postings: &mut Postings) -> Result<(), Refusal> {
        // Of an invoice that was taken back nothing is expected, and its state is not that of a balance.
        if more.is_zero() {
            return Ok(());
        }
        let file = self.claim_mut(id)?;
        file.expected += more;
        let claim = file.claim.clone();
        postings.transfer(more, insurance(&claim), receivable(claim.invoice_id));
        let invoice = self.invoice_mut(claim.invoice_id)?;
        invoice.balance.patient_open -= more;
        invoice.balance.insurance_open += more;
        invoice.settle();
        Ok(())
    }

    /// Has `amount` open for the patient, from what the patient has paid if it must be.
    fn make_room(&mut self, id: InvoiceId, amount: Amount, postings: &mut Postings) -> Result<(), Refusal> {
        let balance = self.invoice_mut(id)?.balance;
        let missing = amount - balance.patient_open;
        if !missing.is_positive() {
            return Ok(());
        }
        if missing > balance.patient_paid {
            return Err(Refusal::AboveInvoice { left: balance.patient_open + balance.patient_paid });
        }
        self.release(id, missing, postings)
    }

    fn give_up(&mut self, id: ClaimId, amount: Amount, postings: &mut Postings) -> Result<(), Refusal> {
        if amount.is_zero() {
            return Ok(());
        }
        let claim = self.claim(id)?.claim.clone();
        postings.transfer(amount, of(LedgerAccount::DenialWriteOff, &claim), insurance(&claim));
        let invoice = self.invoice_mut(claim.invoice_id)?;
        invoice.balance.insurance_open -= amount;
        invoice.balance.written_off += amount;
        invoice.settle();
        Ok(())
    }

    /// A claim.
    pub fn claim(&self, id: ClaimId) -> Result<&ClaimFile, Refusal> {
        self.claims.get(&id).ok_or(Refusal::NoClaim)
    }

    fn claim_mut(&mut self, id: ClaimId) -> Result<&mut ClaimFile, Refusal> {
        self.claims.get_mut(&id).ok_or(Refusal::NoClaim)
    }
}

fn of(account: LedgerAccount, claim: &Claim) -> Place {
    Place::of_claim(account, claim.invoice_id, claim.id, claim.payer_id)
}

fn insurance(claim: &Claim) -> Place {
    of(LedgerAccount::InsuranceReceivable, claim)
}

//! Booking what a payer has answered, and taking it back.

use super::{Answer, Facts, insurance, of};
use crate::domain::{
    books::{Moved, PatientBooks, Refusal},
    claim::{
        Change, Claim, Frequency,
        adjudication::{Accumulators, Delta},
        adjustment::words,
        file::{Answered, Outcome, Parts, StandingAnswer},
        remittance::ClaimPayment,
        transitions::Action,
    },
    ledger::{Act, LedgerAccount, Postings},
    money::Amount,
};

impl PatientBooks {
    pub(super) fn settle(&mut self, answer: &Answer, action: Action, facts: Facts) -> Result<Moved, Refusal> {
        let payment = &answer.payment;
        let id = payment.claim_id;
        let parts = Parts::of(payment);
        if parts.has_negative() {
            return Err(Refusal::NegativePart { at: answer.at });
        }
        let file = self.claim_mut(id)?;
        let outcome = Outcome::of(action).ok_or(Refusal::NoClaim)?;
        file.claim = file.claim.change(match outcome {
            Outcome::Paid => Change::Pay(answer.paid_on),
            Outcome::PartiallyPaid => Change::PayPartially(answer.paid_on),
            Outcome::Denied => Change::Deny(answer.paid_on),
        })?;
        file.control_number = Some(payment.control_number.clone());
        file.payer_reasons = reasons(payment);
        let first = file.answers.is_empty();
        let original = file.claim.frequency == Frequency::Original;
        file.answers.push(Answered {
            journal_id: answer.journal_id,
            date: answer.date,
            outcome,
            first,
            first_pass: first && original && file.rejections == 0 && outcome == Outcome::Paid,
            billed: payment.billed,
            paid: payment.paid,
            denied: Some(parts.denied),
        });
        file.refresh(facts.windows);
        let (claim, prior) = (file.claim.clone(), file.claim.prior.clone());

        let mut postings = Postings::default();
        self.take_place(id, facts.windows, &mut postings)?;
        // What the prior paid has to be back first, or it would be taken from the patient.
        if let Some(prior) = prior.filter(|prior| self.claim(prior.claim_id).is_ok_and(|file| file.standing.is_some()))
        {
            return Err(Refusal::PriorStands(prior.claim_id));
        }
        let expected = self.claim(id)?.expected;
        let to_patient = expected - parts.paid - parts.contractual - parts.denied;
        self.make_room(claim.invoice_id, -to_patient, &mut postings)?;
        self.expect(id, -to_patient, &mut postings)?;
        let place = insurance(&claim);
        postings.transfer(parts.paid, of(LedgerAccount::InsuranceUnapplied, &claim), place.clone());
        postings.transfer(parts.contractual, of(LedgerAccount::ContractualAdjustment, &claim), place);
        let balance = &mut self.invoice_mut(claim.invoice_id)?.balance;
        balance.insurance_open -= parts.paid + parts.contractual;
        balance.insurance_paid += parts.paid;
        balance.adjusted += parts.contractual;
        self.invoice_mut(claim.invoice_id)?.settle();

        let used = Delta::answered(&claim, payment, facts.plan_year);
        self.count(&claim, used.clone())?;
        let file = self.claim_mut(id)?;
        file.expected = parts.denied;
        file.standing = Some(StandingAnswer {
            remittance_id: answer.remittance_id,
            date: answer.paid_on,
            payment: payment.clone(),
            to_patient,
            used,
        });
        Ok(Moved { act: Act::ClaimAnswered, postings })
    }

    pub(super) fn take_back_answer(&mut self, answer: &Answer, facts: Facts) -> Result<Moved, Refusal> {
        let id = answer.payment.claim_id;
        let file = self.claim_mut(id)?;
        let standing = file.standing.take().ok_or(Refusal::NoClaim)?;
        file.claim = file.claim.change(Change::Reverse)?;
        let given_up = std::mem::take(&mut file.given_up);
        file.refresh(facts.windows);
        let claim = file.claim.clone();
        let parts = Parts::of(&standing.payment);
        let mut postings = Postings::default();
        let place = insurance(&claim);
        postings.transfer(parts.paid, place.clone(), of(LedgerAccount::InsuranceUnapplied, &claim));
        postings.transfer(parts.contractual, place, of(LedgerAccount::ContractualAdjustment, &claim));
        let invoice = self.invoice_mut(claim.invoice_id)?;
        let open = invoice.balance.patient_open;
        invoice.balance.insurance_open += parts.paid + parts.contractual;
        invoice.balance.insurance_paid -= parts.paid;
        invoice.balance.adjusted -= parts.contractual;
        invoice.settle();
        self.claim_mut(id)?.expected += parts.paid + parts.contractual;
        self.give_up(id, -given_up, &mut postings)?;
        self.claim_mut(id)?.expected += given_up;
        // What the patient has paid stays paid; what is still open of their part is the payer's again.
        self.expect(id, standing.to_patient.min(open).max(Amount::ZERO), &mut postings)?;
        self.uncount(&claim, &standing.used)?;
        self.hand_over(id, &mut postings)?;
        Ok(Moved { act: Act::ClaimReversed, postings })
    }

    fn count(&mut self, claim: &Claim, used: Delta) -> Result<(), Refusal> {
        let before = self.accumulators.remove(&claim.coverage_id);
        let before = before.unwrap_or_else(|| Accumulators::empty(claim.coverage_id));
        let counted = before.count(claim.id, used).ok_or(Refusal::NotCounted(claim.id))?;
        self.accumulators.insert(claim.coverage_id, counted);
        Ok(())
    }

    fn uncount(&mut self, claim: &Claim, used: &Delta) -> Result<(), Refusal> {
        let counted = self.accumulators.get(&claim.coverage_id).ok_or(Refusal::NotCounted(claim.id))?;
        let left = counted.reverse(claim.id, used).map_err(|_| Refusal::NotCounted(claim.id))?;
        self.accumulators.insert(claim.coverage_id, left);
        Ok(())
    }
}

/// What an answer says in words that this system knows.
fn reasons(payment: &ClaimPayment) -> Vec<String> {
    let denied = payment.all_adjustments().filter(|adjustment| adjustment.denies());
    let mut reasons: Vec<_> = denied
        .map(|adjustment| match words(&adjustment.reason) {
            Some(words) => format!("{}-{}: {words}", adjustment.group.code(), adjustment.reason),
            None => format!("{}-{}", adjustment.group.code(), adjustment.reason),
        })
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}

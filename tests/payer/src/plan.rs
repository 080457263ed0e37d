//! What is done about a claim, step by step: decided of the claim and of what was decided before, without any IO.

mod answer;
mod case;
mod remittance;

use std::collections::BTreeMap;

use serde::Serialize;
use uuid::Uuid;

pub(crate) use self::{
    case::Case,
    remittance::{ClaimPayment, ProviderAdjustment, Remittance},
};
use crate::claim::{Claim, Frequency};

/// By how much the corrected answer pays less than the one before.
const CORRECTION: i64 = 1_000;
/// What is paid beside a claim that was answered late.
const INTEREST: i64 = 150;
/// The time limit for filing has run out; the coverage has ended.
const TOO_LATE: (&str, &str) = ("CO", "29");
const NOT_INSURED: (&str, &str) = ("CO", "27");

/// Something that is sent to the clinic, after the answer to what was sent before.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Step {
    /// What it is, for people.
    pub(crate) name: &'static str,
    pub(crate) message: Message,
}

/// What is sent.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Message {
    Acknowledgement(Acknowledgement),
    Remittance(Remittance),
}

/// What is said of a claim before it is decided, X12 277CA and 277.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Acknowledgement {
    #[serde(rename = "acknowledgement")]
    pub(crate) verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) control_number: Option<String>,
    pub(crate) reasons: Vec<&'static str>,
}

/// What the payers remember.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The answer that stands of every claim that was decided; none where it was taken back.
    answers: BTreeMap<String, Option<ClaimPayment>>,
    /// What was paid too much and is taken from the next payment, by payer and currency.
    owed: BTreeMap<(String, String), Owed>,
}

#[derive(Debug, Default)]
struct Owed {
    amount: i64,
    /// The payment that left it.
    trace: Option<String>,
}

impl Memory {
    /// Decides about a claim.
    pub(crate) fn decide(&mut self, claim: &Claim) -> (Case, Vec<Step>) {
        let case = match claim.frequency_code {
            Frequency::Original => Case::of(&claim.subscriber.member_id),
            Frequency::Replacement => Case::Replace,
            Frequency::Void => Case::Void,
        };
        let mut desk = Desk { claim, memory: self, steps: Vec::new(), remittances: 0 };
        desk.decide(case);
        (case, desk.steps)
    }
}

/// The work on one claim.
struct Desk<'a> {
    claim: &'a Claim,
    memory: &'a mut Memory,
    steps: Vec<Step>,
    remittances: usize,
}

impl Desk<'_> {
    fn decide(&mut self, case: Case) {
        let claim = self.claim;
        match case {
            Case::Reject if claim.submission == 1 => return self.reject("The member's number is not one of ours."),
            Case::Replace => return self.replace(),
            Case::Void => return self.void(),
            _ => self.accept(),
        }
        if case == Case::Pend {
            self.acknowledge("pended", "pended", vec!["Send the notes of the visit."]);
        }
        let first = match case {
            Case::Deductible => answer::below_deductible(claim),
            Case::Deny => answer::denied(claim, TOO_LATE),
            Case::Inactive => answer::denied(claim, NOT_INSURED),
            Case::Partial => answer::partly_denied(claim),
            Case::Second => answer::after_others(claim),
            _ => answer::paid(claim),
        };
        match case {
            Case::Reverse => {
                self.answer("answered", vec![first.clone()]);
                self.correct(&first);
            }
            Case::Reorder => {
                self.answer("answered", vec![first.clone()]);
                self.correct(&first);
                // The payments are what they are; only the mail comes in another order.
                let last = self.steps.len() - 1;
                self.steps.swap(last - 1, last);
            }
            Case::Takeback => {
                self.answer("answered", vec![first.clone()]);
                self.answer("taken back", vec![first.reversed()]);
            }
            Case::Unbalanced => self.unbalanced(first),
            Case::Duplicate => {
                self.answer("answered", vec![first]);
                self.steps.extend(self.steps.last().map(|step| Step { name: "answered again", ..step.clone() }));
            }
            Case::Interest => {
                let interest = ProviderAdjustment { reason: "L6", reference: None, amount: -INTEREST };
                let remittance = self.remittance(vec![first], vec![interest]);
                self.send("answered with interest", remittance);
            }
            Case::Unknown => {
                let id = Uuid::new_v5(&Uuid::NAMESPACE_OID, claim.id.as_bytes()).to_string();
                let control_number = answer::control_number(&id);
                let stranger = ClaimPayment { claim_id: id, control_number, ..first.clone() };
                self.answer("answered beside a claim of nobody's", vec![first, stranger]);
            }
            _ => self.answer("answered", vec![first]),
        }
    }

    fn accept(&mut self) {
        self.acknowledge("accepted", "accepted", Vec::new());
    }

    fn reject(&mut self, reason: &'static str) {
        self.acknowledge("rejected", "rejected", vec![reason]);
    }

    fn acknowledge(&mut self, name: &'static str, verdict: &'static str, reasons: Vec<&'static str>) {
        // What the front end sends back has never reached a payer who could number it.
        let control_number = (verdict != "rejected").then(|| answer::control_number(&self.claim.id));
        let message = Message::Acknowledgement(Acknowledgement { verdict, control_number, reasons });
        self.steps.push(Step { name, message });
    }

    fn replace(&mut self) {
        let Some(mut answers) = self.reversals() else { return self.reject("The claim to replace is not known.") };
        self.accept();
        answers.push(answer::paid(self.claim));
        self.answer("replaced", answers);
    }

    fn void(&mut self) {
        let Some(answers) = self.reversals() else { return self.reject("The claim to take back is not known.") };
        self.accept();
        if !answers.is_empty() {
            self.answer("taken back", answers);
        }
    }

    /// What takes back the answer to the claim before this one: one, or none when nothing stands of it any more.
    fn reversals(&self) -> Option<Vec<ClaimPayment>> {
        let prior = self.claim.prior.as_ref()?;
        let standing = self.memory.answers.get(&prior.claim_id)?;
        Some(standing.iter().map(ClaimPayment::reversed).collect())
    }

    /// Takes an answer back and gives another one, at once.
    fn correct(&mut self, first: &ClaimPayment) {
        self.answer("corrected", vec![first.reversed(), answer::less(first, CORRECTION)]);
    }

    /// First a payment that is not the sum of its parts, then the same as it should be.
    fn unbalanced(&mut self, first: ClaimPayment) {
        let wrong = self.remittance(vec![first], Vec::new());
        let right = Remittance { trace: self.trace(), ..wrong.clone() };
        self.send("answered with a wrong sum", Remittance { payment: wrong.payment + 1, ..wrong });
        self.send("answered", right);
    }

    fn answer(&mut self, name: &'static str, claims: Vec<ClaimPayment>) {
        let remittance = self.remittance(claims, Vec::new());
        self.send(name, remittance);
    }

    fn send(&mut self, name: &'static str, remittance: Remittance) {
        self.steps.push(Step { name, message: Message::Remittance(remittance) });
    }

    /// A payment that is the sum of its parts, and never less than nothing: what would be is carried forward (FB) and
    /// taken back from the next one (WO).
    fn remittance(
        &mut self,
        claims: Vec<ClaimPayment>,
        mut provider_adjustments: Vec<ProviderAdjustment>,
    ) -> Remittance {
        let trace = self.trace();
        let claim = self.claim;
        let due = claims.iter().map(|claim| claim.paid).sum::<i64>()
            - provider_adjustments.iter().map(|adjustment| adjustment.amount).sum::<i64>();
        let owed = self.memory.owed.entry((claim.payer.id.clone(), claim.currency.clone())).or_default();
        let taken = due.min(owed.amount);
        if taken < 0 {
            owed.trace = Some(trace.clone());
        }
        if taken != 0 {
            let (reason, reference) = if taken < 0 { ("FB", Some(trace.clone())) } else { ("WO", owed.trace.clone()) };
            provider_adjustments.push(ProviderAdjustment { reason, reference, amount: taken });
            owed.amount -= taken;
        }
        for answer in &claims {
            let stands = answer.status_code != "22";
            self.memory.answers.insert(answer.claim_id.clone(), stands.then(|| answer.clone()));
        }
        Remittance {
            payer_id: claim.payer.id.clone(),
            trace,
            paid_date: claim.last_date(),
            currency_code: claim.currency.clone(),
            payment: due - taken,
            claims,
            provider_adjustments,
        }
    }

    /// The number of the next payment.
    fn trace(&mut self) -> String {
        self.remittances += 1;
        format!("{}-{}-{}", self.claim.id, self.claim.submission, self.remittances)
    }
}

#[cfg(test)]
mod tests;

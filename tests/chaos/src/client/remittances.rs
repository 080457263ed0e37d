//! Payers, played by all clients: what each has been asked to pay for, whoever's patients it is for, and what it answers.
//!
//! A payer never wants more of an invoice than what it is expected to pay, so that no answer reaches into what patients
//! have paid, which is their client's to act on.

use std::sync::{Mutex, PoisonError};

use access::Role;
use anyhow::Result;
use rand::{
    Rng, RngCore as _,
    rngs::StdRng,
    seq::{IndexedRandom as _, SliceRandom as _},
};
use serde_json::{Value, json};

use super::{Ask, Client, bills::text};
use crate::journal::Wish;

const REMITTANCES: &str = "/api/billing/remittances";
/// How many claims a remittance answers at most, and how many it takes back.
const MOST: usize = 4;
const MOST_BACK: usize = 2;
/// How often a payer adds interest for paying late.
const LATE: f64 = 0.2;
/// How often it answers a claim as a whole, without its lines.
const WHOLE: f64 = 0.2;
/// How often it denies a part of a line, or all of a claim.
const DENIES: f64 = 0.2;
/// How often it takes back and answers anew in two remittances, the new answer before what makes place for it.
const OUT_OF_ORDER: f64 = 0.4;

/// What payers have on their desks.
#[derive(Debug, Default)]
pub(crate) struct Payers {
    /// Claims as they were told last, by payer.
    asked: Mutex<Vec<(String, Value)>>,
    /// Their answers.
    answered: Mutex<Vec<(String, Value)>>,
}

impl Payers {
    /// A claim is on its payer's desk.
    pub(super) fn ask(&self, payer: String, claim: Value) {
        push(&self.asked, payer, claim);
    }
}

/// An acknowledged remittance.
#[derive(Clone)]
pub(super) struct Remitted {
    key: String,
    /// As it was sent.
    body: Value,
}

impl Client {
    /// Answers several claims of one payer, whosever patients they are for.
    pub(super) async fn remit(&mut self) -> Result<bool> {
        let taken = take(&self.world.payers.asked, &mut self.random, MOST);
        let Some((payer, claims)) = taken else { return Ok(false) };
        let answers: Vec<_> = claims.iter().map(|claim| self.answer(claim)).collect();
        let done = self.send(&payer, &answers).await?;
        for answer in answers.into_iter().filter(|_| done) {
            push(&self.world.payers.answered, payer.clone(), answer);
        }
        Ok(true)
    }

    /// An acknowledged remittance once more.
    pub(super) async fn remit_again(&mut self) -> Result<bool> {
        let Some(Remitted { key, body }) = self.remitted.choose(&mut self.random).cloned() else { return Ok(false) };
        let answers = self.perhaps_twice(Ask::post(Role::Service, REMITTANCES, &key, &body)).await?;
        self.note_all(Wish::Reremit, &key, None, &body, &answers)?;
        Ok(true)
    }

    /// Takes answers back and gives others: in one remittance, in any order, or in two, where the new answer waits until
    /// the old one is gone.
    pub(super) async fn take_back(&mut self) -> Result<bool> {
        let taken = take(&self.world.payers.answered, &mut self.random, MOST_BACK);
        let Some((payer, old)) = taken else { return Ok(false) };
        let mut reversals: Vec<_> = old.iter().map(reversed).collect();
        let new: Vec<_> = old.iter().map(|old| self.answer_anew(old)).collect();
        if self.random.random_bool(OUT_OF_ORDER) {
            // Who is booked by chance some time later is not touched again.
            self.send(&payer, &new).await?;
            self.send(&payer, &reversals).await?;
            return Ok(true);
        }
        reversals.extend(new.iter().cloned());
        reversals.shuffle(&mut self.random);
        let done = self.send(&payer, &reversals).await?;
        for answer in new.into_iter().filter(|_| done) {
            push(&self.world.payers.answered, payer.clone(), answer);
        }
        Ok(true)
    }

    /// Sends a remittance with these claims; whether it is acknowledged.
    async fn send(&mut self, payer: &str, claims: &[Value]) -> Result<bool> {
        let (key, _) = self.name();
        let mut adjustments = Vec::new();
        if self.random.random_bool(LATE) {
            adjustments.push(json!({ "reason": "L6", "amount": -self.random.random_range(1..=500) }));
        }
        let paid: i64 = claims.iter().map(|claim| number(claim, "paid")).sum();
        let left = paid - adjustments.iter().map(|adjustment| number(adjustment, "amount")).sum::<i64>();
        // No payment is below nothing: the payer carries it forward.
        if left < 0 {
            adjustments.push(json!({ "reason": "FB", "amount": left }));
        }
        let body = json!({
            "payerId": payer, "trace": key, "paidDate": "2026-11-30", "currencyCode": "EUR", "payment": left.max(0),
            "claims": claims, "providerAdjustments": adjustments,
        });
        let answers = self.perhaps_twice(Ask::post(Role::Service, REMITTANCES, &key, &body)).await?;
        self.note_all(Wish::Remit, &key, None, &body, &answers)?;
        let done = answers.iter().any(|answer| answer.status == Some(201));
        if done {
            self.remitted.push(Remitted { key, body });
        }
        Ok(done)
    }

    /// What the payer answers to a claim.
    fn answer(&mut self, claim: &Value) -> Value {
        let lines = claim["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        let lines: Vec<_> = lines.iter().map(|line| (line["line"].clone(), number(line, "charge"))).collect();
        let control = format!("ICN-{}", text(claim, "claimId"));
        let expected = number(claim, "expected");
        // Nothing of what is denied in whole is the patient's, so all of it has to be the payer's to pay.
        if expected == number(claim, "total") && self.random.random_bool(DENIES) {
            let adjustments = json!([{ "group": "CO", "reason": "96", "amount": expected }]);
            return json!({
                "claimId": claim["claimId"], "controlNumber": control, "statusCode": "4", "billed": expected, "paid": 0,
                "adjustments": adjustments, "lines": [],
            });
        }
        payment(&mut self.random, &claim["claimId"], &control, &lines, expected)
    }

    /// Another answer than this one, which leaves no less to the patient.
    fn answer_anew(&mut self, old: &Value) -> Value {
        let lines = old["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut lines: Vec<_> = lines.iter().map(|line| (line["line"].clone(), number(line, "billed"))).collect();
        if lines.is_empty() {
            lines.push((Value::Null, number(old, "billed")));
        }
        let left = number(old, "billed") - shares(old);
        payment(&mut self.random, &old["claimId"], &text(old, "controlNumber"), &lines, left)
    }
}

/// An answer that has up to `left` for the payer and the contract, and leaves the rest to the patient. A line that is
/// called nothing stands for the whole.
fn payment(random: &mut StdRng, claim: &Value, control: &str, lines: &[(Value, i64)], mut left: i64) -> Value {
    let mut answered = Vec::new();
    for (line, charge) in lines {
        let own = left.min(*charge);
        left -= own;
        let paid = random.random_range(0..=own);
        let contract = random.random_range(0..=own - paid);
        let denied = if random.random_bool(DENIES) { own - paid - contract } else { 0 };
        let patient = charge - paid - contract - denied;
        let deductible = random.random_range(0..=patient);
        let coinsurance = random.random_range(0..=patient - deductible);
        let parts = [
            ("CO", "45", contract),
            ("CO", "96", denied),
            ("PR", "1", deductible),
            ("PR", "2", coinsurance),
            ("PR", "3", patient - deductible - coinsurance),
        ];
        let adjustment = |(group, reason, amount)| json!({ "group": group, "reason": reason, "amount": amount });
        let parts: Vec<_> = parts.into_iter().filter(|(_, _, amount)| *amount > 0).map(adjustment).collect();
        answered.push(json!({ "line": line, "billed": charge, "paid": paid, "adjustments": parts }));
    }
    let sum = |member| answered.iter().map(|line| number(line, member)).sum::<i64>();
    let mut answer = json!({
        "claimId": claim, "controlNumber": control, "statusCode": "1", "billed": sum("billed"), "paid": sum("paid"),
        "adjustments": [], "lines": [],
    });
    if random.random_bool(WHOLE) || lines.iter().any(|(line, _)| line.is_null()) {
        let all = answered.iter().flat_map(|line| line["adjustments"].as_array().cloned().unwrap_or_default());
        answer["adjustments"] = all.collect();
    } else {
        answer["lines"] = answered.into();
    }
    answer
}

/// The exact negative of an answer.
fn reversed(answer: &Value) -> Value {
    let mut reversal = answer.clone();
    reversal["statusCode"] = "22".into();
    negate(&mut reversal);
    reversal
}

fn negate(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(negate),
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_i64() {
                    Some(amount) if name != "line" => *member = (-amount).into(),
                    _ => negate(member),
                }
            }
        }
        _ => {}
    }
}

/// What an answer has for the patient.
fn shares(answer: &Value) -> i64 {
    let of = |value: &Value| -> i64 {
        let all = value["adjustments"].as_array().into_iter().flatten();
        all.filter(|part| part["group"] == "PR").map(|part| number(part, "amount")).sum()
    };
    of(answer) + answer["lines"].as_array().into_iter().flatten().map(of).sum::<i64>()
}

fn number(value: &Value, member: &str) -> i64 {
    value[member].as_i64().unwrap_or_default()
}

fn push(desk: &Mutex<Vec<(String, Value)>>, payer: String, what: Value) {
    desk.lock().unwrap_or_else(PoisonError::into_inner).push((payer, what));
}

/// Takes some of what one payer has from the desk; none when it is empty.
fn take(desk: &Mutex<Vec<(String, Value)>>, random: &mut StdRng, most: usize) -> Option<(String, Vec<Value>)> {
    let (count, first) = (random.random_range(1..=most), random.next_u32());
    let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
    let first = usize::try_from(first).ok()?.checked_rem(desk.len())?;
    let payer = desk[first].0.clone();
    let mut taken = Vec::new();
    while let Some(n) = desk.iter().position(|(of, _)| *of == payer).filter(|_| taken.len() < count) {
        taken.push(desk.remove(n).1);
    }
    Some((payer, taken))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    #[test]
    fn an_answer_adds_up_and_leaves_to_the_patient_what_is_not_for_the_payer() {
        let mut random = StdRng::seed_from_u64(1);
        for left in [0, 700, 1_500] {
            for _ in 0..50 {
                let lines = [(json!(1), 1_000), (json!(2), 500)];
                let answer = payment(&mut random, &json!("c"), "ICN", &lines, left);
                let of = |value: &Value| -> i64 {
                    let all = value["adjustments"].as_array().into_iter().flatten();
                    number(value, "paid") + all.map(|part| number(part, "amount")).sum::<i64>()
                };
                let lines = answer["lines"].as_array().into_iter().flatten();
                let of_lines: i64 = lines.clone().map(|line| of(line) - number(line, "paid")).sum();
                assert_eq!(of(&answer) + of_lines, 1_500, "{answer}");
                assert!(lines.clone().all(|line| of(line) == number(line, "billed")), "{answer}");
                assert!(shares(&answer) >= 1_500 - left, "{answer}");
                assert_eq!(number(&reversed(&answer), "billed"), -1_500);
            }
        }
    }
}

//! What clients were told about money: each invoice, payment and act there with its amount, none twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    databases::{Databases, Documents},
    log::{Entry, Log, Wish},
    report::Line,
};

/// Acknowledged drafts and what became of them.
pub(crate) fn invoices(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("invoices", "every acknowledged draft, issue, credit and write-off is there, none twice");
    let all = &databases.invoices;
    for entry in log.entries.iter().filter(|entry| entry.billed()) {
        let wrong = stored(entry, &all.documents).map_or_else(Some, |data| invoice(entry, data));
        line.check(wrong.is_none(), || format!("{}: {}", entry.name(), wrong.unwrap_or_default()));
    }
    let numbers: Vec<_> = log.entries.iter().filter(|entry| entry.is(Wish::Issue, 200)).collect();
    let mut of_number = BTreeMap::<&str, BTreeSet<&str>>::new();
    for entry in numbers {
        let number = entry.answer["number"].as_str().unwrap_or_default();
        of_number.entry(number).or_default().insert(entry.money_id());
    }
    for (number, ids) in of_number {
        line.check(ids.len() == 1, || format!("the number {number} was told of {ids:?}"));
    }
    let by_hand = all
        .documents
        .iter()
        .filter(|(_, versions)| versions.get(&1).is_some_and(|document| document["data"]["source"].is_null()));
    made_once(&mut line, log, &[Wish::Draft], by_hand.map(|(id, _)| id.as_str()));
    line
}

/// Acknowledged payments and refunds.
pub(crate) fn payments(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("payments", "every acknowledged payment and refund is there with its amount, none twice");
    let all = &databases.payments;
    for entry in log.entries.iter().filter(|entry| entry.paid()) {
        let wrong = stored(entry, &all.documents).map_or_else(Some, |data| payment(entry, data));
        line.check(wrong.is_none(), || format!("{}: {}", entry.name(), wrong.unwrap_or_default()));
    }
    let mut of_reference = BTreeMap::<&str, usize>::new();
    for versions in all.documents.values() {
        let reference = versions.get(&1).and_then(|document| document["data"]["reference"].as_str());
        *of_reference.entry(reference.unwrap_or_default()).or_default() += 1;
    }
    for (reference, count) in of_reference {
        line.check(count == 1, || format!("{count} payments have the reference {reference}"));
    }
    made_once(&mut line, log, &[Wish::Pay, Wish::Repay], all.documents.keys().map(String::as_str));
    line
}

/// Each act has its entry in the journal, which has moved what was asked.
pub(crate) fn acts(log: &Log, databases: &Databases) -> Line {
    let mut line =
        Line::new("acts", "every acknowledged act has one journal entry of its amount, and no other is there");
    let mut of_outcome = BTreeMap::<(&str, i64), Vec<&Value>>::new();
    for versions in databases.journal.documents.values() {
        let data = versions.values().next_back().map_or(&Value::Null, |document| &document["data"]);
        let outcome = &data["outcome"];
        // What payers do is no client's act on a claim, and a line of its own.
        if ["remittance-received", "claim-answered", "claim-reversed"].iter().any(|act| data["act"] == *act) {
            continue;
        }
        let made = (outcome["id"].as_str().unwrap_or_default(), outcome["version"].as_i64().unwrap_or_default());
        of_outcome.entry(made).or_default().push(data);
    }
    let (mut told, mut unknown) = (BTreeMap::<_, BTreeSet<_>>::new(), 0_usize);
    for entry in &log.entries {
        let Some(act) = act_of(entry.wish) else { continue };
        if entry.status.is_none() {
            unknown += 1;
        }
        if !(entry.billed() || entry.paid() || entry.claimed()) {
            continue;
        }
        let outcome = (entry.money_id(), entry.answered_version());
        told.entry(outcome).or_default().insert((entry.client, &entry.key));
        let found = of_outcome.get(&outcome).map_or(&[][..], Vec::as_slice);
        let is_it = matches!(found, [data] if data["act"] == act && moved(entry, data) == asked(entry));
        line.check(is_it, || format!("{}: the journal has {found:?}", entry.name()));
    }
    for (outcome, keys) in &told {
        line.check(keys.len() == 1, || format!("{outcome:?} was answered for the keys {keys:?}"));
    }
    let untold = of_outcome.keys().filter(|outcome| !told.contains_key(*outcome)).count();
    line.check(untold <= unknown, || format!("{untold} acts that nobody was told of, {unknown} had no answer"));
    line
}

/// What the journal calls it; none of what moves nothing.
fn act_of(wish: Wish) -> Option<&'static str> {
    Some(match wish {
        Wish::Issue => "invoice-issued",
        Wish::Credit => "invoice-credited",
        Wish::WriteOff => "invoice-written-off",
        Wish::Pay | Wish::Repay => "payment-captured",
        Wish::Refund => "payment-refunded",
        Wish::Claim => "claim-created",
        Wish::Prepare => "claim-changed",
        Wish::Submit => "claim-submitted",
        Wish::Acknowledge => "claim-acknowledged",
        _ => return None,
    })
}

/// What the postings of an act have moved: what is owed, or what came in.
fn moved(entry: &Entry, data: &Value) -> i64 {
    let postings = data["postings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = |accounts: &[&str]| -> i64 {
        let of_accounts = postings.iter().filter(|posting| accounts.iter().any(|name| posting["account"] == *name));
        of_accounts.filter_map(|posting| posting["amount"].as_i64()).sum()
    };
    match entry.wish {
        Wish::Issue => sum(&["patient-receivable"]),
        Wish::Credit => sum(&["revenue", "tax-payable"]),
        Wish::WriteOff => sum(&["small-balance-write-off", "bad-debt", "courtesy"]),
        Wish::Refund => -sum(&["cash", "clearing", "bank"]),
        Wish::Submit => sum(&["insurance-receivable"]),
        // These move nothing: whatever they post is too much.
        Wish::Claim | Wish::Prepare | Wish::Acknowledge => i64::try_from(postings.len()).unwrap_or(i64::MAX),
        _ => sum(&["cash", "clearing", "bank"]),
    }
}

fn asked(entry: &Entry) -> i64 {
    let amount = |of: &Value| of["amount"].as_i64().unwrap_or_default();
    match entry.wish {
        Wish::Issue => entry.answer["lines"].as_array().into_iter().flatten().map(total).sum(),
        Wish::Credit => entry.body["lines"].as_array().into_iter().flatten().map(amount).sum(),
        Wish::Submit => entry.answer["expected"].as_i64().unwrap_or_default(),
        Wish::Claim | Wish::Prepare | Wish::Acknowledge => 0,
        _ => amount(&entry.body),
    }
}

/// What a line comes to; these have prices whose tax needs no rounding.
fn total(line: &Value) -> i64 {
    let number = |value: &Value| value.as_i64().unwrap_or_default();
    let net = number(&line["units"]) * number(&line["unitPrice"]) - number(&line["discount"]["amount"]);
    // As it is answered, and as it is stored.
    let rate = number(&line["tax"]["rateMillionths"]) + number(&line["tax"]["rate"]);
    net + net * rate / 1_000_000
}

fn invoice(entry: &Entry, data: &Value) -> Option<String> {
    let answer = &entry.answer;
    let is_as_answered = data["status"] == answer["status"]
        && data["patientId"] == answer["patientId"]
        && data["clinicId"] == answer["clinicId"]
        && data["number"]["text"] == answer["number"]
        && data["balance"]["patientOpen"].as_i64().unwrap_or_default()
            == answer["balance"]["patientOpen"].as_i64().unwrap_or_default();
    if !is_as_answered {
        return Some(format!("{data} is not what was answered: {answer}"));
    }
    let lines = |of: &Value| of["lines"].as_array().cloned().unwrap_or_default();
    let is_as_asked = match entry.wish {
        Wish::Draft => {
            let same = |one: &Value, other: &Value| {
                ["system", "code", "text", "units", "unitPrice"].into_iter().all(|name| one[name] == other[name])
                    && total(one) == total(other)
            };
            let (asked, stored) = (lines(&entry.body), lines(data));
            data["status"] == "draft"
                && data["patientId"] == entry.body["patientId"]
                && asked.len() == stored.len()
                && asked.iter().zip(&stored).all(|(one, other)| same(one, other))
        }
        Wish::Issue => {
            let sum: i64 = lines(data).iter().map(total).sum();
            data["status"] == "issued" && data["balance"]["patientOpen"] == sum && answer["total"] == sum
        }
        Wish::Credit => data["creditNotes"].as_array().and_then(|notes| notes.last()).is_some_and(|note| {
            note["lines"][0]["sequence"] == entry.body["lines"][0]["sequence"]
                && note["lines"][0]["amount"] == entry.body["lines"][0]["amount"]
        }),
        _ => data["balance"]["writtenOff"].as_i64() >= entry.body["amount"].as_i64(),
    };
    (!is_as_asked).then(|| format!("what is stored is not what was asked: {data}"))
}

fn payment(entry: &Entry, data: &Value) -> Option<String> {
    let is_as_asked = if entry.wish == Wish::Refund {
        let refund = data["refunds"].as_array().and_then(|refunds| refunds.last());
        refund.is_some_and(|refund| refund["amount"] == entry.body["amount"] && refund["status"] == "completed")
    } else {
        ["patientId", "amount", "method", "reference"].into_iter().all(|name| data[name] == entry.body[name])
            && data["status"] == "captured"
    };
    let is_as_answered = ["amount", "status", "unapplied"].into_iter().all(|name| data[name] == entry.answer[name]);
    (!is_as_asked || !is_as_answered).then(|| format!("what is stored is not what was asked or answered: {data}"))
}

/// The document of the version that was answered: 1 for what is new, and the one after what a change has seen.
fn stored<'a>(entry: &Entry, all: &'a Documents) -> Result<&'a Value, String> {
    let (id, version) = (entry.money_id(), entry.answered_version());
    if version != entry.seen.unwrap_or_default() + 1 {
        return Err(format!("version {version} was answered where {:?} was seen", entry.seen));
    }
    if entry.seen.is_some() && entry.subject.as_deref() != Some(id) {
        return Err(format!("{id} was answered where {:?} was changed", entry.subject));
    }
    if entry.etag.as_deref() != Some(&format!("\"{version}\"")) {
        return Err(format!("the ETag {:?} is not that of version {version}", entry.etag));
    }
    let document = all.get(id).and_then(|versions| versions.get(&version));
    document.map(|document| &document["data"]).ok_or_else(|| format!("version {version} of {id} is gone"))
}

/// One thing for a key, one key for a thing, and nothing that nobody was told of.
pub(super) fn made_once<'a>(line: &mut Line, log: &Log, wishes: &[Wish], there: impl Iterator<Item = &'a str>) {
    let (mut of_key, mut of_id) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, BTreeSet<_>>::new());
    let mut unknown = 0_usize;
    for entry in log.entries.iter().filter(|entry| wishes.contains(&entry.wish)) {
        match entry.status {
            Some(201) => {
                of_key.entry((entry.client, &entry.key)).or_default().insert(entry.money_id());
                of_id.entry(entry.money_id()).or_default().insert((entry.client, &entry.key));
            }
            None => unknown += 1,
            Some(_) => {}
        }
    }
    for (key, ids) in &of_key {
        line.check(ids.len() == 1, || format!("{key:?} was answered {ids:?}"));
    }
    for (id, keys) in &of_id {
        line.check(keys.len() == 1, || format!("{id} was answered for the keys {keys:?}"));
    }
    let untold: Vec<_> = there.filter(|id| !of_id.contains_key(id)).collect();
    line.check(untold.len() <= unknown, || format!("nobody was told of {untold:?}; {unknown} had no answer"));
}

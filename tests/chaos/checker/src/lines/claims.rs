//! Who insures whom, what payers are asked for, and what is left of their answers.

use serde_json::Value;

use super::{books::audited, money::made_once};
use crate::{
    databases::{Databases, Owned},
    log::{Entry, Log, Wish},
    report::Line,
};

/// Acknowledged coverages and claims, and what payers are expected to pay.
pub(crate) fn claims(log: &Log, databases: &Databases) -> Line {
    let promise = "every acknowledged coverage and claim is there, one live claim for invoice and payer, and expects what \
                   is posted";
    let mut line = audited("claims", promise, &databases.insurance.claims);
    for entry in log.entries.iter().filter(|entry| entry.is(Wish::Insure, 201)) {
        let names = ["patientId", "payerId", "memberId", "plan", "order", "relationship"];
        let wrong = first_is_as_asked(entry, &databases.coverages, &names);
        line.check(wrong.is_none(), || format!("{}: {}", entry.name(), wrong.unwrap_or_default()));
    }
    for entry in log.entries.iter().filter(|entry| entry.claimed()) {
        let wrong = match entry.wish {
            Wish::Claim => written(entry, &databases.claims),
            _ => changed(entry, &databases.claims),
        };
        line.check(wrong.is_none(), || format!("{}: {}", entry.name(), wrong.unwrap_or_default()));
    }
    made_once(&mut line, log, &[Wish::Insure], databases.coverages.documents.keys().map(String::as_str));
    made_once(&mut line, log, &[Wish::Claim], databases.claims.documents.keys().map(String::as_str));
    line
}

/// X12 835 balancing.
pub(crate) fn answers(databases: &Databases) -> Line {
    let promise = "every answer that stands is a remittance's, and billed = paid + adjustments, by line and in all";
    audited("answers", promise, &databases.insurance.answers)
}

/// What members have used of their plans.
pub(crate) fn accumulators(databases: &Databases) -> Line {
    let promise =
        "what members have used is the sum of their shares in the answers that stand, by coverage and plan year";
    audited("accumulators", promise, &databases.insurance.accumulators)
}

/// Whether version 1 says what was asked, by these members.
fn first_is_as_asked(entry: &Entry, all: &Owned, names: &[&str]) -> Option<String> {
    let id = entry.money_id();
    let Some(document) = all.documents.get(id).and_then(|versions| versions.get(&1)) else {
        return Some(format!("{id} is not there"));
    };
    let same = names.iter().all(|name| document["data"][*name] == entry.body[*name]);
    let is_first = entry.answered_version() == 1 && entry.etag.as_deref() == Some("\"1\"");
    (!same || !is_first).then(|| format!("{} is not what was asked: {}", document["data"], entry.body))
}

fn written(entry: &Entry, all: &Owned) -> Option<String> {
    let wrong = first_is_as_asked(entry, all, &["invoiceId", "coverageId"]);
    let data = &all.documents.get(entry.money_id())?.get(&1)?["data"];
    let (asked, lines) = (&entry.body["content"], |of: &Value| of["lines"].as_array().cloned().unwrap_or_default());
    let (told, stored) = (lines(&entry.answer), lines(data));
    let charge = |line: &Value| line["charge"].as_i64().unwrap_or_default();
    let is_it = ["billingProvider", "renderingProvider", "diagnoses"].iter().all(|name| data[*name] == asked[*name])
        && data["status"] == "draft"
        && stored.len() == lines(asked).len()
        && stored.iter().zip(lines(asked)).all(|(one, other)| one["modifiers"] == other["modifiers"])
        && stored.iter().map(charge).eq(told.iter().map(charge))
        && entry.answer["total"].as_i64() == Some(stored.iter().map(charge).sum());
    wrong.or_else(|| (!is_it).then(|| format!("{data} is not what was asked: {}", entry.body)))
}

/// Whether a claim has come as far as was acknowledged, by the version that was made for it.
fn changed(entry: &Entry, all: &Owned) -> Option<String> {
    let (id, version) = (entry.money_id(), entry.answered_version());
    let made = entry.seen.map(|seen| seen + 1);
    if made != Some(version) || entry.subject.as_deref() != Some(id) {
        return Some(format!(
            "version {version} of {id} was answered where {:?} of {:?} was seen",
            entry.seen, entry.subject
        ));
    }
    let Some(document) = all.documents.get(id).and_then(|versions| versions.get(&version)) else {
        return Some(format!("version {version} of {id} is gone"));
    };
    let data = &document["data"];
    let is_it = match entry.wish {
        Wish::Prepare => data["status"] == "ready",
        Wish::Submit => data["status"] == "submitted" && data["submissions"] == 1,
        _ => data["status"] == entry.body["acknowledgement"] && data["controlNumber"] == entry.body["controlNumber"],
    };
    let is_as_answered = data["status"] == entry.answer["status"]
        && data["expected"].as_i64().unwrap_or_default() == entry.answer["expected"].as_i64().unwrap_or_default();
    // What comes later may be more, and never less.
    let now = all.documents.get(id).and_then(|versions| versions.values().next_back());
    let is_kept = now.is_some_and(|now| rank(&now["data"]) >= rank(data));
    (!is_it || !is_as_answered || !is_kept)
        .then(|| format!("{data} is not what was asked or answered: {}", entry.answer))
}

fn rank(claim: &Value) -> u8 {
    match claim["status"].as_str() {
        Some("draft") => 0,
        Some("ready") => 1,
        Some("submitted") => 2,
        _ => 3,
    }
}

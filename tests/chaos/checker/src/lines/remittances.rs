//! What payers have paid: each remittance once, with its money and with what it says.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{books::audited, money::made_once};
use crate::{
    databases::Databases,
    log::{Entry, Log, Wish},
    report::Line,
};

/// Acknowledged remittances, and what was booked of them.
pub(crate) fn remittances(log: &Log, databases: &Databases) -> Line {
    let promise =
        "every acknowledged remittance is there once, its money on the bank once, each answer in it booked once";
    let mut line = audited("remittances", promise, &databases.insurance.remittances);
    let all = &databases.remittances.documents;
    for entry in log.entries.iter().filter(|entry| entry.remitted()) {
        let data = all.get(entry.money_id()).and_then(|versions| versions.get(&1)).map(|document| &document["data"]);
        let is_it = data.is_some_and(|data| said(data) == asked(entry) && data["trace"] == entry.key.as_str());
        line.check(is_it, || format!("{}: what is stored is not what was sent: {data:?}", entry.name()));
    }
    let mut of_trace = BTreeMap::<&str, usize>::new();
    for versions in all.values() {
        let trace = versions.get(&1).and_then(|document| document["data"]["trace"].as_str());
        *of_trace.entry(trace.unwrap_or_default()).or_default() += 1;
    }
    for (trace, count) in of_trace {
        line.check(count == 1, || format!("{count} remittances have the trace {trace}"));
    }
    made_once(&mut line, log, &[Wish::Remit, Wish::Reremit], all.keys().map(String::as_str));
    line
}

/// What a remittance says, as it is sent.
fn asked(entry: &Entry) -> Value {
    let body = &entry.body;
    let claims = list(&body["claims"]).map(|claim| of_claim(claim, &claim["statusCode"]));
    json!({
        "payer": body["payerId"], "paid": body["paidDate"], "currency": body["currencyCode"], "payment": body["payment"],
        "claims": claims.collect::<Vec<_>>(), "others": body["providerAdjustments"],
    })
}

/// The same, as it is stored.
fn said(data: &Value) -> Value {
    let claims = list(&data["claims"]).map(|claim| of_claim(claim, &code(&claim["status"])));
    json!({
        "payer": data["payerId"], "paid": data["paidOn"], "currency": data["currency"], "payment": data["payment"],
        "claims": claims.collect::<Vec<_>>(), "others": data["providerAdjustments"],
    })
}

fn of_claim(claim: &Value, status: &Value) -> Value {
    json!({
        "claim": claim["claimId"], "control": claim["controlNumber"], "status": status, "billed": claim["billed"],
        "paid": claim["paid"], "adjustments": claim["adjustments"], "lines": claim["lines"],
    })
}

/// X12 CLP02, of what is sent here.
fn code(status: &Value) -> Value {
    match status.as_str() {
        Some("primary") => "1".into(),
        Some("denied") => "4".into(),
        Some("reversal") => "22".into(),
        _ => Value::Null,
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

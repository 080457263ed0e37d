//! Versions and the events that they tell.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{
    databases::{Databases, Owned},
    report::Line,
};

fn owners(databases: &Databases) -> [(&'static str, &Owned); 13] {
    [
        ("patient", &databases.patient),
        ("account", &databases.billing),
        ("appointment", &databases.appointments),
        ("observation", &databases.observations),
        ("encounter", &databases.encounters),
        ("invoice", &databases.invoices),
        ("payment", &databases.payments),
        ("journal", &databases.journal),
        ("payer", &databases.payers),
        ("coverage", &databases.coverages),
        ("claim", &databases.claims),
        ("accumulators", &databases.accumulators),
        ("remittance", &databases.remittances),
    ]
}

/// History and the current document are the versions 1 to n.
pub(crate) fn without_gap(databases: &Databases) -> Line {
    let mut line = Line::new("versions", "the versions of each document are 1 to n without gap");
    for (kind, owned) in owners(databases) {
        for (id, versions) in &owned.documents {
            let gapless = versions.keys().copied().eq(1..=i64::try_from(versions.len()).unwrap_or(i64::MAX));
            let ends = versions.last_key_value().map(|(version, _)| version) == owned.current.get(id);
            let named = versions.iter().all(|(version, document)| document["version"] == *version);
            line.check(gapless && ends && named, || format!("{kind} {id} has the versions {:?}", versions.keys()));
        }
    }
    line
}

/// Each version tells exactly one event of its own, one of what nobody else has to know none, and no two events have one
/// id.
pub(crate) fn events(databases: &Databases) -> Line {
    let mut line =
        Line::new("events", "each version tells one event of its own or none, and no two events have one id");
    let mut ids = BTreeSet::new();
    for (kind, owned) in owners(databases) {
        for (id, versions) in &owned.documents {
            for (version, document) in versions {
                let events = document["events"].as_array().map(Vec::as_slice).unwrap_or_default();
                let told = match events {
                    // What is in a chart is nobody else's before an encounter is over; of the journal only what moves
                    // something is told, and of what is insured only claims are.
                    [] => {
                        let is_quiet =
                            kind == "encounter" && !is_over(document) || kind == "journal" && moved(document) == (0, 0);
                        SILENT.contains(&kind) || is_quiet
                    }
                    [event] => {
                        tells(event, kind, id, *version) && (kind != "journal" || told_moves(event) == moved(document))
                    }
                    _ => false,
                };
                line.check(told, || format!("version {version} of {kind} {id} tells {}", document["events"]));
                for event in events {
                    let event = event["event"]["id"].as_str().unwrap_or_default();
                    line.check(ids.insert(event), || format!("event {event} is told twice, by {kind} {id}, too"));
                }
            }
        }
    }
    line
}

/// Kinds that tell nothing.
const SILENT: [&str; 5] = ["observation", "payer", "coverage", "accumulators", "remittance"];

/// How many pairs of postings an act has, and what they debit in all.
fn moved(act: &Value) -> (usize, i64) {
    let postings = act["data"]["postings"].as_array().map(Vec::as_slice).unwrap_or_default();
    let debits = postings.iter().filter_map(|posting| posting["amount"].as_i64()).filter(|amount| *amount > 0);
    (postings.len() / 2, debits.sum())
}

/// The same by the event of it.
fn told_moves(event: &Value) -> (usize, i64) {
    let moves = event["event"]["data"]["entry"]["moves"].as_array().map(Vec::as_slice).unwrap_or_default();
    let amounts = moves.iter().filter_map(|moved| moved["amount"].as_str()?.parse::<i64>().ok());
    (moves.len(), amounts.sum())
}

fn is_over(encounter: &Value) -> bool {
    encounter["data"]["resource"]["status"] == "finished"
}

fn tells(event: &Value, kind: &str, id: &str, version: i64) -> bool {
    let (topic, member, subject) = match (kind, version) {
        ("account", _) => ("billing.account.opened", "account", "accountId"),
        ("appointment", 1) => ("appointment.booked", "appointment", "appointmentId"),
        ("appointment", _) => ("appointment.changed", "appointment", "appointmentId"),
        ("encounter", _) => ("encounter.finished", "encounter", "encounterId"),
        ("invoice", 1) => ("billing.invoice.created", "invoice", "invoiceId"),
        ("invoice", _) => ("billing.invoice.changed", "invoice", "invoiceId"),
        ("claim", _) => ("billing.claim.changed", "claim", "claimId"),
        ("journal", _) => ("billing.journal.posted", "entry", "journalId"),
        ("payment", _) => ("billing.payment.recorded", "payment", "paymentId"),
        (_, 1) => ("patient.registered", "patient", "patientId"),
        _ => ("patient.updated", "patient", "patientId"),
    };
    let snapshot = &event["event"]["data"][member];
    // Proto JSON writes 64-bit numbers as text.
    event["topic"] == topic
        && event["partitionKey"] == id
        && snapshot[subject] == id
        && snapshot["version"] == version.to_string().as_str()
}

//! Billing's books: they add up, and whatever says how much says the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{books::Audit, databases::Databases, report::Line};

/// Double entry.
pub(crate) fn ledger(databases: &Databases) -> Line {
    audited("ledger", "the postings of each act, and all of them, add up to nothing", &databases.books.ledger)
}

/// What is stored and could be computed.
pub(crate) fn balances(databases: &Databases) -> Line {
    let promise =
        "balances of accounts, invoices and payments equal their postings, of both sides, and so do documents";
    audited("balances", promise, &databases.books.balances)
}

/// What money is used for.
pub(crate) fn allocations(databases: &Databases) -> Line {
    let promise = "no payment is used or refunded above what came in, and what is paid is paid by postings";
    audited("allocations", promise, &databases.books.allocations)
}

/// What is printed on invoices and credit notes.
pub(crate) fn numbers(databases: &Databases) -> Line {
    audited("numbers", "the numbers of each series are 1 to n without gap or repeat", &databases.books.numbers)
}

/// What was done is drafted once, and what is drafted was done.
pub(crate) fn drafts(databases: &Databases) -> Line {
    let promise = "each finished encounter has one invoice with its services, each such invoice its encounter";
    let mut line = audited("drafts", promise, &databases.books.drafts);
    let mut of_encounter = BTreeMap::<&str, &Value>::new();
    for versions in databases.invoices.documents.values() {
        let data = versions.values().next_back().map(|document| &document["data"]);
        if let Some((encounter, data)) = data.and_then(|data| Some((data["source"]["encounterId"].as_str()?, data))) {
            of_encounter.insert(encounter, data);
        }
    }
    let mut finished = BTreeSet::new();
    for (id, versions) in &databases.encounters.documents {
        let Some(data) = versions.values().next_back().map(|document| &document["data"]) else { continue };
        let encounter = &data["resource"];
        if encounter["status"] != "finished" {
            continue;
        }
        finished.insert(id.as_str());
        let codes = |lines: &Value, code: fn(&Value) -> &Value| {
            lines.as_array().into_iter().flatten().map(|line| code(line).clone()).collect::<Vec<_>>()
        };
        let done = codes(&encounter["services"], |service| &service["code"]["code"]);
        let is_charged = of_encounter
            .get(id.as_str())
            .is_some_and(|invoice| codes(&invoice["lines"], |line| &line["code"]) == done && !done.is_empty());
        line.check(is_charged, || format!("encounter {id} with {done:?} has {:?}", of_encounter.get(id.as_str())));
    }
    for encounter in of_encounter.keys().filter(|encounter| !finished.contains(*encounter)) {
        line.offends(format!("there is an invoice of {encounter}, which is not over"));
    }
    line
}

pub(super) fn audited(name: &'static str, promise: &'static str, audit: &Audit) -> Line {
    let mut line = Line::new(name, promise);
    line.checked = audit.checked;
    for offence in &audit.offences {
        line.offends(offence.to_string());
    }
    line
}

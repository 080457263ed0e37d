//! Accounts and patients.

use std::collections::BTreeMap;

use crate::{databases::Databases, log::Log, report::Line};

/// Every patient has one account, and every account a patient.
pub(crate) fn one_each(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("accounts", "every patient has exactly one account, and no account is without a patient");
    let mut of_patient = BTreeMap::<&str, Vec<&str>>::new();
    for (id, versions) in &databases.billing.documents {
        let patient = versions.values().next_back().and_then(|document| document["data"]["patientId"].as_str());
        of_patient.entry(patient.unwrap_or_default()).or_default().push(id);
    }
    for id in databases.patient.documents.keys() {
        let accounts = of_patient.get(id.as_str()).map_or(0, Vec::len);
        line.check(accounts == 1, || format!("patient {id} has {accounts} accounts"));
    }
    for entry in log.entries.iter().filter(|entry| entry.registered() || entry.amended()) {
        let told = entry.answer["billingAccount"]["id"].as_str().unwrap_or_default();
        let known = entry.answered_id().and_then(|id| of_patient.get(id)).is_some_and(|accounts| accounts == &[told]);
        line.check(known, || format!("{}: it was told of the account {told:?}", entry.name()));
    }
    for (patient, accounts) in of_patient {
        line.check(databases.patient.documents.contains_key(patient), || {
            format!("account {accounts:?} is of {patient:?}, who is not there")
        });
    }
    line
}

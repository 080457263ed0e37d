//! Acknowledged writes: each there, none twice.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use crate::{
    databases::{Databases, Documents},
    log::{Entry, Log, Wish},
    report::Line,
};

/// What an answer has beside the person.
const NOT_OF_THE_PERSON: [&str; 5] = ["id", "mrn", "version", "active", "billingAccount"];

/// What was acknowledged is stored under the version that the answer named, as it was asked and as it was answered.
pub(crate) fn acknowledged(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("acknowledged", "every acknowledged write is there with its content");
    let patients = &databases.patient.documents;
    for entry in log.entries.iter().filter(|entry| entry.registered() || entry.amended()) {
        let missing = if entry.registered() { registered(entry, patients) } else { amended(entry, patients) };
        line.check(missing.is_none(), || format!("{}: {}", entry.name(), missing.unwrap_or_default()));
    }
    line
}

fn registered(entry: &Entry, patients: &Documents) -> Option<String> {
    let document = match stored(entry, patients) {
        Ok(document) => document,
        Err(missing) => return Some(missing),
    };
    if entry.answer["version"] != 1 {
        return Some(format!("a registration made version {}", entry.answer["version"]));
    }
    if document["data"]["person"] != entry.body {
        return Some("what is stored is not what was asked".to_owned());
    }
    (document["data"]["active"] != true).then(|| "it is not active".to_owned())
}

fn amended(entry: &Entry, patients: &Documents) -> Option<String> {
    let document = match stored(entry, patients) {
        Ok(document) => document,
        Err(missing) => return Some(missing),
    };
    let (seen, version) = (entry.seen.unwrap_or_default(), entry.answer["version"].as_i64().unwrap_or_default());
    if version != seen + 1 || entry.subject.as_deref() != entry.answered_id() {
        return Some(format!("an amendment of version {seen} of {:?} answered version {version}", entry.subject));
    }
    let Some(before) = entry.answered_id().and_then(|id| patients.get(id)?.get(&seen)) else {
        return Some(format!("version {seen} is gone"));
    };
    let mut expected = before["data"]["person"].as_object().cloned().unwrap_or_default();
    expected.insert("active".to_owned(), before["data"]["active"].clone());
    // RFC 7396; these patches have no objects.
    for (name, value) in entry.body.as_object().into_iter().flatten() {
        match value {
            Value::Null => expected.remove(name),
            value => expected.insert(name.clone(), value.clone()),
        };
    }
    let mut found = document["data"]["person"].as_object().cloned().unwrap_or_default();
    found.insert("active".to_owned(), document["data"]["active"].clone());
    (found != expected).then(|| "what is stored is not what was asked".to_owned())
}

/// The document of the version that was answered, if it is what the answer said.
fn stored<'a>(entry: &Entry, patients: &'a Documents) -> Result<&'a Value, String> {
    let (Some(id), Some(version)) = (entry.answered_id(), entry.answer["version"].as_i64()) else {
        return Err(format!("the answer names no version: {}", entry.answer));
    };
    let versions = patients.get(id).ok_or_else(|| format!("patient {id} is not there"))?;
    let document = versions.get(&version).ok_or_else(|| format!("version {version} of {id} is not there"))?;
    let data = &document["data"];
    let answered: Map<String, Value> = entry
        .answer
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !NOT_OF_THE_PERSON.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    if data["person"] != Value::Object(answered) {
        return Err(format!("version {version} of {id} is not what was answered"));
    }
    if data["mrn"] != entry.answer["mrn"] || data["active"] != entry.answer["active"] {
        return Err(format!("version {version} of {id} has another MRN or state"));
    }
    if entry.etag.as_deref() != Some(&format!("\"{version}\"")) {
        return Err(format!("the ETag {:?} is not that of version {version}", entry.etag));
    }
    Ok(document)
}

/// No key, person or amendment took effect twice, and nothing is there that nobody asked for.
pub(crate) fn once(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("once", "no write is there twice, and none that nobody asked for");
    let patients = &databases.patient.documents;
    let (mut of_key, mut of_patient) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, BTreeSet<_>>::new());
    for entry in log.entries.iter().filter(|entry| entry.registered()) {
        let id = entry.answered_id().unwrap_or_default();
        // A key is its client's own.
        of_key.entry((entry.client, &entry.key)).or_default().insert(id);
        of_patient.entry(id).or_default().insert((entry.client, &entry.key));
    }
    for (key, ids) in &of_key {
        line.check(ids.len() == 1, || format!("{key:?} was answered the patients {ids:?}"));
    }
    for (id, keys) in &of_patient {
        line.check(keys.len() == 1, || format!("{id} was answered for the keys {keys:?}"));
    }

    let unknown: Vec<&Value> = log
        .entries
        .iter()
        .filter(|entry| entry.status.is_none() && matches!(entry.wish, Wish::Register | Wish::Replay))
        .map(|entry| &entry.body)
        .collect();
    let mut of_person = BTreeMap::<String, Vec<&String>>::new();
    for (id, versions) in patients {
        let first = versions.get(&1).map(|document| &document["data"]["person"]);
        line.check(of_patient.contains_key(id.as_str()) || first.is_some_and(|first| unknown.contains(&first)), || {
            format!("nobody was told of patient {id}")
        });
        of_person.entry(first.map(ToString::to_string).unwrap_or_default()).or_default().push(id);
    }
    for ids in of_person.values() {
        line.check(ids.len() == 1, || format!("{ids:?} are one person"));
    }

    let mut amendments = BTreeMap::<_, BTreeMap<_, BTreeSet<_>>>::new();
    for entry in log.entries.iter().filter(|entry| entry.amended()) {
        let of_patient = amendments.entry(entry.answered_id().unwrap_or_default()).or_default();
        let version = entry.answer["version"].as_i64().unwrap_or_default();
        of_patient.entry(version).or_default().insert((entry.client, &entry.key));
    }
    for (id, versions) in &amendments {
        for (version, keys) in versions {
            line.check(keys.len() == 1, || format!("version {version} of {id} was answered for the keys {keys:?}"));
        }
    }
    let given_up: BTreeSet<_> = log
        .entries
        .iter()
        .filter(|entry| entry.status.is_none())
        .filter_map(|entry| entry.subject.as_deref())
        .collect();
    for (id, current) in databases.patient.current.iter().filter(|(id, _)| !given_up.contains(id.as_str())) {
        let told = amendments.get(id.as_str()).map_or(0, BTreeMap::len);
        line.check(usize::try_from(*current) == Ok(told + 1), || {
            format!("{id} is at version {current}, and {told} amendments were acknowledged")
        });
    }
    line
}

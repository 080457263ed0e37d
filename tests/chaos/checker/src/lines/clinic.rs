//! Appointments and observations: each there with its content, none twice, and nobody in two places.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{
    databases::{Databases, Documents, Owned},
    log::{Entry, Log, Wish},
    report::Line,
};

/// Nobody and nothing is booked twice for one time, by the table that refuses it and by the documents.
pub(crate) fn double_booked(databases: &Databases) -> Line {
    let mut line = Line::new("double-booked", "no practitioner, room or patient is booked twice for one time");
    line.check(true, String::new);
    for pair in &databases.double_booked {
        line.check(false, || pair.to_string());
    }
    line
}

/// Acknowledged bookings and changes are there as they were asked and answered, each once.
pub(crate) fn appointments(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("appointments", "every acknowledged booking and change is there, none twice");
    let all = &databases.appointments;
    for entry in log.entries.iter().filter(|entry| entry.booked() || entry.changed()) {
        let wrong = appointment(entry, &all.documents);
        line.check(wrong.is_none(), || format!("{}: {}", entry.name(), wrong.unwrap_or_default()));
    }
    let made = |entry: &&Entry| entry.wish.books();
    let changes = |entry: &&Entry| entry.wish.changes();
    once(&mut line, all, log.entries.iter().filter(made), log.entries.iter().filter(changes));
    line
}

/// Acknowledged observations and corrections are there as they were asked, each once.
pub(crate) fn observations(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("observations", "every acknowledged observation and correction is there, none twice");
    let all = &databases.observations;
    for entry in log.entries.iter().filter(|entry| entry.observed() || entry.corrected()) {
        let wrong = observation(entry, &all.documents);
        line.check(wrong.is_none(), || format!("{}: {}", entry.name(), wrong.unwrap_or_default()));
    }
    let made = |entry: &&Entry| entry.wish == Wish::Observe;
    let changes = |entry: &&Entry| entry.wish == Wish::Correct;
    once(&mut line, all, log.entries.iter().filter(made), log.entries.iter().filter(changes));
    line
}

fn appointment(entry: &Entry, all: &Documents) -> Option<String> {
    let data = match stored(entry, all) {
        Ok(document) => &document["data"],
        Err(missing) => return Some(missing),
    };
    let same = |name: &str| entry.body[name].is_null() || data[name] == entry.body[name];
    let starts = entry.body["start"].is_null() || data["time"]["start"] == entry.body["start"];
    let asked = starts && ["patientId", "practitionerId", "roomId", "serviceId", "clinicId"].into_iter().all(same);
    let period = &entry.body["requestedPeriod"];
    let waits = period.is_null() || data["waiting"]["requestedPeriod"] == *period;
    let status = entry.wish.becomes().unwrap_or_default();
    let answered = data["time"]["start"] == entry.answer["start"] && entry.answer["status"] == status;
    (!asked || !waits || !answered || data["status"] != status)
        .then(|| format!("what is stored is not what was asked: {data}"))
}

fn observation(entry: &Entry, all: &Documents) -> Option<String> {
    let document = match stored(entry, all) {
        Ok(document) => document,
        Err(missing) => return Some(missing),
    };
    let resource = &document["data"]["resource"];
    let asked = entry.body.as_object().into_iter().flatten().filter(|(name, _)| *name != "amendment");
    let differs = asked.filter(|(name, value)| resource[name.as_str()] != **value).map(|(name, _)| name.as_str());
    let differs: Vec<_> = differs.collect();
    (!differs.is_empty()).then(|| format!("what is stored is not what was asked: {differs:?}"))
}

/// The document of the version that was answered: 1 for what is new, and the one after what a change has seen.
fn stored<'a>(entry: &Entry, all: &'a Documents) -> Result<&'a Value, String> {
    let (id, version) = (entry.answered_id().unwrap_or_default(), entry.answered_version());
    if version != entry.seen.unwrap_or_default() + 1 {
        return Err(format!("version {version} was answered where {:?} was seen", entry.seen));
    }
    if entry.etag.as_deref() != Some(&format!("\"{version}\"")) {
        return Err(format!("the ETag {:?} is not that of version {version}", entry.etag));
    }
    all.get(id).and_then(|versions| versions.get(&version)).ok_or_else(|| format!("version {version} of {id} is gone"))
}

/// One document for a key, one version for a change, and nothing that nobody was told of.
fn once<'a>(
    line: &mut Line,
    all: &Owned,
    made: impl Iterator<Item = &'a Entry>,
    changes: impl Iterator<Item = &'a Entry>,
) {
    let (mut of_key, mut of_id) = (BTreeMap::<_, BTreeSet<_>>::new(), BTreeMap::<_, BTreeSet<_>>::new());
    let mut unknown = 0_usize;
    for entry in made {
        match entry.status {
            Some(201) => {
                let id = entry.answered_id().unwrap_or_default();
                of_key.entry((entry.client, &entry.key)).or_default().insert(id);
                of_id.entry(id).or_default().insert((entry.client, &entry.key));
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
    let untold = all.documents.keys().filter(|id| !of_id.contains_key(id.as_str())).count();
    line.check(untold <= unknown, || format!("{untold} are there that nobody was told of, {unknown} had no answer"));

    let (mut told, mut given_up) = (BTreeMap::<&str, BTreeMap<i64, usize>>::new(), BTreeSet::new());
    for entry in changes {
        let subject = entry.subject.as_deref().unwrap_or_default();
        match entry.status {
            Some(200) => *told.entry(subject).or_default().entry(entry.answered_version()).or_default() += 1,
            None => drop(given_up.insert(subject)),
            Some(_) => {}
        }
    }
    for (id, current) in all.current.iter().filter(|(id, _)| !given_up.contains(id.as_str())) {
        let changes = told.get(id.as_str());
        let each_once = changes.is_none_or(|changes| changes.values().all(|answers| *answers == 1));
        let count = changes.map_or(0, BTreeMap::len);
        line.check(each_once && usize::try_from(*current) == Ok(count + 1), || {
            format!("{id} is at version {current}, and {changes:?} were acknowledged")
        });
    }
}

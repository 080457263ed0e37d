//! What waits: for the broker, for an operator.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    databases::{Databases, Owned},
    log::Log,
    report::Line,
};

fn all(databases: &Databases) -> [(&'static str, &Owned); 4] {
    [
        ("auth", &databases.auth),
        ("patient", &databases.patient),
        ("billing", &databases.billing),
        ("analytics", &databases.analytics),
    ]
}

/// Nothing waits to leave.
pub(crate) fn outbox(databases: &Databases) -> Line {
    let mut line = Line::new("outbox", "every event has left");
    for (service, owned) in all(databases) {
        line.check(owned.outbox.is_empty(), || {
            format!("{} events wait in {service}, such as {}", owned.outbox.len(), owned.outbox[0])
        });
    }
    line
}

/// What an event has caused is there.
pub(crate) fn inbox(databases: &Databases) -> Line {
    let mut line = Line::new("inbox", "every event of an inbox has caused a document that is there");
    for (service, owned) in all(databases) {
        let mut events = BTreeSet::new();
        line.check(true, String::new);
        for row in &owned.inbox {
            let key = row["key"].as_str().unwrap_or_default();
            let id = key.split_once('/').map_or(key, |(_, id)| id);
            let known = owned.current.contains_key(id) || owned.current.contains_key(key);
            let first = events.insert(row["event_id"].to_string());
            line.check(known && first, || format!("{service} has applied {row}"));
        }
    }
    line
}

/// What was put aside is the poison that was sent, all of it and nothing else.
pub(crate) fn dead_letters(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("dead-letters", "each consumer has put aside the injected poison and nothing else");
    for (service, owned) in all(databases) {
        let mut kept = BTreeMap::<(String, String), usize>::new();
        for letter in &owned.dead_letters {
            let text = |name: &str| letter[name].as_str().unwrap_or_default().to_owned();
            *kept.entry((text("topic"), text("payload"))).or_default() += 1;
            line.check(letter["kept"] == true, || format!("{service} does not list {}", letter["id"]));
        }
        for poison in log.poison.iter().filter(|poison| poison.consumers.iter().any(|consumer| consumer == service)) {
            let letters = kept.remove(&(poison.topic.clone(), poison.payload.clone())).unwrap_or_default();
            line.check((1..=poison.attempts.max(1)).contains(&letters), || {
                format!("{service} has {letters} dead letters of {:?}, sent {} times", poison.payload, poison.attempts)
            });
        }
        for ((topic, payload), letters) in kept {
            line.check(false, || format!("{service} has put aside {letters} times {payload:?} of {topic}"));
        }
    }
    line
}

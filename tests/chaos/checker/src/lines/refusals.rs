//! What clients were told that was no acknowledgement.

use crate::{
    databases::Databases,
    log::{Log, Wish},
    report::Line,
};

/// No client gave up.
pub(crate) fn definite(log: &Log) -> Line {
    let mut line = Line::new("definite", "every request got a definite answer in the end");
    for entry in &log.entries {
        line.check(entry.status.is_some(), || entry.name());
    }
    line
}

/// A part that is away is a 503; a 500 would be a fault of ours.
pub(crate) fn failures(log: &Log) -> Line {
    let mut line = Line::new("failures", "no request was ever answered 500");
    for entry in &log.entries {
        line.check(!entry.faults.contains_key("500"), || entry.name());
    }
    line
}

/// Each refusal is one that had to be.
pub(crate) fn refusals(log: &Log, databases: &Databases) -> Line {
    let mut line = Line::new("refusals", "what was refused had to be, and a 409 names the patient in the way");
    for entry in &log.entries {
        let expected = match entry.wish {
            Wish::Register | Wish::Replay => entry.status == Some(201),
            Wish::Amend => entry.status == Some(200) || (entry.status == Some(412) && entry.contended),
            Wish::Duplicate => {
                let named = entry.answer["duplicateOf"].as_str();
                entry.status == Some(409)
                    && named.is_some()
                    && named == entry.patient.as_deref()
                    && named.is_some_and(|id| databases.patient.documents.contains_key(id))
            }
        };
        line.check(expected || entry.status.is_none(), || {
            format!("{}: {:?} {}", entry.name(), entry.status, entry.answer)
        });
    }
    line
}

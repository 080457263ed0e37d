//! What clients were told that was no acknowledgement.

use serde_json::Value;

use crate::{
    databases::Databases,
    log::{Entry, Log, Wish},
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
    let mut line = Line::new("refusals", "what was refused had to be, and a 409 names what is in the way");
    for entry in &log.entries {
        let expected = match entry.wish {
            // What was acknowledged stays so, whoever is out of use by now. Nobody else touches the money of a client's own
            // patients, and each acts on what it has just seen.
            Wish::Register
            | Wish::Replay
            | Wish::Rebook
            | Wish::Draft
            | Wish::Pay
            | Wish::Repay
            | Wish::Insure
            | Wish::Remit
            | Wish::Reremit => entry.status == Some(201),
            Wish::Cancel
            | Wish::Correct
            | Wish::Issue
            | Wish::Credit
            | Wish::WriteOff
            | Wish::Refund
            | Wish::Prepare
            | Wish::Submit
            | Wish::Acknowledge
            | Wish::Arrive
            | Wish::CheckIn
            | Wish::Start
            | Wish::Complete => entry.status == Some(200),
            Wish::Claim => entry.status == Some(201) || claimed_already(entry, databases),
            Wish::Book => entry.status == Some(201) || taken(entry, databases) || out_of_use(entry, databases),
            Wish::Reschedule | Wish::Take => {
                entry.status == Some(200) || taken(entry, databases) || out_of_use(entry, databases)
            }
            Wish::Finish => entry.status == Some(200) || out_of_use(entry, databases),
            Wish::Observe | Wish::Visit | Wish::Wait => entry.status == Some(201) || out_of_use(entry, databases),
            Wish::Amend => entry.status == Some(200) || (entry.status == Some(412) && entry.contended),
            Wish::Duplicate => {
                let named = entry.answer["duplicateOf"].as_str();
                entry.status == Some(409)
                    && named.is_some()
                    && named == entry.subject.as_deref()
                    && named.is_some_and(|id| databases.patient.documents.contains_key(id))
            }
        };
        line.check(expected || entry.status.is_none(), || {
            format!("{}: {:?} {}", entry.name(), entry.status, entry.answer)
        });
    }
    line
}

/// Whether a booking met others, and names appointments that are there.
fn taken(entry: &Entry, databases: &Databases) -> bool {
    let named = entry.answer["overlaps"].as_array().map(Vec::as_slice).unwrap_or_default();
    let known = |overlap: &Value| {
        overlap["appointmentId"].as_str().is_some_and(|id| databases.appointments.documents.contains_key(id))
    };
    entry.status == Some(409) && !named.is_empty() && named.iter().all(known)
}

/// Whether somebody else was first to claim for the invoice, and the answer names their claim.
fn claimed_already(entry: &Entry, databases: &Databases) -> bool {
    let other = entry.answer["claimId"].as_str().and_then(|id| databases.claims.documents.get(id)?.get(&1));
    let of_same = other.is_some_and(|other| other["data"]["invoiceId"] == entry.body["invoiceId"]);
    entry.status == Some(409) && of_same
}

/// Whether the patient's record was not in use at some time, which is no time to book or to write for them.
fn out_of_use(entry: &Entry, databases: &Databases) -> bool {
    let appointment = entry.subject.as_deref().and_then(|id| databases.appointments.documents.get(id));
    let of_appointment = appointment.and_then(|versions| versions.get(&1)?["data"]["patientId"].as_str());
    let encounter = entry.subject.as_deref().and_then(|id| databases.encounters.documents.get(id));
    let of_encounter = encounter.and_then(|versions| versions.get(&1)?["data"]["patientId"].as_str());
    let patient = entry.body["patientId"].as_str().or(of_appointment).or(of_encounter).or(entry.subject.as_deref());
    let patient = patient.unwrap_or_default();
    let versions = databases.patient.documents.get(patient);
    let ever = versions.is_some_and(|versions| versions.values().any(|document| document["data"]["active"] == false));
    matches!(entry.status, Some(409 | 422)) && ever
}

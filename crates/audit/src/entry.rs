//! One entry, in the words of FHIR's `AuditEvent` (R4), which took them from RFC 3881 and DICOM's audit messages.

use std::{collections::BTreeMap, fmt::Display};

use access::{Caller, Role};
use jiff::Timestamp;
use serde::Serialize;
use sidecar::{
    origin::{ClientAddress, Sender},
    trace,
};
use uuid::Uuid;

/// The longest detail; what is longer is cut, since who writes it may be anybody.
const LONGEST_DETAIL: usize = 500;
/// The longest of what the chain itself holds (`audit.add` in the database refuses more than all of these together).
const LONGEST_WORD: usize = 200;

/// What sort of thing was done, `AuditEvent.action`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum Action {
    /// Something new is there.
    #[serde(rename = "C")]
    Create,
    /// Something was looked at.
    #[serde(rename = "R")]
    Read,
    /// Something is another.
    #[serde(rename = "U")]
    Update,
    /// Something is gone.
    #[serde(rename = "D")]
    Delete,
    /// Something was done that is none of these, such as signing in.
    #[serde(rename = "E")]
    Execute,
}

/// How it ended, `AuditEvent.outcome`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It was done.
    Success,
    /// It was not, and may well be tried again: a wrong password.
    MinorFailure,
    /// It was refused: a wrong password too often, a role that may not do this.
    SeriousFailure,
    /// It was refused and so will be whatever comes after: an account that was switched off.
    MajorFailure,
}

impl Outcome {
    /// Its code in FHIR.
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::MinorFailure => 4,
            Self::SeriousFailure => 8,
            Self::MajorFailure => 12,
        }
    }
}

impl Serialize for Outcome {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.code())
    }
}

/// Who did it, `AuditEvent.agent`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Agent {
    /// The user.
    pub who: Uuid,
    /// What they were at that moment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The session that they did it in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<Uuid>,
}

impl From<&Caller> for Agent {
    fn from(caller: &Caller) -> Self {
        Self { who: caller.subject, role: Some(caller.role), session: Some(caller.session) }
    }
}

/// What it was done to, `AuditEvent.entity`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
struct Entity {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
}

/// What one entry says. What is personal or could be belongs into the [details](Self::detail) and nowhere else.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    id: Uuid,
    recorded: Timestamp,
    action: Action,
    subtype: &'static str,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<Agent>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entity: Option<Entity>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trace_id: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<&'static str, String>,
}

impl Entry {
    /// Something that succeeded just now, in the current span's trace and the current request; `subtype` says what
    /// exactly, such as `login`.
    pub fn new(action: Action, subtype: &'static str) -> Self {
        let sender = Sender::current();
        let entry = Self {
            id: Uuid::now_v7(),
            recorded: Timestamp::now(),
            action,
            subtype,
            outcome: Outcome::Success,
            agent: None,
            entity: None,
            patient: None,
            request_id: sender.as_ref().map(|sender| sender.request_id.to_string()),
            // `00-<trace>-<span>-<flags>`
            trace_id: trace::current().and_then(|parent| parent.split('-').nth(1).map(str::to_owned)),
            details: BTreeMap::new(),
        };
        match sender.and_then(|sender| sender.client_address) {
            Some(ClientAddress(address)) => entry.detail("address", address),
            None => entry,
        }
    }

    /// Who did it. Without this nobody has proved who they are.
    #[must_use]
    pub fn by(mut self, agent: impl Into<Agent>) -> Self {
        self.agent = Some(agent.into());
        self
    }

    /// How it ended.
    #[must_use]
    pub fn ended(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// What it was done to. An entry that goes with a document is about that document and needs no word of it.
    #[must_use]
    pub fn about(mut self, r#type: &'static str, id: impl Display) -> Self {
        self.entity = Some(Entity { r#type, id: word(&id.to_string()), version: None });
        self
    }

    /// The version that was read or made of what it is about.
    #[must_use]
    pub fn version(mut self, version: u64) -> Self {
        if let Some(entity) = &mut self.entity {
            entity.version = Some(version);
        }
        self
    }

    /// What it was done to, when that is a kind and not a single one.
    #[must_use]
    pub fn about_all(mut self, r#type: &'static str) -> Self {
        self.entity = Some(Entity { r#type, id: None, version: None });
        self
    }

    /// Whose record it is a part of or is, `AuditEvent.patient` of FHIR R5: by this a patient learns who was there.
    #[must_use]
    pub fn of_patient(mut self, patient: Uuid) -> Self {
        self.patient = Some(patient);
        self
    }

    /// What else is to be known: beside the chain, where erasure can reach it. Never a password or a token.
    #[must_use]
    pub fn detail(mut self, name: &'static str, text: impl Display) -> Self {
        let text = text.to_string();
        let text = text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter });
        self.details.insert(name, text.take(LONGEST_DETAIL).collect());
        self
    }
}

/// What the chain takes as one of its fields.
fn word(text: &str) -> Option<String> {
    let fits = (1..=LONGEST_WORD).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    fits.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_entry_says_who_what_and_how_it_ended() {
        let agent = Agent { who: Uuid::from_u128(7), role: Some(Role::PrivacyOfficer), session: None };
        let entry = Entry::new(Action::Read, "audit-log-used")
            .by(agent)
            .ended(Outcome::SeriousFailure)
            .about("user", Uuid::from_u128(8))
            .version(3)
            .of_patient(Uuid::from_u128(9))
            .detail("reason", "none");
        let mut written = serde_json::to_value(&entry).unwrap();
        let own = written.as_object_mut().unwrap();
        assert!(own.remove("id").is_some() && own.remove("recorded").is_some());
        assert_eq!(
            written,
            json!({
                "action": "R", "subtype": "audit-log-used", "outcome": 8,
                "agent": { "who": Uuid::from_u128(7), "role": "privacy-officer" },
                "entity": { "type": "user", "id": Uuid::from_u128(8), "version": 3 },
                "patient": Uuid::from_u128(9),
                "details": { "reason": "none" },
            })
        );
    }

    #[tokio::test]
    async fn an_entry_knows_its_request() {
        let sender = Sender {
            request_id: "r-1".parse().unwrap(),
            client_address: Some(ClientAddress("192.0.2.7".parse().unwrap())),
        };
        let entry = sender.scope(async { Entry::new(Action::Read, "read").detail("reason", "none") }).await;
        let written: Value = serde_json::to_value(&entry).unwrap();
        let (id, details) = (&written["requestId"], &written["details"]);
        assert_eq!((id, details), (&json!("r-1"), &json!({ "address": "192.0.2.7", "reason": "none" })));
    }

    #[test]
    fn what_anybody_could_send_cannot_spoil_an_entry() {
        let entry = Entry::new(Action::Execute, "login")
            .about("user", "a\nb")
            .detail("reason", format!("a\0b\n{}", "ü".repeat(2000)));
        let written: Value = serde_json::to_value(&entry).unwrap();
        assert_eq!(written["entity"], json!({ "type": "user" }));
        assert_eq!((word(&"x".repeat(201)), word(""), word("ü")), (None, None, None));
        let reason = written["details"]["reason"].as_str().unwrap();
        assert!(reason.starts_with("a\u{fffd}b\u{fffd}ü") && reason.chars().count() == LONGEST_DETAIL);
    }
}

//! What a person asks of the audit, and the page that answers.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use problem::{
    Problem,
    input::{Findings, check_text},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sidecar::{Sidecar, failure::Failure};
use uuid::Uuid;

const DEFAULT_LIMIT: u16 = 50;
const HIGHEST_LIMIT: u16 = 200;
const LONGEST: usize = 200;

/// Which entries are asked for: the parameter of `api.audit_page`.
#[derive(Clone, Debug)]
pub struct Asked {
    filter: Map<String, Value>,
    limit: u16,
}

/// A page, newest first.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// The entries, in the words of FHIR's `AuditEvent`.
    pub items: Vec<Value>,
    /// The cursor of the next page, when there is one.
    pub next: Option<String>,
}

/// The last entry of a page.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct After {
    recorded: Timestamp,
    position: i64,
}

impl Asked {
    /// Reads query parameters; every wrong one is named.
    pub fn read(parameters: &[(String, String)]) -> Result<Self, Problem> {
        let mut findings = Findings::default();
        let mut asked = Self { filter: Map::new(), limit: DEFAULT_LIMIT };
        for (index, (name, value)) in parameters.iter().enumerate() {
            let read = if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
                Err("is given twice".to_owned())
            } else {
                check_text(value, LONGEST).and_then(|()| asked.parameter(name, value))
            };
            if let Err(detail) = read {
                findings.add(name, detail);
            }
        }
        findings.into_result(Some(asked))
    }

    /// Of these, what concerns one patient.
    #[must_use]
    pub fn of_patient(mut self, patient: Uuid) -> Self {
        self.filter.insert("patient".to_owned(), json!(patient));
        self
    }

    fn parameter(&mut self, name: &str, value: &str) -> Result<(), String> {
        let time = || value.parse::<Timestamp>().map_err(|_| "must be a time such as 2026-11-25T10:00:00Z".to_owned());
        let read = match name {
            "agent" => json!(Uuid::parse_str(value).map_err(|_| "must be the id of a user")?),
            "patient" => json!(Uuid::parse_str(value).map_err(|_| "must be the id of a patient")?),
            "subtype" => json!(value),
            "action" if ["C", "R", "U", "D", "E"].contains(&value) => json!(value),
            "action" => return Err("must be C, R, U, D or E".to_owned()),
            "outcome" if value == "failure" => {
                self.filter.insert("failed".to_owned(), json!(true));
                return Ok(());
            }
            "outcome" if ["0", "4", "8", "12"].contains(&value) => json!(value),
            "outcome" => return Err("must be 0, 4, 8, 12 or failure".to_owned()),
            "entity" => match value.split_once('/') {
                Some((kind, id)) if !kind.is_empty() && !id.is_empty() => json!({ "type": kind, "id": id }),
                _ => return Err("must be a kind and an id, such as user/<id>".to_owned()),
            },
            "from" | "to" => json!(time()?),
            "cursor" => {
                let after = cursor(value).ok_or("must be `next` of an earlier page")?;
                self.filter.insert("after".to_owned(), json!(after));
                return Ok(());
            }
            "limit" => {
                self.limit = value
                    .parse()
                    .ok()
                    .filter(|limit| (1..=HIGHEST_LIMIT).contains(limit))
                    .ok_or_else(|| format!("must be a number from 1 to {HIGHEST_LIMIT}"))?;
                return Ok(());
            }
            _ => return Err("is not a parameter of the audit".to_owned()),
        };
        self.filter.insert(name.to_owned(), read);
        Ok(())
    }
}

fn cursor(text: &str) -> Option<After> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

/// The page that answers.
pub async fn find(sidecar: &Sidecar, asked: &Asked) -> Result<Page, Failure> {
    let limit = usize::from(asked.limit);
    let mut parameter = asked.filter.clone();
    // One more tells whether there is a next page.
    parameter.insert("limit".to_owned(), json!(limit + 1));
    let mut items: Vec<Value> = sidecar.query("audit_page", &parameter).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().filter(|_| more);
    let next = last.map(|last| {
        let after = json!({ "recorded": last["recorded"], "position": last["position"] });
        BASE64_URL_SAFE_NO_PAD.encode(after.to_string())
    });
    Ok(Page { items, next })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Asked, Vec<String>> {
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Asked::read(&pairs).map_err(|problem| problem.errors.into_iter().map(|error| error.pointer).collect())
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let wrong = [
            ("agent", "ada"),
            ("patient", "ada"),
            ("action", "X"),
            ("outcome", "5"),
            ("entity", "user"),
            ("from", "yesterday"),
            ("to", ""),
            ("cursor", "x"),
            ("limit", "0"),
            ("sort", "a"),
            ("subtype", "a"),
            ("subtype", "b"),
        ];
        let mut names: Vec<_> = wrong.iter().map(|(name, _)| *name).collect();
        names.remove(10);
        assert_eq!(read(&wrong).unwrap_err(), names);
    }

    #[test]
    fn a_question_becomes_the_functions_parameter() {
        let id = Uuid::from_u128(7).to_string();
        let next = BASE64_URL_SAFE_NO_PAD.encode(r#"{"recorded":"2026-11-01T10:00:00.000007+00:00","position":3}"#);
        let entity = format!("user/{id}");
        let asked = read(&[
            ("agent", &id),
            ("outcome", "failure"),
            ("entity", &entity),
            ("from", "2026-11-01T10:00:00+01:00"),
            ("cursor", &next),
            ("limit", "7"),
        ]);
        let asked = asked.unwrap();
        assert_eq!(
            (Value::Object(asked.filter), asked.limit),
            (
                json!({ "agent": id, "failed": true, "entity": { "type": "user", "id": id },
                        "from": "2026-11-01T09:00:00Z",
                        "after": { "recorded": "2026-11-01T10:00:00.000007Z", "position": 3 } }),
                7
            )
        );
    }
}

//! Observations in the charts of this client's own patients.

use access::Role;
use anyhow::Result;
use rand::Rng as _;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Ask, Client, Known};
use crate::journal::Wish;

/// An observation that this client has written.
#[derive(Clone)]
pub(super) struct Observed {
    patient: String,
    id: String,
    version: u64,
}

impl Client {
    pub(super) async fn observe(&mut self, known: &Known) -> Result<bool> {
        let (key, tag) = self.name();
        let body = self.heart_rate(&tag);
        let (random, path) = (self.clone_random(), format!("/api/patients/{}/observations", known.id));
        let answer = self.until_definite(random, Ask::post(Role::Nurse, &path, &key, &body)).await?;
        self.note(Wish::Observe, &key, Some((&known.id, None, known.contended)), &body, &answer)?;
        if answer.status == Some(201) {
            let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
            self.observed.push(Observed { patient: known.id.clone(), id, version: 1 });
        }
        Ok(true)
    }

    pub(super) async fn correct(&mut self) -> Result<bool> {
        if self.observed.is_empty() {
            return Ok(false);
        }
        let n = self.random.random_range(0..self.observed.len());
        let Observed { patient, id, version } = self.observed[n].clone();
        let (key, tag) = self.name();
        let body = json!({
            "amendment": { "kind": "corrected", "reason": format!("read wrongly {tag}") },
            "valueQuantity": self.rate(),
        });
        let (random, path) = (self.clone_random(), format!("/api/patients/{patient}/observations/{id}"));
        let ask = Ask { method: Method::PATCH, seen: Some(version), ..Ask::post(Role::Nurse, &path, &key, &body) };
        let answer = self.until_definite(random, ask).await?;
        self.note(Wish::Correct, &key, Some((&id, Some(version), false)), &body, &answer)?;
        if answer.status == Some(200) {
            self.observed[n].version = answer.body["version"].as_u64().unwrap_or(version);
        }
        Ok(true)
    }

    /// Everything that is there to be compared, and a word that no other has.
    fn heart_rate(&mut self, tag: &str) -> Value {
        let minute = self.random.random_range(0..60);
        json!({
            "status": "final",
            "code": { "coding": [{ "system": "http://loinc.org", "code": "8867-4" }], "text": format!("Heart rate {tag}") },
            "effectiveDateTime": format!("2026-11-01T10:{minute:02}:00Z"),
            "valueQuantity": self.rate(),
        })
    }

    /// Another one each time: a correction that changes nothing makes no version.
    fn rate(&self) -> Value {
        let beats = 40 + self.made % 150;
        json!({ "value": beats, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min" })
    }
}

//! Encounters of this client's own patients, which billing drafts invoices of.

use access::Role;
use anyhow::Result;
use rand::Rng as _;
use reqwest::Method;
use serde_json::json;

use super::{Ask, Client, Known};
use crate::{clinic::CPT, journal::Wish};

/// Codes of the clinic's fee schedule.
pub(crate) const SERVICES: [&str; 3] = ["99212", "99213", "99214"];

impl Client {
    /// Begins an encounter and finishes it with what was done.
    pub(super) async fn visit(&mut self, known: &Known) -> Result<bool> {
        let (key, tag) = self.name();
        let body = json!({
            "status": "in-progress",
            "class": { "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB" },
            "clinicId": self.world.clinic.id(),
            "reasonCode": [{ "text": format!("Visit {tag}") }],
        });
        let (random, path) = (self.clone_random(), format!("/api/patients/{}/encounters", known.id));
        let answer = self.until_definite(random, Ask::post(Role::Physician, &path, &key, &body)).await?;
        self.note(Wish::Visit, &key, Some((&known.id, None, known.contended)), &body, &answer)?;
        if answer.status != Some(201) {
            return Ok(true);
        }
        let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
        self.finish_encounter(known, &id, 1).await
    }

    /// Finishes an encounter with what was done.
    pub(super) async fn finish_encounter(&mut self, known: &Known, id: &str, version: u64) -> Result<bool> {
        let (key, _) = self.name();
        let done = self.random.random_range(1..=SERVICES.len());
        let services =
            SERVICES[..done].iter().map(|code| json!({ "code": { "system": CPT, "code": code }, "units": 1 }));
        let services: Vec<_> = services.collect();
        let practitioner = self.world.clinic.practitioner(&mut self.random);
        let body = json!({ "status": "finished", "practitionerId": practitioner, "services": services });
        let (random, path) = (self.clone_random(), format!("/api/patients/{}/encounters/{id}", known.id));
        let ask = Ask { method: Method::PATCH, seen: Some(version), ..Ask::post(Role::Physician, &path, &key, &body) };
        let answer = self.until_definite(random, ask).await?;
        self.note(Wish::Finish, &key, Some((id, Some(version), known.contended)), &body, &answer)?;
        Ok(true)
    }
}

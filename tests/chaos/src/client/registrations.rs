//! Patients: registered, amended, and tried to be registered again.

use std::sync::PoisonError;

use access::Role;
use anyhow::Result;
use rand::{Rng as _, seq::IndexedRandom as _};

use super::{Answer, Ask, Client, Known};
use crate::{journal::Wish, people};

/// How often a new patient becomes one that two clients amend.
const SHARED: f64 = 0.15;

impl Client {
    pub(super) async fn register(&mut self) -> Result<()> {
        let (key, tag) = self.name();
        let person = people::person(&mut self.random, &tag);
        let mut answers = self.perhaps_twice(Ask::registration(&key, &person)).await?;
        for answer in &answers {
            self.note(Wish::Register, &key, None, &person, answer)?;
        }
        let Answer { status: Some(201), body, .. } = answers.swap_remove(0) else { return Ok(()) };
        let id = body["id"].as_str().unwrap_or_default().to_owned();
        let contended = self.random.random_bool(SHARED);
        if contended {
            self.contended.lock().unwrap_or_else(PoisonError::into_inner).push((id.clone(), person.clone()));
        }
        self.known.push(Known { key, id, version: 1, person, contended });
        Ok(())
    }

    /// The acknowledged request once more.
    pub(super) async fn replay(&mut self, known: &Known) -> Result<bool> {
        let random = self.clone_random();
        let answer = self.until_definite(random, Ask::registration(&known.key, &known.person)).await?;
        self.note(Wish::Replay, &known.key, None, &known.person, &answer)?;
        Ok(true)
    }

    /// The same person under another key.
    pub(super) async fn duplicate(&mut self, known: &Known) -> Result<bool> {
        let (key, tag) = self.name();
        let Some(person) = people::duplicate(&mut self.random, &known.person, &tag) else { return Ok(false) };
        let random = self.clone_random();
        let answer = self.until_definite(random, Ask::registration(&key, &person)).await?;
        self.note(Wish::Duplicate, &key, Some((&known.id, None, false)), &person, &answer)?;
        Ok(true)
    }

    pub(super) async fn amend(&mut self) -> Result<bool> {
        let own: Vec<usize> = (0..self.known.len()).filter(|&n| !self.known[n].contended).collect();
        let Some(&n) = own.choose(&mut self.random) else { return Ok(false) };
        let (key, tag) = self.name();
        let Known { id, version, person, .. } = self.known[n].clone();
        let patch = people::patch(&mut self.random, &person, &tag);
        let (random, path) = (self.clone_random(), format!("/api/patients/{id}"));
        let answer = self.until_definite(random, Ask::amendment(&path, &key, version, &patch)).await?;
        self.note(Wish::Amend, &key, Some((&id, Some(version), false)), &patch, &answer)?;
        if answer.status == Some(200) {
            self.known[n].version = answer.body["version"].as_u64().unwrap_or(version);
        }
        Ok(true)
    }

    /// Amends a patient whom another client amends, too.
    pub(super) async fn contend(&mut self) -> Result<bool> {
        let shared = self.contended.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // The latest ones, so that both are at the same.
        let Some((id, person)) = shared[shared.len().saturating_sub(2)..].choose(&mut self.random) else {
            return Ok(false);
        };
        let path = format!("/api/patients/{id}");
        let Some(version) = self.see(Role::FrontDesk, &path).await?["version"].as_u64() else { return Ok(false) };
        let (key, tag) = self.name();
        let patch = people::patch(&mut self.random, person, &tag);
        let random = self.clone_random();
        let answer = self.until_definite(random, Ask::amendment(&path, &key, version, &patch)).await?;
        self.note(Wish::Amend, &key, Some((id, Some(version), true)), &patch, &answer)?;
        Ok(true)
    }
}

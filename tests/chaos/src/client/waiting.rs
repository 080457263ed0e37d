//! The waiting list.

use access::Role;
use anyhow::Result;
use rand::Rng as _;
use serde_json::json;

use super::{Ask, Client, Known, bills::text, bookings::BOOKINGS};
use crate::journal::Wish;

/// Those who wait for a time, by their appointments.
pub(super) type Waiting = Vec<String>;

/// How often one of those who wait is given a time when somebody comes to the list.
const TAKES: f64 = 0.5;

impl Client {
    /// Puts a patient on the waiting list, and perhaps gives one who is on it a time.
    pub(super) async fn wait(&mut self, known: &Known) -> Result<bool> {
        let (key, _) = self.name();
        let body = self.world.clinic.wait(&known.id);
        let random = self.clone_random();
        let answer = self.until_definite(random, Ask::post(Role::FrontDesk, BOOKINGS, &key, &body)).await?;
        self.note(Wish::Wait, &key, None, &body, &answer)?;
        if answer.status == Some(201) {
            self.waiting.push(text(&answer.body, "id"));
        }
        if self.waiting.is_empty() || !self.random.random_bool(TAKES) {
            return Ok(true);
        }
        let n = self.random.random_range(0..self.waiting.len());
        let id = self.waiting[n].clone();
        let practitioner = self.world.clinic.practitioner(&mut self.random).to_owned();
        let body = json!({ "practitionerId": practitioner, "start": self.world.clinic.start(&mut self.random) });
        // Who does not get it waits as before.
        if self.step(Wish::Take, "book", Role::FrontDesk, (&id, 1), &body).await?.is_some() {
            self.waiting.swap_remove(n);
        }
        Ok(true)
    }
}

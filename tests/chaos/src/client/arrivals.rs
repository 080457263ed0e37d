//! Visits by appointment, from the desk to the end of the encounter, with other work in between.

use access::Role;
use anyhow::Result;
use rand::Rng as _;
use serde_json::json;

use super::{Ask, Client, Known, bills::text, bookings::BOOKINGS};
use crate::journal::Wish;

/// A patient who has an appointment now, and how far they have come.
#[derive(Clone)]
pub(super) struct Attending {
    known: Known,
    id: String,
    version: u64,
    done: usize,
    encounter: String,
}

/// What happens one after the other, by whom; between the last two the encounter is finished by who charts.
const STEPS: [(Wish, &str, Role); 4] = [
    (Wish::Arrive, "arrive", Role::FrontDesk),
    (Wish::CheckIn, "check-in", Role::FrontDesk),
    (Wish::Start, "start", Role::Nurse),
    (Wish::Complete, "finish", Role::Nurse),
];
/// How often a patient has to wait after a step, until this client has time for them again.
const WAITS: f64 = 0.25;
/// How often somebody who waits is seen to, and not somebody who comes.
const GOES_ON: f64 = 0.5;
/// How often one calls off who was to come at once, or gives up waiting.
const GIVES_UP: f64 = 0.15;
/// From this step on nobody gives up, and the encounter is there.
const CHECKED_IN: usize = 2;

impl Client {
    /// Sees to a patient who has an appointment.
    pub(super) async fn attend(&mut self, known: &Known) -> Result<bool> {
        let goes_on = !self.attending.is_empty() && self.random.random_bool(GOES_ON);
        let attending = if goes_on {
            let n = self.random.random_range(0..self.attending.len());
            Some(self.attending.swap_remove(n))
        } else {
            self.book_soon(known).await?
        };
        let Some(mut attending) = attending else { return Ok(true) };
        while let Some((wish, action, role)) = STEPS.get(attending.done).copied() {
            if attending.done < CHECKED_IN && self.random.random_bool(GIVES_UP) {
                let (at, body) = ((attending.id.as_str(), attending.version), json!({ "reason": "pat" }));
                self.step(Wish::Cancel, "cancel", Role::FrontDesk, at, &body).await?;
                return Ok(true);
            }
            if wish == Wish::Complete {
                // The first version came with the check-in, the second one with the start.
                self.finish_encounter(&attending.known, &attending.encounter, 2).await?;
            }
            let at = (attending.id.as_str(), attending.version);
            let Some(changed) = self.step(wish, action, role, at, &json!({})).await? else { return Ok(true) };
            attending = Attending {
                version: changed["version"].as_u64().unwrap_or_default(),
                done: attending.done + 1,
                encounter: text(&changed, "encounterId"),
                ..attending
            };
            if attending.done < STEPS.len() && self.random.random_bool(WAITS) {
                self.attending.push(attending);
                return Ok(true);
            }
        }
        Ok(true)
    }

    async fn book_soon(&mut self, known: &Known) -> Result<Option<Attending>> {
        let (key, _) = self.name();
        let body = self.world.clinic.booking_soon(&mut self.random, &known.id);
        let random = self.clone_random();
        let answer = self.until_definite(random, Ask::post(Role::FrontDesk, BOOKINGS, &key, &body)).await?;
        self.note(Wish::Book, &key, None, &body, &answer)?;
        Ok((answer.status == Some(201)).then(|| Attending {
            known: known.clone(),
            id: text(&answer.body, "id"),
            version: 1,
            done: 0,
            encounter: String::new(),
        }))
    }
}

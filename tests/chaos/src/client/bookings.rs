//! Appointments: times that others want, too.

use access::Role;
use anyhow::Result;
use rand::seq::IndexedRandom as _;
use serde_json::{Value, json};

use super::{Ask, Client, Known};
use crate::journal::Wish;

/// An appointment that this client has booked.
#[derive(Clone)]
pub(super) struct Booked {
    key: String,
    id: String,
    version: u64,
    /// As it was asked for.
    body: Value,
    over: bool,
}

pub(super) const BOOKINGS: &str = "/api/appointments";

impl Client {
    pub(super) async fn book(&mut self, known: &Known) -> Result<bool> {
        let (key, _) = self.name();
        let body = self.world.clinic.booking(&mut self.random, &known.id);
        let random = self.clone_random();
        let answer = self.until_definite(random, Ask::post(Role::FrontDesk, BOOKINGS, &key, &body)).await?;
        self.note(Wish::Book, &key, None, &body, &answer)?;
        if answer.status == Some(201) {
            let id = answer.body["id"].as_str().unwrap_or_default().to_owned();
            self.booked.push(Booked { key, id, version: 1, body, over: false });
        }
        Ok(true)
    }

    /// An acknowledged booking once more.
    pub(super) async fn rebook(&mut self) -> Result<bool> {
        let Some(Booked { key, body, .. }) = self.booked.choose(&mut self.random).cloned() else { return Ok(false) };
        let random = self.clone_random();
        let answer = self.until_definite(random, Ask::post(Role::FrontDesk, BOOKINGS, &key, &body)).await?;
        self.note(Wish::Rebook, &key, None, &body, &answer)?;
        Ok(true)
    }

    pub(super) async fn reschedule(&mut self) -> Result<bool> {
        let body = json!({ "start": self.world.clinic.start(&mut self.random) });
        self.change(Wish::Reschedule, "reschedule", &body).await
    }

    pub(super) async fn cancel(&mut self) -> Result<bool> {
        self.change(Wish::Cancel, "cancel", &json!({ "reason": "pat" })).await
    }

    async fn change(&mut self, wish: Wish, action: &str, body: &Value) -> Result<bool> {
        let alive: Vec<usize> = (0..self.booked.len()).filter(|&n| !self.booked[n].over).collect();
        let Some(&n) = alive.choose(&mut self.random) else { return Ok(false) };
        let Booked { id, version, .. } = self.booked[n].clone();
        if let Some(changed) = self.step(wish, action, Role::FrontDesk, (&id, version), body).await? {
            self.booked[n].version = changed["version"].as_u64().unwrap_or(version);
            self.booked[n].over = wish == Wish::Cancel;
        }
        Ok(true)
    }

    /// Does something with an appointment; answers it as it is then, unless it was refused.
    pub(super) async fn step(
        &mut self,
        wish: Wish,
        action: &str,
        role: Role,
        (id, version): (&str, u64),
        body: &Value,
    ) -> Result<Option<Value>> {
        let (key, _) = self.name();
        let (random, path) = (self.clone_random(), format!("{BOOKINGS}/{id}/{action}"));
        let ask = Ask { seen: Some(version), ..Ask::post(role, &path, &key, body) };
        let answer = self.until_definite(random, ask).await?;
        self.note(wish, &key, Some((id, Some(version), false)), body, &answer)?;
        Ok((answer.status == Some(200)).then_some(answer.body))
    }
}

//! The requests of each kind of load.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde_json::json;
use tokio::time::Instant;
use uuid::Uuid;

use crate::{
    client::{Answer, Client},
    load::Source,
    person::People,
};

const PATIENTS: &str = "/api/patients";

/// Registers one person after another.
pub struct Registrations {
    people: People,
    registered: Mutex<Vec<(Uuid, Instant)>>,
}

impl Registrations {
    /// Registers these people.
    pub fn new(people: People) -> Self {
        Self { people, registered: Mutex::default() }
    }

    /// Who was acknowledged so far, and when.
    pub fn registered(&self) -> Vec<(Uuid, Instant)> {
        self.list().clone()
    }

    fn list(&self) -> MutexGuard<'_, Vec<(Uuid, Instant)>> {
        self.registered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Source for Registrations {
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        let mut request = client.post(PATIENTS, self.people.body(n))?;
        request.headers_mut().insert("idempotency-key", HeaderValue::from_str(&self.people.key(n))?);
        Ok(request)
    }

    fn expected(&self) -> StatusCode {
        StatusCode::CREATED
    }

    fn answered(&self, answer: &Answer) {
        let id = answer.location.as_ref().and_then(|location| location.to_str().ok()?.rsplit('/').next()?.parse().ok());
        self.list().extend(id.map(|id| (id, Instant::now())));
    }
}

/// Reads one patient after another, from all over the table.
pub struct Reads {
    /// Whom to read.
    pub ids: Vec<Uuid>,
}

impl Source for Reads {
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        let id = usize::try_from(scatter(n)).unwrap_or_default() % self.ids.len();
        client.get(&format!("{PATIENTS}/{}", self.ids[id]))
    }

    fn expected(&self) -> StatusCode {
        StatusCode::OK
    }
}

/// Looks for people by the first letters of their family name: one page.
pub struct Searches {
    /// Whom to look for.
    pub people: People,
    /// How many letters of the name are typed.
    pub letters: usize,
}

impl Source for Searches {
    fn request(&self, client: &Client, n: u64) -> Result<Request<Full<Bytes>>> {
        client.get(&format!("{PATIENTS}?family={}", self.people.prefix(scatter(n), self.letters)))
    }

    fn expected(&self) -> StatusCode {
        StatusCode::OK
    }
}

/// The same page again and again.
pub struct Page(pub String);

impl Source for Page {
    fn request(&self, client: &Client, _: u64) -> Result<Request<Full<Bytes>>> {
        client.get(&self.0)
    }

    fn expected(&self) -> StatusCode {
        StatusCode::OK
    }
}

/// Signs the same person in again and again.
pub struct SignIns {
    body: Vec<u8>,
}

impl SignIns {
    /// Signs in with this e-mail address and password.
    pub fn new((email, password): (&str, &str)) -> Self {
        Self { body: json!({ "email": email, "password": password }).to_string().into_bytes() }
    }
}

impl Source for SignIns {
    fn request(&self, client: &Client, _: u64) -> Result<Request<Full<Bytes>>> {
        client.post("/auth/login", self.body.clone())
    }

    fn expected(&self) -> StatusCode {
        StatusCode::OK
    }
}

/// Numbers that follow each other, far apart: neighbours in time are none in the table.
pub(crate) fn scatter(n: u64) -> u64 {
    n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn reads_are_spread() {
        let seen: HashSet<_> = (0..1000).map(|n| scatter(n) % 1000).collect();
        assert!(seen.len() > 500, "{}", seen.len());
    }
}

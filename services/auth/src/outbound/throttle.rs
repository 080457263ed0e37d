//! How often somebody may try to sign in, counted in the database: instances share it and a restart does not forget it.

use std::time::Duration;

use serde_json::{Value, json};
use sidecar::{Sidecar, failure::Failure};
use uuid::Uuid;

use crate::domain::sealing_key::BlindAddress;

/// Name of the constraint of the migrations.
const THROTTLE: &str = "sign_in_throttle_check";

/// Whose password is tried, and from where.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The user, whether there is one or not.
    pub account: Uuid,
    /// The client; none when nobody says.
    pub address: Option<BlindAddress>,
}

/// Why a try is not made.
#[derive(Debug, thiserror::Error)]
pub enum Throttled {
    /// Too many have failed.
    #[error("too many tries have failed")]
    Wait(Duration),
    /// The database.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// The counts.
#[derive(Clone, Debug)]
pub struct Throttle {
    sidecar: Sidecar,
}

impl Throttle {
    /// Counts in this sidecar's database.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// Counts a try before it is made, so that many at once are as many as one after the other.
    pub async fn count(&self, attempt: &Attempt) -> Result<(), Throttled> {
        match self.sidecar.exec("sign_in_attempt", &attempt.to_json()).await {
            Ok(()) => Ok(()),
            Err(Failure::Constraint { name }) if name == THROTTLE => {
                let seconds: u64 = self.sidecar.query("sign_in_wait", &attempt.to_json()).await?;
                Err(Throttled::Wait(Duration::from_secs(seconds.max(1))))
            }
            Err(failure) => Err(failure.into()),
        }
    }

    /// Takes a try back that succeeded and began no session; a session that begins does so itself.
    pub async fn forgive(&self, attempt: &Attempt) -> Result<(), Failure> {
        self.sidecar.exec("sign_in_succeeded", &attempt.to_json()).await
    }
}

impl Attempt {
    fn to_json(&self) -> Value {
        let address = self.address.as_ref().map(BlindAddress::as_str);
        json!({ "account": self.account, "address": address })
    }
}

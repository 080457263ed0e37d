#![doc = include_str!("../README.md")]

mod bearer;
pub mod cookie;
mod door;
mod keys;
pub mod matrix;
mod role;
mod token;

pub use self::{
    bearer::bearer,
    door::{Admit, Door, Guard},
    keys::{AccessTokens, refresh},
    matrix::{Allowed, Name},
    role::Role,
    token::{AUDIENCE, Claims, ENROLLING, ISSUER, SCOPE, TYPE},
};

use uuid::Uuid;

/// The holder of a verified access token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The user, `sub`.
    pub subject: Uuid,
    /// What they are here, `role`.
    pub role: Role,
    /// The session that the token is of, `sid`.
    pub session: Uuid,
    /// Whether the token is good for setting up a second factor and nothing else.
    pub enrolling: bool,
    pub(crate) expires: i64,
}

impl Caller {
    /// How long the token is still good; what goes on for longer than a request ends then.
    pub fn remaining(&self, now: jiff::Timestamp) -> std::time::Duration {
        std::time::Duration::from_secs(u64::try_from(self.expires - now.as_second()).unwrap_or_default())
    }
}

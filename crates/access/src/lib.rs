#![doc = include_str!("../README.md")]

mod keys;
mod layer;
mod role;
mod token;

pub use self::{
    keys::{AccessTokens, refresh},
    layer::{authenticate, bearer},
    role::Role,
    token::{AUDIENCE, Claims, ISSUER},
};

use problem::{Kind, Problem};
use uuid::Uuid;

/// The holder of a verified access token.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller {
    /// The user, `sub`.
    pub subject: Uuid,
    /// What they are here, `role`.
    pub role: Role,
    pub(crate) expires: i64,
}

impl Caller {
    /// Refuses a holder who has none of the roles.
    pub fn require(&self, roles: &[Role]) -> Result<(), Problem> {
        if roles.contains(&self.role) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, format!("The role {} may not do this.", self.role)))
    }
}

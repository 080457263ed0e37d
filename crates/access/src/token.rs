//! What an access token says.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Role;

/// `iss` of every token.
pub const ISSUER: &str = "urn:patient-management:auth";
/// `aud` of every access token.
pub const AUDIENCE: &str = "urn:patient-management:api";

/// The claims of an access token; RFC 7519, section 4.1, and RFC 9068 for `scope`.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Claims {
    /// [`ISSUER`]
    pub iss: String,
    /// The user.
    pub sub: Uuid,
    /// [`AUDIENCE`]
    pub aud: String,
    /// Seconds since the epoch.
    pub exp: i64,
    /// Seconds since the epoch.
    pub iat: i64,
    /// Seconds since the epoch.
    pub nbf: i64,
    /// The token's own id.
    pub jti: Uuid,
    /// What the user is.
    pub role: Role,
    /// What the token is for, words parted by spaces.
    pub scope: String,
}

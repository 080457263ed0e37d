//! What an access token says.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Role;

/// `iss` of every token.
pub const ISSUER: &str = "urn:patient-management:auth";
/// `aud` of every access token.
pub const AUDIENCE: &str = "urn:patient-management:api";

/// `scope` of a token that is good for all that its holder's role may do.
pub const SCOPE: &str = "api";
/// `scope` of a token that is good for setting up a second factor and nothing else.
pub const ENROLLING: &str = "enrol";

/// `typ` of an access token; RFC 9068, section 2.1. A token of another type is not for services.
pub const TYPE: &str = "at+jwt";

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
    /// The session that it was given in; `OpenID` Connect Front-Channel Logout 1.0, section 3.
    pub sid: Uuid,
    /// What the user is.
    pub role: Role,
    /// What the token is for: [`SCOPE`] or [`ENROLLING`].
    pub scope: String,
}

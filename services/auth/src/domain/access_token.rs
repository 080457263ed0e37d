//! What an access token says.

use access::{AUDIENCE, Claims, ISSUER};
use jiff::Timestamp;
use uuid::Uuid;

use super::user::User;

/// A token cannot be taken back, so it does not last; seconds.
pub const LIFETIME: i64 = 600;

/// What the token `id` says of a user who signs in `now`.
pub fn claims(user: &User, id: Uuid, now: Timestamp) -> Claims {
    let now = now.as_second();
    Claims {
        iss: ISSUER.to_owned(),
        sub: user.id,
        aud: AUDIENCE.to_owned(),
        exp: now + LIFETIME,
        iat: now,
        nbf: now,
        jti: id,
        role: user.role,
        scope: String::new(),
    }
}

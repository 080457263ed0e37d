//! What an access token says.

use access::{AUDIENCE, Claims, ISSUER, SCOPE};
use jiff::Timestamp;
use uuid::Uuid;

use super::user::User;

/// A token cannot be taken back, so it does not last; seconds.
pub const LIFETIME: i64 = 600;

/// What the token `id` says of a user in this session, `now`.
pub fn claims(user: &User, id: Uuid, session: Uuid, now: Timestamp) -> Claims {
    let now = now.as_second();
    Claims {
        iss: ISSUER.to_owned(),
        sub: user.id,
        aud: AUDIENCE.to_owned(),
        exp: now + LIFETIME,
        iat: now,
        nbf: now,
        jti: id,
        sid: session,
        role: user.role,
        scope: SCOPE.to_owned(),
    }
}

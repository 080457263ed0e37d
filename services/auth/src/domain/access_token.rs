//! What an access token says.

use access::{AUDIENCE, Claims, ISSUER};
use jiff::Timestamp;
use uuid::Uuid;

use super::{session::Session, user::User};

/// A token is taken back late, so it does not last; seconds.
pub const LIFETIME: i64 = 600;

/// What the token `id` says of a user who signs in or goes on `now`; it never outlasts the session.
pub fn claims(user: &User, scope: &str, session: &Session, id: Uuid, now: Timestamp) -> Claims {
    let now = now.as_second();
    Claims {
        iss: ISSUER.to_owned(),
        sub: user.id,
        aud: AUDIENCE.to_owned(),
        exp: session.ends_at().as_second().min(now + LIFETIME),
        iat: now,
        nbf: now,
        jti: id,
        sid: session.id,
        role: user.role,
        scope: scope.to_owned(),
    }
}

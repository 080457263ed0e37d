//! The routes.

mod audited;
mod browser;
mod factors;
mod keys;
mod login;
mod password;
mod refusals;
mod request;
mod sessions;
mod users;

use std::sync::Arc;

use access::{AccessTokens, Door, matrix::MatrixError};
use axum::{Extension, Router};

pub use self::audited::Viewer;
use crate::{APP_ID, service::Directory};

/// All routes of this service.
pub fn routes(directory: Arc<Directory>, viewer: Viewer, tokens: Arc<AccessTokens>) -> Result<Router, MatrixError> {
    let door = Door::of(APP_ID, tokens)?
        .behind(audit::watch(viewer.recorder.clone(), audited::COLLECTIONS))
        .on("POST /auth/login", login::login)
        .on("POST /auth/refresh", sessions::refresh)
        .on("POST /auth/session", browser::begin)
        .on("GET /auth/session", browser::read)
        .on("DELETE /auth/session", browser::end)
        .on("POST /auth/session/lock", browser::lock)
        .on("POST /auth/session/unlock", browser::unlock)
        .on("POST /auth/session/token", browser::exchange)
        .on("POST /auth/logout", sessions::logout)
        .on("POST /auth/logout-all", sessions::logout_all)
        .on("POST /auth/password", password::change)
        .on("POST /auth/mfa/totp", factors::enrol)
        .on("POST /auth/mfa/totp/confirm", factors::confirm)
        .on("DELETE /auth/mfa/totp", factors::remove)
        .on("DELETE /auth/users/{id}/mfa", factors::reset)
        .on("GET /auth/me", users::me)
        .on("GET /auth/users", users::list)
        .on("POST /auth/users", users::make)
        .on("GET /auth/users/{id}", users::read)
        .on("PATCH /auth/users/{id}", users::change)
        .on("POST /auth/users/{id}/reset", users::reset)
        .on("GET /auth/audit", audited::page)
        .on("GET /auth/.well-known/jwks.json", keys::keys)
        .on("GET /auth/.well-known/revoked-sessions", sessions::revoked);
    let routes = door.finish()?.layer(Extension(viewer));
    Ok(routes.with_state(directory))
}

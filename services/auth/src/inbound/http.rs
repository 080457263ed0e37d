//! The routes.

mod keys;
mod login;
mod refusals;

use std::sync::Arc;

use axum::{
    Router,
    routing::{get, post},
};

use crate::service::Directory;

/// All routes of this service; none needs a token, since here is where one gets it.
pub fn routes(directory: Arc<Directory>) -> Router {
    Router::new()
        .route("/auth/login", post(login::login))
        .route("/auth/.well-known/jwks.json", get(keys::keys))
        .with_state(directory)
}

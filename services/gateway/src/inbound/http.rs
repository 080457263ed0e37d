//! The public routes: all that the matrix of roles calls public, and nothing else, whatever a service behind answers.

mod docs;
mod forward;

use std::sync::Arc;

use access::{AccessTokens, Door, Name, matrix};
use axum::Router;
use contracts::rest;
use sidecar::Sidecar;

use self::forward::to;
use super::transcoder;
use crate::APP_ID;

/// All routes of this service.
pub fn routes(sidecar: &Sidecar, tokens: Arc<AccessTokens>) -> anyhow::Result<Router> {
    let mut door = Door::public(APP_ID, tokens)?;
    for operation in matrix::operations()?.iter().filter(|operation| operation.public && operation.app != APP_ID) {
        match &operation.name {
            Name::Http { .. } => door = door.on(&operation.name.to_string(), to(&operation.app, sidecar)),
            Name::Grpc(name) => {
                let method = rest::method(name)?;
                for binding in &method.bindings {
                    let handler = transcoder::serve(&operation.app, sidecar, &method, binding);
                    door = door.on_method(name, &binding.route(), handler);
                }
            }
        }
    }
    door = door.on("GET /openapi.json", docs::openapi).on("GET /docs", docs::first_page);
    door = door.on("GET /docs/{file}", docs::page);
    Ok(door.finish()?)
}

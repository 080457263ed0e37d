//! The public routes: all that the matrix of roles calls public, and nothing else, whatever a service behind answers.

mod docs;
mod forward;
pub mod headers;
pub mod limits;

use std::{collections::BTreeMap, sync::Arc};

use access::{AccessTokens, Door, Name, matrix};
use axum::Router;
use contracts::rest;
use sidecar::Sidecar;

use self::{forward::to, limits::Limits};
use super::transcoder;
use crate::APP_ID;

/// All routes of this service.
pub fn routes(sidecar: &Sidecar, tokens: Arc<AccessTokens>, limits: &Arc<Limits>) -> anyhow::Result<Router> {
    let operations = matrix::operations()?;
    let places: BTreeMap<_, _> = operations.iter().map(|operation| (&operation.app, limits.places())).collect();
    let guarded = Arc::clone(limits);
    let mut door = Door::public(APP_ID, tokens)?
        .behind(move |operation, route| guarded.of_route(Arc::clone(&places[&operation.app]), route));
    for operation in operations.iter().filter(|operation| operation.public && operation.app != APP_ID) {
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

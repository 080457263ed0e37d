//! The public routes: all that the matrix of roles calls public, and nothing else, whatever a service behind answers.

mod browser;
mod docs;
mod forward;
pub mod headers;
pub mod limits;
pub mod web;

use std::{collections::BTreeMap, future::ready, sync::Arc};

use access::{AccessTokens, Door, Name, matrix};
use axum::{Router, extract::Path};
use contracts::rest;
use sidecar::Sidecar;

use self::{
    browser::Browsers,
    forward::{Cookies, to},
    limits::Limits,
    web::Web,
};
use super::transcoder;
use crate::APP_ID;

/// What takes a core for a while, since a password is looked at, and nobody has to be known to ask for.
const SIGN_INS: [&str; 3] = ["POST /auth/login", "POST /auth/session", "POST /auth/session/unlock"];

/// All routes of this service.
pub fn routes(sidecar: &Sidecar, tokens: Arc<AccessTokens>, limits: &Arc<Limits>, web: &Web) -> anyhow::Result<Router> {
    let operations = matrix::operations()?;
    let places: BTreeMap<_, _> = operations.iter().map(|operation| (&operation.app, limits.places())).collect();
    let guarded = Arc::clone(limits);
    let browsers = Arc::new(Browsers::new(sidecar));
    let mut door = Door::public(APP_ID, tokens)?.behind(move |operation, admit| {
        let places = &places[&operation.app];
        let takes_turns = SIGN_INS.contains(&operation.name.to_string().as_str());
        let places = if takes_turns { places.in_turn() } else { places.clone() };
        (browsers.of_route(operation), admit, guarded.of_route(places))
    });
    for operation in operations.iter().filter(|operation| operation.public && operation.app != APP_ID) {
        match &operation.name {
            Name::Http { .. } => {
                let cookies = if browser::is_about_cookies(operation) { Cookies::Session } else { Cookies::None };
                door = door.on(&operation.name.to_string(), to(&operation.app, sidecar, cookies));
            }
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
    let (page, icon, assets) = (web.clone(), web.clone(), web.clone());
    door = door.on("GET /", move || ready(page.first_page())).on("GET /favicon.svg", move || ready(icon.icon()));
    door = door.on("GET /assets/{file}", move |Path(file): Path<String>| ready(assets.asset(&file)));
    Ok(door.finish()?)
}

#[cfg(test)]
mod tests;

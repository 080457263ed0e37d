//! Browsers, which have a cookie in place of an access token.
//!
//! The cookie is exchanged for an access token, which goes on to services with the requests of the page and never comes
//! to the page. What changes something has to show that the page is ours, too.

mod exchange;
mod same_site;

use std::sync::Arc;

use access::{
    cookie::session_cookie,
    matrix::{Allowed, Operation, Whoever},
};
use axum::{
    extract::{Request, State},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use problem::Problem;
use sidecar::Sidecar;

use self::exchange::Exchange;

/// The one operation by which a browser gets a cookie.
const SIGN_IN: &str = "POST /auth/session";

/// A page says so of what it asks by itself, which keeps no session from being locked.
const UNATTENDED: HeaderName = HeaderName::from_static("x-unattended");

/// The sessions of browsers.
#[derive(Debug)]
pub(super) struct Browsers {
    exchange: Exchange,
}

/// Whether cookies pass to the service that serves the operation.
pub(super) fn is_about_cookies(operation: &Operation) -> bool {
    operation.allowed == Allowed::Whoever(Whoever::Cookie) || is_sign_in(operation)
}

fn is_sign_in(operation: &Operation) -> bool {
    operation.name.to_string() == SIGN_IN
}

impl Browsers {
    /// Sessions that `auth` is asked for through this sidecar.
    pub(super) fn new(sidecar: &Sidecar) -> Self {
        Self { exchange: Exchange::new(sidecar) }
    }

    /// What comes before the token at the route of an operation.
    pub(super) fn of_route<S: Clone + Send + Sync + 'static>(
        self: &Arc<Self>,
        operation: &Operation,
        route: MethodRouter<S>,
    ) -> MethodRouter<S> {
        match operation.allowed {
            // Nobody is to be signed in at our page by another site.
            _ if is_sign_in(operation) => route.layer(from_fn(sign_in)),
            Allowed::Whoever(Whoever::Open) => route,
            Allowed::Whoever(Whoever::Cookie) => route.layer(from_fn_with_state(Arc::clone(self), by_cookie)),
            _ => route.layer(from_fn_with_state(Arc::clone(self), by_exchange)),
        }
    }
}

async fn sign_in(request: Request, next: Next) -> Result<Response, Problem> {
    same_site::check(&request)?;
    Ok(next.run(request).await)
}

async fn by_cookie(State(browsers): State<Arc<Browsers>>, request: Request, next: Next) -> Result<Response, Problem> {
    let cookie = session_cookie(request.headers()).map(str::to_owned);
    if let Some(cookie) = &cookie {
        same_site::check_page(&request, cookie)?;
    }
    let changes = !request.method().is_safe();
    let response = next.run(request).await;
    if let (Some(cookie), true) = (cookie, changes) {
        browsers.exchange.forget(&cookie);
    }
    Ok(response)
}

async fn by_exchange(State(browsers): State<Arc<Browsers>>, mut request: Request, next: Next) -> Response {
    // A client that has a token is no page, and what a browser may add to its requests is not looked at.
    if request.headers().contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let Some(cookie) = session_cookie(request.headers()).map(str::to_owned) else { return next.run(request).await };
    if let Err(problem) = same_site::check_page(&request, &cookie) {
        return problem.into_response();
    }
    match browsers.exchange.token(&cookie, is_attended(request.method(), request.headers())).await {
        Ok(token) => {
            request.headers_mut().insert(header::AUTHORIZATION, token);
            let response = next.run(request).await;
            if response.status() == StatusCode::UNAUTHORIZED {
                // It has ended since: what `auth` says next says why.
                browsers.exchange.forget(&cookie);
            }
            response
        }
        Err(refused) => *refused,
    }
}

/// Whether the user did something. A stream goes on without anybody, and so does what the page says so of.
fn is_attended(method: &Method, headers: &HeaderMap) -> bool {
    let says = |name: &HeaderName, what: &str| headers.get(name).and_then(|value| value.to_str().ok()) == Some(what);
    !method.is_safe() || !(says(&header::ACCEPT, "text/event-stream") || says(&UNATTENDED, "true"))
}

/// `Bearer <token>`, which no log shows.
fn bearer(token: &str) -> Result<HeaderValue, Problem> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(Problem::internal)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_asks_by_itself_is_not_attended() {
        let asked = |method: Method, name: &'static str, value: &'static str| {
            let headers = [(HeaderName::from_static(name), HeaderValue::from_static(value))].into_iter().collect();
            is_attended(&method, &headers)
        };
        assert!(asked(Method::GET, "accept", "application/json"));
        assert!(!asked(Method::GET, "accept", "text/event-stream"));
        assert!(!asked(Method::GET, "x-unattended", "true"));
        assert!(asked(Method::GET, "x-unattended", "false"));
        assert!(asked(Method::POST, "x-unattended", "true"), "nothing is changed by itself");
    }
}

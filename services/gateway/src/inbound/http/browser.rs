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
    extract::Request,
    response::{IntoResponse as _, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use problem::Problem;
use runtime::step::{Next, Step};
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

/// What comes before the token at a route.
pub(super) enum OfRoute {
    /// Nothing.
    Open,
    /// A sign-in that may give a cookie: nobody is to be signed in at our page by another site.
    SignIn,
    /// A cookie that the service behind looks at.
    Cookie(Arc<Browsers>),
    /// A cookie for which there is a token.
    Exchange(Arc<Browsers>),
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
    pub(super) fn of_route(self: &Arc<Self>, operation: &Operation) -> OfRoute {
        match operation.allowed {
            _ if is_sign_in(operation) => OfRoute::SignIn,
            Allowed::Whoever(Whoever::Open) => OfRoute::Open,
            Allowed::Whoever(Whoever::Cookie) => OfRoute::Cookie(Arc::clone(self)),
            _ => OfRoute::Exchange(Arc::clone(self)),
        }
    }

    /// The token in place of the cookie, where there is one.
    async fn exchanged(&self, cookie: Option<&str>, request: &mut Request) -> Result<(), Box<Response>> {
        let Some(cookie) = cookie else { return Ok(()) };
        same_site::check_page(request, cookie).map_err(|problem| Box::new(problem.into_response()))?;
        let token = self.exchange.token(cookie, is_attended(request.method(), request.headers())).await?;
        request.headers_mut().insert(header::AUTHORIZATION, token);
        Ok(())
    }
}

impl Step for OfRoute {
    async fn take(&self, mut request: Request, next: impl Next) -> Response {
        let passed = self.pass(&mut request).await;
        let cookie = match passed {
            Ok(cookie) => cookie,
            Err(refused) => return *refused,
        };
        let changes = !request.method().is_safe();
        let response = next.run(request).await;
        if let Some(cookie) = cookie {
            self.passed(&cookie, changes, response.status());
        }
        response
    }
}

impl OfRoute {
    /// The cookie that the request has passed by.
    async fn pass(&self, request: &mut Request) -> Result<Option<String>, Box<Response>> {
        let refused = |problem: Problem| Box::new(problem.into_response());
        match self {
            Self::Open => Ok(None),
            Self::SignIn => same_site::check(request).map(|()| None).map_err(refused),
            // A client that has a token is no page, and what a browser may add to its requests is not looked at.
            Self::Exchange(_) if request.headers().contains_key(header::AUTHORIZATION) => Ok(None),
            Self::Cookie(_) => {
                let cookie = session_cookie(request.headers()).map(str::to_owned);
                if let Some(cookie) = &cookie {
                    same_site::check_page(request, cookie).map_err(refused)?;
                }
                Ok(cookie)
            }
            Self::Exchange(browsers) => {
                let cookie = session_cookie(request.headers()).map(str::to_owned);
                // In a box: hardly any request comes here, and each would carry the room for it.
                Box::pin(browsers.exchanged(cookie.as_deref(), request)).await?;
                Ok(cookie)
            }
        }
    }

    /// What was remembered of the cookie may not be so any more.
    fn passed(&self, cookie: &str, changes: bool, answered: StatusCode) {
        match self {
            Self::Cookie(browsers) if changes => browsers.exchange.forget(cookie),
            // It has ended since: what `auth` says next says why.
            Self::Exchange(browsers) if answered == StatusCode::UNAUTHORIZED => browsers.exchange.forget(cookie),
            _ => {}
        }
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

//! Routes with their rules: what is served is what the matrix has, and nobody else is let through.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    response::{IntoResponse as _, Response},
    routing::{MethodRouter, on},
};
use http::StatusCode;
use jiff::Timestamp;
use problem::Problem;
use runtime::step::{Next, Step, Steps};

use crate::{
    AccessTokens, Allowed, Name, bearer, matrix,
    matrix::{MatrixError, Operation},
};

/// The routes of an app, each behind its rule, and what `G` puts around that.
///
/// Whoever is let through has an [`access::Caller`](crate::Caller) as an extension; at an open route there is none. The
/// answer of an app has it, too, and where their role is refused as well: for a step before the rule.
pub struct Door<S, G = fn(&'static Operation, Admit) -> Admit> {
    app: &'static str,
    tokens: Arc<AccessTokens>,
    /// What is in the matrix and has no handler yet.
    waiting: BTreeMap<Name, &'static Operation>,
    /// The methods that have a route, and may have another.
    methods: BTreeMap<Name, &'static Operation>,
    /// The routes that have a handler.
    routes: BTreeSet<Name>,
    guard: G,
    /// What has a handler and is not in the matrix.
    unknown: Option<MatrixError>,
    router: Router<S>,
}

/// The step that lets through whom the matrix allows.
pub struct Admit {
    tokens: Arc<AccessTokens>,
    allowed: &'static Allowed,
    /// Whether another app stands behind the route, and has an audit for whom it refuses.
    is_refused_elsewhere: bool,
}

/// What makes the steps of a route of its rule: those before it, the rule, those after it.
pub trait Guard {
    /// All of them, as one step.
    type Around: Step;

    /// The steps of a route that serves this operation.
    fn around(&self, operation: &'static Operation, admit: Admit) -> Self::Around;
}

impl<F, P> Guard for F
where
    F: Fn(&'static Operation, Admit) -> P,
    P: Step,
{
    type Around = P;

    fn around(&self, operation: &'static Operation, admit: Admit) -> P {
        self(operation, admit)
    }
}

impl<S: Clone + Send + Sync + 'static> Door<S> {
    /// The door of an app: all that the matrix has for it over HTTP.
    pub fn of(app: &'static str, tokens: Arc<AccessTokens>) -> Result<Self, MatrixError> {
        let own = matrix::operations()?.iter().filter(|operation| operation.app == app);
        let waiting = own.filter(|operation| matches!(operation.name, Name::Http { .. }));
        let waiting = waiting.map(|operation| (operation.name.clone(), operation)).collect();
        Ok(Self::waiting_for(app, tokens, waiting))
    }

    /// The public door: whatever any app serves there. What a role is refused here is refused by its app once more,
    /// which records it; whatever the app says, it stays refused.
    pub fn public(app: &'static str, tokens: Arc<AccessTokens>) -> Result<Self, MatrixError> {
        let public = matrix::operations()?.iter().filter(|operation| operation.public);
        let waiting = public.map(|operation| (operation.name.clone(), operation)).collect();
        Ok(Self::waiting_for(app, tokens, waiting))
    }

    fn waiting_for(app: &'static str, tokens: Arc<AccessTokens>, waiting: BTreeMap<Name, &'static Operation>) -> Self {
        let (methods, routes) = (BTreeMap::new(), BTreeSet::new());
        let (guard, router): (fn(_, _) -> _, _) = (|_, admit| admit, Router::new());
        Self { app, tokens, waiting, methods, routes, guard, unknown: None, router }
    }

    /// Puts every route that is served from now on behind what `guard` makes of its rule, by the operation that it
    /// serves: steps before and after.
    #[must_use]
    pub fn behind<G, P>(self, guard: G) -> Door<S, G>
    where
        G: Fn(&'static Operation, Admit) -> P,
        P: Step,
    {
        let Self { app, tokens, waiting, methods, routes, guard: _, unknown, router } = self;
        Door { app, tokens, waiting, methods, routes, guard, unknown, router }
    }
}

impl<S: Clone + Send + Sync + 'static, G: Guard> Door<S, G> {
    /// Serves an operation over HTTP: `GET /auth/me`.
    #[must_use]
    pub fn on<H: Handler<T, S>, T: 'static>(self, operation: &str, handler: H) -> Self {
        match Name::parse(operation) {
            Ok(name) => self.serve(&name, &name, handler),
            Err(error) => Self { unknown: Some(error), ..self },
        }
    }

    /// Serves a method of a gRPC service over HTTP, at a route: `billing.v1.Accounts/GetAccount` at
    /// `GET /api/billing/accounts/{patientId}`; as often as it has routes.
    #[must_use]
    pub fn on_method<H: Handler<T, S>, T: 'static>(self, method: &str, route: &str, handler: H) -> Self {
        match Name::parse(route) {
            Ok(route) => self.serve(&Name::Grpc(method.to_owned()), &route, handler),
            Err(error) => Self { unknown: Some(error), ..self },
        }
    }

    fn serve<H: Handler<T, S>, T: 'static>(mut self, operation: &Name, route: &Name, handler: H) -> Self {
        let known = self.waiting.remove(operation).or_else(|| self.methods.get(operation).copied());
        let known = known.filter(|_| self.routes.insert(route.clone()));
        let (Some(known), Some(filter), Name::Http { path, .. }) = (known, route.filter(), route) else {
            let missing = MatrixError::Missing { app: self.app.to_owned(), operation: operation.to_string() };
            return Self { unknown: Some(missing), ..self };
        };
        if matches!(operation, Name::Grpc(_)) {
            self.methods.insert(operation.clone(), known);
        }
        let is_refused_elsewhere = known.app != self.app && matches!(known.name, Name::Http { .. });
        let admit = Admit { tokens: Arc::clone(&self.tokens), allowed: &known.allowed, is_refused_elsewhere };
        let handled: MethodRouter<S> = on(filter, handler);
        self.router = self.router.route(path, handled.layer(Steps::of(self.guard.around(known, admit))));
        self
    }

    /// The routes, if they are what the matrix has: not one more, not one less.
    pub fn finish(self) -> Result<Router<S>, MatrixError> {
        if let Some(unknown) = self.unknown {
            return Err(unknown);
        }
        if let Some(name) = self.waiting.keys().next() {
            return Err(MatrixError::NotServed { app: self.app.to_owned(), operation: name.to_string() });
        }
        Ok(self.router)
    }
}

impl Step for Admit {
    async fn take(&self, mut request: Request, next: impl Next) -> Response {
        if self.allowed.is_open() {
            return next.run(request).await;
        }
        let verified = bearer(request.headers()).and_then(|token| self.tokens.verify(token, Timestamp::now()));
        let caller = match verified {
            Ok(caller) => caller,
            Err(problem) => return problem.into_response(),
        };
        let refusal = self.allowed.admit(&caller).err();
        if self.is_refused_elsewhere {
            request.extensions_mut().insert(caller);
            let answer = next.run(request).await;
            return refusal.filter(|_| answer.status() != StatusCode::FORBIDDEN).map_or(answer, Problem::into_response);
        }
        let mut answer = if let Some(refusal) = refusal {
            refusal.into_response()
        } else {
            request.extensions_mut().insert(caller.clone());
            next.run(request).await
        };
        answer.extensions_mut().insert(caller);
        answer
    }
}

#[cfg(test)]
mod tests {
    use tower::ServiceExt as _;

    use super::*;
    use crate::Role;

    fn analytics() -> Door<()> {
        Door::of("analytics", Arc::default()).unwrap()
    }

    #[test]
    fn what_is_served_is_what_the_matrix_has() {
        let whole = analytics().on("GET /api/analytics/metrics/{metric}/export", async || "");
        assert!(whole.finish().is_ok());
        let less = analytics().finish().unwrap_err();
        assert!(matches!(less, MatrixError::NotServed { operation, .. } if operation.contains("export")));
        for more in ["GET /api/analytics/secrets", "POST /api/analytics/metrics/{metric}/export", "nonsense"] {
            let door = analytics().on("GET /api/analytics/metrics/{metric}/export", async || "").on(more, async || "");
            assert!(door.finish().is_err(), "{more}");
        }
        let twice = analytics().on("GET /api/analytics/metrics/{metric}/export", async || "");
        assert!(twice.on("GET /api/analytics/metrics/{metric}/export", async || "").finish().is_err());
    }

    #[test]
    fn a_method_may_have_several_routes_and_a_route_one_method() {
        let method = "billing.v1.Accounts/GetAccount";
        let served = |routes: &[&str]| {
            let door: Door<()> = Door::public("gateway", Arc::default()).unwrap();
            routes.iter().fold(door, |door, route| door.on_method(method, route, async || "")).finish().unwrap_err()
        };
        // The other operations are what is missing then.
        let is_good = |error| matches!(error, MatrixError::NotServed { operation, .. } if operation != method);
        assert!(is_good(served(&["GET /api/a/{id}"])));
        assert!(is_good(served(&["GET /api/a/{id}", "POST /api/a/{id}", "GET /api/b"])));
        assert!(matches!(served(&["GET /api/b", "GET /api/b"]), MatrixError::Missing { .. }));
    }

    #[tokio::test]
    async fn what_a_role_is_refused_its_app_refuses_too_and_nothing_else_comes_of_it() {
        let (tokens, token) = crate::keys::tests::known(Role::Analyst);
        let name = Name::parse("GET /api/patients").unwrap();
        for (says, told) in [(StatusCode::FORBIDDEN, "by the app"), (StatusCode::OK, "The role analyst")] {
            let mut door: Door<()> = Door::public("gateway", Arc::clone(&tokens)).unwrap();
            door = door.serve(&name, &name, async move || (says, "by the app"));
            let request = http::Request::get("/api/patients").header("authorization", format!("Bearer {token}"));
            let request = request.body(axum::body::Body::empty()).unwrap();
            let answer = door.router.oneshot(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN);
            let body = axum::body::to_bytes(answer.into_body(), 10_000).await.unwrap();
            assert!(String::from_utf8_lossy(&body).contains(told), "{body:?}");
        }
    }

    #[test]
    fn the_public_door_has_what_is_public() {
        let mut door: Door<()> = Door::public("gateway", Arc::default()).unwrap();
        for operation in matrix::operations().unwrap().iter().filter(|operation| operation.public) {
            door = match &operation.name {
                Name::Grpc(method) => door.on_method(method, &format!("GET /api/{method}"), async || ""),
                name @ Name::Http { .. } => door.on(&name.to_string(), async || ""),
            };
        }
        assert!(door.finish().is_ok());
        let internal: Door<()> = Door::public("gateway", Arc::default()).unwrap();
        let internal = internal.on("GET /auth/.well-known/revoked-sessions", async || "").finish().unwrap_err();
        assert!(matches!(internal, MatrixError::Missing { .. }));
    }
}

//! The matrix of operations and roles, `roles.yaml`.

use std::{collections::BTreeMap, fmt, sync::LazyLock};

use axum::routing::MethodFilter;
use http::Method;
use problem::{Kind, Problem};
use serde::Deserialize;

use crate::{Caller, Role};

/// One operation of an app.
#[derive(Debug)]
pub struct Operation {
    /// The app that serves it.
    pub app: String,
    /// What it is called by.
    pub name: Name,
    /// Whether the gateway passes it on, or only services ask for it.
    pub public: bool,
    /// Who may use it.
    pub allowed: Allowed,
}

/// What an operation is called by.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Name {
    /// `VERB /path`, the path as a router takes it: `/api/patients/{id}`.
    Http {
        /// The verb, in capitals.
        verb: String,
        /// The pattern of the path.
        path: String,
    },
    /// `package.Service/Method`
    Grpc(String),
}

/// Who may use an operation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(untagged)]
pub enum Allowed {
    /// Whoever comes, or whoever is signed in.
    Whoever(Whoever),
    /// Holders of one of these roles.
    Roles(Vec<Role>),
}

/// A rule that does not look at roles.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Whoever {
    /// Nobody has to be signed in.
    Open,
    /// Whoever has the cookie of a browser's session, which the handler looks at; no token is asked for.
    Cookie,
    /// Signed in, even if a second factor is still to be set up.
    Enrolling,
    /// Signed in.
    SignedIn,
}

/// Why the matrix cannot be used as it stands.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MatrixError {
    /// It does not read.
    #[error("roles.yaml: {0}")]
    Unreadable(String),
    /// It lacks what is served.
    #[error("roles.yaml does not have what {app} serves: {operation}")]
    Missing {
        /// The app.
        app: String,
        /// What it wants to serve.
        operation: String,
    },
    /// It has what is not served.
    #[error("{app} does not serve what roles.yaml has: {operation}")]
    NotServed {
        /// The app.
        app: String,
        /// What nobody would answer.
        operation: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct App {
    #[serde(default)]
    public: BTreeMap<String, Allowed>,
    #[serde(default)]
    internal: BTreeMap<String, Allowed>,
}

/// Every operation of every app.
pub fn operations() -> Result<&'static [Operation], MatrixError> {
    static MATRIX: LazyLock<Result<Vec<Operation>, MatrixError>> =
        LazyLock::new(|| parse(include_str!("../roles.yaml")));
    MATRIX.as_deref().map_err(Clone::clone)
}

/// Who may use an operation of an app, `VERB /path` or `package.Service/Method`.
pub fn allowed_to(app: &str, operation: &str) -> Result<&'static Allowed, MatrixError> {
    let name = Name::parse(operation)?;
    let found = operations()?.iter().find(|operation| operation.app == app && operation.name == name);
    let missing = || MatrixError::Missing { app: app.to_owned(), operation: operation.to_owned() };
    found.map(|operation| &operation.allowed).ok_or_else(missing)
}

fn parse(text: &str) -> Result<Vec<Operation>, MatrixError> {
    let apps: BTreeMap<String, App> =
        serde_yaml_ng::from_str(text).map_err(|error| MatrixError::Unreadable(error.to_string()))?;
    let mut operations = Vec::new();
    for (app, App { public, internal }) in apps {
        for (public, entries) in [(true, public), (false, internal)] {
            for (name, allowed) in entries {
                let name = Name::parse(&name)?;
                operations.push(Operation { app: app.clone(), name, public, allowed });
            }
        }
    }
    Ok(operations)
}

impl Name {
    /// Reads `VERB /path` or `package.Service/Method`.
    pub fn parse(text: &str) -> Result<Self, MatrixError> {
        let unreadable = || MatrixError::Unreadable(format!("{text:?} is no operation"));
        let Some((verb, path)) = text.split_once(' ') else {
            let method = text.split_once('/').filter(|(service, method)| service.contains('.') && !method.is_empty());
            return method.map(|_| Self::Grpc(text.to_owned())).ok_or_else(unreadable);
        };
        let name = Self::Http { verb: verb.to_owned(), path: path.to_owned() };
        if path.starts_with('/') && name.filter().is_some() { Ok(name) } else { Err(unreadable()) }
    }

    pub(crate) fn filter(&self) -> Option<MethodFilter> {
        let Self::Http { verb, .. } = self else { return None };
        MethodFilter::try_from(Method::from_bytes(verb.as_bytes()).ok()?).ok()
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http { verb, path } => write!(f, "{verb} {path}"),
            Self::Grpc(method) => f.write_str(method),
        }
    }
}

impl Allowed {
    /// Whether a token is not even asked for.
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Whoever(Whoever::Open | Whoever::Cookie))
    }

    /// Whether holders of the role may, once they are signed in with all that it asks for.
    pub fn has(&self, role: Role) -> bool {
        match self {
            Self::Whoever(_) => true,
            Self::Roles(roles) => roles.contains(&role),
        }
    }

    /// Refuses a caller who may not.
    pub fn admit(&self, caller: &Caller) -> Result<(), Problem> {
        if caller.enrolling && !matches!(self, Self::Whoever(Whoever::Open | Whoever::Cookie | Whoever::Enrolling)) {
            let detail = "Set up your account first: GET /auth/me says what is missing, a password of your own or a second factor.";
            return Err(Problem::new(Kind::Forbidden, detail).with_slug("enrolment-required"));
        }
        if self.has(caller.role) {
            return Ok(());
        }
        Err(Problem::new(Kind::Forbidden, format!("The role {} may not do this.", caller.role)))
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn caller(role: Role, enrolling: bool) -> Caller {
        Caller { subject: Uuid::nil(), role, session: Uuid::nil(), enrolling, expires: 0 }
    }

    #[test]
    fn the_matrix_reads() {
        let operations = operations().unwrap();
        assert!(operations.iter().any(|operation| operation.name.to_string() == "GET /api/patients/{id}"));
        assert!(!allowed_to("billing", "billing.v1.Accounts/GetAccount").unwrap().is_open());
        assert!(matches!(allowed_to("patient", "billing.v1.Accounts/GetAccount"), Err(MatrixError::Missing { .. })));
    }

    #[test]
    fn what_cannot_be_meant_does_not_read() {
        for text in [
            "auth: {public: {GET: open}}",
            "auth: {public: {get /a: open}}",
            "auth: {public: {GET a: open}}",
            "auth: {public: {GET /a: everyone}}",
            "auth: {public: {GET /a: [owner]}}",
            "auth: {secret: {GET /a: open}}",
            "auth: {public: {Accounts/Get: open}}",
        ] {
            assert!(matches!(parse(text), Err(MatrixError::Unreadable(_))), "{text}");
        }
    }

    #[test]
    fn only_who_is_named_is_admitted() {
        let clerks = Allowed::Roles(vec![Role::FrontDesk]);
        let (signed_in, enrolling) = (Allowed::Whoever(Whoever::SignedIn), Allowed::Whoever(Whoever::Enrolling));
        for (allowed, role, before_enrolment, may) in [
            (&clerks, Role::FrontDesk, false, true),
            (&clerks, Role::Nurse, false, false),
            (&clerks, Role::FrontDesk, true, false),
            (&signed_in, Role::Service, false, true),
            (&signed_in, Role::Admin, true, false),
            (&enrolling, Role::Admin, true, true),
        ] {
            assert_eq!(allowed.admit(&caller(role, before_enrolment)).is_ok(), may, "{allowed:?} {role}");
        }
    }
}

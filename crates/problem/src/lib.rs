#![doc = include_str!("../README.md")]

pub mod input;
mod kind;
mod status;
mod wire;

use std::{borrow::Cow, collections::BTreeSet, error::Error, fmt, sync::Arc, time::Duration};

use serde_json::{Map, Value};

pub use self::{
    kind::{Kind, Verdict},
    status::is_answer,
    wire::Cause,
};

/// A failure as its caller may see it, in the members of RFC 9457, with the cause beside it for the log.
#[derive(Clone, Debug)]
pub struct Problem {
    /// Decides status, code and verdict.
    pub kind: Kind,
    /// The last part of `type`, for failures that a program wants to tell from others of their kind.
    pub slug: Option<Cow<'static, str>>,
    /// What the caller can do about it; no cause, no personal data.
    pub detail: String,
    /// One entry for each wrong field.
    pub errors: Vec<FieldError>,
    /// Further members of the problem object.
    pub extensions: Map<String, Value>,
    /// When to come back, for kinds that are [retryable](Kind::retryable).
    pub retry_after: Option<Duration>,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

/// One wrong field of a request.
#[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
pub struct FieldError {
    /// RFC 6901 pointer into the request's body, or the name of a header or query parameter.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem of a kind, with the words for the caller.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            slug: None,
            detail: detail.into(),
            errors: Vec::new(),
            extensions: Map::new(),
            retry_after: (kind == Kind::Unavailable).then_some(Duration::from_secs(1)),
            cause: None,
        }
    }

    /// The request is understood but some of its fields are wrong.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let detail = match errors.as_slice() {
            [one] => format!("{}: {}", one.pointer, one.detail),
            many => {
                let fields: BTreeSet<_> = many.iter().map(|error| &error.pointer).collect();
                match fields.len() {
                    1 => format!("{} is wrong in more than one way; see `errors`", many[0].pointer),
                    fields => format!("{fields} fields are wrong; see `errors`"),
                }
            }
        };
        Self { errors, ..Self::new(Kind::Invalid, detail) }
    }

    /// The one field of a request that is wrong.
    pub fn invalid_field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::invalid(vec![FieldError { pointer: pointer.into(), detail: detail.into() }])
    }

    /// Our own fault; the caller learns nothing about the cause.
    pub fn internal(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Kind::Internal, "Something went wrong on our side; nothing is known to have changed.")
            .with_cause(cause)
    }

    /// A part is away or slow: whether the request took effect is unknown, and the same request may be sent again.
    pub fn unavailable(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(
            Kind::Unavailable,
            "A part of the system does not answer; send the same request again, with the same Idempotency-Key if it had one.",
        )
        .with_cause(cause)
    }

    /// Names a wrong field.
    #[must_use]
    pub fn with_error(mut self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.errors.push(FieldError { pointer: pointer.into(), detail: detail.into() });
        self
    }

    /// Names the failure for programs.
    #[must_use]
    pub fn with_slug(mut self, slug: &'static str) -> Self {
        self.slug = Some(Cow::Borrowed(slug));
        self
    }

    /// Adds a member to the problem object.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.extensions.insert(name.to_owned(), value.into());
        self
    }

    /// Keeps the cause for the log.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(Arc::from(cause.into()));
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind.title(), self.detail)
    }
}

impl Error for Problem {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

//! A problem as an HTTP response and as a gRPC status.

use std::{error::Error, sync::Arc};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use tonic_types::{ErrorDetails, FieldViolation, StatusExt as _};

use crate::{FieldError, Kind, Problem};

/// RFC 9457 leaves the name space to us; a URN promises no page behind it.
const TYPE_PREFIX: &str = "urn:patient-management:problem:";

/// What every status that an app answers carries, and none that a sidecar makes.
const ANSWER: &str = "problem";

/// As many wrong fields as a trailer has room for.
const MOST_VIOLATIONS: usize = 32;

/// Whether this status is an app's answer, and not what a sidecar says because there is none.
pub fn is_answer(status: &tonic::Status) -> bool {
    status.metadata().contains_key(ANSWER)
}

/// The cause of a response, for the one place that logs it; see `runtime`.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<dyn Error + Send + Sync>);

impl Problem {
    /// The problem object.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let kind = self.slug.map_or_else(|| "about:blank".to_owned(), |slug| format!("{TYPE_PREFIX}{slug}"));
        object.insert("type".to_owned(), kind.into());
        object.insert("title".to_owned(), self.kind.title().into());
        object.insert("status".to_owned(), self.kind.status().as_u16().into());
        object.insert("detail".to_owned(), self.detail.as_str().into());
        if !self.errors.is_empty() {
            object.insert("errors".to_owned(), json!(self.errors));
        }
        object.extend(self.extensions.clone());
        Value::Object(object)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.kind.status(), self.to_json().to_string()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.kind == Kind::Unauthenticated {
            // RFC 6750, section 3.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(after) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(Cause(cause));
        }
        response
    }
}

impl From<Problem> for tonic::Status {
    fn from(problem: Problem) -> Self {
        let (code, wrong) = (problem.kind.code(), problem.errors.into_iter().take(MOST_VIOLATIONS));
        let wrong: Vec<_> = wrong.map(|error| FieldViolation::new(error.pointer, error.detail)).collect();
        let mut status = if wrong.is_empty() {
            Self::new(code, problem.detail)
        } else {
            Self::with_error_details(code, problem.detail, ErrorDetails::with_bad_request(wrong))
        };
        status.metadata_mut().insert(ANSWER, tonic::metadata::MetadataValue::from_static("1"));
        if let Some(cause) = problem.cause {
            status.set_source(cause);
        }
        status
    }
}

/// Another service's refusal, passed on with the words that it chose for a caller.
impl From<tonic::Status> for Problem {
    fn from(status: tonic::Status) -> Self {
        match Kind::of_code(status.code()) {
            Kind::Internal => Self::internal(status),
            Kind::Unavailable => Self::unavailable(status),
            kind => {
                let wrong = status.get_details_bad_request().into_iter().flat_map(|found| found.field_violations);
                let error = |found: FieldViolation| FieldError { pointer: found.field, detail: found.description };
                Self { errors: wrong.map(error).collect(), ..Self::new(kind, status.message().to_owned()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_fields_survive_the_way_between_services() {
        let problem = Problem::invalid_field("a.b", "must be text").with_error("c", "is required");
        let told = Problem::from(tonic::Status::from(problem.clone()));
        assert_eq!((told.kind, told.detail, told.errors), (Kind::Invalid, problem.detail, problem.errors));
        let plain = Problem::from(tonic::Status::from(Problem::new(Kind::NotFound, "There is none.")));
        assert_eq!((plain.kind, plain.errors.len()), (Kind::NotFound, 0));
    }

    #[test]
    fn details_that_do_not_read_are_none() {
        let status = tonic::Status::with_details(tonic::Code::InvalidArgument, "no", vec![0xff, 1].into());
        assert_eq!(Problem::from(status).errors, []);
    }
}

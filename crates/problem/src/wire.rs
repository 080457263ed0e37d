//! A problem as an HTTP response.

use std::{error::Error, sync::Arc};

use axum::{
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use crate::{Kind, Problem};

/// RFC 9457 leaves the name space to us; a URN promises no page behind it.
const TYPE_PREFIX: &str = "urn:patient-management:problem:";

/// The cause of a response, for the one place that logs it; see `runtime`.
#[derive(Clone, Debug)]
pub struct Cause(pub Arc<dyn Error + Send + Sync>);

impl Problem {
    /// The problem object.
    pub fn to_json(&self) -> Value {
        let mut object = Map::new();
        let kind = self.slug.as_ref().map_or_else(|| "about:blank".to_owned(), |slug| format!("{TYPE_PREFIX}{slug}"));
        object.insert("type".to_owned(), kind.into());
        object.insert("title".to_owned(), self.kind.title().into());
        object.insert("status".to_owned(), self.kind.status().as_u16().into());
        object.insert("detail".to_owned(), self.detail.as_str().into());
        if !self.errors.is_empty() {
            object.insert("errors".to_owned(), json!(self.errors));
        }
        // The members of RFC 9457 mean what they mean there.
        for (name, value) in &self.extensions {
            object.entry(name).or_insert_with(|| value.clone());
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_ours_takes_the_place_of_none_of_the_rfcs() {
        let problem = Problem::new(Kind::Conflict, "No.").with("status", "booked").with("left", 5);
        let object = problem.to_json();
        assert_eq!((&object["status"], &object["left"]), (&json!(409), &json!(5)));
    }
}

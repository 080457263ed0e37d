//! The HTTP answer of a response message.

use axum::response::{IntoResponse as _, Response};
use contracts::rest::{Binding, Method};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use problem::Problem;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};

use super::write;

/// The field that the ETag is made of.
const VERSION: &str = "version";

/// The answer, with its version as ETag; of what is made with where it is, RFC 9110, section 15.3.2.
pub(super) fn of(
    method: &Method,
    binding: &Binding,
    path: &str,
    message: &DynamicMessage,
) -> Result<Response, Problem> {
    match &binding.response_body {
        None => respond(method, path, Some(message), write::message(message)),
        Some(field) if field.supports_presence() && !message.has_field(field) => {
            Err(Problem::internal(format!("the answer has no {}", field.full_name())))
        }
        Some(field) => {
            let value = message.get_field(field);
            respond(method, path, value.as_message(), write::field(&value, field))
        }
    }
}

fn respond(
    method: &Method,
    path: &str,
    told: Option<&DynamicMessage>,
    json: serde_json::Result<String>,
) -> Result<Response, Problem> {
    let json = json.map_err(Problem::internal)?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(version) = told.and_then(version) {
        let etag = HeaderValue::from_str(&format!("\"{version}\"")).map_err(Problem::internal)?;
        headers.insert(header::ETAG, etag);
    }
    let made = told.filter(|_| method.makes()).and_then(id);
    let status = match made {
        Some(id) => {
            let location = HeaderValue::from_str(&format!("{path}/{id}")).map_err(Problem::internal)?;
            headers.insert(header::LOCATION, location);
            StatusCode::CREATED
        }
        None => StatusCode::OK,
    };
    Ok((status, headers, json).into_response())
}

/// What something is called by: its first field, when that is an id.
fn id(message: &DynamicMessage) -> Option<String> {
    let field = message.descriptor().get_field(1).filter(|field| field.name().ends_with("_id"))?;
    message.get_field(&field).as_str().map(str::to_owned)
}

fn version(message: &DynamicMessage) -> Option<String> {
    let field = message.descriptor().get_field_by_name(VERSION)?;
    match message.get_field(&field).as_ref() {
        Value::I64(version) => Some(version.to_string()),
        Value::U64(version) => Some(version.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use problem::Kind;
    use serde_json::json;

    use super::{super::sample, *};

    fn answer(name: &str, answered: serde_json::Value) -> Result<Response, Problem> {
        let method = sample::method(name);
        let message = sample::standard(method.descriptor.output(), answered);
        of(&method, &method.bindings[0], "/api/shelves/3/paints", &message)
    }

    async fn body(response: Response) -> serde_json::Value {
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap()
    }

    #[tokio::test]
    async fn the_answer_is_the_named_field_with_its_version_as_etag() {
        let response = answer("GetPaint", json!({ "paint": {"version": "3", "shop": "s"} })).unwrap();
        assert_eq!(response.headers()["etag"], "\"3\"");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let body = body(response).await;
        assert_eq!((&body["version"], &body["shop"]), (&json!(3), &json!("s")));
    }

    #[tokio::test]
    async fn what_has_no_version_has_no_etag() {
        let response = answer("ListPaints", json!({ "paints": [{}] })).unwrap();
        assert!(!response.headers().contains_key("etag"));
        assert_eq!(body(response).await["paints"][0]["version"], 0);
    }

    #[tokio::test]
    async fn what_is_made_has_an_address() {
        let made = answer("CreatePaint", json!({ "paintId": "7", "version": "1" })).unwrap();
        assert_eq!(made.status(), StatusCode::CREATED);
        assert_eq!(made.headers()["location"], "/api/shelves/3/paints/7");
        let changed = answer("ChangePaint", json!({ "paintId": "7", "version": "2" })).unwrap();
        assert_eq!((changed.status(), changed.headers().get("location")), (StatusCode::OK, None));
    }

    #[test]
    fn an_answer_that_cannot_be_told_is_our_own_fault() {
        assert_eq!(answer("GetPaint", json!({})).unwrap_err().kind, Kind::Internal);
        let rounded = json!({ "paint": {"version": "9007199254740993"} });
        assert_eq!(answer("GetPaint", rounded).unwrap_err().kind, Kind::Internal);
    }
}

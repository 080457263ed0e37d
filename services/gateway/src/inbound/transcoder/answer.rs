//! The HTTP answer of a response message.

use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use contracts::rest::Binding;
use http::{HeaderMap, HeaderValue, header};
use problem::Problem;
use prost_reflect::{DynamicMessage, ReflectMessage as _, Value};

use super::write;

/// The field that the ETag is made of.
const VERSION: &str = "version";

/// The answer, with its version as ETag.
pub(super) fn of(binding: &Binding, message: &DynamicMessage) -> Result<Response, Problem> {
    let (told, json) = match &binding.response_body {
        None => (Some(message), write::message(message)),
        Some(field) if field.supports_presence() && !message.has_field(field) => {
            return Err(Problem::internal(format!("the answer has no {}", field.full_name())));
        }
        Some(field) => {
            let value = message.get_field(field);
            let json = write::field(&value, field);
            return respond(value.as_message().and_then(version), &json.map_err(Problem::internal)?);
        }
    };
    respond(told.and_then(version), &json.map_err(Problem::internal)?)
}

fn respond(version: Option<String>, json: &serde_json::Value) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(version) = version {
        let etag = HeaderValue::from_str(&format!("\"{version}\"")).map_err(Problem::internal)?;
        headers.insert(header::ETAG, etag);
    }
    Ok((headers, Json(json)).into_response())
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
        of(&method.bindings[0], &message)
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

    #[test]
    fn an_answer_that_cannot_be_told_is_our_own_fault() {
        assert_eq!(answer("GetPaint", json!({})).unwrap_err().kind, Kind::Internal);
        let rounded = json!({ "paint": {"version": "9007199254740993"} });
        assert_eq!(answer("GetPaint", rounded).unwrap_err().kind, Kind::Internal);
    }
}

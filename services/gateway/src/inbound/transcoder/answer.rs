//! The HTTP answer of a response message.

use axum::response::{IntoResponse as _, Response};
use contracts::rest::{Binding, Method};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use problem::Problem;
use prost_reflect::Kind;

use super::write::Message;

/// The field that the ETag is made of.
const VERSION: &str = "version";

/// The answer, with its version as ETag; of what is made with where it is, RFC 9110, section 15.3.2.
pub(super) fn of(method: &Method, binding: &Binding, path: &str, message: &Message<'_>) -> Result<Response, Problem> {
    let Some(field) = &binding.response_body else {
        let json = message.json().map_err(Problem::internal)?;
        return respond(method, path, Some(message), json);
    };
    let json = message.field(field.number()).map_err(Problem::internal)?;
    let json = json.ok_or_else(|| Problem::internal(format!("the answer has no {}", field.full_name())))?;
    let told = message.message(field.number()).map_err(Problem::internal)?;
    respond(method, path, told.as_ref(), json)
}

fn respond(method: &Method, path: &str, told: Option<&Message<'_>>, json: String) -> Result<Response, Problem> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(version) = told.map(version).transpose().map_err(Problem::internal)?.flatten() {
        let etag = HeaderValue::from_str(&format!("\"{version}\"")).map_err(Problem::internal)?;
        headers.insert(header::ETAG, etag);
    }
    let made = told.filter(|_| method.makes()).map(id).transpose().map_err(Problem::internal)?.flatten();
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
fn id(message: &Message<'_>) -> serde_json::Result<Option<String>> {
    let Some(field) = message.descriptor().get_field(1).filter(|field| field.name().ends_with("_id")) else {
        return Ok(None);
    };
    message.field(field.number())?.map(|json| serde_json::from_str(&json)).transpose()
}

/// A whole number is the same in JSON.
fn version(message: &Message<'_>) -> serde_json::Result<Option<String>> {
    let field = message.descriptor().get_field_by_name(VERSION);
    let field = field.filter(|field| matches!(field.kind(), Kind::Int64 | Kind::Uint64));
    field.map_or(Ok(None), |field| message.field(field.number()))
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt as _;
    use prost::Message as _;
    use serde_json::json;

    use super::{
        super::{sample, write::Shape},
        *,
    };

    fn answer(name: &str, answered: serde_json::Value) -> Result<Response, Problem> {
        let method = sample::method(name);
        let wire = sample::standard(method.descriptor.output(), answered).encode_to_vec();
        let shape = Shape::of(&method.descriptor.output());
        of(&method, &method.bindings[0], "/api/shelves/3/paints", &Message::new(&shape, &wire))
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
        assert_eq!(answer("GetPaint", json!({})).unwrap_err().kind, problem::Kind::Internal);
        let rounded = json!({ "paint": {"version": "9007199254740993"} });
        assert_eq!(answer("GetPaint", rounded).unwrap_err().kind, problem::Kind::Internal);
    }
}

//! gRPC methods as REST, by nothing but their `google.api.http` annotations; `proto/README.md` has the rules.

mod answer;
mod enums;
mod events;
mod read;
mod request;
#[cfg(test)]
mod sample;
mod well_known;
mod wire;
mod write;

use std::{future::Future, pin::Pin, sync::Arc};

use axum::{
    RequestExt as _,
    extract::{Query, RawPathParams, Request},
    response::Response,
};
use contracts::rest::{Binding, Body, Method};
use http::{HeaderMap, HeaderName, header};
use problem::{Kind, Problem};
use runtime::http::{read_any_body, read_body};
use sidecar::Sidecar;

use self::{
    request::Parts,
    write::{Message, Shape},
};
use crate::outbound::grpc::{Call, Remote};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What the handler of a route answers.
pub(super) type Answer = Pin<Box<dyn Future<Output = Result<Response, Problem>> + Send>>;

/// A handler that serves a method of `app` at one of its routes.
pub(super) fn serve(
    app: &'static str,
    sidecar: &Sidecar,
    method: &Method,
    binding: &Binding,
) -> impl Fn(Request) -> Answer + Clone + Send + Sync + 'static {
    let remote = Remote::new(app, sidecar, &method.descriptor);
    let shape = Shape::of(&method.descriptor.output());
    let served = Arc::new((method.clone(), binding.clone(), remote, shape));
    move |request| {
        let served = Arc::clone(&served);
        Box::pin(async move {
            let (method, binding, remote, shape) = &*served;
            transcode(method, binding, remote, shape, request).await
        })
    }
}

async fn transcode(
    method: &Method,
    binding: &Binding,
    remote: &Remote,
    shape: &Shape,
    mut request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let path = request.uri().path().to_owned();
    let found: RawPathParams = request.extract_parts().await.map_err(|_| not_text("path"))?;
    let Query(query) = Query::try_from_uri(request.uri()).map_err(|_| not_text("query"))?;
    let body = match binding.body {
        Body::None => read_any_body(request).await?,
        Body::Whole | Body::Field(_) => read_body(request, &["application/json"]).await?,
    };
    let parts = Parts {
        path: found.iter().map(|(_, value)| value).collect(),
        query,
        body: &body,
        if_match: text(&headers, &header::IF_MATCH)?,
        last_event_id: text(&headers, &LAST_EVENT_ID)?,
    };
    let call = Call {
        message: request::message(method, binding, &parts)?,
        authorization: text(&headers, &header::AUTHORIZATION)?,
        idempotency_key: text(&headers, &IDEMPOTENCY_KEY)?,
        // Reading changes nothing.
        reads: binding.verb == "GET",
    };
    if method.descriptor.is_server_streaming() {
        let answers = remote.listen(call).await.map_err(|problem| in_words_of_the_asker(binding, problem))?;
        return Ok(events::of(method, answers));
    }
    let answer = remote.ask(call).await.map_err(|problem| in_words_of_the_asker(binding, problem))?;
    answer::of(method, binding, &path, &Message::new(shape, &answer))
}

fn not_text(what: &str) -> Problem {
    Problem::new(Kind::Malformed, format!("The {what} is not text in UTF-8."))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let unreadable =
        |_| Problem::new(Kind::Malformed, format!("The header {name} has characters that it cannot have."));
    headers.get(name).map(|value| value.to_str().map_err(unreadable)).transpose()
}

/// A service calls the fields that it refuses by their names in the proto file; all else that it says is passed on.
fn in_words_of_the_asker(binding: &Binding, mut problem: Problem) -> Problem {
    problem.errors = problem.errors.into_iter().map(|error| request::told(binding, error)).collect();
    if problem.kind == Kind::Invalid && !problem.errors.is_empty() {
        problem.detail = Problem::invalid(problem.errors.clone()).detail;
    }
    problem
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tonic::Status;

    use super::*;

    /// What the public reads of what a service says.
    fn passed_on(said: Problem) -> Problem {
        let method = sample::method("CreatePaint");
        in_words_of_the_asker(&method.bindings[0], Problem::from(Status::from(said)))
    }

    #[test]
    fn a_refusal_by_a_rule_of_a_service_is_told_as_it_was_said() {
        let said = Problem::new(Kind::Conflict, "A paint that was sold cannot change.")
            .with_slug("paint-sold")
            .with("soldTo", "s");
        assert_eq!(
            passed_on(said).to_json(),
            json!({
                "type": "urn:patient-management:problem:paint-sold", "title": "Conflict", "status": 409,
                "detail": "A paint that was sold cannot change.", "soldTo": "s",
            })
        );
    }

    #[test]
    fn wrong_fields_have_the_names_of_the_public_and_keep_their_reason() {
        let said = Problem::invalid_field("paint.paint_id", "is in use").with_slug("name-taken").with("by", "p");
        assert_eq!(
            passed_on(said).to_json(),
            json!({
                "type": "urn:patient-management:problem:name-taken", "title": "Invalid request", "status": 422,
                "detail": "/paintId: is in use", "errors": [{"pointer": "/paintId", "detail": "is in use"}], "by": "p",
            })
        );
    }
}

//! gRPC methods as REST, by nothing but their `google.api.http` annotations; `proto/README.md` has the rules.

mod answer;
mod enums;
mod read;
mod request;
#[cfg(test)]
mod sample;
mod well_known;
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

use self::request::Parts;
use crate::outbound::grpc::{Call, Remote};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

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
    let served = Arc::new((method.clone(), binding.clone(), remote));
    move |request| {
        let served = Arc::clone(&served);
        Box::pin(async move {
            let (method, binding, remote) = &*served;
            transcode(method, binding, remote, request).await
        })
    }
}

async fn transcode(
    method: &Method,
    binding: &Binding,
    remote: &Remote,
    mut request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
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
    };
    let call = Call {
        message: request::message(method, binding, &parts)?,
        authorization: text(&headers, &header::AUTHORIZATION)?,
        idempotency_key: text(&headers, &IDEMPOTENCY_KEY)?,
        // Reading changes nothing.
        reads: binding.verb == "GET",
    };
    let answer = remote.ask(call).await.map_err(|problem| in_words_of_the_asker(binding, problem))?;
    answer::of(binding, &answer)
}

fn not_text(what: &str) -> Problem {
    Problem::new(Kind::Malformed, format!("The {what} is not text in UTF-8."))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Problem> {
    let unreadable =
        |_| Problem::new(Kind::Malformed, format!("The header {name} has characters that it cannot have."));
    headers.get(name).map(|value| value.to_str().map_err(unreadable)).transpose()
}

/// A service calls the fields that it refuses by their names in the proto file.
fn in_words_of_the_asker(binding: &Binding, mut problem: Problem) -> Problem {
    problem.errors = problem.errors.into_iter().map(|error| request::told(binding, error)).collect();
    if problem.kind == Kind::Invalid && !problem.errors.is_empty() {
        return Problem::invalid(problem.errors);
    }
    problem
}

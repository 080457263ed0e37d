//! The token of a request.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, header};
use jiff::Timestamp;
use problem::{Kind, Problem};

use crate::{AccessTokens, Caller};

/// Lets a request through with its [`Caller`] as an extension, or refuses it.
pub async fn authenticate(
    State(tokens): State<Arc<AccessTokens>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = tokens.verify(bearer(request.headers())?, Timestamp::now())?;
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The token of an `Authorization` header.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || {
        Problem::new(Kind::Unauthenticated, "Send `Authorization: Bearer <access_token>`; POST /auth/login gives one.")
    };
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).ok_or_else(missing)?;
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(missing());
    }
    Ok(token.trim())
}

impl Caller {
    /// The caller of a gRPC method.
    pub fn of_metadata(tokens: &AccessTokens, metadata: &tonic::metadata::MetadataMap) -> Result<Self, Problem> {
        tokens.verify(bearer(&metadata.clone().into_headers())?, Timestamp::now())
    }
}

//! The token of a request.

use http::{HeaderMap, header};
use jiff::Timestamp;
use problem::{Kind, Problem};

use crate::{AccessTokens, Caller};

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

//! Parts of a request that several routes read.

use access::Caller;
use axum::extract::Request;
use http::HeaderMap;
use problem::{Kind, Problem};
use runtime::http::{ClientAddress, request};
use uuid::Uuid;

/// Makes ids of keyed requests.
const REQUESTS: Uuid = Uuid::from_u128(0x6c1f_03d8_94b2_4d7a_8e55_2a60_c7f9_1be4);

/// The address of the client, in one spelling; none when the gateway told of none.
pub(super) fn client_address(request: &Request) -> Option<String> {
    let ClientAddress(address) = request.extensions().get()?;
    Some(address.to_canonical().to_string())
}

/// The id of a user in a path; what is no UUID names nobody.
pub(super) fn user_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| not_found())
}

pub(super) fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such user.")
}

/// The key of a request that makes a user.
pub(super) fn required_key(headers: &HeaderMap, caller: &Caller, route: &str) -> Result<Uuid, Problem> {
    request::required_key(headers, &REQUESTS, caller.subject, route, "user")
}

/// The hash of what a keyed request asks.
pub(super) fn hash(asked: &str) -> Uuid {
    Uuid::new_v5(&REQUESTS, asked.as_bytes())
}

/// The version of a user in an `If-Match`.
pub(super) fn expected_version(headers: &HeaderMap) -> Result<u64, Problem> {
    request::expected_version(headers, "user")
}

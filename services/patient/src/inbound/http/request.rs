//! Parts of a request that several routes read.

use access::Caller;
use http::HeaderMap;
use problem::{Kind, Problem};
use runtime::http::request;
use uuid::Uuid;

use crate::domain::patient::PatientId;

/// Makes ids of keyed requests.
pub(super) const REQUESTS: Uuid = Uuid::from_u128(0x2d0a_94c7_51be_4f0e_9b6e_7f4d_10a8_c3d5);

/// The id of a patient in a path; what is no UUID names nobody.
pub(super) fn patient_id(text: &str) -> Result<PatientId, Problem> {
    Uuid::parse_str(text).map(PatientId::new).map_err(|_| not_found())
}

pub(super) fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such patient.")
}

/// The key of a request that makes a `thing`.
pub(super) fn required_key(headers: &HeaderMap, caller: &Caller, route: &str, thing: &str) -> Result<Uuid, Problem> {
    request::required_key(headers, &REQUESTS, caller.subject, route, thing)
}

/// The key of a request whose sender wants to be able to repeat it.
pub(super) fn optional_key(headers: &HeaderMap, caller: &Caller, route: &str) -> Result<Option<Uuid>, Problem> {
    request::optional_key(headers, &REQUESTS, caller.subject, route)
}

/// The hash of what a keyed request asks.
pub(super) fn hash(asked: &str) -> Uuid {
    Uuid::new_v5(&REQUESTS, asked.as_bytes())
}

/// The version of a `thing` in an `If-Match`.
pub(super) fn expected_version(headers: &HeaderMap, thing: &str) -> Result<u64, Problem> {
    request::expected_version(headers, thing)
}

//! Parts of a request that several routes read.

use access::Caller;
use http::{HeaderMap, header};
use problem::{Kind, Problem};
use uuid::Uuid;

use crate::domain::patient::PatientId;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;

/// Makes ids of keyed requests.
const REQUESTS: Uuid = Uuid::from_u128(0x2d0a_94c7_51be_4f0e_9b6e_7f4d_10a8_c3d5);

/// The id of a patient in a path; what is no UUID names nobody.
pub(super) fn patient_id(text: &str) -> Result<PatientId, Problem> {
    Uuid::parse_str(text).map(PatientId::new).map_err(|_| not_found())
}

pub(super) fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such patient.")
}

/// The `Idempotency-Key` that a route requires; draft-ietf-httpapi-idempotency-key-header.
pub(super) fn required_key(headers: &HeaderMap, caller: &Caller, route: &str) -> Result<Uuid, Problem> {
    optional_key(headers, caller, route)?.ok_or_else(|| {
        Problem::new(Kind::Malformed, "Send an Idempotency-Key of your own making, a new one for each new patient.")
            .with_error("Idempotency-Key", "is required")
    })
}

/// The key of a request whose sender wants to be able to repeat it.
///
/// The key belongs to the caller and the route: nobody can meet another's.
pub(super) fn optional_key(headers: &HeaderMap, caller: &Caller, route: &str) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    // A structured field string, or the bare token that most clients send.
    let key = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("must have 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(
            Problem::new(Kind::Malformed, "The Idempotency-Key cannot be used.").with_error("Idempotency-Key", detail)
        );
    }
    Ok(Some(Uuid::new_v5(&REQUESTS, format!("{}|{route}|{key}", caller.subject).as_bytes())))
}

/// The hash of what a keyed request asks.
pub(super) fn hash(asked: &str) -> Uuid {
    Uuid::new_v5(&REQUESTS, asked.as_bytes())
}

/// The version in an `If-Match`; RFC 9110, section 13.1.1. A weak or unknown tag matches nothing.
pub(super) fn expected_version(headers: &HeaderMap) -> Result<u64, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(
            Kind::PreconditionRequired,
            "Send If-Match with the ETag of the version that you have seen.",
        ));
    };
    let tag = value.to_str().unwrap_or_default().trim();
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|version| version.parse().ok());
    version.ok_or_else(|| Problem::new(Kind::PreconditionFailed, "The If-Match is not an ETag of this patient."))
}

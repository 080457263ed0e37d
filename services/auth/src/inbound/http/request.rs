//! Parts of a request that several routes read.

use std::net::IpAddr;

use access::Caller;
use http::{HeaderMap, header};
use problem::{Kind, Problem};
use uuid::Uuid;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;

/// Makes ids of keyed requests.
const REQUESTS: Uuid = Uuid::from_u128(0x6c1f_03d8_94b2_4d7a_8e55_2a60_c7f9_1be4);

/// The address of the client, of which the gateway tells; it takes away what a client says itself.
pub(super) fn client_address(headers: &HeaderMap) -> Option<String> {
    let address = headers.get("x-client-address")?.to_str().ok()?.trim();
    // One spelling for each; what is no address is none.
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical().to_string())
}

/// The id of a user in a path; what is no UUID names nobody.
pub(super) fn user_id(text: &str) -> Result<Uuid, Problem> {
    Uuid::parse_str(text).map_err(|_| not_found())
}

pub(super) fn not_found() -> Problem {
    Problem::new(Kind::NotFound, "There is no such user.")
}

/// The `Idempotency-Key` that a route requires, which belongs to the caller and the route.
pub(super) fn required_key(headers: &HeaderMap, caller: &Caller, route: &str) -> Result<Uuid, Problem> {
    let unusable =
        |detail: &str, words: &str| Problem::new(Kind::Malformed, detail).with_error("Idempotency-Key", words);
    let value = headers.get(IDEMPOTENCY_KEY).ok_or_else(|| {
        unusable("Send an Idempotency-Key of your own making, a new one for each new user.", "is required")
    })?;
    // A structured field string, or the bare token that most clients send.
    let key = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(unusable("The Idempotency-Key cannot be used.", "must have 1 to 255 visible ASCII characters"));
    }
    Ok(Uuid::new_v5(&REQUESTS, format!("{}|{route}|{key}", caller.subject).as_bytes()))
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
    version.ok_or_else(|| Problem::new(Kind::PreconditionFailed, "The If-Match is not an ETag of this user."))
}

//! What many routes read of a request, and how a page links to the next.

use ::http::{HeaderMap, HeaderValue, header};
use problem::{Kind, Problem};
use uuid::Uuid;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const LONGEST_KEY: usize = 255;

/// The `Idempotency-Key` of a request that can be repeated, draft-ietf-httpapi-idempotency-key-header, in one UUIDv5 of
/// `requests`, who asks, and the route: nobody can meet another's.
pub fn optional_key(headers: &HeaderMap, requests: &Uuid, caller: Uuid, route: &str) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    // A structured field string, or the bare token that most clients send.
    let key = value.to_str().unwrap_or_default().trim().trim_matches('"');
    if key.is_empty() || key.len() > LONGEST_KEY {
        let detail = format!("must have 1 to {LONGEST_KEY} visible ASCII characters");
        return Err(
            Problem::new(Kind::Malformed, "The Idempotency-Key cannot be used.").with_error("Idempotency-Key", detail)
        );
    }
    Ok(Some(Uuid::new_v5(requests, format!("{caller}|{route}|{key}").as_bytes())))
}

/// The same where a route requires it to make a `thing`.
pub fn required_key(
    headers: &HeaderMap,
    requests: &Uuid,
    caller: Uuid,
    route: &str,
    thing: &str,
) -> Result<Uuid, Problem> {
    optional_key(headers, requests, caller, route)?.ok_or_else(|| {
        let detail = format!("Send an Idempotency-Key of your own making, a new one for each new {thing}.");
        Problem::new(Kind::Malformed, detail).with_error("Idempotency-Key", "is required")
    })
}

/// The version of a `thing` in an `If-Match`; RFC 9110, section 13.1.1. A weak or unknown tag matches nothing.
pub fn expected_version(headers: &HeaderMap, thing: &str) -> Result<u64, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(
            Kind::PreconditionRequired,
            "Send If-Match with the ETag of the version that you have seen.",
        ));
    };
    let tag = value.to_str().unwrap_or_default().trim();
    let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|version| version.parse().ok());
    version
        .ok_or_else(|| Problem::new(Kind::PreconditionFailed, format!("The If-Match is not an ETag of this {thing}.")))
}

/// The `Link` to the next page, RFC 8288; the parameters are the caller's own.
pub fn next_link(path: &str, parameters: &[(String, String)], next: &str) -> Option<HeaderValue> {
    let mut pairs: Vec<_> = parameters.iter().filter(|(name, _)| name != "cursor").cloned().collect();
    pairs.push(("cursor".to_owned(), next.to_owned()));
    format!("<{path}?{}>; rel=\"next\"", query(&pairs)).parse().ok()
}

/// Parameters as they stand in an address; RFC 3986, section 2.1.
pub fn query(parameters: &[(String, String)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let hex = |nibble: u8| char::from_digit(nibble.into(), 16).unwrap_or_default().to_ascii_uppercase();
            encoded.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(::http::HeaderName::from_static(name), HeaderValue::from_static(value))])
    }

    #[test]
    fn the_next_page_is_the_same_question() {
        let asked =
            [("entity", "user/ü x"), ("cursor", "old")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let link = next_link("/auth/audit", &asked, "new").unwrap();
        assert_eq!(link, "</auth/audit?entity=user%2F%C3%BC%20x&cursor=new>; rel=\"next\"");
    }

    #[test]
    fn a_key_is_its_callers_own() {
        let key = |caller: u128, route: &str, value| {
            optional_key(&headers(IDEMPOTENCY_KEY, value), &Uuid::NAMESPACE_OID, Uuid::from_u128(caller), route)
        };
        let first = key(1, "POST /a", "k").unwrap();
        assert_eq!(first, key(1, "POST /a", "\"k\"").unwrap());
        for other in [key(2, "POST /a", "k"), key(1, "POST /b", "k"), key(1, "POST /a", "l")] {
            assert_ne!(first, other.unwrap());
        }
        assert_eq!(key(1, "POST /a", " ").unwrap_err().errors[0].pointer, "Idempotency-Key");
        let none = required_key(&HeaderMap::new(), &Uuid::NAMESPACE_OID, Uuid::nil(), "POST /a", "user").unwrap_err();
        assert_eq!((none.kind, none.errors[0].detail.as_str()), (Kind::Malformed, "is required"));
    }

    #[test]
    fn only_a_strong_tag_of_ours_is_a_version() {
        assert_eq!(expected_version(&headers("if-match", "\"7\""), "user").unwrap(), 7);
        for tag in ["W/\"7\"", "7", "\"x\"", "*"] {
            let refused = expected_version(&headers("if-match", tag), "user").unwrap_err();
            assert_eq!(refused.kind, Kind::PreconditionFailed, "{tag}");
        }
        assert_eq!(expected_version(&HeaderMap::new(), "user").unwrap_err().kind, Kind::PreconditionRequired);
    }
}

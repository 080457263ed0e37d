//! The cookie of a browser's session, and what keeps the pages of other sites from using it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, header};
use sha2::{Digest as _, Sha256};

/// A browser takes the prefix from a secure origin alone, for its own host and for every path of it.
///
/// <https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-the-__host-prefix>
pub const COOKIE: &str = "__Host-session";

/// Where a page shows its [`csrf_token`].
pub const CSRF_HEADER: HeaderName = HeaderName::from_static("x-csrf-token");

/// The value of the session's cookie; none where there are several, since nobody can tell which is the real one.
pub fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = pairs.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(name, _)| *name == COOKIE).map(|(_, value)| value);
    let value = values.next()?;
    values.next().is_none().then_some(value)
}

/// What a page shows beside the cookie, to prove that it was told by us: a page of another site can have the cookie
/// sent, but cannot read this. It is made of the cookie and does not give it away.
pub fn csrf_token(cookie: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::new().chain_update("csrf\0").chain_update(cookie).finalize())
}

/// Whether a page has shown the token that belongs to the cookie.
pub fn shows_csrf_token(headers: &HeaderMap, cookie: &str) -> bool {
    let Some(shown) = headers.get(CSRF_HEADER) else { return false };
    // Compared by their hashes: how long that takes tells nothing of the token.
    Sha256::digest(shown.as_bytes()) == Sha256::digest(csrf_token(cookie))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(cookies: &[&'static str]) -> HeaderMap {
        cookies.iter().map(|cookie| (header::COOKIE, HeaderValue::from_static(cookie))).collect()
    }

    #[test]
    fn there_is_one_session_cookie_or_none() {
        for (cookies, found) in [
            (&[][..], None),
            (&["a=b"], None),
            (&["__Host-session=x"], Some("x")),
            (&["a=b; __Host-session=x=y ; c=d"], Some("x=y")),
            (&["a=b", "__Host-session=x"], Some("x")),
            (&["session=x; __host-session=x; x__Host-session=x"], None),
            (&["__Host-session=x; __Host-session=x"], None),
            (&["__Host-session=x", "__Host-session=y"], None),
        ] {
            assert_eq!(session_cookie(&headers(cookies)), found, "{cookies:?}");
        }
    }

    #[test]
    fn the_token_belongs_to_its_cookie() {
        let token = csrf_token("one");
        let shown = |token: &str| HeaderMap::from_iter([(CSRF_HEADER, HeaderValue::try_from(token).unwrap())]);
        assert!(shows_csrf_token(&shown(&token), "one"));
        assert!(!shows_csrf_token(&shown(&token), "two"));
        assert!(!shows_csrf_token(&shown("one"), "one"));
        assert!(!shows_csrf_token(&shown(""), "one"));
        assert!(!shows_csrf_token(&HeaderMap::new(), "one"));
    }
}

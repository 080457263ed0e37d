//! Whether a request with a cookie comes from a page of ours.
//!
//! Three things are in the way of another site's page: its browser does not send the cookie (`SameSite=Strict`), says
//! from where the request comes, and cannot show it the token that belongs to the cookie.
//! <https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html>

use access::cookie::shows_csrf_token;
use axum::extract::Request;
use http::{HeaderMap, HeaderName, Uri, header, uri::Authority};
use problem::{Kind, Problem};

/// <https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header>
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses what a browser says comes from elsewhere.
pub(super) fn check(request: &Request) -> Result<(), Problem> {
    if is_from_here(request.headers(), request.uri()) { Ok(()) } else { Err(foreign("It comes from another site.")) }
}

/// Refuses, besides, what changes something without the token that belongs to the cookie.
pub(super) fn check_page(request: &Request, cookie: &str) -> Result<(), Problem> {
    check(request)?;
    if request.method().is_safe() || shows_csrf_token(request.headers(), cookie) {
        return Ok(());
    }
    Err(foreign("Send `X-CSRF-Token`; GET /auth/session tells the token as `csrfToken`."))
}

fn foreign(detail: &'static str) -> Problem {
    Problem::new(Kind::Forbidden, detail).with_slug("cross-site-request")
}

/// What says nothing of where it comes from is not a browser's, or one so old that the token alone has to do.
fn is_from_here(headers: &HeaderMap, uri: &Uri) -> bool {
    let mut sites = headers.get_all(FETCH_SITE).iter().peekable();
    if sites.peek().is_some() {
        // `none` is an address that a user typed.
        return sites.all(|site| site == "same-origin" || site == "none");
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.or_else(|| uri.authority().map(Authority::as_str));
    let origin = origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
    origin.is_some() && origin == host
}

#[cfg(test)]
mod tests {
    use access::cookie::csrf_token;
    use axum::body::Body;

    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Request {
        let request = Request::builder().method(method).header("host", "clinic.example");
        headers
            .iter()
            .fold(request, |request, (name, value)| request.header(*name, *value))
            .body(Body::empty())
            .unwrap()
    }

    #[test]
    fn a_request_of_another_site_is_none_of_ours() {
        for (headers, ours) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("sec-fetch-site", "cross-site"), ("origin", "https://clinic.example")], false),
            (&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://clinic.example")], true),
            (&[("origin", "https://clinic.example.evil.example")], false),
            (&[("origin", "https://evil.example")], false),
            (&[("origin", "null")], false),
        ] {
            assert_eq!(check(&request("GET", headers)).is_ok(), ours, "{headers:?}");
        }
    }

    #[test]
    fn what_changes_something_shows_the_token_of_the_cookie() {
        let (own, other) = (csrf_token("one"), csrf_token("two"));
        let checked = |method, headers: &[(&str, &str)]| check_page(&request(method, headers), "one");
        assert!(checked("GET", &[]).is_ok());
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            assert!(checked(method, &[("x-csrf-token", &own)]).is_ok(), "{method}");
            for headers in [&[][..], &[("x-csrf-token", other.as_str())], &[("x-csrf-token", "")]] {
                assert_eq!(checked(method, headers).unwrap_err().kind, Kind::Forbidden, "{method} {headers:?}");
            }
            let elsewhere = [("x-csrf-token", own.as_str()), ("sec-fetch-site", "cross-site")];
            assert!(checked(method, &elsewhere).is_err(), "{method}");
        }
    }
}

//! The route that shows a service's audit: the same in each of them.

use access::Caller;
use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use problem::Problem;
use sidecar::Sidecar;

use crate::{Action, Asked, Entry, Recorder, find};

/// Answers `GET <path>?<parameters>` with a page, and records that it was looked at, by whom and for what. Who may ask
/// is the matrix of roles' to say.
pub async fn view(
    sidecar: &Sidecar,
    recorder: &Recorder,
    caller: &Caller,
    path: &str,
    parameters: &[(String, String)],
) -> Result<Response, Problem> {
    let mut used = Entry::new(Action::Read, "audit-log-used").by(caller).about_all("audit");
    if !parameters.is_empty() {
        used = used.detail("query", query(parameters));
    }
    let asked = Asked::read(parameters)?;
    // Before anything is shown: nobody looks without a trace.
    recorder.record(&used)?;
    let page = find(sidecar, &asked).await?;
    let link = page.next.as_ref().and_then(|next| next_link(path, parameters, next));
    let mut response = Json(page).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(link) = link {
        response.headers_mut().insert(header::LINK, link);
    }
    Ok(response)
}

/// RFC 8288; the parameters are the caller's own.
fn next_link(path: &str, parameters: &[(String, String)], next: &str) -> Option<HeaderValue> {
    let mut pairs: Vec<_> = parameters.iter().filter(|(name, _)| name != "cursor").cloned().collect();
    pairs.push(("cursor".to_owned(), next.to_owned()));
    format!("<{path}?{}>; rel=\"next\"", query(&pairs)).parse().ok()
}

fn query(parameters: &[(String, String)]) -> String {
    let pairs: Vec<_> = parameters.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
    pairs.join("&")
}

/// RFC 3986, section 2.1.
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

    #[test]
    fn the_next_page_is_the_same_question() {
        let asked = [("entity", "user/ü"), ("cursor", "old")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            next_link("/auth/audit", &asked, "new").unwrap(),
            "</auth/audit?entity=user%2F%C3%BC&cursor=new>; rel=\"next\""
        );
    }
}

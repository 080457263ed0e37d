//! The route that shows a service's audit: the same in each of them.

use access::Caller;
use axum::{
    Json,
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use problem::Problem;
use runtime::http::request::{next_link, query};
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

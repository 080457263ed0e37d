//! `POST /auth/password`

use std::sync::Arc;

use access::Caller;
use axum::{
    Extension,
    extract::{Request, State},
};
use http::StatusCode;
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::read_body;

use super::request::client_address;
use crate::{domain::password::Password, service::Directory};

pub(super) async fn change(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<StatusCode, Problem> {
    let address = client_address(&request);
    let body = read_body(request, &["application/json"]).await?;
    let (current, new) = passwords(&body)?;
    directory.change_password(&caller, current, new, address.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn passwords(body: &[u8]) -> Result<(Password, Password), Problem> {
    let mut findings = Findings::default();
    let mut object = input::body(body)?;
    object.require("current", &mut findings);
    let current = object.parsed_exactly("current", &mut findings, Password::parse);
    object.require("new", &mut findings);
    let new = object.parsed_exactly("new", &mut findings, Password::parse);
    object.finish(&mut findings);
    findings.into_result(current.zip(new))
}

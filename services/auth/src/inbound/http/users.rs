//! Users, for the administrator, and `GET /auth/me` for everybody.

use std::sync::Arc;

use access::{Caller, Role};
use axum::{
    Extension, Json,
    extract::{Path, Query, Request, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, StatusCode, header};
use jiff::Timestamp;
use problem::{
    Problem,
    input::{self, Findings},
};
use runtime::http::{read_body, request::next_link};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    login::LONGEST_EMAIL,
    request::{expected_version, hash, not_found, required_key, user_id},
};
use crate::{
    domain::{
        email_address::EmailAddress,
        password::Password,
        user::{Change, User},
    },
    outbound::users::Keyed,
    service::{
        Directory,
        users::{Made, Wanted},
    },
};

const DEFAULT_LIMIT: u16 = 20;
const HIGHEST_LIMIT: u16 = 100;
const LONGEST_ROLE: usize = 40;

/// `POST /auth/users`
pub(super) async fn make(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let key = required_key(request.headers(), &caller, "POST /auth/users")?;
    let body = read_body(request, &["application/json"]).await?;
    let wanted = wanted(&body)?;
    // Without the password: a hash of it that is quick to compute would be as good as the password.
    let hash = hash(&format!("{} {} {}", wanted.email.as_str(), wanted.role, wanted.password.is_some()));
    let made = directory.make_user(caller.subject, wanted, Keyed { key, hash }, Timestamp::now()).await?;
    let location = [(header::LOCATION, format!("/auth/users/{}", made.user.user.id))];
    Ok((StatusCode::CREATED, location, with_password(&made)).into_response())
}

fn wanted(body: &[u8]) -> Result<Wanted, Problem> {
    let mut findings = Findings::default();
    let mut object = input::body(body)?;
    object.require("email", &mut findings);
    let email = object.parsed("email", LONGEST_EMAIL, &mut findings, EmailAddress::parse);
    object.require("role", &mut findings);
    let role = object.parsed("role", LONGEST_ROLE, &mut findings, role);
    let password = object.parsed_exactly("password", &mut findings, Password::parse);
    object.finish(&mut findings);
    findings.into_result(email.zip(role).map(|(email, role)| Wanted { email, role, password }))
}

fn role(text: &str) -> Result<Role, &'static str> {
    let known = Role::ALL.into_iter().find(|role| role.to_string() == text);
    known.ok_or("must be one of front-desk, nurse, physician, biller, analyst, privacy-officer, admin, service")
}

/// `GET /auth/users`
pub(super) async fn list(
    State(directory): State<Arc<Directory>>,
    parameters: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    let (after, limit) = page(&parameters)?;
    let page = directory.users(after, limit).await?;
    let mut response = Json(json!({ "items": page.users, "next": page.next })).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let link = page.next.and_then(|next| next_link("/auth/users", &parameters, &next.to_string()));
    headers.extend(link.map(|link| (header::LINK, link)));
    Ok(response)
}

fn page(parameters: &[(String, String)]) -> Result<(Option<Uuid>, u16), Problem> {
    let mut findings = Findings::default();
    let (mut after, mut limit) = (None, DEFAULT_LIMIT);
    for (index, (name, value)) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            findings.add(name, "is given twice");
            continue;
        }
        match (name.as_str(), Uuid::parse_str(value), value.parse()) {
            ("cursor", Ok(id), _) => after = Some(id),
            ("cursor", Err(_), _) => findings.add(name, "must be `next` of an earlier page"),
            ("limit", _, Ok(number)) if (1..=HIGHEST_LIMIT).contains(&number) => limit = number,
            ("limit", ..) => findings.add(name, format!("must be a number from 1 to {HIGHEST_LIMIT}")),
            _ => findings.add(name, "is not a parameter of this list"),
        }
    }
    findings.into_result(Some((after, limit)))
}

/// `GET /auth/users/{id}`
pub(super) async fn read(State(directory): State<Arc<Directory>>, Path(id): Path<String>) -> Result<Response, Problem> {
    let user = directory.user(user_id(&id)?).await?.ok_or_else(not_found)?;
    Ok(answer(user.version, user_json(&user.user)))
}

/// `GET /auth/me`
pub(super) async fn me(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
) -> Result<Response, Problem> {
    let user = directory.user(caller.subject).await?.ok_or_else(not_found)?;
    Ok(answer(user.version, user_json(&user.user)))
}

/// `PATCH /auth/users/{id}`
pub(super) async fn change(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = user_id(&id)?;
    let expected = expected_version(request.headers())?;
    let body = read_body(request, &["application/json", "application/merge-patch+json"]).await?;
    let mut findings = Findings::default();
    let mut object = input::body(&body)?;
    let role = object.parsed("role", LONGEST_ROLE, &mut findings, role);
    let active = object.boolean("active", &mut findings);
    object.finish(&mut findings);
    let change = findings.into_result(Some(Change { role, active }))?;
    let user = directory.change_user(caller.subject, id, expected, change).await?;
    Ok(answer(user.version, user_json(&user.user)))
}

/// `POST /auth/users/{id}/reset`
pub(super) async fn reset(
    State(directory): State<Arc<Directory>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let made = directory.reset_password(caller.subject, user_id(&id)?, Timestamp::now()).await?;
    Ok(with_password(&made))
}

fn with_password(made: &Made) -> Response {
    let mut body = user_json(&made.user.user);
    if let Some(password) = &made.one_time {
        body.insert("password".to_owned(), password.reveal().into());
    }
    answer(made.user.version, body)
}

fn answer(version: u64, body: Map<String, Value>) -> Response {
    let headers = [(header::ETAG, etag(version)), (header::CACHE_CONTROL, "no-store".to_owned())];
    (headers, Json(Value::Object(body))).into_response()
}

fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// The same members as in a page of `api.users_page`.
pub(super) fn user_json(user: &User) -> Map<String, Value> {
    let members = [
        ("id", json!(user.id)),
        ("email", json!(user.email.as_str())),
        ("role", json!(user.role)),
        ("active", json!(user.active)),
        ("createdAt", json!(user.created_at)),
        ("oneTimePassword", json!(user.one_time_until.is_some())),
        ("secondFactor", json!(user.has_second_factor())),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

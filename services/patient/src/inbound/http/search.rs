//! `GET /api/patients`

use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::header;
use problem::{
    Problem,
    input::{Findings, check_text},
};
use runtime::http::request::next_link;
use serde_json::{Value, json};
use uuid::Uuid;

use super::patients::patient_json;
use crate::{
    domain::{demographics::BirthDate, patient::PatientId},
    service::{Registry, find::Search},
};

const DEFAULT_LIMIT: u16 = 20;
const HIGHEST_LIMIT: u16 = 100;
const LONGEST: usize = 255;

type Parameters = Vec<(String, String)>;

pub(super) async fn search(
    State(registry): State<Arc<Registry>>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    let page = registry.search(&read(&parameters)?).await?;
    let items: Vec<_> = page.patients.iter().map(|patient| Value::Object(patient_json(patient))).collect();
    let mut response = axum::Json(json!({ "items": items, "next": page.next.map(PatientId::as_uuid) })).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    if let Some(link) = page.next.and_then(|next| next_link("/api/patients", &parameters, &next.to_string())) {
        headers.insert(header::LINK, link);
    }
    Ok(response)
}

fn read(parameters: &Parameters) -> Result<Search, Problem> {
    let mut findings = Findings::default();
    let limit =
        parameters.iter().find(|(name, _)| name == "limit").map_or(Ok(DEFAULT_LIMIT), |(_, value)| value.parse());
    let limit = limit.ok().filter(|limit| (1..=HIGHEST_LIMIT).contains(limit)).unwrap_or_else(|| {
        findings.add("limit", format!("must be a number from 1 to {HIGHEST_LIMIT}"));
        DEFAULT_LIMIT
    });
    let mut search = Search::new(limit);
    for (index, (name, value)) in parameters.iter().enumerate() {
        if let Err(detail) = check_text(value, LONGEST) {
            findings.add(name, detail);
            continue;
        }
        if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            findings.add(name, "is given twice");
            continue;
        }
        match name.as_str() {
            "query" => search.query(value),
            "family" => search.family(value),
            "given" => search.given(value),
            "birthDate" => match BirthDate::parse(value) {
                Ok(born) => search.birth_date(&born.to_string()),
                Err(detail) => findings.add(name, detail),
            },
            "phone" => search.phone(value),
            "email" => search.email(value),
            "identifier" => search.identifier(value),
            "cursor" => match Uuid::parse_str(value) {
                Ok(id) => search.after(PatientId::new(id)),
                Err(_) => findings.add(name, "must be `next` of an earlier page"),
            },
            "limit" => {}
            _ => findings.add(name, "is not a parameter of this search"),
        }
    }
    findings.into_result(Some(search))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(pairs: &[(&str, &str)]) -> Parameters {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let wrong = pairs(&[
            ("limit", "0"),
            ("birthDate", "1984-02-30"),
            ("cursor", "x"),
            ("family", ""),
            ("sort", "a"),
            ("given", "a"),
            ("given", "b"),
        ]);
        let pointers: Vec<_> = read(&wrong).unwrap_err().errors.into_iter().map(|error| error.pointer).collect();
        assert_eq!(pointers, ["limit", "birthDate", "cursor", "family", "sort", "given"]);
        assert!(read(&pairs(&[("query", "Ada Ok"), ("limit", "100")])).is_ok());
    }
}

//! `GET /api/analytics/registrations`

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::header;
use jiff::Timestamp;
use problem::{Problem, input::Findings};
use serde_json::json;

use crate::{
    domain::{
        range::{Bound, Range},
        zone::Group,
    },
    service::Figures,
};

type Parameters = Vec<(String, String)>;

pub(super) async fn count(
    State(figures): State<Figures>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    let range = read(&figures, &parameters, Timestamp::now())?;
    let buckets = figures.registrations(&range).await?;

    let zone = figures.zone();
    let total: u64 = buckets.iter().map(|bucket| bucket.count).sum();
    let items: Vec<_> = buckets
        .iter()
        .map(|bucket| json!({ "start": zone.write(bucket.start), "registrations": bucket.count }))
        .collect();
    let body = json!({
        "timeZone": zone.name(),
        "group": range.group().code(),
        "from": zone.write(range.start()),
        "to": zone.write(range.end()),
        "items": items,
        "total": total,
    });
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
}

fn read(figures: &Figures, parameters: &Parameters, now: Timestamp) -> Result<Range, Problem> {
    let mut findings = Findings::default();
    let (mut from, mut to, mut group) = (None, None, Group::Day);
    for (index, (name, value)) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            findings.add(name, "is given twice");
            continue;
        }
        let read = match name.as_str() {
            "from" => Bound::parse(value).map(|bound| from = Some(bound)),
            "to" => Bound::parse(value).map(|bound| to = Some(bound)),
            "group" => Group::parse(value).map(|read| group = read),
            _ => Err("is not a parameter of this report"),
        };
        if let Err(detail) = read {
            findings.add(name, detail);
        }
    }
    findings.into_result(Some(()))?;
    figures.range(from, to, group, now).map_err(|refusal| Problem::invalid_field("from", refusal.to_string()))
}

//! `GET /api/analytics/metrics/{metric}/export`: a metric as comma-separated values; RFC 4180.

use access::Caller;
use axum::{
    Extension,
    extract::{Path, Query, State, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use contracts::analytics::v1::{Comparison, Dimension, GetMetricRequest, Group};
use http::header;
use jiff::Timestamp;
use problem::{Problem, input::Findings};

use crate::{
    domain::{
        metric::figure::{Cell, Series},
        zone::ClinicZone,
    },
    inbound::grpc::{read, sees_no_person},
    service::{Figures, metrics::Asked},
};

type Parameters = Vec<(String, String)>;

pub(super) async fn export(
    Extension(caller): Extension<Caller>,
    State(figures): State<Figures>,
    Path(metric): Path<String>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    let now = Timestamp::now();
    let asked = read::asked(&figures, &request(metric, &parameters)?, sees_no_person(&caller), now)?;
    let (series, _) = figures.metric(&asked, now).await?;
    let table = table(&asked, &series, figures.zone()).map_err(Problem::internal)?;
    let name = format!("attachment; filename=\"{}.csv\"", asked.metric.name);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, table).into_response())
}

/// The parameters of the method `GetMetric`, by the names that the public sees.
fn request(metric: String, parameters: &[(String, String)]) -> Result<GetMetricRequest, Problem> {
    let mut request = GetMetricRequest { metric, ..GetMetricRequest::default() };
    let mut findings = Findings::default();
    for (index, (name, value)) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            findings.add(name, "is given twice");
            continue;
        }
        let text = Some(value.clone());
        match name.as_str() {
            "from" => request.from = text,
            "to" => request.to = text,
            "clinicId" => request.clinic_id = text,
            "practitionerId" => request.practitioner_id = text,
            "service" => request.service = text,
            "payer" => request.payer = text,
            // What has no such value is nothing in particular, which is refused as a whole.
            "group" => request.group = Some(Group::from_str_name(&named("GROUP", value)).unwrap_or_default().into()),
            "by" => request.by = Some(Dimension::from_str_name(&named("DIMENSION", value)).unwrap_or_default().into()),
            "compare" => {
                let known = Comparison::from_str_name(&named("COMPARISON", value));
                request.compare = Some(known.unwrap_or_default().into());
            }
            _ => findings.add(name, "is not a parameter of this report"),
        }
    }
    findings.into_result(Some(request))
}

fn named(kind: &str, value: &str) -> String {
    format!("{kind}_{}", value.to_ascii_uppercase().replace('-', "_"))
}

fn table(asked: &Asked, all: &[Series], zone: &ClinicZone) -> Result<Vec<u8>, csv::Error> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["metric", "start", "key", "currency", "value", "suppressed", "restated", "compared"])?;
    let starts: Vec<_> = asked.range.starts().iter().map(|start| zone.write(*start)).collect();
    for series in all {
        let compared = |place: usize| series.compared_items.get(place);
        for (place, (cell, start)) in series.items.iter().zip(&starts).enumerate() {
            row(&mut table, asked, series, start, cell, compared(place))?;
        }
    }
    table.into_inner().map_err(|error| csv::Error::from(error.into_error()))
}

fn row(
    table: &mut csv::Writer<Vec<u8>>,
    asked: &Asked,
    series: &Series,
    start: &str,
    cell: &Cell,
    compared: Option<&Cell>,
) -> Result<(), csv::Error> {
    let value = |cell: &Cell| cell.value.map(|value| value.to_string()).unwrap_or_default();
    table.write_record([
        asked.metric.name,
        start,
        &without_formula(&series.key.value),
        &series.key.currency,
        &value(cell),
        if cell.suppressed { "suppressed" } else { "" },
        &cell.restated.map(|time| time.to_string()).unwrap_or_default(),
        &compared.map(value).unwrap_or_default(),
    ])
}

/// A spreadsheet would run what begins so; <https://owasp.org/www-community/attacks/CSV_Injection>
fn without_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

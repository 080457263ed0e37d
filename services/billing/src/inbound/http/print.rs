//! What is made for paper: `GET /api/billing/invoices/{invoiceId}/print`, `GET /api/billing/accounts/{patientId}/statement`

mod html;
mod invoice;
mod pdf;
mod sheet;
mod statement;
#[cfg(test)]
mod tests;

use audit::OfPatient;
use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use jiff::{Timestamp, civil::Date};
use problem::{Kind, Problem, input::Findings};
use uuid::Uuid;

use self::sheet::Sheet;
use crate::{
    domain::{
        books,
        ids::{InvoiceId, PatientId},
        statement::MOST_ACTS,
    },
    service::{Books, print::PrintError},
};

type Parameters = Result<Query<Vec<(String, String)>>, QueryRejection>;

/// In what form somebody wants a sheet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Form {
    Html,
    Pdf,
}

pub(super) async fn invoice(
    State(books): State<Books>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = Uuid::parse_str(&id).map(InvoiceId).map_err(|_| PrintError::Unknown)?;
    let printable = books.printable(id).await?;
    let sheet = invoice::sheet(&printable, |moment| books.day(moment));
    answer(sheet, Form::wanted(&headers), printable.invoice.patient_id).await
}

pub(super) async fn statement(
    State(books): State<Books>,
    Path(patient): Path<String>,
    parameters: Parameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let unknown = |_| Problem::new(Kind::NotFound, "There is no such patient.");
    let patient = Uuid::parse_str(&patient).map(PatientId).map_err(unknown)?;
    let period = period(parameters)?;
    let told = books.statement(patient, period, access::bearer(&headers)?, Timestamp::now()).await?;
    answer(statement::sheet(&told), Form::wanted(&headers), patient).await
}

fn period(parameters: Parameters) -> Result<(Option<Date>, Option<Date>), Problem> {
    let Query(parameters) = parameters.map_err(|_| Problem::invalid_field("query string", "is not readable"))?;
    let (mut findings, mut from, mut to) = (Findings::default(), None, None);
    for (name, value) in &parameters {
        let place = match name.as_str() {
            "from" => &mut from,
            "to" => &mut to,
            _ => {
                findings.add(name, "is not a parameter of a statement");
                continue;
            }
        };
        *place = value.parse().ok();
        if place.is_none() {
            findings.add(name, "must be a date such as 2026-11-30");
        }
    }
    findings.into_result(Some((from, to)))
}

impl Form {
    /// PDF where that is preferred to HTML (RFC 9110, section 12.5.1), else HTML, which everybody can read.
    fn wanted(headers: &HeaderMap) -> Self {
        let accepted = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let accepted: Vec<_> = accepted.flat_map(|value| value.split(',')).collect();
        let weight = |range: &str| {
            let ranges = accepted.iter().map(|accepted| accepted.split(';').map(str::trim));
            let weights = ranges.filter_map(|mut parts| {
                parts.next().filter(|accepted| accepted.eq_ignore_ascii_case(range))?;
                let weight = parts.find_map(|part| part.strip_prefix("q="));
                Some(weight.map_or(1.0, |weight| weight.parse::<f32>().unwrap_or(0.0)))
            });
            weights.reduce(f32::max)
        };
        let (any, pdf) = (weight("*/*"), weight("application/pdf"));
        let html = weight("text/html").or_else(|| weight("text/*")).or(any);
        let pdf = pdf.or_else(|| weight("application/*")).or(any);
        if pdf.unwrap_or(0.0) > html.unwrap_or(0.0) { Self::Pdf } else { Self::Html }
    }
}

async fn answer(sheet: Sheet, form: Form, patient: PatientId) -> Result<Response, Problem> {
    let name = sheet.name.clone();
    let (kind, ending) = match form {
        Form::Html => ("text/html; charset=utf-8", "html"),
        Form::Pdf => ("application/pdf", "pdf"),
    };
    let mut response = match form {
        Form::Html => html::page(&sheet).map_err(Problem::internal)?.into_response(),
        // Takes a core for some milliseconds, for which others need not wait.
        Form::Pdf => {
            let made = tokio::task::spawn_blocking(move || pdf::pdf(&sheet)).await;
            made.map_err(Problem::internal)?.map_err(Problem::internal)?.into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let disposition = format!("inline; filename=\"{name}.{ending}\"");
    headers.insert(header::CONTENT_DISPOSITION, disposition.parse().map_err(Problem::internal)?);
    if form == Form::Html {
        headers.insert(header::CONTENT_SECURITY_POLICY, html::POLICY.parse().map_err(Problem::internal)?);
    }
    response.extensions_mut().insert(OfPatient(patient.0));
    Ok(response)
}

impl From<PrintError> for Problem {
    fn from(error: PrintError) -> Self {
        match error {
            PrintError::Unknown => Self::new(Kind::NotFound, "There is no such invoice."),
            PrintError::Refused(refusal) => books::Refusal::Invoice(refusal).into(),
            PrintError::Period => Self::invalid_field("from", "must not be after `to`"),
            PrintError::TooMuch => {
                Self::invalid_field("from", format!("must leave at most {MOST_ACTS} acts up to `to`"))
            }
            PrintError::Demographics(problem) => problem,
            PrintError::Store(failure) => failure.into(),
        }
    }
}

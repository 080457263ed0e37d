//! `GET /api/patients/{id}/summary`

use access::Caller;
use axum::{
    Extension,
    extract::{Path, Request},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use jiff::Timestamp;
use problem::Problem;
use serde::Serialize;
use serde_json::value::RawValue;

use super::request::{not_found, patient_id};
use crate::{
    outbound::{balances::Balance, summaries::Listed},
    service::summary::{Summaries, Summary},
};

/// A part of a summary, or why it is not there.
#[derive(Serialize)]
#[serde(tag = "status", rename_all = "kebab-case")]
enum Section<T> {
    Known(T),
    Withheld { reason: String },
    Unavailable { reason: &'static str },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    problems: Section<Items>,
    allergies: Section<Items>,
    medications: Section<Items>,
    vital_signs: Section<Items>,
    next_appointment: Section<Next>,
    balance: Section<Amounts>,
}

#[derive(Serialize)]
struct Items {
    items: Vec<Box<RawValue>>,
    more: bool,
}

#[derive(Serialize)]
struct Next {
    appointment: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct Amounts {
    amounts: Vec<Amount>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Amount {
    currency_code: String,
    minor_units: i64,
}

pub(super) async fn summary(
    Extension(summaries): Extension<Summaries>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = patient_id(&id)?;
    let access_token = access::bearer(request.headers())?.to_owned();
    let summary = summaries.of(id, &caller, &access_token, Timestamp::now()).await?.ok_or_else(not_found)?;
    let mut response = axum::Json(told(summary, &summaries, &caller)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

fn told(Summary { stored, balance }: Summary, summaries: &Summaries, caller: &Caller) -> Told {
    let items = |listed: Option<Listed>| match listed {
        Some(Listed { items, more }) => Section::Known(Items { items, more }),
        None => withheld(caller),
    };
    let next = Next { appointment: stored.next_appointment };
    Told {
        problems: items(stored.problems),
        allergies: items(stored.allergies),
        medications: items(stored.medications),
        vital_signs: items(stored.vital_signs),
        next_appointment: if summaries.shows("nextAppointment", caller) {
            Section::Known(next)
        } else {
            withheld(caller)
        },
        balance: match balance {
            Some(Balance::Open(open)) => Section::Known(Amounts {
                amounts: open
                    .into_iter()
                    .map(|money| Amount { currency_code: money.currency_code, minor_units: money.minor_units })
                    .collect(),
            }),
            Some(Balance::NoAccount) => Section::Unavailable { reason: "the account is not open yet" },
            Some(Balance::Nothing) => Section::Unavailable { reason: "billing does not answer" },
            None => withheld(caller),
        },
    }
}

fn withheld<T>(caller: &Caller) -> Section<T> {
    Section::Withheld { reason: format!("The role {} may not see this.", caller.role) }
}

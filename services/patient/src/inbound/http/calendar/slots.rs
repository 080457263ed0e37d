//! `GET /api/slots`

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Query, rejection::QueryRejection},
    response::{IntoResponse as _, Response},
};
use http::{HeaderValue, header};
use jiff::{Timestamp, civil::Date};
use problem::{FieldError, Problem, input::Findings};
use runtime::http::request::next_link;
use serde_json::{Map, Value, json};

use super::{Parameters, unreadable};
use crate::{
    domain::calendar::{ClinicId, PractitionerId, ServiceId, zone::parse_date},
    fhir::calendar::parse_id,
    outbound::calendar::SlotQuestion,
    service::calendar::{Calendar, SearchError, SlotPage, SlotSearch},
};

const DEFAULT_LIMIT: usize = 100;
const HIGHEST_LIMIT: usize = 1000;
/// Six weeks with somebody, a week with anybody.
const LONGEST: i32 = 42;
const LONGEST_WITH_ANYBODY: i32 = 7;

pub(super) async fn search(
    Extension(calendar): Extension<Arc<Calendar>>,
    parameters: Result<Query<Parameters>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(parameters) = parameters.map_err(unreadable)?;
    let page = calendar.slots(&read(&parameters)?, Timestamp::now()).await.map_err(refusal)?;
    let next = page.next.map(|(start, practitioner)| format!("{}.{practitioner}", start.as_second()));
    let link = next.as_deref().and_then(|next| next_link("/api/slots", &parameters, next));
    let body = json!({ "timeZone": page.zone.name(), "items": items(&page), "next": next });
    let mut response = axum::Json(body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(link) = link {
        headers.insert(header::LINK, link);
    }
    Ok(response)
}

fn items(page: &SlotPage) -> Vec<Value> {
    let offers = page.offers.iter().map(|offer| {
        let mut item = Map::new();
        let visit = offer.slot.visit;
        item.insert("practitionerId".to_owned(), json!(offer.practitioner));
        if let Some(room) = offer.slot.room {
            item.insert("roomId".to_owned(), json!(room));
        }
        item.insert("start".to_owned(), visit.start.to_string().into());
        item.insert("end".to_owned(), visit.end.to_string().into());
        item.insert("local".to_owned(), page.zone.write(visit.start).into());
        Value::Object(item)
    });
    offers.collect()
}

fn refusal(error: SearchError) -> Problem {
    match error {
        SearchError::Unknown(names) => {
            let errors = names
                .into_iter()
                .map(|name| FieldError { pointer: name.to_owned(), detail: format!("there is no such {name}") });
            Problem::invalid(errors.collect())
        }
        SearchError::Store(failure) => failure.into(),
    }
}

fn read(parameters: &Parameters) -> Result<SlotSearch, Problem> {
    let mut findings = Findings::default();
    let (mut clinic, mut service, mut practitioner, mut from, mut to) = (None, None, None, None, None);
    let (mut after, mut limit) = (None, DEFAULT_LIMIT);
    for (index, (name, value)) in parameters.iter().enumerate() {
        if parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            findings.add(name, "is given twice");
            continue;
        }
        let mut note = |detail: &str| findings.add(name, detail);
        match name.as_str() {
            "clinic" => clinic = parse_id(value).map_err(&mut note).ok().map(ClinicId::new),
            "service" => service = parse_id(value).map_err(&mut note).ok().map(ServiceId::new),
            "practitioner" => practitioner = parse_id(value).map_err(&mut note).ok().map(PractitionerId::new),
            "from" => from = parse_date(value).map_err(&mut note).ok(),
            "to" => to = parse_date(value).map_err(&mut note).ok(),
            "cursor" => match cursor(value) {
                Some(place) => after = Some(place),
                None => note("must be `next` of an earlier page"),
            },
            "limit" => match value.parse() {
                Ok(number) if (1..=HIGHEST_LIMIT).contains(&number) => limit = number,
                _ => note(&format!("must be a number from 1 to {HIGHEST_LIMIT}")),
            },
            _ => note("is not a parameter of this search"),
        }
    }
    for name in ["clinic", "service", "from", "to"] {
        if !parameters.iter().any(|(given, _)| given == name) {
            findings.add(name, "is required");
        }
    }
    if let (Some(from), Some(to)) = (from, to) {
        check_window(from, to, practitioner.is_some(), &mut findings);
    }
    let question = match (clinic, service, from, to) {
        (Some(clinic), Some(service), Some(from), Some(to)) => {
            Some(SlotQuestion { clinic, service, practitioner, from, to })
        }
        _ => None,
    };
    findings.into_result(question.map(|question| SlotSearch { question, after, limit }))
}

fn check_window(from: Date, to: Date, with_somebody: bool, findings: &mut Findings) {
    let days = (to - from).get_days() + 1;
    let longest = if with_somebody { LONGEST } else { LONGEST_WITH_ANYBODY };
    if days < 1 {
        findings.add("to", "must not be before `from`");
    } else if days > longest {
        findings.add("to", format!("must be at most {longest} days from `from`; with a `practitioner`, {LONGEST}"));
    }
}

fn cursor(text: &str) -> Option<(Timestamp, PractitionerId)> {
    let (second, practitioner) = text.split_once('.')?;
    let start = Timestamp::from_second(second.parse().ok()?).ok()?;
    Some((start, PractitionerId::new(parse_id(practitioner).ok()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(pairs: &[(&str, &str)]) -> Vec<String> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        read(&pairs).err().into_iter().flat_map(|problem| problem.errors).map(|error| error.pointer).collect()
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        const ID: &str = "0197a1b2-7c11-7000-8000-000000000001";
        assert_eq!(pointers(&[]), ["clinic", "service", "from", "to"]);
        let wrong = [
            ("clinic", "x"),
            ("clinic", "y"),
            ("from", "2026-02-30"),
            ("to", ""),
            ("limit", "1001"),
            ("cursor", "x"),
            ("practitioner", ID),
            ("day", "mon"),
        ];
        assert_eq!(pointers(&wrong), ["clinic", "clinic", "from", "to", "limit", "cursor", "day", "service"]);
        let window = |from: &'static str, to: &'static str, with: &[(&'static str, &'static str)]| {
            let asked = [("clinic", ID), ("service", ID), ("from", from), ("to", to)];
            pointers(&[&asked[..], with].concat())
        };
        let (somebody, wrong) = ([("practitioner", ID)], ["to"]);
        assert_eq!(window("2026-01-02", "2026-01-01", &somebody), wrong);
        assert_eq!(window("2026-01-01", "2026-02-12", &somebody), wrong);
        assert_eq!(window("2026-01-01", "2026-01-08", &[]), wrong);
        assert!(window("2026-01-01", "2026-02-11", &somebody).is_empty());
        let next = ("cursor", "1767261600.0197a1b2-7c11-7000-8000-000000000001");
        assert!(window("2026-01-01", "2026-01-07", &[next]).is_empty());
    }
}

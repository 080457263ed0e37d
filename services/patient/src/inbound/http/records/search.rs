//! The parameters of a chart's pages, by FHIR's names.
//!
//! <http://hl7.org/fhir/R4/search.html>

use jiff::Timestamp;
use problem::{
    Problem,
    input::{Findings, check_text},
};
use uuid::Uuid;

use super::Parameters;
use crate::{
    domain::moment::Moment,
    service::chart::{RecordSearch, Token},
};

const DEFAULT_LIMIT: u16 = 20;
const HIGHEST_LIMIT: u16 = 100;
const LONGEST: usize = 255;

/// `cursor` of the page after a record.
pub(super) fn cursor(microseconds: i64, id: Uuid) -> String {
    format!("{microseconds}_{id}")
}

fn place(cursor: &str) -> Result<(i64, Uuid), &'static str> {
    let read = |(time, id): (&str, &str)| Some((time.parse().ok()?, Uuid::parse_str(id).ok()?));
    cursor.split_once('_').and_then(read).ok_or("must be `next` of an earlier page")
}

pub(super) fn read(parameters: &Parameters) -> Result<RecordSearch, Problem> {
    let mut findings = Findings::default();
    let mut search = RecordSearch { limit: limit(parameters, &mut findings), ..RecordSearch::default() };
    for (name, value) in each(parameters, &["date"], &mut findings) {
        let read = match name {
            "code" => token(value).map(|token| search.code = Some(token)),
            "category" => token(value).map(|token| search.category = Some(token)),
            "status" => {
                search.status = Some(value.to_owned());
                Ok(())
            }
            "date" => date(value, &mut search),
            "encounter" => {
                let id = Uuid::parse_str(value.strip_prefix("Encounter/").unwrap_or(value));
                id.map(|id| search.encounter_id = Some(id)).map_err(|_| "must be the id of an encounter")
            }
            "cursor" => place(value).map(|place| search.after = Some(place)),
            "limit" => Ok(()),
            _ => Err("is not a parameter of this search"),
        };
        if let Err(detail) = read {
            findings.add(name, detail);
        }
    }
    findings.into_result(Some(search))
}

/// The version before which the page ends, and how many versions it may hold.
pub(super) fn read_history(parameters: &Parameters) -> Result<(Option<u64>, u16), Problem> {
    let mut findings = Findings::default();
    let (mut before, limit) = (None, limit(parameters, &mut findings));
    for (name, value) in each(parameters, &[], &mut findings) {
        match name {
            "cursor" => match value.parse::<u32>() {
                Ok(version) => before = Some(u64::from(version)),
                Err(_) => findings.add(name, "must be `next` of an earlier page"),
            },
            "limit" => {}
            _ => findings.add(name, "is not a parameter of this list"),
        }
    }
    findings.into_result(Some((before, limit)))
}

/// The parameters that can be read, of which only some may be given several times.
fn each<'a>(parameters: &'a Parameters, repeated: &[&str], findings: &mut Findings) -> Vec<(&'a str, &'a str)> {
    let mut readable = Vec::new();
    for (index, (name, value)) in parameters.iter().enumerate() {
        if let Err(detail) = check_text(value, LONGEST) {
            findings.add(name, detail);
        } else if !repeated.contains(&name.as_str()) && parameters[..index].iter().any(|(earlier, _)| earlier == name) {
            findings.add(name, "is given twice");
        } else {
            readable.push((name.as_str(), value.as_str()));
        }
    }
    readable
}

fn limit(parameters: &Parameters, findings: &mut Findings) -> u16 {
    let given = parameters.iter().find(|(name, _)| name == "limit");
    let limit = given.map_or(Ok(DEFAULT_LIMIT), |(_, value)| value.parse());
    limit.ok().filter(|limit| (1..=HIGHEST_LIMIT).contains(limit)).unwrap_or_else(|| {
        findings.add("limit", format!("must be a number from 1 to {HIGHEST_LIMIT}"));
        DEFAULT_LIMIT
    })
}

fn token(text: &str) -> Result<Token, &'static str> {
    let (system, code) = text.rsplit_once('|').map_or((None, text), |(system, code)| (Some(system), code));
    let system = system.filter(|system| !system.is_empty()).map(str::to_owned);
    if code.is_empty() { Err("must be a code, or `system|code`") } else { Ok(Token { system, code: code.to_owned() }) }
}

/// `ge2026-01-01`, `lt2026-11-25T09:30:00Z` and so on; a record's time is an instant, so that a day is what lies in it.
fn date(text: &str, search: &mut RecordSearch) -> Result<(), &'static str> {
    let (prefix, moment) = match text.as_bytes().first() {
        Some(b'a'..=b'z') => text.split_at_checked(2).unwrap_or_default(),
        _ => ("eq", text),
    };
    let moment = Moment::parse(moment)?;
    let (from, before) = match prefix {
        "eq" => (Some(moment.from()), Some(moment.before())),
        "ge" => (Some(moment.from()), None),
        "gt" => (Some(moment.before()), None),
        "le" => (None, Some(moment.before())),
        "lt" => (None, Some(moment.from())),
        _ => return Err("must begin with eq, ge, gt, le or lt, or with the date"),
    };
    search.from = narrower(search.from, from, Timestamp::max);
    search.before = narrower(search.before, before, Timestamp::min);
    Ok(())
}

fn narrower(
    known: Option<Timestamp>,
    given: Option<Timestamp>,
    narrower: fn(Timestamp, Timestamp) -> Timestamp,
) -> Option<Timestamp> {
    match (known, given) {
        (Some(known), Some(given)) => Some(narrower(known, given)),
        (known, given) => known.or(given),
    }
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
            ("limit", "101"),
            ("code", "http://loinc.org|"),
            ("date", "ne2026"),
            ("date", "2026-13"),
            ("encounter", "x"),
            ("cursor", "1"),
            ("status", "final"),
            ("status", "amended"),
            ("patient", "x"),
        ]);
        let pointers: Vec<_> = read(&wrong).unwrap_err().errors.into_iter().map(|error| error.pointer).collect();
        assert_eq!(pointers, ["limit", "status", "code", "date", "date", "encounter", "cursor", "patient"]);
        let wrong = pairs(&[("cursor", "x"), ("status", "final")]);
        let pointers: Vec<_> =
            read_history(&wrong).unwrap_err().errors.into_iter().map(|error| error.pointer).collect();
        assert_eq!(pointers, ["cursor", "status"]);
    }

    #[test]
    fn dates_narrow_the_time_from_both_sides() {
        for (given, from, before) in [
            (&["2026-11"][..], Some("2026-11-01T00:00:00Z"), Some("2026-12-01T00:00:00Z")),
            (&["ge2026-11-02", "ge2026-11-01"], Some("2026-11-02T00:00:00Z"), None),
            (&["gt2026-11-02", "le2026-11-05"], Some("2026-11-03T00:00:00Z"), Some("2026-11-06T00:00:00Z")),
            (&["lt2026-11-25T09:30:00+01:00", "2026"], Some("2026-01-01T00:00:00Z"), Some("2026-11-25T08:30:00Z")),
        ] {
            let given: Parameters = given.iter().map(|date| ("date".to_owned(), (*date).to_owned())).collect();
            let search = read(&given).unwrap();
            let text = |time: Option<Timestamp>| time.map(|time| time.to_string());
            assert_eq!((text(search.from).as_deref(), text(search.before).as_deref()), (from, before));
        }
    }

    #[test]
    fn a_cursor_reads_as_it_is_written() {
        let id = Uuid::from_u128(7);
        assert_eq!(place(&cursor(-1_000_001, id)), Ok((-1_000_001, id)));
    }

    #[test]
    fn a_token_may_lack_its_system() {
        let read = |text| token(text).map(|Token { system, code }| (system, code));
        assert_eq!(read("http://loinc.org|8480-6"), Ok((Some("http://loinc.org".to_owned()), "8480-6".to_owned())));
        assert_eq!(read("|8480-6"), Ok((None, "8480-6".to_owned())));
        assert_eq!(read("8480-6"), Ok((None, "8480-6".to_owned())));
    }
}

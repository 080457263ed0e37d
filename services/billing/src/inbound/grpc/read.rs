//! Reading the fields of requests: every wrong one is found at once, and named as the contract names it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::civil::Date;
use problem::{
    Problem,
    input::{Findings, check_text},
};
use serde::{Serialize, de::DeserializeOwned};
use uuid::Uuid;

use crate::domain::{
    fees::Code,
    money::{Amount, Currency, LARGEST},
};

/// Every reason that is given in words.
const LONGEST_REASON: usize = 200;

/// The id of what a path or a field names; nothing has one that is no UUID.
pub(super) fn id(text: &str) -> Option<Uuid> {
    Uuid::parse_str(text).ok()
}

/// An id that has to be there.
pub(super) fn required_id(text: &str, pointer: &str, findings: &mut Findings) -> Option<Uuid> {
    let id = id(text);
    if id.is_none() {
        findings.add(pointer, if text.is_empty() { "is required" } else { "must be a UUID" });
    }
    id
}

/// An id that may be there.
pub(super) fn optional_id(text: Option<&str>, pointer: &str, findings: &mut Findings) -> Option<Uuid> {
    text.and_then(|text| required_id(text, pointer, findings))
}

/// A day that has to be there.
pub(super) fn date(text: &str, pointer: &str, findings: &mut Findings) -> Option<Date> {
    // No calendar has a day before the year 1, and no database.
    let read = text.parse().ok().filter(|date: &Date| date.year() > 0);
    if read.is_none() {
        findings.add(pointer, if text.is_empty() { "is required" } else { "must be a date such as 2026-11-30" });
    }
    read
}

/// A day that may be there.
pub(super) fn optional_date(text: Option<&str>, pointer: &str, findings: &mut Findings) -> Option<Date> {
    text.and_then(|text| date(text, pointer, findings))
}

/// Words that have to be there.
pub(super) fn text(text: &str, most: usize, pointer: &str, findings: &mut Findings) -> Option<String> {
    let text = text.trim();
    match check_text(text, most) {
        Ok(()) => Some(text.to_owned()),
        Err(_) if text.is_empty() => {
            findings.add(pointer, "is required");
            None
        }
        Err(detail) => {
            findings.add(pointer, detail);
            None
        }
    }
}

/// Words that may be there.
pub(super) fn optional_text(
    given: Option<&str>,
    most: usize,
    pointer: &str,
    findings: &mut Findings,
) -> Option<String> {
    given.and_then(|given| text(given, most, pointer, findings))
}

/// Why something is done.
pub(super) fn reason(given: &str, findings: &mut Findings) -> Option<String> {
    text(given, LONGEST_REASON, "reason", findings)
}

/// An amount of more than nothing.
pub(super) fn positive(amount: i64, pointer: &str, findings: &mut Findings) -> Option<Amount> {
    let read = Some(Amount(amount)).filter(|amount| amount.is_positive() && *amount <= LARGEST);
    if read.is_none() {
        findings.add(pointer, format!("must be from 1 to {} minor units", LARGEST.0));
    }
    read
}

/// A currency.
pub(super) fn currency(code: &str, pointer: &str, findings: &mut Findings) -> Option<Currency> {
    let read = Currency::from_code(code);
    if read.is_none() {
        findings.add(pointer, if code.is_empty() { "is required" } else { "must be a currency of ISO 4217" });
    }
    read
}

/// A code of a system.
pub(super) fn code(system: &str, code: &str, pointer: &str, findings: &mut Findings) -> Option<Code> {
    let system = text(system, 200, &format!("{pointer}system"), findings);
    let code = text(code, 40, &format!("{pointer}code"), findings);
    Some(Code { system: system?, code: code? })
}

/// Modifiers: two letters or digits each.
pub(super) fn modifiers(given: &[String], pointer: &str, findings: &mut Findings) -> Option<Vec<String>> {
    let is_modifier =
        |text: &String| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    for (at, _) in given.iter().enumerate().filter(|(_, text)| !is_modifier(text)) {
        findings.add(format!("{pointer}modifiers[{at}]"), "must be two capitals or digits");
    }
    if given.len() > 4 {
        findings.add(format!("{pointer}modifiers"), "must have at most 4 items");
    }
    (given.iter().all(is_modifier) && given.len() <= 4).then(|| given.to_vec())
}

/// A number that cannot be below nothing.
pub(super) fn count(number: i32, pointer: &str, findings: &mut Findings) -> Option<u32> {
    let read = u32::try_from(number).ok();
    if read.is_none() {
        findings.add(pointer, "must not be below 0");
    }
    read
}

/// How many items a page has.
pub(super) fn limit(given: Option<i32>, usual: usize, most: usize, findings: &mut Findings) -> Option<usize> {
    let Some(given) = given else { return Some(usual) };
    let read = usize::try_from(given).ok().filter(|limit| (1..=most).contains(limit));
    if read.is_none() {
        findings.add("limit", format!("must be from 1 to {most}"));
    }
    read
}

/// Where a page begins.
pub(super) fn cursor<P: DeserializeOwned>(given: Option<&str>, findings: &mut Findings) -> Option<P> {
    let given = given?;
    let json = URL_SAFE_NO_PAD.decode(given).ok();
    let read = json.and_then(|json| serde_json::from_slice(&json).ok());
    if read.is_none() {
        findings.add("cursor", "is not the `next` of a page");
    }
    read
}

/// A page of what was found, one more than it may have, and where the next one begins.
pub(super) fn page<T, P: Serialize>(
    mut found: Vec<T>,
    limit: usize,
    position: impl FnOnce(&T) -> P,
) -> Result<(Vec<T>, Option<String>), Problem> {
    if found.len() <= limit {
        return Ok((found, None));
    }
    found.truncate(limit);
    let next = found.last().map(|last| serde_json::to_vec(&position(last)).map_err(Problem::internal)).transpose()?;
    Ok((found, next.map(|json| URL_SAFE_NO_PAD.encode(json))))
}

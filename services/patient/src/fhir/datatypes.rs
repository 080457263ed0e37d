//! FHIR's data types, as elements of an object.

use problem::input::{Findings, Object, check_text};
use serde_json::Value;
use uuid::Uuid;

use crate::domain::{
    coding::{Annotation, CodeableConcept, Coding, check_code, check_system},
    moment::{Moment, Period},
    quantity::{Comparator, Decimal, Quantity, Range},
    record::Resource,
};

/// The longest code, unit and time.
pub(super) const CODE: usize = 100;
/// The longest display, title and URI.
pub(super) const LINE: usize = 255;
/// The longest remark.
pub(super) const PROSE: usize = 4_000;
/// More than this of anything is a mistake or an attack.
pub(super) const MOST: usize = 50;

/// A record's elements in FHIR's JSON: the door through which requests and stored documents come in.
pub trait Elements: Resource {
    /// Reads a record; what is wrong is noted with a pointer, and without what is required there is none.
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self>;
}

/// How an element is read by its name.
pub(super) type Element<T> = fn(&mut Object, &str, &mut Findings) -> Option<T>;

/// An element that has to be there.
pub(super) fn required<T>(
    object: &mut Object,
    name: &str,
    findings: &mut Findings,
    read: impl FnOnce(&mut Object, &str, &mut Findings) -> Option<T>,
) -> Option<T> {
    object.require(name, findings).then(|| read(object, name, findings)).flatten()
}

/// One of the elements that FHIR calls `value[x]` and the like.
pub(super) fn choice<T>(object: &mut Object, elements: &[(&str, Element<T>)], findings: &mut Findings) -> Option<T> {
    let given: Vec<_> = elements.iter().filter(|(name, _)| object.has(name)).map(|(name, _)| *name).collect();
    if let [_, second, ..] = given.as_slice() {
        findings.add(object.pointer(second), format!("only one of {} can be given", given.join(", ")));
    }
    let read: Vec<_> = elements.iter().filter_map(|(name, read)| read(object, name, findings)).collect();
    read.into_iter().next()
}

/// Objects of one sort.
pub(super) fn all<T>(
    object: &mut Object,
    name: &str,
    findings: &mut Findings,
    read: impl Fn(&mut Object, &mut Findings) -> Option<T>,
) -> Vec<T> {
    let items = object.objects(name, MOST, findings);
    items.into_iter().filter_map(|item| whole(item, findings, &read)).collect()
}

/// One object of a sort.
pub(super) fn one<T>(
    object: &mut Object,
    name: &str,
    findings: &mut Findings,
    read: impl Fn(&mut Object, &mut Findings) -> Option<T>,
) -> Option<T> {
    let nested = object.nested(name, findings)?;
    whole(nested, findings, &read)
}

fn whole<T>(
    mut object: Object,
    findings: &mut Findings,
    read: &impl Fn(&mut Object, &mut Findings) -> Option<T>,
) -> Option<T> {
    let read = read(&mut object, findings);
    object.finish(findings);
    read
}

pub(super) fn coding(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Coding> {
    one(object, name, findings, coded)
}

fn coded(object: &mut Object, findings: &mut Findings) -> Option<Coding> {
    object.require("system", findings);
    let system = object.parsed("system", LINE, findings, |system| check_system(system).map(|()| system.to_owned()));
    let code = object.required_text("code", CODE, findings);
    let version = object.text("version", CODE, findings);
    let display = object.text("display", LINE, findings);
    let (system, code) = (system?, code?);
    if let Err(detail) = check_code(&system, &code) {
        findings.add(object.pointer("code"), detail);
    }
    Some(Coding { system, version, code, display })
}

pub(super) fn concept(object: &mut Object, name: &str, findings: &mut Findings) -> Option<CodeableConcept> {
    one(object, name, findings, conceived)
}

pub(super) fn concepts(object: &mut Object, name: &str, findings: &mut Findings) -> Vec<CodeableConcept> {
    all(object, name, findings, conceived)
}

fn conceived(object: &mut Object, findings: &mut Findings) -> Option<CodeableConcept> {
    let given = object.has("coding") || object.has("text");
    if !given {
        findings.add(object.pointer("coding"), "a concept needs a coding or a text");
    }
    let coding = all(object, "coding", findings, coded);
    let text = object.text("text", PROSE, findings);
    given.then_some(CodeableConcept { coding, text })
}

/// A concept that is one code of a closed set, such as a clinical status.
pub(super) fn closed<T>(
    object: &mut Object,
    name: &str,
    findings: &mut Findings,
    system: &str,
    parse: fn(&str) -> Result<T, String>,
) -> Option<T> {
    let pointer = object.pointer(name);
    let concept = concept(object, name, findings)?;
    let Some(at) = concept.coding.iter().position(|coding| coding.system == system) else {
        findings.add(format!("{pointer}/coding"), format!("must have a code of {system}"));
        return None;
    };
    let parsed = parse(&concept.coding[at].code);
    parsed.map_err(|detail| findings.add(format!("{pointer}/coding/{at}/code"), detail)).ok()
}

/// Words that may have several lines.
pub(super) fn prose(object: &mut Object, name: &str, most: usize, findings: &mut Findings) -> Option<String> {
    object.parsed_exactly(name, findings, |text| {
        let text = text.trim();
        // The lines as one: what no field may hold does not become good by a line's end.
        check_text(&text.replace(['\n', '\r', '\t'], " "), most).map(|()| text.to_owned())
    })
}

/// Words as an element of a choice.
pub(super) fn words(object: &mut Object, name: &str, findings: &mut Findings) -> Option<String> {
    prose(object, name, PROSE, findings)
}

pub(super) fn notes(object: &mut Object, findings: &mut Findings) -> Vec<Annotation> {
    all(object, "note", findings, |note, findings| {
        let text = required(note, "text", findings, words);
        text.map(|text| Annotation { text })
    })
}

pub(super) fn moment(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Moment> {
    object.parsed(name, CODE, findings, Moment::parse)
}

pub(super) fn period(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Period> {
    one(object, name, findings, |object, findings| {
        if !object.has("start") && !object.has("end") {
            findings.add(object.pointer("start"), "a period needs a start or an end");
            return None;
        }
        let period = Period { start: moment(object, "start", findings), end: moment(object, "end", findings) };
        if !period.is_ordered() {
            findings.add(object.pointer("end"), "must not be before the start (per-1)");
        }
        Some(period)
    })
}

pub(super) fn decimal(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Decimal> {
    let read = match object.take(name)? {
        Value::Number(whole) => Decimal::parse(&whole.to_string()),
        Value::String(text) => text.strip_prefix(Decimal::MARK).map_or(Err("must be a number"), Decimal::parse),
        _ => Err("must be a number"),
    };
    read.map_err(|detail| findings.add(object.pointer(name), detail)).ok()
}

pub(super) fn quantity(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Quantity> {
    one(object, name, findings, measured)
}

/// Without a comparator: a bound is what it is.
pub(super) fn simple_quantity(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Quantity> {
    one(object, name, findings, |object, findings| {
        if object.has("comparator") {
            findings.add(object.pointer("comparator"), "must be left out here (sqty-1)");
        }
        measured(object, findings)
    })
}

fn measured(object: &mut Object, findings: &mut Findings) -> Option<Quantity> {
    let value = required(object, "value", findings, decimal);
    let comparator = object.parsed("comparator", CODE, findings, Comparator::parse);
    let unit = object.text("unit", CODE, findings);
    let system = object.parsed("system", LINE, findings, |system| check_system(system).map(|()| system.to_owned()));
    let code = object.text("code", CODE, findings);
    let quantity = Quantity { value: value?, comparator, unit, system, code };
    if !quantity.code_has_system() {
        findings.add(object.pointer("system"), "is required where there is a code (qty-3)");
    }
    if let (Some(system), Some(code)) = (&quantity.system, &quantity.code)
        && let Err(detail) = check_code(system, code)
    {
        findings.add(object.pointer("code"), detail);
    }
    Some(quantity)
}

pub(super) fn range(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Range> {
    one(object, name, findings, |object, findings| {
        let low = simple_quantity(object, "low", findings);
        let range = Range { low, high: simple_quantity(object, "high", findings) };
        if range == Range::default() {
            findings.add(object.pointer("low"), "a range needs low or high");
            return None;
        }
        if !range.is_ascending() {
            findings.add(object.pointer("low"), "must not be above high (rng-2)");
        }
        Some(range)
    })
}

pub(super) fn boolean(object: &mut Object, name: &str, findings: &mut Findings) -> Option<bool> {
    object.boolean(name, findings)
}

pub(super) fn integer(object: &mut Object, name: &str, findings: &mut Findings) -> Option<i64> {
    let read = object.take(name)?.as_i64();
    if read.is_none() {
        findings.add(object.pointer(name), "must be a whole number");
    }
    read
}

/// A number to count with.
pub(super) fn count(object: &mut Object, name: &str, findings: &mut Findings) -> Option<u32> {
    let count = integer(object, name, findings)?;
    let read = u32::try_from(count).ok().filter(|count| *count <= 1_000_000);
    if read.is_none() {
        findings.add(object.pointer(name), "must be a number from 0 to 1000000");
    }
    read
}

/// A number that counts from one.
pub(super) fn positive(object: &mut Object, name: &str, findings: &mut Findings) -> Option<u32> {
    let read = count(object, name, findings)?;
    if read == 0 {
        findings.add(object.pointer(name), "must be at least 1");
    }
    Some(read)
}

pub(crate) fn id(object: &mut Object, name: &str, findings: &mut Findings) -> Option<Uuid> {
    object.parsed(name, CODE, findings, |text| Uuid::parse_str(text).map_err(|_| "must be a UUID"))
}

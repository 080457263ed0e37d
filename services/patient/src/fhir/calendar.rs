//! What the calendar is made of, in JSON: the one door through which requests and stored documents come in.

mod clinic;
mod practitioner;
mod room;
mod service;

use std::collections::BTreeMap;

use jiff::civil::Date;
use problem::input::{Findings, Object};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::domain::{
    calendar::{
        ClinicId,
        zone::{Zone, parse_date},
    },
    coding::Coding,
};

/// The longest name, reason and the like.
pub(crate) const SHORT: usize = 100;
/// The longest of what has one form: an id, a date.
pub(crate) const CODE: usize = 40;
/// The most minutes that anything takes: a day.
const LONGEST: i64 = 24 * 60;

/// A kind of document that the calendar is made of.
pub trait Resource: Clone + PartialEq + Send + Sync + 'static {
    /// The first part of its keys.
    const KIND: &'static str;
    /// Where its routes are.
    const PATH: &'static str;

    /// Reads one; what is wrong is noted with a pointer.
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self>;

    /// Writes one, as it is stored and answered.
    fn write(&self) -> Map<String, Value>;

    /// What else it names.
    fn references(&self) -> Vec<Reference>;

    /// The clinics whose zones decide whether it fits.
    fn named_clinics(&self) -> Vec<ClinicId> {
        Vec::new()
    }

    /// What does not fit for the zones of the clinics, by pointers.
    fn clashes(&self, _zones: &BTreeMap<ClinicId, Zone>) -> Vec<String> {
        Vec::new()
    }

    /// The clinic that it stays at, if it is at one.
    fn home(&self) -> Option<ClinicId> {
        None
    }
}

/// Something else that is named.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// Where.
    pub pointer: String,
    /// What kind it is of.
    pub kind: &'static str,
    /// Which one.
    pub id: Uuid,
    /// The clinic that it has to be at.
    pub at: Option<ClinicId>,
}

impl Reference {
    fn to_clinic(pointer: String, clinic: ClinicId) -> Self {
        Self { pointer, kind: "clinic", id: clinic.as_uuid(), at: None }
    }
}

/// An id of another document.
pub(crate) fn id(body: &mut Object, name: &str, findings: &mut Findings) -> Option<Uuid> {
    body.parsed(name, CODE, findings, parse_id)
}

pub(crate) fn parse_id(text: &str) -> Result<Uuid, &'static str> {
    Uuid::try_parse(text).map_err(|_| "must be an id, a UUID")
}

/// An id that has to be there.
pub(crate) fn required_id(body: &mut Object, name: &str, findings: &mut Findings) -> Option<Uuid> {
    body.require(name, findings).then(|| id(body, name, findings)).flatten()
}

fn date(body: &mut Object, name: &str, findings: &mut Findings) -> Option<Date> {
    body.parsed(name, CODE, findings, parse_date)
}

fn number(body: &mut Object, name: &str, (least, most): (i64, i64), findings: &mut Findings) -> Option<i64> {
    let value = body.take(name)?;
    let read = value.as_i64().filter(|number| (least..=most).contains(number));
    if read.is_none() {
        findings.add(body.pointer(name), format!("must be a whole number from {least} to {most}"));
    }
    read
}

/// A number of something small.
fn count<N: TryFrom<i64>>(body: &mut Object, name: &str, bounds: (i64, i64), findings: &mut Findings) -> Option<N> {
    number(body, name, bounds, findings).and_then(|number| N::try_from(number).ok())
}

fn put_coding(into: &mut Map<String, Value>, name: &str, coding: Option<&Coding>) {
    if let Some(Coding { system, version, code, display }) = coding {
        let mut object = Map::new();
        object.insert("system".to_owned(), json!(system));
        put(&mut object, "version", version.as_deref());
        object.insert("code".to_owned(), json!(code));
        put(&mut object, "display", display.as_deref());
        into.insert(name.to_owned(), object.into());
    }
}

fn put(into: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        into.insert(name.to_owned(), value.into());
    }
}

fn put_list(into: &mut Map<String, Value>, name: &str, items: Vec<Value>) {
    if !items.is_empty() {
        into.insert(name.to_owned(), items.into());
    }
}

#[cfg(test)]
mod tests;

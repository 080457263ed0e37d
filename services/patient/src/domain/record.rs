//! What is known of a patient's health: records that are amended with a reason and never disappear.

pub mod allergy_intolerance;
pub mod condition;
pub mod encounter;
pub mod immunization;
pub mod medication_request;
pub mod note;
pub mod observation;
pub mod procedure;

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{
    coding::{CodeableConcept, Coding},
    demographics::codes,
    moment::Moment,
    patient::PatientId,
};

/// A value of which FHIR has one of several elements, `value[x]`.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident($type:ty) = $element:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Eq, PartialEq, serde::Serialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $element)] $variant($type),)+
        }
    };
}
use choice;

/// The id of a record: UUIDv5 of the request that made it, so that the same request meets the same record.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct RecordId(Uuid);

impl RecordId {
    /// The record of this id.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id for those who know no records.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

codes! {
    /// Why a record has another version.
    AmendmentKind {
        /// More is known.
        Amended = "amended",
        /// It was wrong.
        Corrected = "corrected",
        /// It should not be there at all. The content stays, and nothing changes it any more.
        EnteredInError = "entered-in-error",
    }
}

/// What is said of a version that replaces another.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Amendment {
    /// Of what kind it is.
    pub kind: AmendmentKind,
    /// Why, in the words of who did it.
    pub reason: String,
}

/// One record in a patient's chart.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Record<R> {
    /// Its id.
    pub id: RecordId,
    /// Whose it is.
    pub patient: PatientId,
    /// The encounter that it was made in.
    pub encounter: Option<RecordId>,
    /// The user who made the first version.
    pub recorder: Uuid,
    /// When they did.
    pub recorded_at: Timestamp,
    /// The user who made this version.
    pub changed_by: Uuid,
    /// When they did.
    pub changed_at: Timestamp,
    /// Why there is this version, if it amends another.
    pub amendment: Option<Amendment>,
    /// What is recorded.
    pub resource: R,
}

/// An element that breaks a rule.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Violation {
    /// RFC 6901 pointer to the element.
    pub pointer: String,
    /// The rule, with FHIR's name for it where it has one.
    pub detail: &'static str,
}

impl Violation {
    /// A broken rule at an element.
    pub fn at(pointer: impl Into<String>, detail: &'static str) -> Self {
        Self { pointer: pointer.into(), detail }
    }

    /// The same, unless all is well.
    pub fn unless(fine: bool, pointer: impl Into<String>, detail: &'static str) -> Option<Self> {
        (!fine).then(|| Self::at(pointer, detail))
    }
}

/// Another record that a record names.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Reference {
    /// RFC 6901 pointer to the element.
    pub pointer: String,
    /// The kind of the other record.
    pub kind: &'static str,
    /// Which one.
    pub id: Uuid,
}

/// What a record is found by.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Terms {
    /// What it is.
    pub codes: Vec<Coding>,
    /// What sort of record it is.
    pub categories: Vec<Coding>,
    /// When it was so, as medicine sees it; none where only the time of recording is known.
    pub time: Option<Timestamp>,
}

/// A kind of record, in FHIR's words.
pub trait Resource: Clone + fmt::Debug + Eq + Serialize + Send + Sync + 'static {
    /// What documents, events and the audit call it.
    const KIND: &'static str;
    /// The element that says that it was entered in error.
    const STATUS: &'static str = "/status";
    /// What is kept for its users, who cannot give it.
    const KEPT: &'static [&'static str] = &[];

    /// The invariants of FHIR, and the rules of the house, that it breaks.
    fn violations(&self) -> Vec<Violation>;

    /// Its state, as one code.
    fn status(&self) -> &'static str;

    /// The same, as something that should never have been there.
    #[must_use]
    fn in_error(&self) -> Self;

    /// What it is found by.
    fn terms(&self) -> Terms;

    /// Other records of the same chart that it names.
    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }

    /// The clinic that it is made at, if it says one.
    fn clinic(&self) -> Option<Uuid> {
        None
    }

    /// What becomes of it when it is put into a chart.
    fn opened(self, _now: Timestamp) -> Result<Self, Vec<Violation>> {
        Ok(self)
    }

    /// What becomes of it when it is to be `wanted`.
    fn revised(&self, wanted: Self, amendment: Option<AmendmentKind>, _now: Timestamp) -> Result<Self, Vec<Violation>> {
        match amendment {
            Some(_) => Ok(wanted),
            None => Err(vec![Violation::at("/amendment", "is required")]),
        }
    }

    /// Whether it is said to have been entered in error.
    fn is_in_error(&self) -> bool {
        self.status() == AmendmentKind::EnteredInError.code()
    }
}

/// Why there is no such version.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It breaks rules.
    #[error("the record breaks {} rules", .0.len())]
    Broken(Vec<Violation>),
    /// It was entered in error, and stays so.
    #[error("the record was entered in error")]
    InError,
}

/// What an amendment came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Revision<R> {
    /// There was something to change.
    Changed(Box<Record<R>>),
    /// Everything was so already.
    Unchanged,
}

/// What a record is to be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Wanted<R> {
    /// The encounter that it was made in.
    pub encounter: Option<RecordId>,
    /// What is recorded.
    pub resource: R,
}

impl<R: Resource> Wanted<R> {
    /// Other records of the same chart that it names.
    pub fn references(&self) -> Vec<Reference> {
        let encounter = self.encounter.map(|encounter| Reference {
            pointer: "/encounterId".to_owned(),
            kind: encounter::Encounter::KIND,
            id: encounter.as_uuid(),
        });
        encounter.into_iter().chain(self.resource.references()).collect()
    }
}

impl<R: Resource> Record<R> {
    /// Puts a record into a chart.
    pub fn create(
        id: RecordId,
        patient: PatientId,
        wanted: Wanted<R>,
        by: Uuid,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let resource = wanted.resource.opened(now).map_err(Refusal::Broken)?;
        check(&resource)?;
        let encounter = wanted.encounter;
        let (recorder, recorded_at, changed_by, changed_at) = (by, now, by, now);
        Ok(Self { id, patient, encounter, recorder, recorded_at, changed_by, changed_at, amendment: None, resource })
    }

    /// Makes of a record what it is to be.
    pub fn amend(
        &self,
        wanted: Wanted<R>,
        amendment: Option<Amendment>,
        by: Uuid,
        now: Timestamp,
    ) -> Result<Revision<R>, Refusal> {
        if self.resource.is_in_error() {
            return Err(Refusal::InError);
        }
        let kind = amendment.as_ref().map(|amendment| amendment.kind);
        let same = wanted.resource == self.resource && wanted.encounter == self.encounter;
        let resource = if kind == Some(AmendmentKind::EnteredInError) {
            if !same {
                let detail = "entered-in-error keeps the content: nothing else can be changed with it";
                return Err(Refusal::Broken(vec![Violation::at("/amendment/kind", detail)]));
            }
            self.resource.in_error()
        } else if same {
            return Ok(Revision::Unchanged);
        } else {
            let revised = self.resource.revised(wanted.resource, kind, now).map_err(Refusal::Broken)?;
            check(&revised)?;
            revised
        };
        let encounter = wanted.encounter;
        let next = Self { encounter, changed_by: by, changed_at: now, amendment, resource, ..self.clone() };
        Ok(Revision::Changed(Box::new(next)))
    }

    /// When it was so, as medicine sees it.
    pub fn time(&self) -> Timestamp {
        self.resource.terms().time.unwrap_or(self.recorded_at)
    }
}

fn check<R: Resource>(resource: &R) -> Result<(), Refusal> {
    let mut violations = resource.violations();
    if resource.is_in_error() {
        violations.push(Violation::at(R::STATUS, "entered-in-error is said by the kind of an amendment"));
    }
    if violations.is_empty() { Ok(()) } else { Err(Refusal::Broken(violations)) }
}

/// All codes of concepts.
fn codings<'a>(concepts: impl IntoIterator<Item = &'a CodeableConcept>) -> Vec<Coding> {
    concepts.into_iter().flat_map(|concept| concept.coding.clone()).collect()
}

/// The first instant of a moment that may be unknown.
fn instant(moment: Option<&Moment>) -> Option<Timestamp> {
    moment.map(Moment::from)
}

#[cfg(test)]
mod tests;

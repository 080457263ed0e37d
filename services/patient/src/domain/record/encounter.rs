//! A visit, from when it is planned to when it is over.
//!
//! <http://hl7.org/fhir/R4/encounter.html>

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{AmendmentKind, Reference, Resource, Terms, Violation, codings, condition::Condition};
use crate::domain::{
    appointment::AppointmentId,
    calendar::{ClinicId, PractitionerId},
    coding::{CodeableConcept, Coding},
    demographics::codes,
    moment::{Moment, Period},
};

codes! {
    /// <http://hl7.org/fhir/R4/valueset-encounter-status.html>
    EncounterStatus {
        /// Not begun.
        Planned = "planned",
        /// The patient is there.
        Arrived = "arrived",
        /// Somebody has looked how urgent it is.
        Triaged = "triaged",
        /// Going on.
        InProgress = "in-progress",
        /// The patient is away for a while.
        OnLeave = "onleave",
        /// Over.
        Finished = "finished",
        /// It did not come to it.
        Cancelled = "cancelled",
        /// It should not be there.
        EnteredInError = "entered-in-error",
    }
}

impl EncounterStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::Planned,
        Self::Arrived,
        Self::Triaged,
        Self::InProgress,
        Self::OnLeave,
        Self::Finished,
        Self::Cancelled,
        Self::EnteredInError,
    ];

    /// What an encounter may begin as.
    pub const FIRST: [Self; 3] = [Self::Planned, Self::Arrived, Self::InProgress];

    /// What may come next. To have been entered in error is no step but an amendment, and open to all of them.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Planned => &[Self::Arrived, Self::InProgress, Self::Cancelled],
            Self::Arrived => &[Self::Triaged, Self::InProgress, Self::Cancelled],
            Self::Triaged => &[Self::InProgress, Self::Cancelled],
            Self::InProgress => &[Self::OnLeave, Self::Finished],
            Self::OnLeave => &[Self::InProgress, Self::Finished],
            Self::Finished | Self::Cancelled | Self::EnteredInError => &[],
        }
    }
}

/// A status that is over, and how long it was so.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PastStatus {
    /// What it was.
    pub status: EncounterStatus,
    /// From when to when.
    pub period: Period,
}

/// What was found, for whom the encounter is charged to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// As a rule ICD-10-CM.
    pub code: Coding,
    /// The condition in the chart, if there is one.
    pub condition_id: Option<Uuid>,
}

/// What is to be charged.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceLine {
    /// What was done.
    pub code: Coding,
    /// What makes it more or less than usual.
    pub modifiers: Vec<String>,
    /// How many times.
    pub units: u32,
    /// What for: places in the list of diagnoses, counted from 1.
    pub diagnoses: Vec<u32>,
}

/// An encounter.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Encounter {
    /// How far it is.
    pub status: EncounterStatus,
    /// How long it is so.
    pub status_since: Option<Moment>,
    /// What it was before.
    pub status_history: Vec<PastStatus>,
    /// Ambulatory, emergency and the like.
    pub class: Coding,
    /// Of which sort.
    pub r#type: Vec<CodeableConcept>,
    /// Why the patient comes.
    pub reason_code: Vec<CodeableConcept>,
    /// Where.
    pub clinic_id: Uuid,
    /// With whom.
    pub practitioner_id: Option<Uuid>,
    /// The appointment that it comes of.
    pub appointment_id: Option<Uuid>,
    /// From when to when; what is not given follows from the steps.
    pub period: Option<Period>,
    /// What was found.
    pub diagnosis: Vec<Diagnosis>,
    /// What is to be charged.
    pub services: Vec<ServiceLine>,
}

/// <http://hl7.org/fhir/R4/v3/ActEncounterCode/vs.html>
pub const CLASS: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const CLASSES: [&str; 11] = ["AMB", "EMER", "FLD", "HH", "IMP", "ACUTE", "NONAC", "OBSENC", "PRENC", "SS", "VR"];

/// A professional claim has no room for more (837P).
const MODIFIERS: usize = 4;
const POINTERS: usize = 4;

impl Encounter {
    /// The encounter of an appointment whose patient is here.
    pub fn of_appointment(appointment: AppointmentId, clinic: ClinicId, practitioner: Option<PractitionerId>) -> Self {
        Self {
            status: EncounterStatus::Arrived,
            status_since: None,
            status_history: Vec::new(),
            class: Coding { system: CLASS.to_owned(), version: None, code: "AMB".to_owned(), display: None },
            r#type: Vec::new(),
            reason_code: Vec::new(),
            clinic_id: clinic.as_uuid(),
            practitioner_id: practitioner.map(PractitionerId::as_uuid),
            appointment_id: Some(appointment.as_uuid()),
            period: None,
            diagnosis: Vec::new(),
            services: Vec::new(),
        }
    }

    /// When it became what it is, for those who count.
    pub fn since(&self) -> Option<Timestamp> {
        self.status_since.as_ref().map(Moment::from)
    }

    fn service_violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        if self.services.is_empty() {
            return violations;
        }
        violations.extend(Violation::unless(
            self.status == EncounterStatus::Finished,
            "/services",
            "are given when the encounter is finished",
        ));
        violations.extend(Violation::unless(
            self.practitioner_id.is_some(),
            "/practitionerId",
            "is required where services are charged",
        ));
        for (index, line) in self.services.iter().enumerate() {
            let place = format!("/services/{index}");
            let known = line.diagnoses.iter().all(|&at| (1..=self.diagnosis.len()).contains(&(at as usize)));
            let shaped = |modifier: &String| modifier.len() == 2 && modifier.bytes().all(|b| b.is_ascii_alphanumeric());
            violations.extend(
                [
                    Violation::unless(
                        known,
                        format!("{place}/diagnoses"),
                        "must count in the list of diagnoses, from 1",
                    ),
                    Violation::unless(
                        line.diagnoses.len() <= POINTERS,
                        format!("{place}/diagnoses"),
                        "must have at most 4 items",
                    ),
                    Violation::unless(
                        line.modifiers.len() <= MODIFIERS && line.modifiers.iter().all(shaped),
                        format!("{place}/modifiers"),
                        "must be at most 4 modifiers of 2 letters or digits",
                    ),
                    Violation::unless(
                        (1..=999).contains(&line.units),
                        format!("{place}/units"),
                        "must be a number from 1 to 999",
                    ),
                ]
                .into_iter()
                .flatten(),
            );
        }
        violations
    }

    /// The times that follow from a step and were not given.
    fn timed(mut self, now: Timestamp) -> Self {
        let mut period = self.period.take().unwrap_or_default();
        let over = self.status == EncounterStatus::Finished;
        if period.start.is_none() && (over || self.status == EncounterStatus::InProgress) {
            period.start = Some(Moment::at(now));
        }
        if over && period.end.is_none() {
            period.end = Some(Moment::at(now));
        }
        self.period = Some(period).filter(|period| *period != Period::default());
        self
    }

    /// What may change with a step, without an amendment: what becomes known as the encounter goes on.
    fn with_step(&self, wanted: &Self) -> Self {
        Self {
            status: wanted.status,
            practitioner_id: wanted.practitioner_id,
            period: wanted.period.clone(),
            diagnosis: wanted.diagnosis.clone(),
            services: wanted.services.clone(),
            ..self.clone()
        }
    }
}

impl Resource for Encounter {
    const KEPT: &'static [&'static str] = &["statusSince", "statusHistory", "appointmentId"];
    const KIND: &'static str = "encounter";

    fn violations(&self) -> Vec<Violation> {
        let mut violations = self.service_violations();
        let fine = self.class.system != CLASS || CLASSES.contains(&&*self.class.code);
        let timed = self.period.as_ref().is_some_and(|period| period.start.is_some() && period.end.is_some());
        violations.extend(Violation::unless(
            timed || self.status != EncounterStatus::Finished,
            "/period",
            "needs start and end once the encounter is finished",
        ));
        violations.extend(Violation::unless(fine, "/class/code", "is not a class of encounter, such as AMB or EMER"));
        violations
    }

    fn status(&self) -> &'static str {
        self.status.code()
    }

    fn in_error(&self) -> Self {
        Self { status: EncounterStatus::EnteredInError, ..self.clone() }
    }

    fn terms(&self) -> Terms {
        let time = self.period.as_ref().and_then(Period::moment);
        Terms { codes: codings(&self.r#type), categories: vec![self.class.clone()], time }
    }

    fn references(&self) -> Vec<Reference> {
        let condition = |(index, diagnosis): (usize, &Diagnosis)| {
            let pointer = format!("/diagnosis/{index}/conditionId");
            Some(Reference { pointer, kind: Condition::KIND, id: diagnosis.condition_id? })
        };
        self.diagnosis.iter().enumerate().filter_map(condition).collect()
    }

    fn clinic(&self) -> Option<Uuid> {
        Some(self.clinic_id)
    }

    fn opened(self, now: Timestamp) -> Result<Self, Vec<Violation>> {
        if !EncounterStatus::FIRST.contains(&self.status) {
            return Err(vec![Violation::at("/status", "must be planned, arrived or in-progress at first")]);
        }
        Ok(Self { status_since: Some(Moment::at(now)), ..self.timed(now) })
    }

    /// A step needs no amendment; whatever else changes, and whatever changes once it is over, does.
    fn revised(&self, wanted: Self, amendment: Option<AmendmentKind>, now: Timestamp) -> Result<Self, Vec<Violation>> {
        if wanted.status == self.status {
            let fine = amendment.is_some();
            let violation = Violation::unless(fine, "/amendment", "is required unless the status alone moves on");
            return violation.map_or(Ok(wanted), |violation| Err(vec![violation]));
        }
        if !self.status.next().contains(&wanted.status) {
            let detail = "does not follow; see the table of states";
            return Err(vec![Violation::at("/status", detail)]);
        }
        if amendment.is_none() && self.with_step(&wanted) != wanted {
            return Err(vec![Violation::at("/amendment", "is required, since more than the step changes")]);
        }
        let period = Period { start: self.status_since.clone(), end: Some(Moment::at(now)) };
        let mut stepped = Self { status_since: Some(Moment::at(now)), ..wanted.timed(now) };
        stepped.status_history.push(PastStatus { status: self.status, period });
        Ok(stepped)
    }
}

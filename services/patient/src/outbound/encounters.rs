//! What others are told of an encounter.

use contracts::{
    patient::v1::{
        Code, EncounterFinished, EncounterSnapshot, EncounterStatus as Told, EncounterStep, ServiceLine as ToldLine,
    },
    topic,
};
use jiff::Timestamp;
use sidecar::{event::Event, failure::Failure, origin::Origin};
use uuid::Uuid;

use super::records;
use crate::{
    APP_ID,
    domain::{
        coding::Coding,
        moment::Moment,
        record::{
            Record,
            encounter::{Encounter, EncounterStatus, ServiceLine},
        },
    },
};

impl records::Told for Encounter {
    /// That it is over, and whatever is amended after that.
    fn told(
        record: &Record<Self>,
        before: Option<&Self>,
        version: u64,
        zone: Option<&str>,
    ) -> Result<Vec<Event>, Failure> {
        let is_over = |encounter: &Self| encounter.status == EncounterStatus::Finished;
        if !is_over(&record.resource) && !before.is_some_and(is_over) {
            return Ok(Vec::new());
        }
        let told = EncounterFinished { encounter: Some(snapshot(record, version, zone)) };
        let event = Event::new(
            topic::ENCOUNTER_FINISHED,
            APP_ID,
            record.id.as_uuid(),
            Uuid::now_v7(),
            record.changed_at,
            Some(Origin::current()),
            &told,
        );
        Ok(vec![event.map_err(|error| Failure::Bug(error.to_string()))?])
    }
}

fn snapshot(record: &Record<Encounter>, version: u64, zone: Option<&str>) -> EncounterSnapshot {
    let encounter = &record.resource;
    let text = |id: Option<Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    let moment = |moment: Option<&Moment>| moment.and_then(|moment| time(moment.from()));
    let period = encounter.period.as_ref();
    let past = encounter.status_history.iter().map(|past| EncounterStep {
        status: status(past.status).into(),
        start_time: moment(past.period.start.as_ref()),
        end_time: moment(past.period.end.as_ref()),
    });
    let present = EncounterStep {
        status: status(encounter.status).into(),
        start_time: encounter.since().and_then(time),
        end_time: None,
    };
    EncounterSnapshot {
        encounter_id: record.id.to_string(),
        version: i64::try_from(version).unwrap_or(i64::MAX),
        patient_id: record.patient.to_string(),
        clinic_id: encounter.clinic_id.to_string(),
        time_zone: zone.unwrap_or_default().to_owned(),
        practitioner_id: text(encounter.practitioner_id),
        appointment_id: text(encounter.appointment_id),
        status: status(encounter.status).into(),
        recorded_time: time(record.recorded_at),
        changed_time: time(record.changed_at),
        period_start: moment(period.and_then(|period| period.start.as_ref())),
        period_end: moment(period.and_then(|period| period.end.as_ref())),
        steps: past.chain([present]).collect(),
        diagnoses: encounter.diagnosis.iter().map(|diagnosis| code(&diagnosis.code)).collect(),
        services: encounter.services.iter().map(line).collect(),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a field of a message is optional")]
fn time(time: Timestamp) -> Option<contracts::Timestamp> {
    Some(contracts::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() })
}

fn code(coding: &Coding) -> Code {
    Code { system: coding.system.clone(), code: coding.code.clone() }
}

fn line(line: &ServiceLine) -> ToldLine {
    let number = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
    ToldLine {
        code: Some(code(&line.code)),
        modifiers: line.modifiers.clone(),
        units: number(line.units),
        diagnoses: line.diagnoses.iter().copied().map(number).collect(),
    }
}

fn status(status: EncounterStatus) -> Told {
    match status {
        EncounterStatus::Planned => Told::Planned,
        EncounterStatus::Arrived => Told::Arrived,
        EncounterStatus::Triaged => Told::Triaged,
        EncounterStatus::InProgress => Told::InProgress,
        EncounterStatus::OnLeave => Told::OnLeave,
        EncounterStatus::Finished => Told::Finished,
        EncounterStatus::Cancelled => Told::Cancelled,
        EncounterStatus::EnteredInError => Told::EnteredInError,
    }
}

//! What `patient` tells.

use contracts::patient::v1::{
    AdministrativeGender, AppointmentSnapshot, EncounterSnapshot, EncounterStatus, PatientSnapshot,
};
use uuid::Uuid;

use super::{Useless, moment, optional_id, optional_moment, zone_name};
use crate::domain::{
    fact::{AgeBand, AppointmentFact, EncounterFact, Fact, Gender, PatientFact, ServiceUnits, Unfit, Version, code},
    zone::ClinicZone,
};

/// Every event of a patient carries the same snapshot, so any of them can be the first.
pub(super) fn patient(snapshot: Option<PatientSnapshot>, zone: &ClinicZone) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    let gender = match snapshot.gender() {
        AdministrativeGender::Unspecified => None,
        AdministrativeGender::Male => Some(Gender::Male),
        AdministrativeGender::Female => Some(Gender::Female),
        AdministrativeGender::Other => Some(Gender::Other),
        AdministrativeGender::Unknown => Some(Gender::Unknown),
    };
    let age_band = Some(snapshot.age_band.as_str()).filter(|band| !band.is_empty());
    Ok(Fact::Patient(PatientFact {
        id: Uuid::parse_str(&snapshot.patient_id)?,
        version: Version::parse(snapshot.version)?,
        time_zone: zone.name().to_owned(),
        registered_at: moment(snapshot.registered_time)?,
        changed_at: moment(snapshot.changed_time)?,
        gender,
        age_band: age_band.map(AgeBand::parse).transpose()?,
        active: snapshot.active,
    }))
}

pub(super) fn appointment(snapshot: Option<AppointmentSnapshot>) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    let known: ClinicZone = snapshot.time_zone.parse().map_err(|_| Unfit::TimeZone)?;
    // Who did not come in by the front desk was there when they were checked in.
    let arrived = snapshot.arrived_time.or(snapshot.checked_in_time);
    Ok(Fact::Appointment(Box::new(AppointmentFact {
        id: Uuid::parse_str(&snapshot.appointment_id)?,
        version: Version::parse(snapshot.version)?,
        time_zone: known.name().to_owned(),
        clinic_id: Uuid::parse_str(&snapshot.clinic_id)?,
        practitioner_id: optional_id(&snapshot.practitioner_id)?,
        service_id: Uuid::parse_str(&snapshot.service_id)?,
        status: code(&snapshot.status)?,
        created_at: moment(snapshot.created_time)?,
        booked_at: optional_moment(snapshot.booked_time)?,
        start_at: optional_moment(snapshot.start_time)?,
        end_at: optional_moment(snapshot.end_time)?,
        arrived_at: optional_moment(arrived)?,
        started_at: optional_moment(snapshot.started_time)?,
        finished_at: optional_moment(snapshot.finished_time)?,
        cancelled_late: snapshot.cancelled_late,
        reschedules: snapshot.reschedules,
        waited: snapshot.requested_start_time.is_some(),
    })))
}

pub(super) fn encounter(snapshot: Option<EncounterSnapshot>, zone: &ClinicZone) -> Result<Fact, Useless> {
    let snapshot = snapshot.ok_or(Useless::Empty)?;
    let finished = snapshot.status() == EncounterStatus::Finished;
    let services = snapshot.services.into_iter().map(|line| {
        let of = line.code.ok_or(Unfit::Code)?;
        Ok(ServiceUnits { code: code(&of.code)?, units: line.units })
    });
    Ok(Fact::Encounter(Box::new(EncounterFact {
        id: Uuid::parse_str(&snapshot.encounter_id)?,
        version: Version::parse(snapshot.version)?,
        time_zone: zone_name(&snapshot.time_zone, zone)?,
        patient_id: Uuid::parse_str(&snapshot.patient_id)?,
        clinic_id: optional_id(&snapshot.clinic_id)?,
        practitioner_id: optional_id(&snapshot.practitioner_id)?,
        walk_in: snapshot.appointment_id.is_empty(),
        finished,
        started_at: moment(snapshot.period_start)?,
        services: services.collect::<Result<_, Unfit>>()?,
    })))
}

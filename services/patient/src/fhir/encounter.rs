//! <http://hl7.org/fhir/R4/encounter.html>, with what is to be charged.

use problem::input::{Findings, Object};
use serde_json::Value;

use super::datatypes::{CODE, Elements, MOST, all, coding, concepts, id, moment, period, positive, required};
use crate::domain::record::encounter::{Diagnosis, Encounter, EncounterStatus, PastStatus, ServiceLine};

impl Elements for Encounter {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        body.require("status", findings);
        let status = body.parsed("status", CODE, findings, EncounterStatus::parse);
        let status_since = moment(body, "statusSince", findings);
        let status_history = all(body, "statusHistory", findings, |object, findings| {
            let status = object.parsed("status", CODE, findings, EncounterStatus::parse);
            Some(PastStatus { status: status?, period: period(object, "period", findings)? })
        });
        let class = required(body, "class", findings, coding);
        let r#type = concepts(body, "type", findings);
        let reason_code = concepts(body, "reasonCode", findings);
        let clinic_id = required(body, "clinicId", findings, id);
        let practitioner_id = id(body, "practitionerId", findings);
        let appointment_id = id(body, "appointmentId", findings);
        let period = period(body, "period", findings);
        let diagnosis = all(body, "diagnosis", findings, |object, findings| {
            let code = required(object, "code", findings, coding);
            let condition_id = id(object, "conditionId", findings);
            Some(Diagnosis { code: code?, condition_id })
        });
        let services = all(body, "services", findings, service);
        let (status, class, clinic_id) = (status?, class?, clinic_id?);
        Some(Self {
            status,
            status_since,
            status_history,
            class,
            r#type,
            reason_code,
            clinic_id,
            practitioner_id,
            appointment_id,
            period,
            diagnosis,
            services,
        })
    }
}

fn service(object: &mut Object, findings: &mut Findings) -> Option<ServiceLine> {
    let code = required(object, "code", findings, coding);
    let modifiers = object.texts("modifiers", MOST, CODE, findings);
    let units = if object.has("units") { positive(object, "units", findings) } else { Some(1) };
    let diagnoses = places(object, findings);
    Some(ServiceLine { code: code?, modifiers, units: units?, diagnoses })
}

/// Places in the list of diagnoses.
fn places(object: &mut Object, findings: &mut Findings) -> Vec<u32> {
    let pointer = object.pointer("diagnoses");
    let Some(given) = object.take("diagnoses") else { return Vec::new() };
    let place = |value: &Value| value.as_u64().and_then(|place| u32::try_from(place).ok());
    let places = given.as_array().and_then(|items| items.iter().map(place).collect::<Option<Vec<_>>>());
    places.filter(|places| !places.is_empty()).unwrap_or_else(|| {
        findings.add(pointer, "must be a list of numbers that count from 1");
        Vec::new()
    })
}

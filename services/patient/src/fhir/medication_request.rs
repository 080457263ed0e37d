//! <http://hl7.org/fhir/R4/medicationrequest.html>

use problem::input::{Findings, Object};

use super::datatypes::{
    CODE, Elements, all, concept, concepts, count, decimal, moment, notes, one, period, positive, required,
    simple_quantity, words,
};
use crate::domain::record::medication_request::{
    DispenseRequest, Dosage, Dose, MedicationRequest, MedicationRequestIntent, MedicationRequestStatus, Priority,
    Repeat, Timing, UnitOfTime,
};

impl Elements for MedicationRequest {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        body.require("status", findings);
        let status = body.parsed("status", CODE, findings, MedicationRequestStatus::parse);
        let status_reason = concept(body, "statusReason", findings);
        body.require("intent", findings);
        let intent = body.parsed("intent", CODE, findings, MedicationRequestIntent::parse);
        let category = concepts(body, "category", findings);
        let priority = body.parsed("priority", CODE, findings, Priority::parse);
        let do_not_perform = body.boolean("doNotPerform", findings);
        let medication = required(body, "medicationCodeableConcept", findings, concept);
        let authored_on = moment(body, "authoredOn", findings);
        let reason_code = concepts(body, "reasonCode", findings);
        let dosage_instruction = all(body, "dosageInstruction", findings, dosage);
        let dispense_request = one(body, "dispenseRequest", findings, dispense_request);
        let note = notes(body, findings);
        let (status, intent, medication_codeable_concept) = (status?, intent?, medication?);
        Some(Self {
            status,
            status_reason,
            intent,
            category,
            priority,
            do_not_perform,
            medication_codeable_concept,
            authored_on,
            reason_code,
            dosage_instruction,
            dispense_request,
            note,
        })
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the reader of a list's items")]
fn dosage(object: &mut Object, findings: &mut Findings) -> Option<Dosage> {
    Some(Dosage {
        text: words(object, "text", findings),
        patient_instruction: words(object, "patientInstruction", findings),
        timing: one(object, "timing", findings, |object, findings| {
            let repeat = one(object, "repeat", findings, repeat);
            Some(Timing { repeat, code: concept(object, "code", findings) })
        }),
        as_needed_boolean: object.boolean("asNeededBoolean", findings),
        site: concept(object, "site", findings),
        route: concept(object, "route", findings),
        method: concept(object, "method", findings),
        dose_and_rate: all(object, "doseAndRate", findings, |object, findings| {
            let dose_quantity = required(object, "doseQuantity", findings, simple_quantity);
            dose_quantity.map(|dose_quantity| Dose { dose_quantity })
        }),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the reader of an object")]
fn repeat(object: &mut Object, findings: &mut Findings) -> Option<Repeat> {
    Some(Repeat {
        bounds_period: period(object, "boundsPeriod", findings),
        frequency: positive(object, "frequency", findings),
        period: decimal(object, "period", findings),
        period_unit: object.parsed("periodUnit", CODE, findings, UnitOfTime::parse),
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the reader of an object")]
fn dispense_request(object: &mut Object, findings: &mut Findings) -> Option<DispenseRequest> {
    Some(DispenseRequest {
        validity_period: period(object, "validityPeriod", findings),
        number_of_repeats_allowed: count(object, "numberOfRepeatsAllowed", findings),
        quantity: simple_quantity(object, "quantity", findings),
        expected_supply_duration: simple_quantity(object, "expectedSupplyDuration", findings),
    })
}

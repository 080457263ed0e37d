//! The invariants of FHIR R4 one by one, and what becomes of a record.

mod encounters;

use problem::input::{self, Findings};
use serde_json::{Value, json};

use super::{
    allergy_intolerance::AllergyIntolerance, condition::Condition, immunization::Immunization,
    medication_request::MedicationRequest, note::Note, observation::Observation, procedure::Procedure, *,
};
use crate::fhir::datatypes::Elements;

const ME: Uuid = Uuid::from_u128(7);

fn read<R: Elements>(json: Value) -> R {
    let mut findings = Findings::default();
    let mut object = input::object(json).unwrap();
    let resource = R::read(&mut object, &mut findings);
    object.finish(&mut findings);
    findings.into_result(resource).unwrap()
}

/// An object with some of its elements replaced, or taken away by `null`.
fn with(mut base: Value, changes: Value) -> Value {
    let (Value::Object(fields), Value::Object(changes)) = (&mut base, changes) else { return base };
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(&name);
        } else {
            fields.insert(name, change);
        }
    }
    base
}

fn broken<R: Elements>(json: Value) -> Vec<String> {
    read::<R>(json).violations().into_iter().map(|violation| violation.pointer).collect()
}

fn created<R: Elements>(json: Value) -> Result<Record<R>, Refusal> {
    let wanted = Wanted { encounter: None, resource: read(json) };
    Record::create(RecordId::new(Uuid::nil()), PatientId::new(Uuid::nil()), wanted, ME, Timestamp::UNIX_EPOCH)
}

fn amended<R: Elements>(record: &Record<R>, json: Value, kind: Option<&str>) -> Result<Revision<R>, Refusal> {
    let kind = kind.map(|kind| AmendmentKind::parse(kind).unwrap());
    let amendment = kind.map(|kind| Amendment { kind, reason: "because".to_owned() });
    let wanted = Wanted { encounter: None, resource: read(json) };
    record.amend(wanted, amendment, ME, Timestamp::from_second(60).unwrap())
}

fn changed<R: Elements>(record: &Record<R>, json: Value, kind: Option<&str>) -> Record<R> {
    match amended(record, json, kind) {
        Ok(Revision::Changed(record)) => *record,
        other => panic!("{other:?}"),
    }
}

fn refused<T: fmt::Debug>(answer: Result<T, Refusal>) -> Vec<String> {
    match answer {
        Err(Refusal::Broken(violations)) => violations.into_iter().map(|violation| violation.pointer).collect(),
        other => panic!("{other:?}"),
    }
}

fn loinc(code: &str) -> Value {
    json!({ "coding": [{ "system": "http://loinc.org", "code": code }] })
}

fn blood_pressure() -> Value {
    json!({
        "status": "final",
        "code": loinc("85354-9"),
        "component": [
            { "code": loinc("8480-6"), "valueQuantity": { "value": 120 } },
            { "code": loinc("8462-4"), "valueQuantity": { "value": 80 } },
        ],
    })
}

fn pulse() -> Value {
    json!({ "status": "final", "code": loinc("8867-4"), "valueQuantity": { "value": 72 } })
}

#[test]
fn obs_3_a_reference_range_needs_low_high_or_text() {
    for good in [json!({ "low": { "value": 60 } }), json!({ "high": { "value": 100 } }), json!({ "text": "none" })] {
        assert_eq!(broken::<Observation>(with(pulse(), json!({ "referenceRange": [good] }))), [""; 0]);
    }
    let nobody = json!({ "appliesTo": [{ "text": "adults" }] });
    let bad = with(pulse(), json!({ "referenceRange": [{ "text": "x" }, nobody] }));
    assert_eq!(broken::<Observation>(bad), ["/referenceRange/1"]);
    let mut bad = blood_pressure();
    bad["component"][1]["referenceRange"] = json!([{ "type": { "text": "normal" } }]);
    assert_eq!(broken::<Observation>(bad), ["/component/1/referenceRange/0"]);
    let upside_down = json!([{ "low": { "value": 100 }, "high": { "value": 60 } }]);
    assert_eq!(
        broken::<Observation>(with(pulse(), json!({ "referenceRange": upside_down }))),
        ["/referenceRange/0/low"]
    );
}

#[test]
fn obs_6_a_reason_for_no_value_is_only_where_there_is_none() {
    let reason = json!({ "dataAbsentReason": { "text": "refused" } });
    let absent = with(with(pulse(), json!({ "valueQuantity": null })), reason.clone());
    assert_eq!(broken::<Observation>(absent), [""; 0]);
    assert_eq!(broken::<Observation>(with(pulse(), reason)), ["/dataAbsentReason"]);
    let mut bad = blood_pressure();
    bad["component"][0]["dataAbsentReason"] = json!({ "text": "refused" });
    assert_eq!(broken::<Observation>(bad), ["/component/0/dataAbsentReason"]);
}

#[test]
fn obs_7_a_component_with_the_observations_own_code_leaves_no_value_to_it() {
    assert_eq!(broken::<Observation>(blood_pressure()), [""; 0]);
    let own = with(blood_pressure(), json!({ "valueQuantity": { "value": 1 } }));
    assert_eq!(broken::<Observation>(own.clone()), [""; 0], "a value beside components of other codes");
    let same = with(own, json!({ "code": loinc("8462-4") }));
    assert_eq!(broken::<Observation>(same.clone()), ["/component/1/code"]);
    assert_eq!(broken::<Observation>(with(same, json!({ "valueQuantity": null }))), [""; 0]);
}

#[test]
fn an_interpretation_is_a_code_of_its_system() {
    let system = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation";
    let of = |system: &str, code: &str| {
        let coding = json!({ "coding": [{ "system": system, "code": code }] });
        broken::<Observation>(with(pulse(), json!({ "interpretation": [coding] })))
    };
    assert_eq!(of(system, "HH"), [""; 0]);
    assert_eq!(of("urn:clinic", "very high"), [""; 0]);
    assert_eq!(of(system, "HIGH"), ["/interpretation/0/coding/0/code"]);
}

fn concept(system: &str, code: &str) -> Value {
    json!({ "coding": [{ "system": system, "code": code }] })
}

fn diabetes() -> Value {
    json!({
        "clinicalStatus": concept(condition::CLINICAL, "active"),
        "verificationStatus": concept(condition::VERIFICATION, "confirmed"),
        "category": [concept("http://terminology.hl7.org/CodeSystem/condition-category", "problem-list-item")],
        "code": concept("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"),
    })
}

#[test]
fn con_3_an_item_of_the_problem_list_has_a_clinical_status() {
    assert_eq!(broken::<Condition>(diabetes()), [""; 0]);
    let without = with(diabetes(), json!({ "clinicalStatus": null }));
    assert_eq!(broken::<Condition>(without.clone()), ["/clinicalStatus"]);
    let diagnosis = concept("http://terminology.hl7.org/CodeSystem/condition-category", "encounter-diagnosis");
    assert_eq!(broken::<Condition>(with(without, json!({ "category": [diagnosis] }))), [""; 0]);
}

#[test]
fn con_4_what_has_abated_is_not_active() {
    for (status, fine) in [
        ("inactive", true),
        ("remission", true),
        ("resolved", true),
        ("active", false),
        ("recurrence", false),
        ("relapse", false),
    ] {
        let status = concept(condition::CLINICAL, status);
        let over = json!({ "clinicalStatus": status, "abatementDateTime": "2026-05" });
        assert_eq!(broken::<Condition>(with(diabetes(), over)).is_empty(), fine, "{status}");
    }
    let unknown = json!({ "clinicalStatus": null, "category": null, "abatementString": "long ago" });
    assert_eq!(broken::<Condition>(with(diabetes(), unknown)), ["/clinicalStatus"]);
}

#[test]
fn con_5_what_was_entered_in_error_has_no_clinical_status() {
    let wrong = json!({ "verificationStatus": concept(condition::VERIFICATION, "entered-in-error") });
    assert_eq!(broken::<Condition>(with(diabetes(), wrong.clone())), ["/clinicalStatus"]);
    assert_eq!(broken::<Condition>(with(with(diabetes(), wrong), json!({ "clinicalStatus": null }))), [""; 0]);
    let record = created::<Condition>(diabetes()).unwrap();
    let in_error = changed(&record, diabetes(), Some("entered-in-error")).resource;
    assert!(in_error.violations().is_empty() && in_error.is_in_error());
    assert_eq!(in_error.code, record.resource.code, "the content stays");
}

fn penicillin() -> Value {
    json!({
        "clinicalStatus": concept(allergy_intolerance::CLINICAL, "active"),
        "verificationStatus": concept(allergy_intolerance::VERIFICATION, "confirmed"),
        "category": ["medication"],
        "code": { "text": "penicillin" },
    })
}

#[test]
fn ait_1_an_allergy_has_a_clinical_status() {
    assert_eq!(broken::<AllergyIntolerance>(penicillin()), [""; 0]);
    let without = json!({ "clinicalStatus": null });
    assert_eq!(broken::<AllergyIntolerance>(with(penicillin(), without.clone())), ["/clinicalStatus"]);
    let unverified = with(with(penicillin(), without), json!({ "verificationStatus": null }));
    assert_eq!(broken::<AllergyIntolerance>(unverified), ["/clinicalStatus"]);
}

#[test]
fn ait_2_an_allergy_that_was_entered_in_error_has_no_clinical_status() {
    let wrong = json!({ "verificationStatus": concept(allergy_intolerance::VERIFICATION, "entered-in-error") });
    assert_eq!(broken::<AllergyIntolerance>(with(penicillin(), wrong)), ["/clinicalStatus"]);
    let record = created::<AllergyIntolerance>(penicillin()).unwrap();
    let in_error = changed(&record, penicillin(), Some("entered-in-error")).resource;
    assert!(in_error.violations().is_empty() && in_error.is_in_error());
}

#[test]
fn a_reaction_has_a_manifestation() {
    let good = json!({ "reaction": [{ "manifestation": [{ "text": "rash" }], "severity": "mild" }] });
    assert_eq!(broken::<AllergyIntolerance>(with(penicillin(), good)), [""; 0]);
    let bad = json!({ "reaction": [{ "severity": "mild" }] });
    assert_eq!(broken::<AllergyIntolerance>(with(penicillin(), bad)), ["/reaction/0/manifestation"]);
}

#[test]
fn imm_1_what_the_patient_was_told_has_a_type_or_an_address() {
    let shot = json!({ "status": "completed", "vaccineCode": { "text": "flu" }, "occurrenceDateTime": "2026-10-01" });
    for good in [json!({ "documentType": "253088698300010311120702" }), json!({ "reference": "http://x.example/vis" })]
    {
        assert_eq!(broken::<Immunization>(with(shot.clone(), json!({ "education": [good] }))), [""; 0]);
    }
    let bad = json!({ "education": [{ "presentationDate": "2026-10-01" }] });
    assert_eq!(broken::<Immunization>(with(shot, bad)), ["/education/0"]);
}

fn prescription(repeat: &Value) -> Value {
    json!({
        "status": "active",
        "intent": "order",
        "medicationCodeableConcept": { "text": "metformin 500 mg" },
        "dosageInstruction": [{ "timing": { "repeat": repeat } }],
    })
}

#[test]
fn tim_2_a_period_has_a_unit() {
    let good = json!({ "frequency": 2, "period": 1, "periodUnit": "d" });
    assert_eq!(broken::<MedicationRequest>(prescription(&good)), [""; 0]);
    let bad = json!({ "frequency": 2, "period": 1 });
    let pointer = "/dosageInstruction/0/timing/repeat/periodUnit";
    assert_eq!(broken::<MedicationRequest>(prescription(&bad)), [pointer]);
}

#[test]
fn tim_5_a_period_is_not_negative() {
    let bad = json!({ "period": -1, "periodUnit": "d" });
    assert_eq!(broken::<MedicationRequest>(prescription(&bad)), ["/dosageInstruction/0/timing/repeat/period"]);
}

#[test]
fn a_procedure_that_was_done_has_no_reason_why_not() {
    let of = |status| json!({ "status": status, "code": { "text": "biopsy" }, "statusReason": { "text": "refused" } });
    assert_eq!(broken::<Procedure>(of("not-done")), [""; 0]);
    assert_eq!(broken::<Procedure>(of("completed")), ["/statusReason"]);
}

#[test]
fn an_amendment_is_required_and_says_what_became_of_what_was_final() {
    let record = created::<Observation>(pulse()).unwrap();
    let faster = with(pulse(), json!({ "valueQuantity": { "value": 80 } }));
    assert_eq!(refused(amended(&record, faster.clone(), None)), ["/amendment"]);
    for (kind, status) in [("amended", "amended"), ("corrected", "corrected")] {
        let next = changed(&record, faster.clone(), Some(kind));
        assert_eq!((next.resource.status(), next.recorded_at), (status, Timestamp::UNIX_EPOCH));
        assert_eq!(next.amendment.unwrap().kind.code(), kind);
    }
    let by_hand = with(faster.clone(), json!({ "status": "corrected" }));
    assert_eq!(refused(amended(&record, by_hand, Some("amended"))), ["/status"]);
    assert_eq!(amended(&record, pulse(), Some("amended")), Ok(Revision::Unchanged));

    let preliminary = created::<Observation>(with(pulse(), json!({ "status": "preliminary" }))).unwrap();
    assert_eq!(changed(&preliminary, pulse(), Some("amended")).resource.status(), "final");
    let early = with(pulse(), json!({ "status": "amended" }));
    assert_eq!(refused(amended(&preliminary, early, Some("amended"))), ["/status"]);
}

#[test]
fn a_note_that_was_final_is_amended() {
    let note = json!({ "status": "final", "type": loinc("34109-9"), "text": "well\nand good" });
    let record = created::<Note>(note.clone()).unwrap();
    let other = with(note.clone(), json!({ "text": "not well" }));
    for kind in ["amended", "corrected"] {
        assert_eq!(changed(&record, other.clone(), Some(kind)).resource.status(), "amended");
    }
    let draft = created::<Note>(with(note.clone(), json!({ "status": "preliminary" }))).unwrap();
    assert_eq!(changed(&draft, note, Some("amended")).resource.status(), "final");
}

#[test]
fn what_was_entered_in_error_keeps_its_content_and_never_changes_again() {
    let record = created::<Observation>(pulse()).unwrap();
    let faster = with(pulse(), json!({ "valueQuantity": { "value": 80 } }));
    assert_eq!(refused(amended(&record, faster, Some("entered-in-error"))), ["/amendment/kind"]);
    let in_error = changed(&record, pulse(), Some("entered-in-error"));
    assert_eq!(in_error.resource.finding, record.resource.finding);
    for kind in ["amended", "corrected", "entered-in-error"] {
        assert_eq!(amended(&in_error, pulse(), Some(kind)), Err(Refusal::InError));
    }
}

#[test]
fn nothing_is_put_into_a_chart_that_is_in_error_from_the_start() {
    let wrong = with(pulse(), json!({ "status": "entered-in-error" }));
    assert_eq!(refused(created::<Observation>(wrong.clone())), ["/status"]);
    let record = created::<Observation>(with(pulse(), json!({ "status": "preliminary" }))).unwrap();
    assert_eq!(refused(amended(&record, wrong, Some("amended"))), ["/status"]);
}

#[test]
fn a_record_is_found_by_its_time_codes_and_categories() {
    let at = json!({ "effectiveDateTime": "2026-11-25T09:30:00+01:00", "category": [concept("urn:c", "vital-signs")] });
    let record = created::<Observation>(with(blood_pressure(), at)).unwrap();
    assert_eq!(record.time().to_string(), "2026-11-25T08:30:00Z");
    let terms = record.resource.terms();
    let codes: Vec<_> = terms.codes.iter().map(|coding| coding.code.as_str()).collect();
    assert_eq!((codes, &*terms.categories[0].code), (vec!["85354-9", "8480-6", "8462-4"], "vital-signs"));
    assert_eq!(created::<Observation>(pulse()).unwrap().time(), Timestamp::UNIX_EPOCH, "when it was recorded");
}

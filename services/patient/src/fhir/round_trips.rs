//! What is read is written alike, for each kind of record; and what is wrong has its pointer.

use problem::{
    Problem,
    input::{self, Findings},
};
use serde_json::{Map, Value, json};

use super::{datatypes::Elements, exact};
use crate::domain::record::{
    allergy_intolerance::AllergyIntolerance, condition::Condition, encounter::Encounter, immunization::Immunization,
    medication_request::MedicationRequest, note::Note, observation::Observation, procedure::Procedure,
};

fn read<R: Elements>(fields: Map<String, Value>) -> Result<R, Problem> {
    let mut findings = Findings::default();
    let mut object = input::object(fields.into()).unwrap();
    let resource = R::read(&mut object, &mut findings);
    object.finish(&mut findings);
    findings.into_result(resource)
}

/// Through text, as it comes and goes.
fn comes_back<R: Elements>(json: &str) {
    let given = exact::read(json.as_bytes()).unwrap();
    let resource: R = read(given.clone()).unwrap();
    let written = exact::write(&exact::fields(&resource).unwrap()).unwrap();
    assert_eq!(exact::read(written.get().as_bytes()).unwrap(), given, "{}", R::KIND);
}

fn wrong<R: Elements>(json: Value) -> Vec<String> {
    let Value::Object(fields) = json else { panic!("no object") };
    read::<R>(fields).unwrap_err().errors.into_iter().map(|error| error.pointer).collect()
}

#[test]
fn an_observation_comes_back_with_every_digit() {
    comes_back::<Observation>(
        r#"{"status":"final",
            "category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs","display":"Vital Signs"}]}],
            "code":{"coding":[{"system":"http://loinc.org","version":"2.78","code":"29463-7"}],"text":"Body weight"},
            "effectiveDateTime":"2026-11-25T09:30:00+01:00",
            "valueQuantity":{"value":72.50,"comparator":"<=","unit":"kg","system":"http://unitsofmeasure.org","code":"kg"},
            "interpretation":[{"text":"normal"}],
            "note":[{"text":"with clothes\nand shoes"}],
            "bodySite":{"text":"all"},"method":{"text":"scales"},
            "referenceRange":[{"low":{"value":50.0},"high":{"value":100},"type":{"text":"normal"},"appliesTo":[{"text":"adults"}],"text":"50 to 100"}],
            "component":[{"code":{"text":"shoes"},"valueQuantity":{"value":0.90}},
                         {"code":{"text":"hat"},"dataAbsentReason":{"text":"none"}}]}"#,
    );
    for value in [
        r#""valueCodeableConcept":{"text":"red"}"#,
        r#""valueString":"red""#,
        r#""valueBoolean":false"#,
        r#""valueInteger":-3"#,
        r#""valueRange":{"low":{"value":1.10}}"#,
        r#""valueDateTime":"2026-11""#,
        r#""valuePeriod":{"start":"2026-11"}"#,
        r#""effectivePeriod":{"start":"2026-11","end":"2026-12"}"#,
    ] {
        comes_back::<Observation>(&format!(r#"{{"status":"final","code":{{"text":"x"}},{value}}}"#));
    }
}

#[test]
fn a_condition_comes_back() {
    comes_back::<Condition>(
        r#"{"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"resolved"}]},
            "verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"confirmed"}]},
            "category":[{"text":"problem"}],"severity":{"text":"mild"},
            "code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"},{"system":"http://snomed.info/sct","code":"44054006"}]},
            "bodySite":[{"text":"all"}],"onsetDateTime":"2019","abatementString":"when the weight went","note":[{"text":"x"}]}"#,
    );
    for time in [r#""onsetString":"x""#, r#""onsetPeriod":{"end":"2020"},"abatementPeriod":{"start":"2021"}"#] {
        comes_back::<Condition>(&format!(r#"{{"code":{{"text":"x"}},{time}}}"#));
    }
}

#[test]
fn an_allergy_comes_back() {
    comes_back::<AllergyIntolerance>(
        r#"{"clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"active"}]},
            "verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification","code":"unconfirmed"}]},
            "type":"allergy","category":["medication","food"],"criticality":"unable-to-assess",
            "code":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"7980"}]},
            "onsetDateTime":"2001","lastOccurrence":"2026-01-02",
            "reaction":[{"substance":{"text":"a"},"manifestation":[{"text":"b"}],"description":"c","onset":"2001","severity":"severe","exposureRoute":{"text":"d"}}],
            "note":[{"text":"x"}]}"#,
    );
}

#[test]
fn a_medication_request_comes_back() {
    comes_back::<MedicationRequest>(
        r#"{"status":"active","statusReason":{"text":"a"},"intent":"order","category":[{"text":"b"}],"priority":"stat","doNotPerform":false,
            "medicationCodeableConcept":{"coding":[{"system":"http://www.nlm.nih.gov/research/umls/rxnorm","code":"861007"}]},
            "authoredOn":"2026-11-25","reasonCode":[{"text":"c"}],
            "dosageInstruction":[{"text":"one","patientInstruction":"with food",
              "timing":{"repeat":{"boundsPeriod":{"start":"2026-11-25"},"frequency":2,"period":1.50,"periodUnit":"d"},"code":{"text":"BID"}},
              "asNeededBoolean":true,"site":{"text":"d"},"route":{"text":"e"},"method":{"text":"f"},"doseAndRate":[{"doseQuantity":{"value":0.50,"unit":"mg"}}]}],
            "dispenseRequest":{"validityPeriod":{"end":"2027"},"numberOfRepeatsAllowed":0,"quantity":{"value":60},"expectedSupplyDuration":{"value":30,"unit":"d"}},
            "note":[{"text":"x"}]}"#,
    );
}

#[test]
fn an_immunization_comes_back() {
    comes_back::<Immunization>(
        r#"{"status":"completed","statusReason":{"text":"a"},"vaccineCode":{"coding":[{"system":"http://hl7.org/fhir/sid/cvx","code":"08"}]},
            "occurrenceDateTime":"2026-10-01","primarySource":true,"lotNumber":"EL9262","expirationDate":"2027-01",
            "site":{"text":"b"},"route":{"text":"c"},"doseQuantity":{"value":0.30,"system":"http://unitsofmeasure.org","code":"mL"},
            "reasonCode":[{"text":"d"}],"education":[{"documentType":"e","reference":"f","publicationDate":"2020","presentationDate":"2026"}],
            "protocolApplied":[{"series":"g","targetDisease":[{"text":"h"}],"doseNumberPositiveInt":1,"seriesDosesPositiveInt":3}],"note":[{"text":"x"}]}"#,
    );
    comes_back::<Immunization>(r#"{"status":"not-done","vaccineCode":{"text":"flu"},"occurrenceString":"as a child"}"#);
}

#[test]
fn a_procedure_comes_back() {
    comes_back::<Procedure>(
        r#"{"status":"not-done","statusReason":{"text":"a"},"category":{"text":"b"},"code":{"text":"c"},"performedString":"never",
            "reasonCode":[{"text":"d"}],"bodySite":[{"text":"e"}],"outcome":{"text":"f"},"complication":[{"text":"g"}],"followUp":[{"text":"h"}],"note":[{"text":"x"}]}"#,
    );
    for time in [r#""performedDateTime":"2026""#, r#""performedPeriod":{"start":"2026"}"#] {
        comes_back::<Procedure>(&format!(r#"{{"status":"completed","code":{{"text":"x"}},{time}}}"#));
    }
}

#[test]
fn a_note_and_an_encounter_come_back() {
    comes_back::<Note>(
        r#"{"status":"preliminary","type":{"text":"a"},"category":[{"text":"b"}],"title":"c","date":"2026-11-25","text":"d\n\te"}"#,
    );
    comes_back::<Encounter>(
        r#"{"status":"finished","statusSince":"2026-11-25T10:00:00Z",
            "statusHistory":[{"status":"in-progress","period":{"start":"2026-11-25T09:30:00Z","end":"2026-11-25T10:00:00Z"}}],
            "class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"AMB"},"type":[{"text":"a"}],"reasonCode":[{"text":"b"}],
            "clinicId":"0197a1b2-7c11-7000-8000-000000000001","practitionerId":"0197a1b2-7c11-7000-8000-000000000002","appointmentId":"0197a1b2-7c11-7000-8000-000000000003",
            "period":{"start":"2026-11-25T09:30:00Z","end":"2026-11-25T10:00:00Z"},
            "diagnosis":[{"code":{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"E11.9"},"conditionId":"0197a1b2-7c11-7000-8000-000000000004"}],
            "services":[{"code":{"system":"urn:cpt","code":"99213"},"modifiers":["25"],"units":2,"diagnoses":[1]}]}"#,
    );
}

#[test]
fn every_wrong_element_has_its_pointer() {
    let found = wrong::<Observation>(json!({
        "status": "done",
        "code": { "coding": [{ "system": "http://loinc.org", "code": "8480-5" }, { "system": "loinc", "code": "x" }, {}] },
        "valueQuantity": { "value": "72.5", "code": "kg" },
        "valueString": "",
        "effectiveDateTime": "yesterday",
        "effectivePeriod": { "start": "2026-12", "end": "2026-11" },
        "component": [{ "valueInteger": 1.5 }, 7],
        "referenceRange": [{ "low": { "value": 1, "comparator": "<" } }],
        "note": [{ "text": "a\u{0}b" }],
        "interpretation": [{}],
        "shoeSize": 41,
    }));
    assert_eq!(
        found,
        [
            "/status",
            "/code/coding/0/code",
            "/code/coding/1/system",
            "/code/coding/2/system",
            "/code/coding/2/code",
            "/valueString",
            "/valueQuantity/value",
            "/valueString",
            "/interpretation/0/coding",
            "/referenceRange/0/low/comparator",
            "/effectivePeriod",
            "/effectiveDateTime",
            "/effectivePeriod/end",
            "/note/0/text",
            "/component/1",
            "/component/0/code",
            "/component/0/valueInteger",
            "/shoeSize",
        ]
    );
}

#[test]
fn what_is_required_is_missed() {
    assert_eq!(wrong::<Observation>(json!({})), ["/status", "/code"]);
    assert_eq!(wrong::<Condition>(json!({})), ["/code"]);
    assert_eq!(wrong::<AllergyIntolerance>(json!({})), ["/code"]);
    assert_eq!(wrong::<MedicationRequest>(json!({})), ["/status", "/intent", "/medicationCodeableConcept"]);
    assert_eq!(wrong::<Immunization>(json!({})), ["/status", "/vaccineCode", "/occurrenceDateTime"]);
    assert_eq!(wrong::<Procedure>(json!({})), ["/status", "/code"]);
    assert_eq!(wrong::<Note>(json!({})), ["/status", "/type", "/text"]);
    assert_eq!(wrong::<Encounter>(json!({})), ["/status", "/class", "/clinicId"]);
}

#[test]
fn a_closed_set_is_told_by_its_system() {
    let status = |system: &str, code: &str| json!({ "code": { "text": "x" }, "clinicalStatus": { "coding": [{ "system": system, "code": code }] } });
    let system = "http://terminology.hl7.org/CodeSystem/condition-clinical";
    assert_eq!(wrong::<Condition>(status("urn:other", "active")), ["/clinicalStatus/coding"]);
    assert_eq!(wrong::<Condition>(status(system, "away")), ["/clinicalStatus/coding/0/code"]);
}

//! <http://hl7.org/fhir/R4/observation.html>

use problem::input::{Findings, Object};

use super::datatypes::{
    CODE, Elements, PROSE, all, boolean, choice, concept, concepts, integer, moment, notes, period, quantity, range,
    required, simple_quantity, words,
};
use crate::domain::record::observation::{
    Effective, Finding, Observation, ObservationStatus, ObservationValue, ReferenceRange,
};

impl Elements for Observation {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        body.require("status", findings);
        let status = body.parsed("status", CODE, findings, ObservationStatus::parse);
        let category = concepts(body, "category", findings);
        let finding = finding(body, findings);
        let effective = choice(
            body,
            &[
                ("effectiveDateTime", |o, n, f| moment(o, n, f).map(Effective::DateTime)),
                ("effectivePeriod", |o, n, f| period(o, n, f).map(Effective::Period)),
            ],
            findings,
        );
        let body_site = concept(body, "bodySite", findings);
        let method = concept(body, "method", findings);
        let note = notes(body, findings);
        let component = all(body, "component", findings, self::finding);
        Some(Self { status: status?, category, finding: finding?, effective, body_site, method, note, component })
    }
}

fn finding(object: &mut Object, findings: &mut Findings) -> Option<Finding> {
    use ObservationValue as V;
    let code = required(object, "code", findings, concept);
    let value = choice(
        object,
        &[
            ("valueQuantity", |o, n, f| quantity(o, n, f).map(V::Quantity)),
            ("valueCodeableConcept", |o, n, f| concept(o, n, f).map(V::Concept)),
            ("valueString", |o, n, f| words(o, n, f).map(V::Text)),
            ("valueBoolean", |o, n, f| boolean(o, n, f).map(V::Boolean)),
            ("valueInteger", |o, n, f| integer(o, n, f).map(V::Integer)),
            ("valueRange", |o, n, f| range(o, n, f).map(V::Range)),
            ("valueDateTime", |o, n, f| moment(o, n, f).map(V::DateTime)),
            ("valuePeriod", |o, n, f| period(o, n, f).map(V::Period)),
        ],
        findings,
    );
    let data_absent_reason = concept(object, "dataAbsentReason", findings);
    let interpretation = concepts(object, "interpretation", findings);
    let reference_range = all(object, "referenceRange", findings, reference_range);
    Some(Finding { code: code?, value, data_absent_reason, interpretation, reference_range })
}

/// `obs-3`, that one of three is there, is the domain's.
#[expect(clippy::unnecessary_wraps, reason = "the reader of a list's items")]
fn reference_range(object: &mut Object, findings: &mut Findings) -> Option<ReferenceRange> {
    Some(ReferenceRange {
        low: simple_quantity(object, "low", findings),
        high: simple_quantity(object, "high", findings),
        r#type: concept(object, "type", findings),
        applies_to: concepts(object, "appliesTo", findings),
        text: object.text("text", PROSE, findings),
    })
}

//! <http://hl7.org/fhir/R4/immunization.html>

use problem::input::{Findings, Object};

use super::datatypes::{
    CODE, Elements, LINE, all, choice, concept, concepts, moment, notes, positive, required, simple_quantity, words,
};
use crate::domain::record::immunization::{Education, Immunization, ImmunizationStatus, Occurrence, Protocol};

impl Elements for Immunization {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        body.require("status", findings);
        let status = body.parsed("status", CODE, findings, ImmunizationStatus::parse);
        let status_reason = concept(body, "statusReason", findings);
        let vaccine_code = required(body, "vaccineCode", findings, concept);
        if !body.has("occurrenceString") {
            body.require("occurrenceDateTime", findings);
        }
        let occurrence = choice(
            body,
            &[
                ("occurrenceDateTime", |o, n, f| moment(o, n, f).map(Occurrence::DateTime)),
                ("occurrenceString", |o, n, f| words(o, n, f).map(Occurrence::Text)),
            ],
            findings,
        );
        let primary_source = body.boolean("primarySource", findings);
        let lot_number = body.text("lotNumber", CODE, findings);
        let expiration_date = moment(body, "expirationDate", findings);
        let site = concept(body, "site", findings);
        let route = concept(body, "route", findings);
        let dose_quantity = simple_quantity(body, "doseQuantity", findings);
        let reason_code = concepts(body, "reasonCode", findings);
        let education = all(body, "education", findings, education);
        let protocol_applied = all(body, "protocolApplied", findings, protocol);
        let note = notes(body, findings);
        let (status, vaccine_code, occurrence) = (status?, vaccine_code?, occurrence?);
        Some(Self {
            status,
            status_reason,
            vaccine_code,
            occurrence,
            primary_source,
            lot_number,
            expiration_date,
            site,
            route,
            dose_quantity,
            reason_code,
            education,
            protocol_applied,
            note,
        })
    }
}

/// `imm-1`, that it says which paper it was, is the domain's.
#[expect(clippy::unnecessary_wraps, reason = "the reader of a list's items")]
fn education(object: &mut Object, findings: &mut Findings) -> Option<Education> {
    Some(Education {
        document_type: object.text("documentType", LINE, findings),
        reference: object.text("reference", LINE, findings),
        publication_date: moment(object, "publicationDate", findings),
        presentation_date: moment(object, "presentationDate", findings),
    })
}

fn protocol(object: &mut Object, findings: &mut Findings) -> Option<Protocol> {
    let series = object.text("series", LINE, findings);
    let target_disease = concepts(object, "targetDisease", findings);
    let dose_number_positive_int = required(object, "doseNumberPositiveInt", findings, positive);
    let series_doses_positive_int = positive(object, "seriesDosesPositiveInt", findings);
    let dose_number_positive_int = dose_number_positive_int?;
    Some(Protocol { series, target_disease, dose_number_positive_int, series_doses_positive_int })
}

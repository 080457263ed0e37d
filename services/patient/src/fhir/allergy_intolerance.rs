//! <http://hl7.org/fhir/R4/allergyintolerance.html>

use problem::input::{Findings, Object};

use super::datatypes::{CODE, Elements, MOST, all, closed, concept, concepts, moment, notes, required, words};
use crate::domain::record::allergy_intolerance::{
    AllergyCategory, AllergyIntolerance, AllergyStatus, AllergyType, AllergyVerification, CLINICAL, Criticality,
    Reaction, ReactionSeverity, VERIFICATION,
};

impl Elements for AllergyIntolerance {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        let clinical_status = closed(body, "clinicalStatus", findings, CLINICAL, AllergyStatus::parse);
        let verification_status =
            closed(body, "verificationStatus", findings, VERIFICATION, AllergyVerification::parse);
        let r#type = body.parsed("type", CODE, findings, AllergyType::parse);
        let category = categories(body, findings);
        let criticality = body.parsed("criticality", CODE, findings, Criticality::parse);
        let code = required(body, "code", findings, concept);
        let onset_date_time = moment(body, "onsetDateTime", findings);
        let last_occurrence = moment(body, "lastOccurrence", findings);
        let reaction = all(body, "reaction", findings, reaction);
        let note = notes(body, findings);
        let code = code?;
        Some(Self {
            clinical_status,
            verification_status,
            r#type,
            category,
            criticality,
            code,
            onset_date_time,
            last_occurrence,
            reaction,
            note,
        })
    }
}

fn categories(body: &mut Object, findings: &mut Findings) -> Vec<AllergyCategory> {
    let pointer = body.pointer("category");
    let codes = body.texts("category", MOST, CODE, findings);
    let parsed = codes.iter().enumerate().filter_map(|(index, code)| {
        AllergyCategory::parse(code).map_err(|detail| findings.add(format!("{pointer}/{index}"), detail)).ok()
    });
    parsed.collect()
}

/// That a reaction has a manifestation is the domain's.
#[expect(clippy::unnecessary_wraps, reason = "the reader of a list's items")]
fn reaction(object: &mut Object, findings: &mut Findings) -> Option<Reaction> {
    Some(Reaction {
        substance: concept(object, "substance", findings),
        manifestation: concepts(object, "manifestation", findings),
        description: words(object, "description", findings),
        onset: moment(object, "onset", findings),
        severity: object.parsed("severity", CODE, findings, ReactionSeverity::parse),
        exposure_route: concept(object, "exposureRoute", findings),
    })
}

//! <http://hl7.org/fhir/R4/condition.html>

use problem::input::{Findings, Object};

use super::datatypes::{Elements, choice, closed, concept, concepts, moment, notes, period, required, words};
use crate::domain::record::condition::{
    Abatement, CLINICAL, ClinicalStatus, Condition, ConditionVerification, Onset, VERIFICATION,
};

impl Elements for Condition {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        let clinical_status = closed(body, "clinicalStatus", findings, CLINICAL, ClinicalStatus::parse);
        let verification_status =
            closed(body, "verificationStatus", findings, VERIFICATION, ConditionVerification::parse);
        let category = concepts(body, "category", findings);
        let severity = concept(body, "severity", findings);
        let code = required(body, "code", findings, concept);
        let body_site = concepts(body, "bodySite", findings);
        let onset = choice(
            body,
            &[
                ("onsetDateTime", |o, n, f| moment(o, n, f).map(Onset::DateTime)),
                ("onsetPeriod", |o, n, f| period(o, n, f).map(Onset::Period)),
                ("onsetString", |o, n, f| words(o, n, f).map(Onset::Text)),
            ],
            findings,
        );
        let abatement = choice(
            body,
            &[
                ("abatementDateTime", |o, n, f| moment(o, n, f).map(Abatement::DateTime)),
                ("abatementPeriod", |o, n, f| period(o, n, f).map(Abatement::Period)),
                ("abatementString", |o, n, f| words(o, n, f).map(Abatement::Text)),
            ],
            findings,
        );
        let note = notes(body, findings);
        let code = code?;
        Some(Self { clinical_status, verification_status, category, severity, code, body_site, onset, abatement, note })
    }
}

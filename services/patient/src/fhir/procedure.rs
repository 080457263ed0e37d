//! <http://hl7.org/fhir/R4/procedure.html>

use problem::input::{Findings, Object};

use super::datatypes::{CODE, Elements, choice, concept, concepts, moment, notes, period, required, words};
use crate::domain::record::procedure::{Performed, Procedure, ProcedureStatus};

impl Elements for Procedure {
    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        body.require("status", findings);
        let status = body.parsed("status", CODE, findings, ProcedureStatus::parse);
        let status_reason = concept(body, "statusReason", findings);
        let category = concept(body, "category", findings);
        let code = required(body, "code", findings, concept);
        let performed = choice(
            body,
            &[
                ("performedDateTime", |o, n, f| moment(o, n, f).map(Performed::DateTime)),
                ("performedPeriod", |o, n, f| period(o, n, f).map(Performed::Period)),
                ("performedString", |o, n, f| words(o, n, f).map(Performed::Text)),
            ],
            findings,
        );
        let reason_code = concepts(body, "reasonCode", findings);
        let body_site = concepts(body, "bodySite", findings);
        let outcome = concept(body, "outcome", findings);
        let complication = concepts(body, "complication", findings);
        let follow_up = concepts(body, "followUp", findings);
        let note = notes(body, findings);
        let (status, code) = (status?, code?);
        Some(Self {
            status,
            status_reason,
            category,
            code,
            performed,
            reason_code,
            body_site,
            outcome,
            complication,
            follow_up,
            note,
        })
    }
}

//! A service, <http://hl7.org/fhir/R4/healthcareservice.html>.

use problem::input::{Findings, Object};
use serde_json::{Map, Value, json};

use super::{LONGEST, Reference, Resource, SHORT, count, id, put, put_coding};
use crate::{
    domain::calendar::{ClinicId, service::Service},
    fhir::datatypes::coding,
};

/// Four hours before or after.
const LONGEST_BUFFER: i64 = 240;
/// Two years.
const FURTHEST: i64 = 730;
/// What a search offers when nothing else is said.
const STEP: u16 = 15;

impl Resource for Service {
    const KIND: &'static str = "service";
    const PATH: &'static str = "/api/services";

    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        let clinic = id(body, "clinicId", findings).map(ClinicId::new);
        let name = body.required_text("name", SHORT, findings);
        let code = coding(body, "code", findings);
        let active = body.boolean("active", findings).unwrap_or(true);
        body.require("durationMinutes", findings);
        let duration = count(body, "durationMinutes", (1, LONGEST), findings);
        let mut buffer = |name| count(body, name, (0, LONGEST_BUFFER), findings).unwrap_or(0);
        let (buffer_before_minutes, buffer_after_minutes) =
            (buffer("bufferBeforeMinutes"), buffer("bufferAfterMinutes"));
        let step_minutes = count(body, "stepMinutes", (1, LONGEST), findings).unwrap_or(STEP);
        let price_code = coding(body, "priceCode", findings);
        let needs_room = body.boolean("needsRoom", findings).unwrap_or(false);
        let min_lead_minutes = count(body, "minLeadMinutes", (0, FURTHEST * LONGEST), findings).unwrap_or(0);
        let max_lead_days = count(body, "maxLeadDays", (0, FURTHEST), findings);
        Some(Self {
            clinic,
            name: name?,
            code,
            active,
            duration_minutes: duration?,
            buffer_before_minutes,
            buffer_after_minutes,
            step_minutes,
            price_code,
            needs_room,
            min_lead_minutes,
            max_lead_days,
        })
    }

    fn write(&self) -> Map<String, Value> {
        let mut body = Map::new();
        put(&mut body, "clinicId", self.clinic.map(|clinic| json!(clinic)));
        body.insert("name".to_owned(), json!(self.name));
        put_coding(&mut body, "code", self.code.as_ref());
        body.insert("active".to_owned(), json!(self.active));
        body.insert("durationMinutes".to_owned(), json!(self.duration_minutes));
        body.insert("bufferBeforeMinutes".to_owned(), json!(self.buffer_before_minutes));
        body.insert("bufferAfterMinutes".to_owned(), json!(self.buffer_after_minutes));
        body.insert("stepMinutes".to_owned(), json!(self.step_minutes));
        put_coding(&mut body, "priceCode", self.price_code.as_ref());
        body.insert("needsRoom".to_owned(), json!(self.needs_room));
        body.insert("minLeadMinutes".to_owned(), json!(self.min_lead_minutes));
        put(&mut body, "maxLeadDays", self.max_lead_days);
        body
    }

    fn references(&self) -> Vec<Reference> {
        self.clinic.map(|clinic| Reference::to_clinic("/clinicId".to_owned(), clinic)).into_iter().collect()
    }
}

//! A room, <http://hl7.org/fhir/R4/location.html> of a clinic.

use problem::input::{Findings, Object};
use serde_json::{Map, Value, json};

use super::{Reference, Resource, SHORT, count, required_id};
use crate::domain::calendar::{ClinicId, room::Room};

/// More at once is no overbooking but no room.
pub(super) const MOST_LANES: i64 = 20;

impl Resource for Room {
    const KIND: &'static str = "room";
    const PATH: &'static str = "/api/rooms";

    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        let clinic = required_id(body, "clinicId", findings).map(ClinicId::new);
        let name = body.required_text("name", SHORT, findings);
        let active = body.boolean("active", findings).unwrap_or(true);
        let lanes = count(body, "lanes", (1, MOST_LANES), findings).unwrap_or(1);
        Some(Self { clinic: clinic?, name: name?, active, lanes })
    }

    fn write(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("clinicId".to_owned(), json!(self.clinic));
        body.insert("name".to_owned(), json!(self.name));
        body.insert("active".to_owned(), json!(self.active));
        body.insert("lanes".to_owned(), json!(self.lanes));
        body
    }

    fn references(&self) -> Vec<Reference> {
        vec![Reference::to_clinic("/clinicId".to_owned(), self.clinic)]
    }

    fn home(&self) -> Option<ClinicId> {
        Some(self.clinic)
    }
}

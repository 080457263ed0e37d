//! A clinic, <http://hl7.org/fhir/R4/location.html>.

use problem::input::{Findings, Object};
use serde_json::{Map, Value, json};

use super::{CODE, Reference, Resource, SHORT, date, put, put_list};
use crate::domain::calendar::{
    clinic::{Clinic, Closure},
    zone::Zone,
};

/// Years of holidays.
const MOST_CLOSURES: usize = 200;

impl Resource for Clinic {
    const KIND: &'static str = "clinic";
    const PATH: &'static str = "/api/clinics";

    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        let name = body.required_text("name", SHORT, findings);
        body.require("timeZone", findings);
        let zone = body.parsed("timeZone", CODE, findings, Zone::parse);
        let closures = body.objects("closures", MOST_CLOSURES, findings);
        let closures = closures.into_iter().filter_map(|object| closure(object, findings)).collect();
        Some(Self { name: name?, zone: zone?, closures })
    }

    fn write(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(self.name));
        body.insert("timeZone".to_owned(), json!(self.zone.name()));
        let closures = self.closures.iter().map(|closure| {
            let mut object = Map::new();
            object.insert("from".to_owned(), json!(closure.first));
            object.insert("to".to_owned(), json!(closure.last));
            put(&mut object, "reason", closure.reason.as_deref());
            Value::Object(object)
        });
        put_list(&mut body, "closures", closures.collect());
        body
    }

    fn references(&self) -> Vec<Reference> {
        Vec::new()
    }
}

fn closure(mut object: Object, findings: &mut Findings) -> Option<Closure> {
    let last_pointer = object.pointer("to");
    object.require("from", findings);
    let first = date(&mut object, "from", findings);
    let given = object.has("to");
    let last = date(&mut object, "to", findings);
    let reason = object.text("reason", SHORT, findings);
    object.finish(findings);
    // One day needs no end.
    let last = if given { last } else { first };
    let (first, last) = (first?, last?);
    if last < first {
        findings.add(last_pointer, "must not be before `from`");
    }
    Some(Closure { first, last, reason })
}

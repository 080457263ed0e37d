//! A practitioner with their hours, <http://hl7.org/fhir/R4/practitioner.html> and
//! <http://hl7.org/fhir/R4/practitionerrole.html#PractitionerRole.availableTime>.

use std::collections::BTreeMap;

use jiff::civil::Weekday;
use problem::input::{Findings, Object};
use serde_json::{Map, Value, json};

use super::{
    CODE, Reference, Resource, SHORT, count, date, id, parse_id, put, put_coding, put_list, required_id,
    room::MOST_LANES,
};
use crate::{
    domain::calendar::{
        ClinicId, RoomId, ServiceId,
        practitioner::{Exception, Piece, Practitioner, Schedule, WeekPiece},
        zone::{ClockTime, Zone},
    },
    fhir::datatypes::coding,
};

const MOST_SCHEDULES: usize = 20;
const MOST_PIECES: usize = 50;
/// A year of days.
const MOST_EXCEPTIONS: usize = 366;

/// <http://hl7.org/fhir/R4/valueset-days-of-week.html>
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

impl Resource for Practitioner {
    const KIND: &'static str = "practitioner";
    const PATH: &'static str = "/api/practitioners";

    fn read(body: &mut Object, findings: &mut Findings) -> Option<Self> {
        let name = body.required_text("name", SHORT, findings);
        let active = body.boolean("active", findings).unwrap_or(true);
        let user = id(body, "userId", findings);
        let specialty = coding(body, "specialty", findings);
        let lanes = count(body, "lanes", (1, MOST_LANES), findings).unwrap_or(1);
        let schedules = body.objects("schedules", MOST_SCHEDULES, findings);
        let schedules: Vec<_> = schedules.into_iter().map(|object| schedule(object, findings)).collect();
        let exceptions = body.objects("exceptions", MOST_EXCEPTIONS, findings);
        let exceptions: Vec<_> = exceptions.into_iter().map(|object| exception(object, findings)).collect();
        // Pointers are to what was sent, so nothing that could not be read may be missing.
        let schedules = schedules.into_iter().collect::<Option<_>>()?;
        let exceptions = exceptions.into_iter().collect::<Option<_>>()?;
        let read = Self { name: name?, active, user, specialty, lanes, schedules, exceptions };
        for pointer in read.overlaps() {
            findings.add(pointer, "overlaps hours before it");
        }
        for (index, exception) in read.exceptions.iter().enumerate() {
            let same = |earlier: &&Exception| (earlier.clinic, earlier.date) == (exception.clinic, exception.date);
            if read.exceptions[..index].iter().find(same).is_some() {
                findings.add(format!("/exceptions/{index}/date"), "is given twice for this clinic");
            }
        }
        Some(read)
    }

    fn write(&self) -> Map<String, Value> {
        let mut body = Map::new();
        body.insert("name".to_owned(), json!(self.name));
        body.insert("active".to_owned(), json!(self.active));
        put(&mut body, "userId", self.user.map(|user| json!(user)));
        put_coding(&mut body, "specialty", self.specialty.as_ref());
        body.insert("lanes".to_owned(), json!(self.lanes));
        let schedules = self.schedules.iter().map(|schedule| {
            let mut object = Map::new();
            object.insert("clinicId".to_owned(), json!(schedule.clinic));
            object.insert("from".to_owned(), json!(schedule.from));
            put(&mut object, "to", schedule.to.map(|to| to.to_string()));
            let week = schedule.week.iter().map(|WeekPiece { days, piece }| {
                let codes = DAYS.iter().filter(|(_, day)| days.contains(day)).map(|(code, _)| *code);
                let mut object = write_piece(piece);
                object.insert("days".to_owned(), codes.collect());
                Value::Object(object)
            });
            object.insert("week".to_owned(), week.collect());
            Value::Object(object)
        });
        put_list(&mut body, "schedules", schedules.collect());
        let exceptions = self.exceptions.iter().map(|exception| {
            let mut object = Map::new();
            object.insert("clinicId".to_owned(), json!(exception.clinic));
            object.insert("date".to_owned(), json!(exception.date));
            put_list(&mut object, "open", exception.open.iter().map(write_piece).map(Value::Object).collect());
            Value::Object(object)
        });
        put_list(&mut body, "exceptions", exceptions.collect());
        body
    }

    fn references(&self) -> Vec<Reference> {
        let mut found = Vec::new();
        for (index, schedule) in self.schedules.iter().enumerate() {
            let at = format!("/schedules/{index}");
            found.push(Reference::to_clinic(format!("{at}/clinicId"), schedule.clinic));
            for (place, piece) in schedule.week.iter().enumerate() {
                refer(&piece.piece, schedule.clinic, &format!("{at}/week/{place}"), &mut found);
            }
        }
        for (index, exception) in self.exceptions.iter().enumerate() {
            let at = format!("/exceptions/{index}");
            found.push(Reference::to_clinic(format!("{at}/clinicId"), exception.clinic));
            for (place, piece) in exception.open.iter().enumerate() {
                refer(piece, exception.clinic, &format!("{at}/open/{place}"), &mut found);
            }
        }
        found
    }

    fn named_clinics(&self) -> Vec<ClinicId> {
        let clinics = self.clinics();
        if clinics.len() > 1 { clinics } else { Vec::new() }
    }

    fn clashes(&self, zones: &BTreeMap<ClinicId, Zone>) -> Vec<String> {
        Self::clashes(self, zones)
    }
}

fn refer(piece: &Piece, clinic: ClinicId, at: &str, found: &mut Vec<Reference>) {
    if let Some(room) = piece.room {
        let pointer = format!("{at}/roomId");
        found.push(Reference { pointer, kind: "room", id: room.as_uuid(), at: Some(clinic) });
    }
    for (index, service) in piece.services.iter().enumerate() {
        let pointer = format!("{at}/serviceIds/{index}");
        found.push(Reference { pointer, kind: "service", id: service.as_uuid(), at: Some(clinic) });
    }
}

fn schedule(mut object: Object, findings: &mut Findings) -> Option<Schedule> {
    let to_pointer = object.pointer("to");
    let clinic = required_id(&mut object, "clinicId", findings).map(ClinicId::new);
    object.require("from", findings);
    let from = date(&mut object, "from", findings);
    let to = date(&mut object, "to", findings);
    object.require("week", findings);
    let week = object.objects("week", MOST_PIECES, findings);
    let week: Vec<_> = week.into_iter().map(|object| week_piece(object, findings)).collect();
    object.finish(findings);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        findings.add(to_pointer, "must not be before `from`");
    }
    Some(Schedule { clinic: clinic?, from: from?, to, week: week.into_iter().collect::<Option<_>>()? })
}

fn week_piece(mut object: Object, findings: &mut Findings) -> Option<WeekPiece> {
    let pointer = object.pointer("days");
    object.require("days", findings);
    let mut days = Vec::new();
    for (index, code) in object.texts("days", DAYS.len(), CODE, findings).iter().enumerate() {
        match DAYS.iter().find(|(known, _)| known == code) {
            Some((_, day)) if days.contains(day) => findings.add(format!("{pointer}/{index}"), "is given twice"),
            Some((_, day)) => days.push(*day),
            None => findings.add(format!("{pointer}/{index}"), "must be one of mon, tue, wed, thu, fri, sat, sun"),
        }
    }
    days.sort_unstable_by_key(|day| day.to_monday_zero_offset());
    let piece = piece(object, findings)?;
    Some(WeekPiece { days, piece })
}

fn exception(mut object: Object, findings: &mut Findings) -> Option<Exception> {
    let clinic = required_id(&mut object, "clinicId", findings).map(ClinicId::new);
    object.require("date", findings);
    let date = date(&mut object, "date", findings);
    let open = object.objects("open", MOST_PIECES, findings);
    let open: Vec<_> = open.into_iter().map(|object| piece(object, findings)).collect();
    object.finish(findings);
    Some(Exception { clinic: clinic?, date: date?, open: open.into_iter().collect::<Option<_>>()? })
}

fn piece(mut object: Object, findings: &mut Findings) -> Option<Piece> {
    let end_pointer = object.pointer("end");
    let mut time = |name: &str| {
        object.require(name, findings);
        object.parsed(name, CODE, findings, ClockTime::parse)
    };
    let (start, end) = (time("start"), time("end"));
    let room = id(&mut object, "roomId", findings).map(RoomId::new);
    let services_pointer = object.pointer("serviceIds");
    let services = object.texts("serviceIds", MOST_PIECES, CODE, findings);
    let services = services.iter().enumerate().filter_map(|(index, text)| match parse_id(text) {
        Ok(id) => Some(ServiceId::new(id)),
        Err(detail) => {
            findings.add(format!("{services_pointer}/{index}"), detail);
            None
        }
    });
    let services = services.collect();
    object.finish(findings);
    let (start, end) = (start?, end?);
    if end <= start {
        findings.add(end_pointer, "must be after `start`; what goes past midnight is two pieces");
    }
    Some(Piece { start, end, room, services })
}

fn write_piece(piece: &Piece) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("start".to_owned(), json!(piece.start.to_string()));
    object.insert("end".to_owned(), json!(piece.end.to_string()));
    put(&mut object, "roomId", piece.room.map(|room| json!(room)));
    put_list(&mut object, "serviceIds", piece.services.iter().map(|service| json!(service)).collect());
    object
}

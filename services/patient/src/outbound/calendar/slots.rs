//! What decides which times can be offered, in one question.

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sidecar::failure::Failure;

use super::{Calendars, clinic, practitioner, room, service};
use crate::domain::calendar::{
    ClinicId, PractitionerId, RoomId, ServiceId,
    availability::{RoomState, Taken},
    clinic::Clinic,
    interval::{Interval, Intervals},
    practitioner::Practitioner,
    service::Service,
};

/// What is looked for.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SlotQuestion {
    /// Where.
    pub clinic: ClinicId,
    /// What for.
    pub service: ServiceId,
    /// With whom; with anybody, if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<PractitionerId>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
}

/// What there is to know; what is not there is none.
#[derive(Debug)]
pub struct Context {
    /// The clinic.
    pub clinic: Option<Clinic>,
    /// The service.
    pub service: Option<Service>,
    /// Who could do it, with what takes their time.
    pub practitioners: Vec<(PractitionerId, Practitioner, Taken)>,
    /// Where it could be done.
    pub rooms: Vec<RoomState>,
}

/// Pairs of epoch seconds: appointments with their buffers, and leaves.
type AnsweredTaken = (Vec<(i64, i64)>, Vec<(i64, i64)>);

#[derive(Deserialize)]
struct Answer {
    clinic: Option<Box<RawValue>>,
    service: Option<Box<RawValue>>,
    practitioners: Vec<(PractitionerId, Box<RawValue>, AnsweredTaken)>,
    rooms: Vec<(RoomId, Box<RawValue>, AnsweredTaken)>,
}

impl Calendars {
    /// Asks what there is to know.
    pub async fn context(&self, question: &SlotQuestion) -> Result<Context, Failure> {
        let answer: Answer = self.sidecar.query("slot_context", question).await?;
        let practitioners = answer.practitioners.into_iter();
        let rooms = answer.rooms.into_iter();
        Ok(Context {
            clinic: answer.clinic.as_deref().map(clinic).transpose()?,
            service: answer.service.as_deref().map(service).transpose()?,
            practitioners: practitioners
                .map(|(id, document, answered)| Ok((id, practitioner(&document)?, taken(&answered)?)))
                .collect::<Result<_, Failure>>()?,
            rooms: rooms
                .map(|(id, document, answered)| Ok(RoomState { id, room: room(&document)?, taken: taken(&answered)? }))
                .collect::<Result<_, Failure>>()?,
        })
    }
}

fn taken((busy, leave): &AnsweredTaken) -> Result<Taken, Failure> {
    Ok(Taken { busy: intervals(busy)?, leave: intervals(leave)? })
}

pub(super) fn intervals(pairs: &[(i64, i64)]) -> Result<Intervals, Failure> {
    let at = |second| Timestamp::from_second(second).map_err(|error| Failure::Bug(error.to_string()));
    let intervals = pairs.iter().map(|(start, end)| Ok(Interval::new(at(*start)?, at(*end)?)));
    Ok(Intervals::of(intervals.collect::<Result<Vec<_>, Failure>>()?))
}

//! What decides how long practitioners can see patients, in one question for a page of them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use sidecar::failure::Failure;

use super::{Calendars, clinic, practitioner, room, slots::intervals};
use crate::domain::calendar::{
    ClinicId, PractitionerId, RoomId, clinic::Clinic, interval::Intervals, practitioner::Practitioner,
    working_time::RoomTime,
};

/// Whose time.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WorkingQuestion {
    /// Of this one; of everybody, if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<PractitionerId>,
    /// Where; anywhere, if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clinic: Option<ClinicId>,
    /// The first day.
    pub from: Date,
    /// The last day.
    pub to: Date,
    /// Who comes after this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<PractitionerId>,
    /// How many practitioners.
    pub limit: usize,
}

/// What there is to know.
#[derive(Debug)]
pub struct WorkingContext {
    /// The clinics that are asked for and where they have hours.
    pub clinics: BTreeMap<ClinicId, Clinic>,
    /// Those who see patients, with their leave.
    pub practitioners: Vec<(PractitionerId, Practitioner, Intervals)>,
    /// The rooms that their hours name.
    pub rooms: BTreeMap<RoomId, RoomTime>,
    /// The last of them, when there may be more.
    pub next: Option<PractitionerId>,
}

/// Pairs of epoch seconds.
type AnsweredLeave = Vec<(i64, i64)>;

#[derive(Deserialize)]
struct Answer {
    clinics: Vec<(ClinicId, Box<RawValue>)>,
    practitioners: Vec<(PractitionerId, Box<RawValue>, AnsweredLeave)>,
    rooms: Vec<(RoomId, Box<RawValue>, AnsweredLeave)>,
    next: Option<PractitionerId>,
}

impl Calendars {
    /// Asks what there is to know.
    pub async fn working_context(&self, question: &WorkingQuestion) -> Result<WorkingContext, Failure> {
        let answer: Answer = self.sidecar.query("available_time", question).await?;
        let practitioners = answer.practitioners.iter();
        Ok(WorkingContext {
            clinics: answer
                .clinics
                .iter()
                .map(|(id, document)| Ok((*id, clinic(document)?)))
                .collect::<Result<_, Failure>>()?,
            practitioners: practitioners
                .map(|(id, document, leave)| Ok((*id, practitioner(document)?, intervals(leave)?)))
                .collect::<Result<_, Failure>>()?,
            rooms: answer
                .rooms
                .iter()
                .map(|(id, document, leave)| Ok((*id, RoomTime { room: room(document)?, leave: intervals(leave)? })))
                .collect::<Result<_, Failure>>()?,
            next: answer.next,
        })
    }
}

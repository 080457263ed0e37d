//! The encounter that an appointment comes to: made when the patient is checked in, begun and over with it.

use access::Caller;
use audit::Entry;
use jiff::Timestamp;
use sidecar::{documents::Write, failure::Failure};

use super::{BookingError, Bookings};
use crate::{
    domain::{
        appointment::transitions::Action,
        record::{
            Record, Refusal, Revision, Wanted,
            encounter::{Encounter, EncounterStatus},
        },
    },
    outbound::{
        appointments::Versioned,
        records::{self, Loaded},
    },
};

impl Bookings {
    /// What a step of an appointment means for its encounter, to be written with it.
    ///
    /// Whoever charts may have begun the encounter, or ended it, before anybody says so of the appointment.
    pub(super) async fn visit(
        &self,
        caller: &Caller,
        current: &Versioned,
        action: Action,
        now: Timestamp,
    ) -> Result<Vec<Write>, BookingError> {
        use EncounterStatus as E;
        if !matches!(action, Action::CheckIn | Action::Start | Action::Finish) {
            return Ok(Vec::new());
        }
        if action == Action::CheckIn {
            return Ok(vec![opened(caller, current, now)?]);
        }
        let encounter = self.records.get::<Encounter>(current.id.encounter()).await?;
        let encounter = encounter.ok_or(BookingError::Encounter(None))?;
        match (action, encounter.current.record.resource.status) {
            (Action::Start, E::Planned | E::Arrived | E::Triaged) => Ok(begun(caller, &encounter, now)?),
            (_, E::InProgress | E::OnLeave | E::Finished) => Ok(Vec::new()),
            (_, status) => Err(BookingError::Encounter(Some(status))),
        }
    }
}

fn opened(caller: &Caller, Versioned { id, appointment, .. }: &Versioned, now: Timestamp) -> Result<Write, Failure> {
    let practitioner = appointment.place().map(|place| place.practitioner);
    let resource = Encounter::of_appointment(*id, appointment.clinic_id, practitioner);
    let wanted = Wanted { encounter: None, resource };
    let record = Record::create(id.encounter(), appointment.patient_id, wanted, caller.subject, now)
        .map_err(|refusal| bug(&refusal))?;
    let zone = Some(&*appointment.time_zone);
    records::created(&record, zone, None, &entry(audit::Action::Create, "create", caller, &record))
}

fn begun(caller: &Caller, loaded: &Loaded<Encounter>, now: Timestamp) -> Result<Vec<Write>, Failure> {
    let before = &loaded.current.record;
    let resource = Encounter { status: EncounterStatus::InProgress, ..before.resource.clone() };
    let wanted = Wanted { encounter: before.encounter, resource };
    let Revision::Changed(record) = before.amend(wanted, None, caller.subject, now).map_err(|refusal| bug(&refusal))?
    else {
        return Ok(Vec::new());
    };
    let entry = entry(audit::Action::Update, "update", caller, &record);
    Ok(vec![records::replaced(loaded, &record, loaded.time_zone(), None, &entry)?])
}

fn entry(action: audit::Action, subtype: &'static str, caller: &Caller, record: &Record<Encounter>) -> Entry {
    Entry::new(action, subtype).by(caller).of_patient(record.patient.as_uuid())
}

/// What the table of encounters does not allow is not asked of it here.
fn bug(refusal: &Refusal) -> Failure {
    Failure::Bug(format!("an appointment's encounter: {refusal}"))
}

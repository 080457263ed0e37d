//! Reminders in the state store, and the binding that they are handed to.

use jiff::{Timestamp, tz::TimeZone};
use serde::{Deserialize, Serialize};
use serde_json::{json, value::RawValue};
use sidecar::{
    Sidecar,
    documents::{Document, Documents, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use super::{
    appointments::{self, Versioned},
    patients,
};
use crate::domain::{
    appointment::{
        AppointmentId,
        reminder::{LEADS, Reminder},
    },
    demographics::ContactSystem,
    patient::Patient,
};

/// `data` of a `reminder/<id>` document.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(transparent)]
pub struct ReminderData(Reminder);

impl Kind for ReminderData {
    const NAME: &'static str = "reminder";
    const SCHEMA: u32 = 1;
}

/// A reminder that may be due, with what its message is made of.
#[derive(Debug)]
pub struct Candidate {
    /// Of what.
    pub appointment: Versioned,
    /// How long before, in minutes.
    pub lead: u32,
    clinic: String,
    patient: Patient,
}

/// A reminder that this instance has claimed.
#[derive(Debug)]
pub struct Claimed {
    /// Its id, by which a receiver knows it again.
    pub id: Uuid,
    /// What it is.
    pub reminder: Reminder,
}

/// The reminders.
#[derive(Clone, Debug)]
pub struct Reminders {
    sidecar: Sidecar,
    documents: Documents,
    binding: String,
}

impl Reminders {
    /// The binding's name.
    pub fn binding(&self) -> &str {
        &self.binding
    }

    /// Reminders that are handed to a binding by its name.
    pub fn new(sidecar: Sidecar, documents: Documents, binding: String) -> Self {
        Self { sidecar, documents: documents.one_by_one(), binding }
    }

    /// What may be due, at most `limit`, the earliest appointments first.
    pub async fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<Candidate>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            appointment_id: AppointmentId,
            appointment: Box<RawValue>,
            lead: u32,
            clinic: Option<String>,
            patient: Box<RawValue>,
        }
        let asked = json!({ "now": now, "leads": LEADS, "limit": limit });
        let answers: Vec<Answer> = self.sidecar.query("reminders_due", &asked).await?;
        let candidate = |answer: Answer| {
            let appointment = appointments::read(answer.appointment_id, &answer.appointment)?;
            let patient = patients::read(appointment.appointment.patient_id, &answer.patient)?;
            Ok(Candidate { appointment, lead: answer.lead, clinic: answer.clinic.unwrap_or_default(), patient })
        };
        // One that cannot be read keeps no other from being sent.
        let read = answers.into_iter().map(candidate).filter_map(|read: Result<_, Failure>| {
            read.inspect_err(|failure| tracing::error!(%failure, "what a reminder is made of cannot be read")).ok()
        });
        Ok(read.collect())
    }

    /// Claims a reminder: of all who try, one does. None when somebody else has it, or it is not wanted.
    pub async fn claim(&self, candidate: &Candidate, now: Timestamp) -> Result<Option<Claimed>, Failure> {
        let Versioned { id: appointment, appointment: what, .. } = &candidate.appointment;
        let Some(time) = what.time() else { return Ok(None) };
        let id = Reminder::id(*appointment, time.start, candidate.lead);
        let stored = self.documents.get::<ReminderData>(id).await?;
        let reminder = match &stored {
            Some(stored) if stored.document.data.0.due.is_none_or(|due| due > now) => None,
            Some(stored) => Some(stored.document.data.0.again(what, now)),
            None => Reminder::first(*appointment, what, candidate.lead, now),
        };
        let Some(reminder) = reminder else { return Ok(None) };
        match self.save(id, stored.as_ref(), &reminder).await {
            Ok(()) => Ok(reminder.due.map(|_| Claimed { id, reminder })),
            Err(Failure::Changed | Failure::KeyTaken) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Hands a reminder over; false where nobody knows how to reach the patient.
    pub async fn hand_over(&self, candidate: &Candidate, claimed: &Claimed) -> Result<bool, Failure> {
        let person = &candidate.patient.demographics;
        let phone = person.reached_by(ContactSystem::Phone).or_else(|| person.reached_by(ContactSystem::Sms));
        let email = person.reached_by(ContactSystem::Email);
        if phone.is_none() && email.is_none() {
            return Ok(false);
        }
        let appointment = &candidate.appointment.appointment;
        let local = TimeZone::get(&appointment.time_zone)
            .map(|zone| claimed.reminder.start.to_zoned(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string());
        let name = person.identifying_name();
        let message = json!({
            "kind": "appointment-reminder",
            "appointmentId": candidate.appointment.id,
            "start": claimed.reminder.start,
            "localStart": local.ok(),
            "timeZone": appointment.time_zone,
            "clinic": candidate.clinic,
            "patient": {
                "family": name.and_then(|name| name.family.as_deref()),
                "given": name.map(|name| name.given.as_slice()).unwrap_or_default(),
                "phone": phone,
                "email": email,
            },
        });
        self.sidecar.hand_over(&self.binding, claimed.id, &message).await.map(|()| true)
    }

    /// Notes what became of a reminder that was claimed; who has claimed it meanwhile notes it instead.
    pub async fn note(&self, id: Uuid, change: impl Fn(&Reminder) -> Reminder) -> Result<(), Failure> {
        let Some(stored) = self.documents.get::<ReminderData>(id).await? else { return Ok(()) };
        match self.save(id, Some(&stored), &change(&stored.document.data.0)).await {
            Err(Failure::Changed) => Ok(()),
            saved => saved,
        }
    }

    async fn save(&self, id: Uuid, stored: Option<&Stored<ReminderData>>, to: &Reminder) -> Result<(), Failure> {
        let data = ReminderData(to.clone());
        let write = match stored {
            Some(stored) => Write::replace(id, stored, stored.document.next(data, Vec::new()))?,
            None => Write::create(id, Document::first(data, Vec::new()))?,
        };
        self.documents.save(vec![write]).await
    }
}

//! What there is to know before somebody is put somewhere, in one question.

use jiff::Timestamp;
use problem::input::{self, Findings};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{Appointments, Versioned, parse};
use crate::{
    domain::{
        appointment::{AppointmentId, Situation, Taken},
        calendar::{ClinicId, PractitionerId, RoomId, ServiceId, clinic::Clinic, interval::Interval},
        patient::PatientId,
    },
    fhir::calendar::Resource,
};

/// What is asked.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The appointment that is to be, which is not in its own way.
    pub own: AppointmentId,
    /// Who comes.
    pub patient: PatientId,
    /// Who sees them, if that is known.
    pub practitioner: Option<PractitionerId>,
    /// Where; none is any room of the clinic.
    pub room: Option<RoomId>,
    /// What for.
    pub service: ServiceId,
    /// At which clinic.
    pub clinic: ClinicId,
    /// When it would begin.
    pub starts: Vec<Timestamp>,
}

/// What the database knows.
#[derive(Debug)]
pub struct Check {
    /// What the same request made before: its hash and version 1.
    pub own: Option<(Option<Uuid>, Versioned)>,
    /// The time around, if everything that was named is there.
    pub situation: Result<Situation, Missing>,
}

/// What the database knows of what is named, where no time is.
#[derive(Debug)]
pub struct Named {
    /// What the same request made before: its hash and version 1.
    pub own: Option<(Option<Uuid>, Versioned)>,
    /// The clinic's zone, if everything that was named is there.
    pub time_zone: Result<String, Missing>,
}

/// What was named and is not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Missing {
    /// The fields that named it.
    pub fields: Vec<&'static str>,
    /// Whether the patient is there, and their record is not in use.
    pub inactive_patient: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    own: Option<Box<RawValue>>,
    patient_active: Option<bool>,
    practitioner: Option<Box<RawValue>>,
    service: Option<Box<RawValue>>,
    clinic: Option<Box<RawValue>>,
    rooms: Vec<AnsweredRoom>,
    leaves: Vec<Interval>,
    taken: Vec<Taken>,
}

#[derive(Deserialize)]
struct AnsweredRoom {
    id: RoomId,
    document: Box<RawValue>,
    down: Vec<Interval>,
}

impl Appointments {
    /// Asks whether what is named is there, where no time is: what the same request made before, and the clinic's zone.
    pub async fn named(&self, asked: &Asked) -> Result<Named, Failure> {
        let answer = self.ask(asked).await?;
        let own = answer.own.as_ref().map(|document| parse(asked.own, document)).transpose()?;
        let missing = missing(asked, &answer);
        let time_zone = match &answer.clinic {
            Some(clinic) if missing.fields.is_empty() => {
                let clinic: Clinic = read(asked.clinic.as_uuid(), clinic)?;
                Ok(clinic.zone.name().to_owned())
            }
            _ => Err(missing),
        };
        Ok(Named { own, time_zone })
    }

    async fn ask(&self, asked: &Asked) -> Result<Answer, Failure> {
        let parameter = json!({
            "id": asked.own,
            "patientId": asked.patient,
            "practitionerId": asked.practitioner,
            "roomId": asked.room,
            "serviceId": asked.service,
            "clinicId": asked.clinic,
            "starts": asked.starts,
        });
        self.checks.ask(&parameter).await
    }

    /// Asks what there is to know.
    pub async fn check(&self, asked: &Asked) -> Result<Check, Failure> {
        let answer = self.ask(asked).await?;
        let own = answer.own.as_ref().map(|document| parse(asked.own, document)).transpose()?;
        Ok(Check { own, situation: situation(asked, answer)? })
    }
}

fn situation(asked: &Asked, answer: Answer) -> Result<Result<Situation, Missing>, Failure> {
    let (Some(own), Some(practitioner), Some(service), Some(clinic), Some(true)) =
        (asked.practitioner, &answer.practitioner, &answer.service, &answer.clinic, answer.patient_active)
    else {
        return Ok(Err(missing(asked, &answer)));
    };
    if asked.room.is_some() && answer.rooms.is_empty() {
        return Ok(Err(missing(asked, &answer)));
    }
    let room = |room: AnsweredRoom| Ok((room.id, read(room.id.as_uuid(), &room.document)?, room.down));
    Ok(Ok(Situation {
        clinic: (asked.clinic, read(asked.clinic.as_uuid(), clinic)?),
        practitioner: (own, read(own.as_uuid(), practitioner)?),
        service: (asked.service, read(asked.service.as_uuid(), service)?),
        rooms: answer.rooms.into_iter().map(room).collect::<Result<_, Failure>>()?,
        leave: answer.leaves,
        taken: answer.taken,
    }))
}

/// What is stored goes through the same door as a request; what does not fit is our mistake and not the caller's.
fn read<T: Resource>(id: Uuid, document: &RawValue) -> Result<T, Failure> {
    #[derive(Deserialize)]
    struct Stored {
        data: Value,
    }
    let unreadable = || Failure::Bug(format!("{}/{id} does not read as it was written", T::KIND));
    let Stored { data } = serde_json::from_str(document.get()).map_err(|_| unreadable())?;
    let mut findings = Findings::default();
    let mut object = input::object(data).map_err(|_| unreadable())?;
    let read = T::read(&mut object, &mut findings);
    object.finish(&mut findings);
    findings.into_result(read).map_err(|_| unreadable())
}

fn missing(asked: &Asked, answer: &Answer) -> Missing {
    let fields = [
        ("/patientId", answer.patient_active != Some(true)),
        ("/practitionerId", asked.practitioner.is_some() && answer.practitioner.is_none()),
        ("/roomId", asked.room.is_some() && answer.rooms.is_empty()),
        ("/serviceId", answer.service.is_none()),
        ("/clinicId", answer.clinic.is_none()),
    ];
    Missing {
        fields: fields.into_iter().filter_map(|(field, missing)| missing.then_some(field)).collect(),
        inactive_patient: answer.patient_active == Some(false),
    }
}

//! Those who wait for a time: what they would take, and what became free and is offered to them.
//!
//! FHIR has the status `waitlist` and what is waited for (`requestedPeriod`, `priority`), and no word for an offer.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Appointment, AppointmentId, Place};
use crate::domain::{
    calendar::{ClinicId, PractitionerId, ServiceId, interval::Interval},
    patient::PatientId,
};

/// How many are offered the same time at once: enough that one of them comes, few enough that hardly anybody is
/// disappointed.
const AT_ONCE: usize = 3;
/// How long somebody has to make up their mind.
const HOLDS: SignedDuration = SignedDuration::from_hours(2);

/// What somebody who waits would take.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// Any time in here.
    pub requested_period: Interval,
    /// At whom; none is at anybody who can.
    #[serde(rename = "practitionerId", skip_serializing_if = "Option::is_none")]
    pub practitioner: Option<PractitionerId>,
    /// As in a calendar (RFC 5545, 3.8.1.9): 1 comes first and 9 last.
    pub priority: u8,
}

/// A time that became free while somebody waited for it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    /// Whether it can still be had.
    pub status: OpeningStatus,
    /// At which clinic.
    pub clinic_id: ClinicId,
    /// The clinic's zone.
    pub time_zone: String,
    /// What for.
    pub service_id: ServiceId,
    /// When, where and at whom.
    #[serde(flatten)]
    pub place: Place,
    /// The appointment that was there.
    pub freed_by: AppointmentId,
    /// Who was asked, in their order.
    pub offers: Vec<Offer>,
    /// When it became free.
    pub created: Timestamp,
    /// When this version was made.
    pub changed: Timestamp,
}

/// Whether an opening can still be had.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OpeningStatus {
    /// By those who have an offer.
    Open,
    /// One of them has it.
    Filled,
    /// Nobody who waited took it, or somebody else did.
    Lapsed,
}

/// An offer of an opening to one who waits.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// The appointment of who waits.
    pub appointment_id: AppointmentId,
    /// Who waits.
    pub patient_id: PatientId,
    /// When it was made.
    pub offered: Timestamp,
    /// Until when it holds.
    pub expires: Timestamp,
    /// What became of it; nothing yet while it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

/// What became of an offer.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answer {
    /// They come.
    Accepted,
    /// They do not.
    Declined,
    /// They did not say.
    Expired,
    /// They no longer wait, or the time has gone to somebody else.
    Withdrawn,
}

/// What is known of those who wait for an opening.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Queue {
    /// Whether nobody has taken the time.
    pub free: bool,
    /// Who would take it, whoever comes first first.
    pub waiting: Vec<(AppointmentId, PatientId)>,
}

/// Why an offer is not taken or declined.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NoOffer {
    /// There is no such opening.
    #[error("there is no such opening")]
    Unknown,
    /// Somebody else was faster.
    #[error("somebody else has taken the time")]
    Filled,
    /// Nobody gets it any more in this way.
    #[error("the time is no longer offered")]
    Lapsed,
    /// It was never made to them, or has been answered.
    #[error("there is no open offer of it to this appointment")]
    None,
    /// It was too late.
    #[error("the offer has expired")]
    Expired,
}

impl Opening {
    /// What an appointment leaves to those who wait, if any of them would take it.
    pub fn left(id: AppointmentId, gone: &Appointment, place: Place, queue: &Queue, now: Timestamp) -> Option<Self> {
        let opening = Self {
            status: OpeningStatus::Open,
            clinic_id: gone.clinic_id,
            time_zone: gone.time_zone.clone(),
            service_id: gone.service_id,
            place,
            freed_by: id,
            offers: Vec::new(),
            created: now,
            changed: now,
        };
        let opening = opening.renewed(queue, now);
        (opening.status == OpeningStatus::Open).then_some(opening)
    }

    /// The opening with as many offers that hold as there can be.
    ///
    /// Who let an offer expire, or declined it, is not asked again; what is over stays so.
    #[must_use]
    pub fn renewed(&self, queue: &Queue, now: Timestamp) -> Self {
        let mut next = Self { changed: now, ..self.clone() };
        if self.status != OpeningStatus::Open {
            return next;
        }
        let gone = !queue.free || now >= self.place.time.start;
        for offer in next.offers.iter_mut().filter(|offer| offer.answer.is_none()) {
            let waits = queue.waiting.iter().any(|(id, _)| *id == offer.appointment_id);
            offer.answer = match () {
                () if gone || !waits => Some(Answer::Withdrawn),
                () if now >= offer.expires => Some(Answer::Expired),
                () => None,
            };
        }
        if !gone {
            let asked = |id| next.offers.iter().any(|offer| offer.appointment_id == id);
            let places = AT_ONCE.saturating_sub(next.holding().count());
            let expires = self.place.time.start.min(now + HOLDS);
            let offer = |(appointment_id, patient_id)| Offer {
                appointment_id,
                patient_id,
                offered: now,
                expires,
                answer: None,
            };
            let unasked = queue.waiting.iter().copied().filter(|(id, _)| !asked(*id));
            let offers: Vec<_> = unasked.take(places).map(offer).collect();
            next.offers.extend(offers);
        }
        if next.holding().count() == 0 {
            next.status = OpeningStatus::Lapsed;
        }
        next
    }

    /// The opening after one of those who were asked takes it: one alone does.
    pub fn accepted(&self, by: AppointmentId, now: Timestamp) -> Result<Self, NoOffer> {
        self.held_by(by, now)?;
        let answer = |offer: &Offer| match offer.answer {
            None if offer.appointment_id == by => Some(Answer::Accepted),
            None => Some(Answer::Withdrawn),
            before => before,
        };
        let offers = self.offers.iter().map(|offer| Offer { answer: answer(offer), ..*offer }).collect();
        Ok(Self { status: OpeningStatus::Filled, offers, changed: now, ..self.clone() })
    }

    /// The opening after one of those who were asked does not want it; others are asked by [`renewed`](Self::renewed).
    pub fn declined(&self, by: AppointmentId, now: Timestamp) -> Result<Self, NoOffer> {
        self.held_by(by, now)?;
        let answer = |offer: &Offer| if offer.appointment_id == by { Some(Answer::Declined) } else { offer.answer };
        let offers = self.offers.iter().map(|offer| Offer { answer: answer(offer), ..*offer }).collect();
        Ok(Self { offers, changed: now, ..self.clone() })
    }

    /// When somebody has to look at it again, if it is open.
    pub fn due(&self) -> Option<Timestamp> {
        self.holding().map(|offer| offer.expires).min().filter(|_| self.status == OpeningStatus::Open)
    }

    fn holding(&self) -> impl Iterator<Item = &Offer> {
        self.offers.iter().filter(|offer| offer.answer.is_none())
    }

    fn held_by(&self, by: AppointmentId, now: Timestamp) -> Result<(), NoOffer> {
        match self.status {
            OpeningStatus::Filled => return Err(NoOffer::Filled),
            OpeningStatus::Lapsed => return Err(NoOffer::Lapsed),
            OpeningStatus::Open => {}
        }
        let offer = self.holding().find(|offer| offer.appointment_id == by).ok_or(NoOffer::None)?;
        if now < offer.expires { Ok(()) } else { Err(NoOffer::Expired) }
    }
}

#[cfg(test)]
mod tests;

//! Ten thousand random things done with appointments, held against a model that counts minute by minute.
//!
//! What is decided here is decided by the same parts as in the service: the pure choice of a lane, the state machine,
//! and the database's trigger and constraints, each on what was written before. The model shares nothing with them. It
//! knows the rules as a person would say them: in no minute are more at a practitioner or in a room than one, or than
//! was declared for those who said that they overbook; in no minute is a patient at two places; nobody is put into a
//! leave.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

use jiff::{SignedDuration, Timestamp};
use libtest_mimic::Trial;
use patient::domain::{
    appointment::{
        Appointment, AppointmentId, CancellationReason, Capacity, Change, Overbooking, Place, Placement, Status,
        Subject, Taken, lane, transitions::Action,
    },
    calendar::{ClinicId, PractitionerId, RoomId, ServiceId, interval::Interval},
    patient::PatientId,
};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};
use testkit::{Database, Parts, Result, test};
use uuid::Uuid;

const CASES: usize = 10_000;
/// Of the week in which Berlin sets its clock back, counted from Saturday 06:00 UTC.
const BEGINNING: &str = "2026-10-24T06:00:00Z";
const MINUTES: i64 = 48 * 60;
const STEP: i64 = 15;

const PUT: &str = "insert into state.state (key, value) values ($1, convert_to($2, 'UTF8'))
    on conflict (key) do update set value = excluded.value";

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![test("ten_thousand_random_changes_agree_with_a_model", parts, |parts| async move {
        let mut book = Book::new(parts.database().await?)?;
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for case in 0..CASES {
            let outcome = book.anything().await?;
            *counts.entry(outcome.clone()).or_default() += 1;
            assert!(!outcome.starts_with("differs"), "seed {}, case {case}: {outcome}", book.world);
            if case % 500 == 499 {
                book.agrees().await?;
            }
        }
        // All of it happened, and was refused, often enough to mean something.
        for often in ["booked", "taken", "overbooked", "moved", "cancelled", "corrected", "leave", "on-leave"] {
            assert!(counts.get(often).is_some_and(|count| *count >= 20), "{counts:?}");
        }
        Ok(())
    })]
}

/// A seed gives the same changes again; a case that fails names it.
struct Dice(StdRng);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0.random_range(0..below)
    }

    fn id(&mut self, kind: u64, below: u64) -> Uuid {
        Uuid::from_u64_pair(kind, 1 + self.roll(below))
    }
}

/// What the model keeps of an appointment.
#[derive(Clone)]
struct Kept {
    id: AppointmentId,
    version: u64,
    appointment: Appointment,
}

struct Book {
    database: Database,
    dice: Dice,
    kept: Vec<Kept>,
    leaves: Vec<(Uuid, PractitionerId, i64, i64)>,
    beginning: Timestamp,
    /// The seed, and in every id: what an earlier run has written is in nobody's way.
    world: u64,
}

fn takes_time(status: Status) -> bool {
    [Status::Pending, Status::Booked, Status::Arrived, Status::CheckedIn, Status::Fulfilled].contains(&status)
}

impl Book {
    fn new(database: Database) -> Result<Self> {
        let world = u64::from_be_bytes(Uuid::now_v7().into_bytes()[..8].try_into()?);
        let dice = Dice(StdRng::seed_from_u64(world));
        Ok(Self { database, dice, kept: Vec::new(), leaves: Vec::new(), beginning: BEGINNING.parse()?, world })
    }

    fn at(&self, minute: i64) -> Timestamp {
        self.beginning + SignedDuration::from_mins(minute)
    }

    fn minute(&self, at: Timestamp) -> i64 {
        at.duration_since(self.beginning).as_mins()
    }

    /// A place somewhere in the window, with buffers before and after.
    fn place(&mut self) -> Place {
        let start = i64::try_from(self.dice.roll(u64::try_from(MINUTES / STEP).unwrap())).unwrap() * STEP;
        let length = 15 + 15 * i64::try_from(self.dice.roll(4)).unwrap();
        let buffer = 5 * i64::try_from(self.dice.roll(2)).unwrap();
        let room = self.dice.roll(3);
        Place {
            practitioner: PractitionerId::new(self.dice.id(self.world, 3)),
            room: (room > 0).then(|| RoomId::new(Uuid::from_u64_pair(self.world, 10 + room))),
            time: Interval::new(self.at(start), self.at(start + length)),
            busy: Interval::new(self.at(start - buffer), self.at(start + length + buffer)),
        }
    }

    /// Something at random: what came of it, or what the model says instead.
    async fn anything(&mut self) -> Result<String> {
        match self.dice.roll(20) {
            0..=6 => self.book(false).await,
            7..=9 => self.book(true).await,
            10..=12 => self.reschedule().await,
            13..=15 => self.cancel().await,
            16 => self.miss().await,
            17 => self.correct().await,
            18 => self.leave().await,
            _ => self.withdraw().await,
        }
    }

    async fn book(&mut self, overbook: bool) -> Result<String> {
        let id = AppointmentId::new(Uuid::now_v7());
        let patient = PatientId::new(self.dice.id(self.world ^ 1, 12));
        let place = self.place();
        let placement = self.placement(id, patient, place, overbook).await?;
        let expected = self.allows(id, patient, &place, overbook.then_some(capacity()));
        let Some(placement) = placement else {
            return Ok(if expected { "differs: a lane was refused".to_owned() } else { "taken".to_owned() });
        };
        let subject = Subject {
            patient,
            service: ServiceId::new(Uuid::from_u128(1)),
            clinic: ClinicId::new(Uuid::from_u128(2)),
            time_zone: "Europe/Berlin".to_owned(),
        };
        let made = Appointment::new(subject, placement, Action::Book, None, self.beginning).unwrap();
        let overbooked = made.overbooking.is_some();
        self.put(Kept { id, version: 1, appointment: made }, expected, if overbooked { "overbooked" } else { "booked" })
            .await
    }

    async fn reschedule(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::Booked) else { return Ok("nothing".to_owned()) };
        let overbook = self.dice.roll(3) == 0;
        let place = self.place();
        let patient = kept.appointment.patient_id;
        let placement = self.placement(kept.id, patient, place, overbook).await?;
        let expected = self.allows(kept.id, patient, &place, overbook.then_some(capacity()));
        let Some(placement) = placement else {
            return Ok(if expected { "differs: a lane was refused".to_owned() } else { "taken".to_owned() });
        };
        let moved = kept.appointment.change(Change::Reschedule(placement), self.beginning).unwrap();
        self.put(Kept { version: kept.version + 1, appointment: moved, ..kept }, expected, "moved").await
    }

    async fn cancel(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::Booked) else { return Ok("nothing".to_owned()) };
        let change = Change::Cancel(CancellationReason::Patient);
        let cancelled = kept.appointment.change(change, self.beginning).unwrap();
        self.put(Kept { version: kept.version + 1, appointment: cancelled, ..kept }, true, "cancelled").await
    }

    async fn miss(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::Booked) else { return Ok("nothing".to_owned()) };
        let missed = kept.appointment.change(Change::NoShow(None), self.at(MINUTES * 2)).unwrap();
        self.put(Kept { version: kept.version + 1, appointment: missed, ..kept }, true, "missed").await
    }

    async fn correct(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::NoShow) else { return Ok("nothing".to_owned()) };
        let change = Change::Correct { arrived: self.dice.roll(2) == 0, reason: "was here".to_owned() };
        let corrected = kept.appointment.change(change, self.at(MINUTES * 2)).unwrap();
        let declared = corrected.overbooking.as_ref().map(|overbooking| overbooking.capacity);
        // What was is corrected even during a leave, and in the lane that it had.
        let same_lane = |other: &&Kept| {
            let (one, other) = (&corrected, &other.appointment);
            one.lane == other.lane
                && one.busy.meets(other.busy)
                && (one.practitioner_id == other.practitioner_id
                    || one.room_id.is_some() && one.room_id == other.room_id)
        };
        let lane_is_free = !self.active(kept.id).any(|other| same_lane(&other));
        let expected = lane_is_free && self.has_room(kept.id, corrected.patient_id, &corrected.place(), declared);
        self.put(Kept { version: kept.version + 1, appointment: corrected, ..kept }, expected, "corrected").await
    }

    async fn leave(&mut self) -> Result<String> {
        let (id, practitioner) = (Uuid::now_v7(), PractitionerId::new(self.dice.id(self.world, 3)));
        let start = i64::try_from(self.dice.roll(u64::try_from(MINUTES / 60).unwrap())).unwrap() * 60;
        self.leaves.push((id, practitioner, start, start + 120));
        let (from, to) = (self.at(start).to_string(), self.at(start + 120).to_string());
        let put = "insert into projection.leaves (leave_id, practitioner_id, period, active)
            values ($1::uuid, $2::uuid, tstzrange($3::timestamptz, $4::timestamptz), true)";
        self.database.change(put, &[&id.to_string(), &practitioner.to_string(), &from, &to]).await?;
        Ok("leave".to_owned())
    }

    async fn withdraw(&mut self) -> Result<String> {
        if self.leaves.len() < 3 {
            return Ok("nothing".to_owned());
        }
        let (id, ..) = self.leaves.remove(0);
        let put = "update projection.leaves set active = false where leave_id = $1::uuid";
        self.database.change(put, &[&id.to_string()]).await?;
        Ok("withdrawn".to_owned())
    }

    fn any(&mut self, status: Status) -> Option<Kept> {
        let of: Vec<_> = self.kept.iter().filter(|kept| kept.appointment.status == status).collect();
        let index = self.dice.roll(u64::try_from(of.len().max(1)).unwrap());
        of.get(usize::try_from(index).unwrap()).map(|kept| (*kept).clone())
    }

    /// What the service would put there: its question to the database and its choice of a lane. Every fourth time it
    /// is as if somebody had been faster since the question, and the database alone is in the way.
    async fn placement(
        &mut self,
        own: AppointmentId,
        patient: PatientId,
        place: Place,
        overbook: bool,
    ) -> Result<Option<Placement>> {
        let overbooking = overbook.then(|| Overbooking { reason: "cannot wait".to_owned(), capacity: capacity() });
        if self.dice.roll(4) == 0 && !overbook {
            return Ok(Some(Placement { place, lane: 0, overbooking }));
        }
        let room = place.room.map_or_else(|| "{}".to_owned(), |room| format!("{{{room}}}"));
        let asked = format!(
            "select projection.taken('{}', '{room}', '{patient}', tstzmultirange(tstzrange('{}', '{}')), '{own}') as taken",
            place.practitioner, place.busy.start, place.busy.end
        );
        let taken: Vec<Taken> = serde_json::from_value(self.database.ask(&asked).await?[0]["taken"].clone())?;
        let chosen = lane(patient, &place, &taken, overbooking.as_ref().map(|overbooking| overbooking.capacity));
        Ok(chosen.ok().map(|lane| Placement { place, lane, overbooking }))
    }

    /// Writes a version as the sidecar would; what was written has to be what the model expects.
    async fn put(&mut self, next: Kept, expected: bool, word: &str) -> Result<String> {
        let document = json!({ "schema": 1, "version": next.version, "events": [], "data": next.appointment });
        let key = format!("appointment/{}", next.id);
        let refused = self.database.change(PUT, &[&key, &document.to_string()]).await?;
        match (refused, expected) {
            (None, true) => {
                self.kept.retain(|kept| kept.id != next.id);
                self.kept.push(next);
                Ok(word.to_owned())
            }
            (Some(name), false) if name == "appointments_leave_check" => Ok("on-leave".to_owned()),
            (Some(_), false) => Ok("taken".to_owned()),
            (Some(name), true) => Ok(format!("differs: {name} refused {word}")),
            (None, false) => Ok(format!("differs: {word} was written")),
        }
    }

    fn active(&self, but: AppointmentId) -> impl Iterator<Item = &Kept> {
        self.kept.iter().filter(move |kept| kept.id != but && takes_time(kept.appointment.status))
    }

    /// The model: whether somebody may be put there.
    fn allows(&self, own: AppointmentId, patient: PatientId, place: &Place, declared: Option<Capacity>) -> bool {
        let on_leave = self.leaves.iter().any(|(_, practitioner, from, to)| {
            let (start, end) = (self.minute(place.time.start), self.minute(place.time.end));
            *practitioner == place.practitioner && (start..end).any(|minute| (*from..*to).contains(&minute))
        });
        !on_leave && self.has_room(own, patient, place, declared)
    }

    fn has_room(&self, own: AppointmentId, patient: PatientId, place: &Place, declared: Option<Capacity>) -> bool {
        let declared = declared.unwrap_or(Capacity { practitioner: 1, room: 1 });
        let minutes = |interval: Interval| self.minute(interval.start)..self.minute(interval.end);
        let at = |minute: i64, own_kind: &dyn Fn(&Appointment) -> bool| {
            let there = self.active(own).filter(|kept| own_kind(&kept.appointment));
            u16::try_from(there.filter(|kept| minutes(kept.appointment.busy).contains(&minute)).count()).unwrap()
        };
        let practitioner = |other: &Appointment| other.practitioner_id == place.practitioner;
        let room = |other: &Appointment| place.room.is_some() && other.room_id == place.room;
        let free = minutes(place.busy).all(|minute| {
            at(minute, &practitioner) < declared.practitioner.max(1) && at(minute, &room) < declared.room.max(1)
        });
        let alone = self.active(own).filter(|kept| kept.appointment.patient_id == patient).all(|kept| {
            let other = minutes(kept.appointment.time);
            minutes(place.time).all(|minute| !other.contains(&minute))
        });
        free && alone
    }

    /// The projection has what the model has.
    async fn agrees(&mut self) -> Result<()> {
        let ids: Vec<_> = self.kept.iter().map(|kept| format!("'{}'", kept.id)).collect();
        let asked = format!(
            "select appointment_id, status, lane, extract(epoch from starts)::bigint as starts
             from projection.appointments where appointment_id in ({})",
            ids.join(", ")
        );
        let mut rows: Vec<Value> = self.database.ask(&asked).await?;
        let mut own: Vec<Value> = self
            .kept
            .iter()
            .map(|Kept { id, appointment, .. }| {
                json!({
                    "appointment_id": id, "status": appointment.status, "lane": appointment.lane,
                    "starts": appointment.time.start.as_second(),
                })
            })
            .collect();
        rows.sort_by_key(|row| row["appointment_id"].to_string());
        own.sort_by_key(|row| row["appointment_id"].to_string());
        assert_eq!(rows, own);
        Ok(())
    }
}

/// Two at a practitioner, three in a room.
const fn capacity() -> Capacity {
    Capacity { practitioner: 2, room: 3 }
}

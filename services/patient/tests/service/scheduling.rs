//! Ten thousand random things done with appointments, held against a model that counts minute by minute.
//!
//! What is decided here is decided by the same parts as in the service: the pure choice of a lane, the recurrence, the
//! splitting of a series, the state machine, and the database's trigger and constraints, each on what was written
//! before. The model shares nothing with them. It knows the rules as a person would say them: in no minute are more at
//! a practitioner or in a room than one, or than was declared for those who said that they overbook; in no minute is a
//! patient at two places; nobody is put into a leave, nor where a room is down; a series is at the first minute of a
//! day at which the clock shows its time. The clock is a list of what it shows, minute by minute, around a day on which
//! it is set.
#![expect(clippy::unwrap_used, reason = "what is not there is a failed test")]

mod known;
mod model;
mod series;

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};
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
use serde_json::json;
use testkit::{Database, Parts, Result, test};
use uuid::Uuid;

const CASES: usize = 10_000;
/// Zones, and the Thursday before a Sunday on which the clock is set; in Kolkata it never is.
const WORLDS: [(&str, &str); 7] = [
    ("Europe/Berlin", "2026-10-22T00:00"),
    ("Europe/Berlin", "2027-03-25T00:00"),
    ("America/New_York", "2026-10-29T00:00"),
    ("America/New_York", "2027-03-11T00:00"),
    ("Australia/Lord_Howe", "2026-10-01T00:00"),
    ("Australia/Lord_Howe", "2027-04-01T00:00"),
    ("Asia/Kolkata", "2026-10-22T00:00"),
];
const DAY: i64 = 24 * 60;
const DAYS: i64 = 9;
/// So long after midnight most things begin, since clocks are set at night.
const NIGHT: i64 = 8 * 60;
const STEP: i64 = 15;

const PUT: &str = "insert into state.state (key, value) values ($1, convert_to($2, 'UTF8'))
    on conflict (key) do update set value = excluded.value";

pub(super) fn tests(parts: &Parts) -> Vec<Trial> {
    vec![test("ten_thousand_random_changes_agree_with_a_model", parts, |parts| async move {
        let mut counts = std::collections::BTreeMap::<String, usize>::new();
        for (world, (zone, beginning)) in WORLDS.into_iter().enumerate() {
            let mut book = Book::new(parts.database().await?, zone, beginning.parse()?)?;
            let cases = (CASES * world / WORLDS.len())..(CASES * (world + 1) / WORLDS.len());
            for case in cases {
                let outcome = book.anything().await?;
                assert!(!outcome.starts_with("differs"), "{zone}, seed {}, case {case}: {outcome}", book.world);
                *counts.entry(outcome).or_default() += 1;
                if case % 500 == 499 {
                    book.agrees().await?;
                }
            }
            book.agrees().await?;
        }
        // All of it happened, and was refused, often enough to mean something.
        for often in [
            "booked",
            "taken",
            "overbooked",
            "moved",
            "cancelled",
            "corrected",
            "leave",
            "on-leave",
            "series",
            "series-skipped",
            "series-refused",
            "ended",
            "split",
            "split-kept",
            "split-refused",
            "skipped-time",
        ] {
            assert!(counts.get(often).is_some_and(|count| *count >= 5), "{often}: {counts:?}");
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
    /// Of which series, which of it, and whether it goes its own way.
    of: Option<(Uuid, u16, bool)>,
}

/// Who is not there, or what: the id of a practitioner or a room.
struct Away {
    id: Uuid,
    whose: Uuid,
    from: i64,
    to: i64,
}

struct Book {
    database: Database,
    dice: Dice,
    kept: Vec<Kept>,
    series: Vec<series::Kept>,
    leaves: Vec<Away>,
    zone: &'static str,
    beginning: Timestamp,
    /// What the clinic's clock shows in each minute.
    clock: Vec<DateTime>,
    /// The seed, and in every id: what an earlier run has written is in nobody's way.
    world: u64,
}

/// Nobody waits here.
fn placed(appointment: &Appointment) -> &Placement {
    appointment.placement.as_ref().unwrap()
}

fn takes_time(status: Status) -> bool {
    [Status::Pending, Status::Booked, Status::Arrived, Status::CheckedIn, Status::Fulfilled].contains(&status)
}

impl Book {
    fn new(database: Database, zone: &'static str, beginning: DateTime) -> Result<Self> {
        let world = u64::from_be_bytes(Uuid::now_v7().into_bytes()[..8].try_into()?);
        let dice = Dice(StdRng::seed_from_u64(world));
        let shown = TimeZone::get(zone)?;
        let beginning = shown.to_timestamp(beginning)?;
        let show = |minute| shown.to_datetime(beginning + SignedDuration::from_mins(minute));
        let clock = (0..DAYS * DAY).map(show).collect();
        let (kept, series, leaves) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { database, dice, kept, series, leaves, zone, beginning, clock, world })
    }

    /// Before anything takes place.
    fn now(&self) -> Timestamp {
        self.at(-DAY)
    }

    fn at(&self, minute: i64) -> Timestamp {
        self.beginning + SignedDuration::from_mins(minute)
    }

    fn minute(&self, at: Timestamp) -> i64 {
        at.duration_since(self.beginning).as_mins()
    }

    fn below(&mut self, below: i64) -> i64 {
        i64::try_from(self.dice.roll(u64::try_from(below).unwrap())).unwrap()
    }

    fn start(&mut self) -> i64 {
        self.below(DAYS - 1) * DAY + self.below(NIGHT / STEP) * STEP
    }

    fn room(&mut self) -> Option<RoomId> {
        let room = self.dice.roll(3);
        (room > 0).then(|| RoomId::new(Uuid::from_u64_pair(self.world, 10 + room)))
    }

    /// A place somewhere in the window, with buffers before and after.
    fn place(&mut self) -> Place {
        let start = self.start();
        let length = 15 + 15 * self.below(4);
        let buffer = 5 * self.below(2);
        let room = self.room();
        Place {
            practitioner: PractitionerId::new(self.dice.id(self.world, 3)),
            room,
            time: Interval::new(self.at(start), self.at(start + length)),
            busy: Interval::new(self.at(start - buffer), self.at(start + length + buffer)),
        }
    }

    /// Something at random: what came of it, or what the model says instead.
    async fn anything(&mut self) -> Result<String> {
        match self.dice.roll(32) {
            0..=5 => self.book(false).await,
            6..=9 => self.book(true).await,
            10..=13 => self.reschedule().await,
            14..=17 => self.cancel().await,
            18 => self.miss().await,
            19 => self.correct().await,
            20 => self.leave().await,
            21 => self.withdraw().await,
            22..=24 => self.book_series().await,
            25..=30 => self.move_series().await,
            _ if self.dice.roll(4) == 0 => self.end_series().await,
            _ => self.cancel().await,
        }
    }

    async fn book(&mut self, overbook: bool) -> Result<String> {
        let id = AppointmentId::new(Uuid::now_v7());
        let patient = PatientId::new(self.dice.id(self.world ^ 1, 12));
        let place = self.place();
        let placement = self.placement(id, patient, place, overbook).await?;
        let expected = self.allows(&[id], patient, &place, overbook.then_some(capacity()));
        let Some(placement) = placement else {
            return Ok(if expected { "differs: a lane was refused".to_owned() } else { "taken".to_owned() });
        };
        let subject = Subject {
            patient,
            service: ServiceId::new(Uuid::from_u128(1)),
            clinic: ClinicId::new(Uuid::from_u128(2)),
            time_zone: self.zone.to_owned(),
        };
        let made = Appointment::new(subject, placement, Action::Book, None, self.beginning).unwrap();
        let overbooked = placed(&made).overbooking.is_some();
        self.put(
            Kept { id, version: 1, appointment: made, of: None },
            expected,
            if overbooked { "overbooked" } else { "booked" },
        )
        .await
    }

    async fn reschedule(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::Booked) else { return Ok("nothing".to_owned()) };
        let overbook = self.dice.roll(3) == 0;
        let place = self.place();
        let patient = kept.appointment.patient_id;
        let placement = self.placement(kept.id, patient, place, overbook).await?;
        let expected = self.allows(&[kept.id], patient, &place, overbook.then_some(capacity()));
        let Some(placement) = placement else {
            return Ok(if expected { "differs: a lane was refused".to_owned() } else { "taken".to_owned() });
        };
        let moved = kept.appointment.change(Change::Reschedule(placement), self.beginning).unwrap();
        let of = kept.of.map(|(series, number, _)| (series, number, true));
        self.put(Kept { version: kept.version + 1, appointment: moved, of, ..kept }, expected, "moved").await
    }

    async fn cancel(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::Booked) else { return Ok("nothing".to_owned()) };
        let change = Change::Cancel(CancellationReason::Patient);
        let cancelled = kept.appointment.change(change, self.beginning).unwrap();
        self.put(Kept { version: kept.version + 1, appointment: cancelled, ..kept }, true, "cancelled").await
    }

    async fn miss(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::Booked) else { return Ok("nothing".to_owned()) };
        let missed = kept.appointment.change(Change::NoShow(None), self.at(DAYS * DAY * 2)).unwrap();
        self.put(Kept { version: kept.version + 1, appointment: missed, ..kept }, true, "missed").await
    }

    async fn correct(&mut self) -> Result<String> {
        let Some(kept) = self.any(Status::NoShow) else { return Ok("nothing".to_owned()) };
        let change = Change::Correct { arrived: self.dice.roll(2) == 0, reason: "was here".to_owned() };
        let corrected = kept.appointment.change(change, self.at(DAYS * DAY * 2)).unwrap();
        let declared = placed(&corrected).overbooking.as_ref().map(|overbooking| overbooking.capacity);
        // What was is corrected even during a leave, and in the lane that it had.
        let same_lane = |other: &&Kept| {
            let (one, other) = (placed(&corrected), placed(&other.appointment));
            let (lanes, one, other) = (one.lane == other.lane, one.place, other.place);
            lanes
                && one.busy.meets(other.busy)
                && (one.practitioner == other.practitioner || one.room.is_some() && one.room == other.room)
        };
        let lane_is_free = !self.active(&[kept.id]).any(|other| same_lane(&other));
        let expected =
            lane_is_free && self.has_room(&[kept.id], corrected.patient_id, &placed(&corrected).place, declared);
        self.put(Kept { version: kept.version + 1, appointment: corrected, ..kept }, expected, "corrected").await
    }

    async fn leave(&mut self) -> Result<String> {
        let start = self.below(DAYS - 1) * DAY + self.below(NIGHT / 60) * 60;
        let (id, practitioner) = (Uuid::now_v7(), self.dice.id(self.world, 3));
        let room = self.room().filter(|_| start % 120 == 0).map(RoomId::as_uuid);
        let whose = room.unwrap_or(practitioner);
        self.leaves.push(Away { id, whose, from: start, to: start + 120 });
        let (from, to) = (self.at(start).to_string(), self.at(start + 120).to_string());
        let put = if room.is_some() {
            "insert into projection.leaves (leave_id, room_id, period, active)
             values ($1::uuid, $2::uuid, tstzrange($3::timestamptz, $4::timestamptz), true)"
        } else {
            "insert into projection.leaves (leave_id, practitioner_id, period, active)
             values ($1::uuid, $2::uuid, tstzrange($3::timestamptz, $4::timestamptz), true)"
        };
        self.database.change(put, &[&id.to_string(), &whose.to_string(), &from, &to]).await?;
        Ok("leave".to_owned())
    }

    async fn withdraw(&mut self) -> Result<String> {
        if self.leaves.len() < 6 {
            return Ok("nothing".to_owned());
        }
        let Away { id, .. } = self.leaves.remove(0);
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
}

/// Two at a practitioner, three in a room.
const fn capacity() -> Capacity {
    Capacity { practitioner: 2, room: 3 }
}

use jiff::SignedDuration;
use proptest::prelude::*;

use super::{transitions::TABLE, *};
use crate::domain::calendar::{PractitionerId, RoomId};

/// 09:00 in Berlin.
fn start() -> Timestamp {
    "2026-11-30T08:00:00Z".parse().unwrap()
}

fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

fn place(from: i64, length: i64) -> Place {
    let time = Interval::new(start() + minutes(from), start() + minutes(from + length));
    Place { practitioner: PractitionerId::new(Uuid::from_u128(1)), room: None, time, busy: time }
}

fn placement(from: i64) -> Placement {
    Placement { place: place(from, 30), lane: 0, overbooking: None }
}

fn made(action: Action) -> Appointment {
    let subject = Subject {
        patient: PatientId::new(Uuid::from_u128(2)),
        service: ServiceId::new(Uuid::from_u128(3)),
        clinic: ClinicId::new(Uuid::from_u128(4)),
        time_zone: "Europe/Berlin".to_owned(),
    };
    let before = start() - minutes(60 * 24 * 7);
    if action == Action::Wait {
        let requested_period = Interval::new(before, start());
        return Appointment::waiting(subject, Waiting { requested_period, practitioner: None, priority: 5 }, before);
    }
    Appointment::new(subject, placement(0), action, None, before).unwrap()
}

fn change(action: Action) -> Option<Change> {
    let reason = || "reason".to_owned();
    Some(match action {
        Action::Wait | Action::Propose | Action::Request => return None,
        Action::Book => Change::Book(placement(30)),
        Action::Reschedule => Change::Reschedule(placement(60)),
        Action::Confirm => Change::Confirm,
        Action::Arrive => Change::Arrive,
        Action::CheckIn => Change::CheckIn,
        Action::Start => Change::Start,
        Action::Finish => Change::Finish,
        Action::Cancel => Change::Cancel(CancellationReason::Patient),
        Action::NoShow => Change::NoShow(None),
        Action::CorrectToBooked => Change::Correct { arrived: false, reason: reason() },
        Action::CorrectToArrived => Change::Correct { arrived: true, reason: reason() },
        Action::EnterInError => Change::EnterInError { reason: reason() },
    })
}

#[test]
fn a_visit_keeps_all_its_times() {
    let day = start();
    let mut visit = made(Action::Request);
    let steps = [
        (Change::Book(placement(0)), day - minutes(5000)),
        (Change::Reschedule(placement(10)), day - minutes(4000)),
        (Change::Confirm, day - minutes(3000)),
        (Change::Arrive, day - minutes(5)),
        (Change::CheckIn, day),
        (Change::Start, day + minutes(10)),
        (Change::Finish, day + minutes(35)),
    ];
    for (step, at) in steps.clone() {
        visit = visit.change(step, at).unwrap();
    }
    assert_eq!((visit.status, visit.reschedules), (Status::Fulfilled, 1));
    let Stamps { booked, rescheduled, confirmed, arrived, checked_in, started, finished, .. } = visit.stamps;
    let kept = [booked, rescheduled, confirmed, arrived, checked_in, started, finished];
    assert_eq!(kept, steps.map(|(_, at)| Some(at)));
    assert_eq!(visit.time().unwrap().start, day + minutes(10));
}

#[test]
fn nobody_is_missing_before_the_grace_is_over() {
    let booked = made(Action::Book);
    let missing = |after| booked.change(Change::NoShow(Some("no call".to_owned())), start() + minutes(after));
    assert_eq!(missing(14), Err(Refusal::Guarded(Guard::Overdue)));
    let missed = missing(15).unwrap();
    assert_eq!((missed.status, missed.cancellation), (Status::NoShow, None));
    let correct = Change::Correct { arrived: true, reason: "sat in the wrong room".to_owned() };
    let here = missed.change(correct, start() + minutes(20)).unwrap();
    assert_eq!((here.status, here.stamps.no_show), (Status::Arrived, missed.stamps.no_show));
}

#[test]
fn who_comes_on_another_day_has_not_come_to_this_appointment() {
    let booked = made(Action::Book);
    // 00:30 and 23:30 in Berlin on the day, 23:30 the day before.
    for (at, here) in [(-510, true), (870, true), (-570, false), (60 * 24, false)] {
        assert_eq!(booked.may(Action::Arrive, start() + minutes(at)).is_ok(), here, "{at}");
    }
}

#[test]
fn calling_off_within_a_day_is_late() {
    let late = |made: &Appointment, before| {
        let cancelled = made.change(Change::Cancel(CancellationReason::Patient), start() - minutes(before)).unwrap();
        cancelled.cancellation.unwrap().late
    };
    let booked = made(Action::Book);
    assert!(!late(&booked, 24 * 60) && late(&booked, 24 * 60 - 1));
    // Who only waits keeps nobody from coming.
    assert!(!late(&made(Action::Wait), 1));
}

#[test]
fn an_encounter_begins_once_and_ends_after_that() {
    let here = made(Action::Book).change(Change::Arrive, start()).unwrap().change(Change::CheckIn, start()).unwrap();
    assert_eq!(here.change(Change::Finish, start()), Err(Refusal::Guarded(Guard::Started)));
    let begun = here.change(Change::Start, start()).unwrap();
    assert_eq!(begun.change(Change::Start, start()), Err(Refusal::Guarded(Guard::NotStarted)));
}

proptest! {
    /// Whatever is tried: what the table has not is refused, what it has leads where it says, and no time stamp but
    /// those that are set anew is ever lost.
    #[test]
    fn any_sequence_follows_the_table(
        first in prop::sample::select(vec![Action::Wait, Action::Propose, Action::Request, Action::Book]),
        tries in prop::collection::vec((prop::sample::select(Action::ALL.to_vec()), -3000_i64..3000), 0..30),
    ) {
        let mut appointment = made(first);
        for (action, at) in tries {
            let Some(wanted) = change(action) else { continue };
            let row = TABLE.iter().find(|row| row.from == Some(appointment.status) && row.action == action);
            match (appointment.change(wanted, start() + minutes(at)), row) {
                (Ok(next), Some(row)) => {
                    prop_assert_eq!(next.status, row.to);
                    prop_assert!(next.stamps.created == appointment.stamps.created);
                    prop_assert!(next.stamps.booked.is_some() || appointment.stamps.booked.is_none());
                    prop_assert!(next.reschedules >= appointment.reschedules);
                    prop_assert_eq!(next.cancellation.is_some(), next.status == Status::Cancelled);
                    appointment = next;
                }
                (Err(Refusal::NotAllowed { from, .. }), None) => prop_assert_eq!(from, appointment.status),
                (Err(Refusal::Guarded(guard)), Some(row)) => prop_assert!(row.guards.contains(&guard)),
                (result, row) => prop_assert!(false, "{:?} {:?}", result, row),
            }
        }
    }

    /// A lane is given when nobody is there; with overbooking exactly when fewer are there than declared, counted
    /// minute by minute.
    #[test]
    fn a_lane_is_given_as_far_as_the_capacity_goes(
        others in prop::collection::vec((0_i64..20, 1_i64..8, 0_u16..2, 0_u128..3), 0..7),
        wanted in (0_i64..20, 1_i64..8),
        capacity in 1_u16..4,
    ) {
        let patient = PatientId::new(Uuid::from_u128(0));
        let room = |number: u16| Some(RoomId::new(Uuid::from_u128(number.into())));
        let practitioner = |number: u16| PractitionerId::new(Uuid::from_u128(number.into()));
        let place = Place { room: room(0), practitioner: practitioner(0), ..place(wanted.0, wanted.1) };
        let taken: Vec<_> = others.iter().enumerate().map(|(index, &(from, length, which, patient))| {
            let place = super::tests::place(from, length);
            Taken {
                appointment: AppointmentId::new(Uuid::from_u128(index as u128)),
                patient: PatientId::new(Uuid::from_u128(patient)),
                practitioner: practitioner(which),
                room: room(u16::from(index % 2 == 0)),
                time: place.time,
                busy: place.busy,
                lane: u16::try_from(index).unwrap(),
            }
        }).collect();
        let there = |minute: i64, own: &dyn Fn(&Taken) -> bool| {
            let at = start() + minutes(minute);
            u16::try_from(taken.iter().filter(|other| own(other) && other.busy.holds(at)).count()).unwrap()
        };
        let most = |own: &dyn Fn(&Taken) -> bool| {
            (wanted.0..wanted.0 + wanted.1).map(|minute| there(minute, own)).max().unwrap()
        };
        let at_practitioner = most(&|other: &Taken| other.practitioner == place.practitioner);
        let in_room = most(&|other: &Taken| other.room == place.room);
        let with_patient = most(&|other: &Taken| other.patient == patient);
        let free = at_practitioner + in_room + with_patient == 0;
        prop_assert_eq!(lane(patient, &place, &taken, None).ok(), free.then_some(0));
        let fits = |most: u16| most == 0 || most < capacity;
        let given = lane(patient, &place, &taken, Some(Capacity { practitioner: capacity, room: capacity }));
        prop_assert_eq!(given.is_ok(), free || with_patient == 0 && fits(at_practitioner) && fits(in_room));
        if let Ok(lane) = given {
            let same = |other: &&Taken| other.lane == lane && place.busy.meets(other.busy)
                && (other.practitioner == place.practitioner || other.room == place.room);
            prop_assert!(!taken.iter().any(|other| same(&other)));
        }
    }
}

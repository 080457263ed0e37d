use jiff::ToSpan as _;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::domain::appointment::{Capacity, Overbooking, Placement, Status, Subject, transitions::Action};

fn now() -> Timestamp {
    "2026-11-30T08:00:00Z".parse().unwrap()
}

fn one(number: u128) -> AppointmentId {
    AppointmentId::new(Uuid::from_u128(number))
}

fn queue(waiting: impl IntoIterator<Item = u128>) -> Queue {
    let waiting = waiting.into_iter().map(|number| (one(number), PatientId::new(Uuid::from_u128(number))));
    Queue { free: true, waiting: waiting.collect() }
}

/// Tomorrow, half an hour.
fn place() -> Place {
    let start = now() + 24.hours();
    let time = Interval::new(start, start + 30.minutes());
    Place { practitioner: PractitionerId::new(Uuid::from_u128(1)), room: None, time, busy: time }
}

fn booked() -> Appointment {
    let subject = Subject {
        patient: PatientId::new(Uuid::from_u128(900)),
        service: ServiceId::new(Uuid::from_u128(3)),
        clinic: ClinicId::new(Uuid::from_u128(4)),
        time_zone: "Europe/Berlin".to_owned(),
    };
    let placement = Placement { place: place(), lane: 0, overbooking: None };
    Appointment::new(subject, placement, Action::Book, None, now()).unwrap()
}

fn left(waiting: impl IntoIterator<Item = u128>) -> Option<Opening> {
    Opening::left(one(999), &booked(), place(), &queue(waiting), now())
}

fn held(opening: &Opening) -> Vec<AppointmentId> {
    opening.holding().map(|offer| offer.appointment_id).collect()
}

#[test]
fn what_gets_free_is_offered_to_the_first_who_wait() {
    assert_eq!(left([]), None);
    let opening = left([5, 6, 7, 8]).unwrap();
    assert_eq!(held(&opening), [one(5), one(6), one(7)]);
    assert_eq!(opening.due(), Some(now() + HOLDS));
}

#[test]
fn one_acceptance_wins() {
    let taken = left([5, 6]).unwrap().accepted(one(6), now()).unwrap();
    assert_eq!(taken.status, OpeningStatus::Filled);
    assert_eq!(
        taken.offers.iter().map(|offer| offer.answer).collect::<Vec<_>>(),
        [Some(Answer::Withdrawn), Some(Answer::Accepted)]
    );
    assert_eq!(taken.accepted(one(5), now()), Err(NoOffer::Filled));
    assert_eq!(taken.due(), None);
}

#[test]
fn who_declines_or_does_not_say_makes_room_for_the_next_and_is_not_asked_again() {
    let opening =
        left([5, 6, 7, 8, 9]).unwrap().declined(one(6), now()).unwrap().renewed(&queue([5, 6, 7, 8, 9]), now());
    assert_eq!(held(&opening), [one(5), one(7), one(8)]);
    let later = opening.renewed(&queue([5, 6, 7, 8, 9]), now() + HOLDS);
    assert_eq!(held(&later), [one(9)]);
    assert_eq!(later.accepted(one(5), now() + HOLDS), Err(NoOffer::None));
    assert_eq!(later.renewed(&queue([5, 6, 7, 8, 9]), now() + HOLDS * 2).status, OpeningStatus::Lapsed);
}

#[test]
fn an_offer_is_too_late_at_the_instant_it_expires() {
    let opening = left([5]).unwrap();
    assert!(opening.accepted(one(5), now() + HOLDS - SignedDuration::from_secs(1)).is_ok());
    assert_eq!(opening.accepted(one(5), now() + HOLDS), Err(NoOffer::Expired));
    assert_eq!(opening.accepted(one(6), now()), Err(NoOffer::None));
}

#[test]
fn nothing_is_offered_that_somebody_has_taken_or_that_has_begun() {
    let opening = left([5, 6]).unwrap();
    let taken = opening.renewed(&Queue { free: false, ..queue([5, 6, 7]) }, now());
    assert_eq!((taken.status, held(&taken)), (OpeningStatus::Lapsed, Vec::new()));
    assert_eq!(opening.renewed(&queue([5, 6]), place().time.start).status, OpeningStatus::Lapsed);
    // Who no longer waits is no longer asked.
    assert_eq!(held(&opening.renewed(&queue([6]), now())), [one(6)]);
}

#[test]
fn only_what_takes_time_and_leaves_it_frees_it() {
    let booked = booked();
    let with = |status, placement: Option<Placement>| Appointment { status, placement, ..booked.clone() };
    let at = |minutes: i64| {
        let shift = |time: Interval| Interval::new(time.start + minutes.minutes(), time.end + minutes.minutes());
        let place = Place { time: shift(place().time), busy: shift(place().busy), ..place() };
        let overbooking = Some(Overbooking { reason: String::new(), capacity: Capacity { practitioner: 2, room: 1 } });
        Some(Placement { place, lane: 0, overbooking })
    };
    for (next, frees) in [
        (with(Status::Cancelled, at(0)), true),
        (with(Status::EnteredInError, at(0)), true),
        (with(Status::Arrived, at(0)), false),
        (with(Status::Booked, at(10)), false),
        (with(Status::Booked, at(30)), true),
    ] {
        assert_eq!(booked.frees(&next, now()).is_some(), frees, "{next:?}");
    }
    assert_eq!(booked.frees(&with(Status::Cancelled, at(0)), place().time.start), None);
    let waits = Appointment { status: Status::Waitlist, placement: None, ..booked.clone() };
    assert_eq!(waits.frees(&with(Status::Cancelled, None), now()), None);
}

proptest! {
    /// Whatever is said and whoever comes and goes: at most three are asked at once, nobody twice, and one has it.
    #[test]
    fn any_course_asks_few_and_nobody_twice(
        steps in prop::collection::vec((0_u8..4, 0_u128..12, 0_i64..90), 1..40),
    ) {
        let Some(mut opening) = left(0..6) else { return Ok(()) };
        let (mut at, mut waiting) = (now(), (0..6).collect::<Vec<u128>>());
        for (what, who, later) in steps {
            at += later.minutes();
            let next = match what {
                0 => opening.accepted(one(who), at),
                1 => opening.declined(one(who), at),
                2 => {
                    if !waiting.contains(&(who + 6)) {
                        waiting.push(who + 6);
                    }
                    Ok(opening.renewed(&queue(waiting.clone()), at))
                }
                _ => { waiting.retain(|one| *one != who); Ok(opening.renewed(&queue(waiting.clone()), at)) }
            };
            let Ok(next) = next else { continue };
            if opening.status != OpeningStatus::Open {
                // What is over stays so.
                prop_assert_eq!(next.status, opening.status);
            }
            prop_assert!(next.holding().count() <= AT_ONCE);
            let mut asked: Vec<_> = next.offers.iter().map(|offer| offer.appointment_id).collect();
            asked.sort();
            asked.dedup();
            prop_assert_eq!(asked.len(), next.offers.len());
            let accepted = next.offers.iter().filter(|offer| offer.answer == Some(Answer::Accepted)).count();
            prop_assert_eq!(accepted, usize::from(next.status == OpeningStatus::Filled));
            opening = next;
        }
    }
}

use jiff::civil::datetime;
use uuid::Uuid;

use super::*;
use crate::domain::{
    appointment::recurrence::MOST,
    calendar::{ClinicId, PractitionerId, ServiceId},
    patient::PatientId,
};

fn series(rule: Rule, beginning: DateTime, zone: &Zone) -> Series {
    let occasions = rule.expand(beginning, zone);
    let planned = |Occasion { number, start, .. }| {
        let appointment_id = Some(AppointmentId::new(Uuid::from_u128(number.into())));
        Planned { number, start, appointment_id, kept: false }
    };
    Series {
        patient_id: PatientId::new(Uuid::from_u128(1)),
        practitioner_id: PractitionerId::new(Uuid::from_u128(2)),
        room_id: None,
        service_id: ServiceId::new(Uuid::from_u128(3)),
        clinic_id: ClinicId::new(Uuid::from_u128(4)),
        time_zone: zone.name().to_owned(),
        beginning,
        rule,
        occurrences: occasions.into_iter().map(planned).collect(),
        ended_from: None,
        continues: None,
        continued_by: None,
        rooms: Vec::new(),
        created: Timestamp::UNIX_EPOCH,
        changed: Timestamp::UNIX_EPOCH,
    }
}

fn rule(frequency: Frequency, interval: u16, days: &[i8], count: u16) -> Rule {
    Rule { frequency, interval, days: days.to_vec(), end: End::Count(count) }
}

fn locals(shifted: &Shifted) -> Vec<String> {
    shifted.occurrences.iter().map(|(_, occasion)| occasion.local.strftime("%m-%dT%H:%M").to_string()).collect()
}

#[test]
fn those_that_follow_move_by_the_clock_on_the_wall() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    // The clock is set back on 25 October.
    let weekly = series(rule(Frequency::Weekly, 1, &[], 4), datetime(2026, 10, 12, 9, 0, 0, 0), &berlin);
    let moved = weekly.shifted(2, datetime(2026, 10, 20, 10, 30, 0, 0), &berlin).unwrap();
    assert_eq!(locals(&moved), ["10-20T10:30", "10-27T10:30", "11-03T10:30"]);
    let starts: Vec<_> = moved.occurrences.iter().map(|(_, occasion)| berlin.write(occasion.start)).collect();
    assert_eq!(starts[..2], ["2026-10-20T10:30:00+02:00", "2026-10-27T10:30:00+01:00"]);
    assert_eq!((moved.rule.end, moved.later), (End::Count(3), true));
    let numbers: Vec<_> = moved.occurrences.iter().map(|(planned, own)| (planned.number, own.number)).collect();
    assert_eq!(numbers, [(2, 1), (3, 2), (4, 3)]);
    // The rule says the same when it is asked anew.
    assert_eq!(
        moved.rule.expand(datetime(2026, 10, 20, 10, 30, 0, 0), &berlin),
        moved.occurrences.iter().map(|(_, occasion)| *occasion).collect::<Vec<_>>()
    );
    assert!(!weekly.shifted(2, datetime(2026, 10, 19, 8, 0, 0, 0), &berlin).unwrap().later);
}

#[test]
fn the_days_of_a_week_turn_with_it() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let twice =
        |interval| series(rule(Frequency::Weekly, interval, &[1, 7], 6), datetime(2026, 11, 2, 9, 0, 0, 0), &berlin);
    let tuesday = datetime(2026, 11, 3, 9, 0, 0, 0);
    let moved = twice(1).shifted(1, tuesday, &berlin).unwrap();
    assert_eq!(moved.rule.days, [2, 1]);
    assert_eq!(locals(&moved)[..3], ["11-03T09:00", "11-09T09:00", "11-10T09:00"]);
    // A Sunday of every second week would be a Monday of the week between.
    assert_eq!(twice(2).shifted(1, tuesday, &berlin), Err(Unshiftable::NoRule));
    // The same days at another hour are those of the rule.
    assert!(twice(2).shifted(2, datetime(2026, 11, 8, 14, 0, 0, 0), &berlin).is_ok());
}

#[test]
fn what_no_rule_says_is_refused() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    let monthly = |day| series(rule(Frequency::Monthly, 1, &[], 4), datetime(2026, 1, day, 9, 0, 0, 0), &berlin);
    let moved = |day, to: DateTime| monthly(day).shifted(1, to, &berlin).map(|moved| locals(&moved));
    assert_eq!(
        moved(27, datetime(2026, 1, 28, 9, 0, 0, 0)).unwrap(),
        ["01-28T09:00", "02-28T09:00", "03-28T09:00", "04-28T09:00"]
    );
    // Not each month has a 30th, and the 31st of some is none of others.
    assert_eq!(moved(28, datetime(2026, 1, 30, 9, 0, 0, 0)), Err(Unshiftable::NoRule));
    assert_eq!(moved(31, datetime(2026, 2, 1, 9, 0, 0, 0)), Err(Unshiftable::NoRule));
    assert_eq!(moved(31, datetime(2026, 1, 31, 10, 0, 0, 0)).map(|moved| moved.len()), Ok(4));
    assert_eq!(moved(27, datetime(2026, 3, 29, 2, 30, 0, 0)), Err(Unshiftable::NoSuchTime));
    let twice = monthly(27).ended(3, Timestamp::UNIX_EPOCH);
    assert_eq!(twice.shifted(3, datetime(2026, 3, 27, 10, 0, 0, 0), &berlin), Err(Unshiftable::NoOccurrence));
    assert_eq!(twice.shifted(1, datetime(2026, 1, 27, 10, 0, 0, 0), &berlin).unwrap().occurrences.len(), 2);
    assert_eq!(twice.shifted(MOST, datetime(2026, 1, 27, 10, 0, 0, 0), &berlin), Err(Unshiftable::NoOccurrence));
}

#[test]
fn a_day_that_the_clock_skipped_keeps_nothing_from_moving() {
    let berlin = Zone::parse("Europe/Berlin").unwrap();
    // 28 March 2027 has no half past two.
    let nightly = series(rule(Frequency::Daily, 1, &[], 3), datetime(2027, 3, 27, 2, 30, 0, 0), &berlin);
    let moved = nightly.shifted(1, datetime(2027, 3, 27, 4, 0, 0, 0), &berlin).unwrap();
    assert_eq!(locals(&moved), ["03-27T04:00", "03-29T04:00", "03-30T04:00"]);
    // Nor from moving once more.
    let planned = |(planned, own): &(Planned, Occasion)| Planned { number: own.number, start: own.start, ..*planned };
    let occurrences = moved.occurrences.iter().map(planned).collect();
    let again = Series { rule: moved.rule, beginning: datetime(2027, 3, 27, 4, 0, 0, 0), occurrences, ..nightly };
    let moved = again.shifted(1, datetime(2027, 3, 28, 5, 0, 0, 0), &berlin).unwrap();
    assert_eq!(locals(&moved), ["03-28T05:00", "03-30T05:00", "03-31T05:00"]);
    // And one that is moved onto it has its place in the list, and no time.
    let daily = series(rule(Frequency::Daily, 1, &[], 3), datetime(2027, 3, 27, 9, 0, 0, 0), &berlin);
    let moved = daily.shifted(1, datetime(2027, 3, 27, 2, 30, 0, 0), &berlin).unwrap();
    assert_eq!(locals(&moved), ["03-27T02:30", "03-28T02:30", "03-29T02:30"]);
    let gone: Vec<_> = moved.occurrences.iter().map(|(_, own)| berlin.shows(own.local)).collect();
    assert_eq!(gone, [true, false, true]);
}

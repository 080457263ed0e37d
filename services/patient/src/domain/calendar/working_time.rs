//! How long a practitioner can see patients on a day: the hours, less all that keeps everybody from being booked in them.

use std::collections::BTreeMap;

use jiff::{Span, civil::Date};

use super::{
    ClinicId, RoomId,
    clinic::Clinic,
    interval::{Interval, Intervals},
    practitioner::{Piece, Practitioner},
    room::Room,
};

/// A room, and when it is down.
#[derive(Clone, Debug)]
pub struct RoomTime {
    /// The room.
    pub room: Room,
    /// When nobody can be seen there.
    pub leave: Intervals,
}

/// The hours of a practitioner at a clinic on a day as instants, with what they are for.
pub(super) fn openings<'a>(
    (clinic_id, clinic): (ClinicId, &'a Clinic),
    practitioner: &'a Practitioner,
    date: Date,
) -> impl Iterator<Item = (Interval, &'a Piece)> {
    let pieces = practitioner.hours(clinic_id, date);
    let openings = pieces.map(move |piece| (clinic.zone.between(date, piece.start, piece.end), piece));
    openings.filter(|(within, _)| !within.is_empty())
}

/// The minutes of each day from `first` to `last` on which there is time; `leave` is the practitioner's.
///
/// Hours in a room that is not in use are none, as for [`Availability`](super::availability::Availability). Time counts
/// once, however many may be booked for it deliberately.
pub fn minutes(
    (clinic_id, clinic): (ClinicId, &Clinic),
    practitioner: &Practitioner,
    leave: &Intervals,
    rooms: &BTreeMap<RoomId, RoomTime>,
    (first, last): (Date, Date),
) -> Vec<(Date, i64)> {
    if !practitioner.active {
        return Vec::new();
    }
    let closed = clinic.closures.iter().map(|closure| clinic.zone.days(closure.first, closure.last));
    let away = Intervals::of(closed.chain(leave.iter()));
    let dates = first.series(Span::new().days(1)).take_while(|date| *date <= last);
    let of_date = |date| {
        let openings = openings((clinic_id, clinic), practitioner, date).filter_map(|(within, piece)| {
            let Some(room) = piece.room else { return Some(Intervals::of([within])) };
            let room = rooms.get(&room).filter(|time| time.room.active && time.room.clinic == clinic_id)?;
            Some(Intervals::of([within]).without(&room.leave))
        });
        let open: Vec<_> = openings.flat_map(|open| open.without(&away).iter().collect::<Vec<_>>()).collect();
        let seconds: i64 = Intervals::of(open).iter().map(Interval::seconds).sum();
        (date, seconds / 60)
    };
    dates.map(of_date).filter(|(_, minutes)| *minutes > 0).collect()
}

#[cfg(test)]
mod tests {
    use jiff::{
        Timestamp,
        civil::{Weekday, date},
    };
    use uuid::Uuid;

    use super::*;
    use crate::domain::calendar::{
        clinic::Closure,
        practitioner::{Exception, Schedule, WeekPiece},
        zone::{ClockTime, Zone},
    };

    const CLINIC: ClinicId = ClinicId::new(Uuid::from_u128(1));
    const ROOM: RoomId = RoomId::new(Uuid::from_u128(2));

    fn piece(start: &str, end: &str, room: Option<RoomId>) -> Piece {
        let clock = |text| ClockTime::parse(text).unwrap();
        Piece { start: clock(start), end: clock(end), room, services: Vec::new() }
    }

    fn clinic(closures: Vec<Closure>) -> Clinic {
        Clinic { name: "North".to_owned(), zone: Zone::parse("Europe/Berlin").unwrap(), closures }
    }

    /// Somebody who is there each Sunday and Monday in these pieces.
    fn practitioner(pieces: Vec<Piece>, exceptions: Vec<Exception>) -> Practitioner {
        let days = vec![Weekday::Sunday, Weekday::Monday];
        let week = pieces.into_iter().map(|piece| WeekPiece { days: days.clone(), piece }).collect();
        Practitioner {
            name: "Dr Okoye".to_owned(),
            active: true,
            user: None,
            specialty: None,
            lanes: 3,
            schedules: vec![Schedule { clinic: CLINIC, from: date(2026, 1, 1), to: None, week }],
            exceptions,
        }
    }

    fn between(start: &str, end: &str) -> Intervals {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        Intervals::of([Interval::new(at(start), at(end))])
    }

    fn of(
        who: &Practitioner,
        clinic: &Clinic,
        leave: &Intervals,
        rooms: &BTreeMap<RoomId, RoomTime>,
    ) -> Vec<(Date, i64)> {
        // A Saturday to a Monday; on the Sunday the clock is set forward at two.
        minutes((CLINIC, clinic), who, leave, rooms, (date(2026, 3, 28), date(2026, 3, 30)))
    }

    #[test]
    fn a_day_has_as_many_minutes_as_its_clock_shows_and_leave_takes_some() {
        let (sunday, monday) = (date(2026, 3, 29), date(2026, 3, 30));
        let whole = practitioner(vec![piece("00:00", "12:00", None), piece("12:00", "24:00", None)], Vec::new());
        let (none, rooms) = (Intervals::default(), BTreeMap::new());
        assert_eq!(of(&whole, &clinic(Vec::new()), &none, &rooms), [(sunday, 23 * 60), (monday, 24 * 60)]);
        // From 23:00 on Saturday to 03:30 on Sunday: midnight to two, and half an hour after the jump.
        let leave = between("2026-03-28T22:00:00Z", "2026-03-29T01:30:00Z");
        assert_eq!(of(&whole, &clinic(Vec::new()), &leave, &rooms), [(sunday, 20 * 60 + 30), (monday, 24 * 60)]);
        let closed = clinic(vec![Closure { first: monday, last: monday, reason: None }]);
        assert_eq!(of(&whole, &closed, &leave, &rooms), [(sunday, 20 * 60 + 30)]);
        let short = Exception { clinic: CLINIC, date: sunday, open: vec![piece("01:30", "03:30", None)] };
        let off = Exception { clinic: CLINIC, date: monday, open: Vec::new() };
        let other = practitioner(vec![piece("08:00", "09:00", None)], vec![short, off]);
        assert_eq!(
            of(&other, &clinic(Vec::new()), &none, &rooms),
            [(sunday, 60)],
            "two hours less the one that is skipped"
        );
        let gone = Practitioner { active: false, ..whole };
        assert!(of(&gone, &clinic(Vec::new()), &none, &rooms).is_empty());
    }

    #[test]
    fn hours_in_a_room_are_those_in_which_it_can_be_used() {
        let (sunday, monday) = (date(2026, 3, 29), date(2026, 3, 30));
        let who = practitioner(vec![piece("08:00", "10:00", Some(ROOM)), piece("10:00", "11:00", None)], Vec::new());
        let room = |clinic, active| Room { clinic, name: "1".to_owned(), active, lanes: 2 };
        let known = |room, leave| BTreeMap::from([(ROOM, RoomTime { room, leave })]);
        let (clinic, none) = (clinic(Vec::new()), Intervals::default());
        let down = known(room(CLINIC, true), between("2026-03-30T07:30:00Z", "2026-03-30T09:30:00Z"));
        assert_eq!(of(&who, &clinic, &none, &down), [(sunday, 180), (monday, 90 + 60)]);
        for unusable in
            [known(room(CLINIC, false), none.clone()), known(room(ClinicId::new(Uuid::nil()), true), none.clone())]
        {
            assert_eq!(of(&who, &clinic, &none, &unusable), [(sunday, 60), (monday, 60)]);
        }
        assert_eq!(of(&who, &clinic, &none, &BTreeMap::new()), [(sunday, 60), (monday, 60)]);
    }
}

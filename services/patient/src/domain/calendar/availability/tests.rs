//! Against brute force, minute by minute, written without what it tests: the clock's reading as a running maximum.

use jiff::{
    civil::{DateTime, Weekday, date},
    tz::TimeZone,
};
use proptest::{collection::vec, option, prelude::*, sample::select};
use uuid::Uuid;

use super::*;
use crate::domain::calendar::{
    ServiceId,
    clinic::Closure,
    practitioner::{Exception, Piece, Schedule, WeekPiece},
    zone::{ClockTime, Zone},
};

const CLINIC: ClinicId = ClinicId::new(Uuid::from_u128(1));
const SERVICE: ServiceId = ServiceId::new(Uuid::from_u128(2));
const OTHER_SERVICE: ServiceId = ServiceId::new(Uuid::from_u128(3));
const ROOMS: [RoomId; 2] = [RoomId::new(Uuid::from_u128(4)), RoomId::new(Uuid::from_u128(5))];

/// Zones with days on which their clock is set, and one without.
const TRANSITIONS: [(&str, Date); 9] = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/New_York", date(2026, 11, 1)),
    ("Asia/Kolkata", date(2026, 3, 29)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    // At midnight: a day that begins at one, and one of which the last hour comes twice.
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
];

#[derive(Clone, Debug)]
struct World {
    around: Date,
    clinic: Clinic,
    practitioner: Practitioner,
    service: Service,
    busy: Vec<Interval>,
    leave: Vec<Interval>,
    rooms: Vec<(Room, Vec<Interval>, Vec<Interval>)>,
    now: Timestamp,
}

fn clock(minutes: u16) -> ClockTime {
    ClockTime::parse(&format!("{:02}:{:02}", minutes / 60, minutes % 60)).unwrap()
}

/// Pieces that do not overlap: cuts of a day, of which some are hours.
fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let cut = prop_oneof![(0_u16..=24 * 4).prop_map(|quarter| quarter * 15), 0_u16..=24 * 60];
    // Nights are when clocks are set.
    let cut = prop_oneof![cut, (0_u16..=16).prop_map(|quarter| quarter * 15)];
    let kind = (0_u8..4, option::of(select(&ROOMS[..])), select(vec![vec![], vec![SERVICE], vec![OTHER_SERVICE]]));
    (vec(cut, 2..7), vec(kind, 6)).prop_map(|(mut cuts, kinds)| {
        cuts.sort_unstable();
        cuts.dedup();
        let pairs = cuts.windows(2).zip(kinds).filter(|(_, (closed, ..))| *closed != 0);
        pairs
            .map(|(cut, (_, room, services))| Piece { start: clock(cut[0]), end: clock(cut[1]), room, services })
            .collect()
    })
}

fn intervals(around: Timestamp, most: usize) -> impl Strategy<Value = Vec<Interval>> {
    vec((-36_i64 * 60..60 * 60, 1_i64..180), 0..most).prop_map(move |members| {
        let at = |minutes| Timestamp::from_second(around.as_second() + minutes * 60).unwrap();
        members.into_iter().map(|(start, length)| Interval::new(at(start), at(start + length))).collect()
    })
}

fn service() -> impl Strategy<Value = Service> {
    let lead = prop_oneof![4 => Just(0_u32), 1 => 0_u32..2000];
    let times = (5_u16..150, prop_oneof![Just(0_u16), 0_u16..20], prop_oneof![Just(0_u16), 0_u16..20]);
    (times, 1_u16..70, any::<bool>(), lead, option::of(0_u16..3)).prop_map(
        |((duration_minutes, buffer_before_minutes, buffer_after_minutes), step_minutes, needs_room, lead, ahead)| {
            Service {
                clinic: None,
                name: "visit".to_owned(),
                code: None,
                active: true,
                duration_minutes,
                buffer_before_minutes,
                buffer_after_minutes,
                step_minutes,
                price_code: None,
                needs_room,
                min_lead_minutes: lead,
                max_lead_days: ahead,
            }
        },
    )
}

fn world() -> impl Strategy<Value = World> {
    select(&TRANSITIONS[..]).prop_flat_map(|(zone, around)| {
        let zone = Zone::parse(zone).unwrap();
        let noon = zone.first(around.at(12, 0, 0, 0));
        let exception = (-1_i64..=1, pieces()).prop_map(move |(days, open)| Exception {
            clinic: CLINIC,
            date: around + Span::new().days(days),
            open,
        });
        let closure = option::weighted(0.15, -2_i64..=2);
        let rooms = vec((any::<bool>(), intervals(noon, 5), intervals(noon, 2)), 2);
        (
            pieces(),
            option::of(exception),
            closure,
            service(),
            intervals(noon, 8),
            intervals(noon, 2),
            rooms,
            -60_i64..40,
        )
            .prop_map(move |(week, exception, closure, service, busy, leave, rooms, now)| World {
                around,
                clinic: Clinic {
                    name: "clinic".to_owned(),
                    zone: zone.clone(),
                    closures: closure
                        .map(|days| around + Span::new().days(days))
                        .map(|day| Closure { first: day, last: day, reason: None })
                        .into_iter()
                        .collect(),
                },
                practitioner: Practitioner {
                    name: "practitioner".to_owned(),
                    active: true,
                    user: None,
                    specialty: None,
                    lanes: 1,
                    schedules: vec![Schedule {
                        clinic: CLINIC,
                        from: around - Span::new().days(3),
                        to: Some(around + Span::new().days(1)),
                        week: week
                            .into_iter()
                            .map(|piece| WeekPiece { days: Weekday::Monday.cycle_forward().take(7).collect(), piece })
                            .collect(),
                    }],
                    exceptions: exception.into_iter().collect(),
                },
                service,
                busy,
                leave,
                rooms: rooms
                    .into_iter()
                    .map(|(active, busy, down)| {
                        (Room { clinic: CLINIC, name: "room".to_owned(), active, lanes: 1 }, busy, down)
                    })
                    .collect(),
                now: noon + SignedHours(now).duration(),
            })
    })
}

struct SignedHours(i64);

impl SignedHours {
    fn duration(self) -> jiff::SignedDuration {
        jiff::SignedDuration::from_hours(self.0)
    }
}

/// Which minutes of some days are something, with sums, so that the days can be asked often.
struct Minutes {
    begin: i64,
    before: Vec<usize>,
}

impl Minutes {
    fn of(begin: i64, each: impl Iterator<Item = bool>) -> Self {
        let mut before = vec![0];
        each.for_each(|is| before.push(before[before.len() - 1] + usize::from(is)));
        Self { begin, before }
    }

    fn count(&self, range: &std::ops::Range<i64>) -> usize {
        let at = |minute: i64| self.before[usize::try_from(minute - self.begin).unwrap()];
        at(range.end) - at(range.start)
    }

    fn all(&self, range: &std::ops::Range<i64>) -> bool {
        self.count(range) == range.clone().count()
    }

    fn any(&self, range: &std::ops::Range<i64>) -> bool {
        self.count(range) != 0
    }
}

/// What is what in the days around, minute by minute.
struct Brute<'a> {
    world: &'a World,
    begin: i64,
    /// What the clock has reached at most.
    reached: Vec<DateTime>,
    closed: Minutes,
    taken: Minutes,
    /// The hours for the service, in any room; in none, and in each.
    open: Minutes,
    open_in: Vec<(Option<RoomId>, Minutes)>,
    room_taken: Vec<Minutes>,
}

fn minutes(interval: Interval) -> std::ops::Range<i64> {
    interval.start.as_second() / 60..interval.end.as_second() / 60
}

/// The piece of the hours that the clock is in: its beginning, whether the service is offered, and where.
fn piece_at(world: &World, reached: DateTime) -> Option<(Date, String, bool, Option<RoomId>)> {
    let date = reached.date();
    let practitioner = &world.practitioner;
    let exception = practitioner.exceptions.iter().find(|exception| exception.date == date);
    let schedule = &practitioner.schedules[0];
    let holds = schedule.from <= date && date <= schedule.to.unwrap();
    let pieces: Vec<&Piece> = match exception {
        Some(exception) => exception.open.iter().collect(),
        None => schedule.week.iter().filter(|_| holds).map(|own| &own.piece).collect(),
    };
    let time = format!("{:02}:{:02}", reached.hour(), reached.minute());
    let piece = pieces.into_iter().find(|piece| piece.start.to_string() <= time && time < piece.end.to_string())?;
    let offered = piece.services.is_empty() || piece.services.contains(&SERVICE);
    Some((date, piece.start.to_string(), offered, piece.room))
}

impl<'a> Brute<'a> {
    fn of(world: &'a World) -> Self {
        let zone = TimeZone::get(world.clinic.zone.name()).unwrap();
        let noon = world.around.at(12, 0, 0, 0).to_zoned(zone.clone()).unwrap().timestamp().as_second() / 60;
        let (begin, end) = (noon - 3 * 24 * 60, noon + 3 * 24 * 60);
        let mut reached: Vec<DateTime> = Vec::new();
        for minute in begin..end {
            let shown = zone.to_datetime(Timestamp::from_second(minute * 60).unwrap());
            reached.push(reached.last().map_or(shown, |before| (*before).max(shown)));
        }
        let pieces: Vec<_> = reached.iter().map(|reached| piece_at(world, *reached)).collect();
        let open = |room: Option<Option<RoomId>>| {
            let open = pieces.iter().map(|piece| {
                piece.as_ref().is_some_and(|(_, _, offered, own)| *offered && room.is_none_or(|room| room == *own))
            });
            Minutes::of(begin, open)
        };
        let within = |intervals: Vec<Interval>| {
            let ranges: Vec<_> = intervals.into_iter().map(minutes).collect();
            Minutes::of(begin, (begin..end).map(move |minute| ranges.iter().any(|range| range.contains(&minute))))
        };
        let closed = reached.iter().map(|reached| {
            let mut closures = world.clinic.closures.iter();
            closures.any(|closure| closure.first <= reached.date() && reached.date() <= closure.last)
        });
        Self {
            world,
            begin,
            closed: Minutes::of(begin, closed),
            taken: within([world.busy.clone(), world.leave.clone()].concat()),
            open: open(None),
            open_in: [None, Some(ROOMS[0]), Some(ROOMS[1])].map(|room| (room, open(Some(room)))).into(),
            room_taken: world.rooms.iter().map(|(_, busy, down)| within([&busy[..], &down[..]].concat())).collect(),
            reached,
        }
    }

    /// How far into a piece of the hours each minute is; none outside of them.
    fn minutes_into_pieces(&self) -> impl Fn(i64) -> i64 + use<> {
        let mut before = None;
        let mut run = 0;
        let counted = self.reached.iter().map(|reached| {
            let piece = piece_at(self.world, *reached).map(|(date, start, ..)| (date, start));
            run = if piece == before { run + 1 } else { 0 };
            before = piece;
            run
        });
        let counted: Vec<i64> = counted.collect();
        let begin = self.begin;
        move |minute| counted[usize::try_from(minute - begin).unwrap()]
    }

    fn room_free(&self, room: RoomId, busy: &std::ops::Range<i64>) -> bool {
        let at = ROOMS.iter().position(|own| *own == room).unwrap();
        self.world.rooms[at].0.active && !self.room_taken[at].any(busy)
    }

    /// Whether a visit may begin at a minute; in `asked`, or wherever the hours and the service have it.
    fn bookable(&self, start: i64, asked: Option<RoomId>) -> bool {
        let service = &self.world.service;
        let visit = start..start + i64::from(service.duration_minutes);
        let (before, after) = (i64::from(service.buffer_before_minutes), i64::from(service.buffer_after_minutes));
        let busy = visit.start - before..visit.end + after;
        let this_minute = self.world.now.as_second().div_euclid(60);
        let shown = |minute: i64| self.world.clinic.zone.local(Timestamp::from_second(minute * 60).unwrap()).date();
        let latest = service.max_lead_days.map(|days| shown(this_minute) + Span::new().days(days));
        let timely = start >= this_minute + i64::from(service.min_lead_minutes)
            && latest.is_none_or(|latest| shown(start) <= latest);
        let fits = match asked {
            Some(room) => self.open.all(&visit) && self.room_free(room, &busy),
            None => self.open_in.iter().filter(|(_, open)| open.all(&visit)).any(|(room, _)| match room {
                Some(room) => self.room_free(*room, &busy),
                None => !service.needs_room || ROOMS.into_iter().any(|room| self.room_free(room, &busy)),
            }),
        };
        timely && fits && !self.closed.any(&visit) && !self.taken.any(&busy)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_offered_is_what_brute_force_finds(world in world()) {
        let brute = Brute::of(&world);
        let taken = Taken { busy: Intervals::of(world.busy.clone()), leave: Intervals::of(world.leave.clone()) };
        let rooms: Vec<_> = world.rooms.iter().zip(ROOMS).map(|((room, busy, down), id)| RoomState {
            id,
            room: room.clone(),
            taken: Taken { busy: Intervals::of(busy.clone()), leave: Intervals::of(down.clone()) },
        }).collect();
        let every_minute = Service { step_minutes: 1, ..world.service.clone() };
        let of = |service| {
            Availability::of((CLINIC, &world.clinic), &world.practitioner, (SERVICE, service), &taken, &rooms)
        };
        let (first, last) = (world.around - Span::new().days(1), world.around + Span::new().days(1));
        let window = minutes(world.clinic.zone.days(first, last));
        let instant = |minute| Timestamp::from_second(minute * 60).unwrap();

        // Every minute that can be booked is offered when the step is a minute, and nothing else.
        let found: Vec<_> = window.clone().filter(|minute| brute.bookable(*minute, None)).map(instant).collect();
        let offered = of(&every_minute).slots(first, last, world.now);
        prop_assert_eq!(&offered.iter().map(|slot| slot.visit.start).collect::<Vec<_>>(), &found);

        // The step takes some of them away, counted from where the hours begin, and adds none.
        let stepwise = of(&world.service);
        let step = i64::from(world.service.step_minutes);
        let slots = stepwise.slots(first, last, world.now);
        let into_piece = brute.minutes_into_pieces();
        let on_step: Vec<_> = found.iter().copied().filter(|start| into_piece(start.as_second() / 60) % step == 0).collect();
        prop_assert_eq!(&slots.iter().map(|slot| slot.visit.start).collect::<Vec<_>>(), &on_step);

        // What is offered can be booked, as it is and in the room that it names; a booking may name another room.
        for slot in &slots {
            prop_assert_eq!(stepwise.bookable(slot.visit.start, None, world.now), Ok(slot.room));
            prop_assert_eq!(stepwise.bookable(slot.visit.start, slot.room, world.now), Ok(slot.room));
            prop_assert!(slot.room.is_some() || !world.service.needs_room);
        }
        for minute in window.step_by(7) {
            for room in [None, Some(ROOMS[0]), Some(ROOMS[1])] {
                let answer = stepwise.bookable(instant(minute), room, world.now);
                prop_assert_eq!(answer.is_ok(), brute.bookable(minute, room), "{} {:?}", instant(minute), answer);
            }
        }
    }
}

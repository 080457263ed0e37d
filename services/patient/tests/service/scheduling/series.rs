//! Series among the random changes: made, ended, split.

use jiff::{Span, civil::DateTime};
use patient::domain::{
    appointment::{
        Appointment, AppointmentId, CancellationReason, Change, Occurrence, Place, Placement, Status, Subject, Wish,
        recurrence::{End, Frequency, Rule},
        series::{
            Planned, Series,
            shift::Unshiftable,
            split::{Split, Splitting},
        },
        transitions::Action,
    },
    calendar::{ClinicId, PractitionerId, RoomId, ServiceId, service::Service, zone::Zone},
    patient::PatientId,
};
use testkit::Result;
use uuid::Uuid;

use super::{Book, DAY, DAYS, Kept as Appointed, NIGHT, STEP, placed, takes_time};

pub(super) const CLINIC: ClinicId = ClinicId::new(Uuid::from_u128(2));
pub(super) const SERVICE: ServiceId = ServiceId::new(Uuid::from_u128(1));

/// What the model keeps of a series.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) id: Uuid,
    pub(super) version: u64,
    pub(super) series: Series,
    service: Service,
    /// What the clock was to show at each occurrence, in their order.
    planned: Vec<DateTime>,
    /// The first number that is not of it any more.
    end: u16,
}

/// How one of a series was expected to fare.
struct Fate {
    number: u16,
    /// Where it may be, or that it may not.
    place: Option<Place>,
    /// Where it was.
    before: Place,
}

impl Book {
    /// A series at random, as far as it can be booked or not at all.
    pub(super) async fn book_series(&mut self) -> Result<String> {
        let (id, patient) = (Uuid::now_v7(), PatientId::new(self.dice.id(self.world ^ 1, 12)));
        let practitioner = PractitionerId::new(self.dice.id(self.world, 3));
        let (room, service) = (self.room(), self.service());
        let beginning = self.local(2);
        let count = 2 + u16::try_from(self.below(3))?;
        let rule = match self.below(3) {
            0 => Rule { frequency: Frequency::Daily, interval: 1, days: Vec::new(), end: End::Count(count) },
            1 => Rule { frequency: Frequency::Daily, interval: 2, days: Vec::new(), end: End::Count(count) },
            _ => {
                let days = (1..=7).filter(|_| self.dice.roll(3) > 0).collect::<Vec<i8>>();
                if days.is_empty() {
                    return Ok("nothing".to_owned());
                }
                Rule { frequency: Frequency::Weekly, interval: 1, days, end: End::Count(count) }
            }
        };
        let skip = self.dice.roll(2) == 0;
        // Day by day, by the list of what the clock shows.
        let mut planned = Vec::new();
        for day in 0..60 {
            let local = beginning + Span::new().days(day);
            let weekday = local.weekday().to_monday_one_offset();
            let on = match rule.frequency {
                Frequency::Daily => day % i64::from(rule.interval) == 0,
                _ => rule.days.contains(&weekday),
            };
            if on && planned.len() < usize::from(count) {
                if self.is_outside(local) {
                    return Ok("nothing".to_owned());
                }
                planned.extend(self.first(local).map(|minute| (local, minute)));
            }
        }
        let zone = Zone::parse(self.zone).unwrap();
        let occasions = rule.expand(beginning, &zone);
        let starts: Vec<_> = occasions.iter().map(|occasion| occasion.start).collect();
        if starts != planned.iter().map(|(_, minute)| self.at(*minute)).collect::<Vec<_>>() {
            return Ok(format!("differs: {rule:?} from {beginning} is at {starts:?}"));
        }

        let at = |start| Place { practitioner, room, time: service.visit(start), busy: service.busy(start) };
        let allowed: Vec<_> = starts.iter().map(|start| self.allows(&[], patient, &at(*start), None)).collect();
        // Every fourth time it is as if somebody had been faster, and the database alone is in the way.
        let blind = self.dice.roll(4) == 0;
        let situation = self.situation(practitioner, room, patient, &service, &starts).await?;
        let (mut occurrences, mut made) = (Vec::new(), Vec::new());
        for (occasion, allowed) in occasions.iter().zip(&allowed) {
            let wish = Wish { patient, start: occasion.start, room, overbook: None };
            let placement = if blind {
                Some(Placement { place: situation.at(&wish, room), lane: 0, overbooking: None })
            } else {
                situation.place(&wish, self.now()).ok()
            };
            if !blind && placement.is_some() != *allowed {
                return Ok(format!("differs: {} of a series at {}", occasion.number, occasion.local));
            }
            let own = AppointmentId::new(Uuid::now_v7());
            let appointment_id = placement.is_some().then_some(own);
            occurrences.push(Planned { number: occasion.number, start: occasion.start, appointment_id, kept: false });
            if let Some(placement) = placement {
                let subject = Subject { patient, service: SERVICE, clinic: CLINIC, time_zone: self.zone.to_owned() };
                let of = Occurrence { id, number: occasion.number.into(), moved: false };
                let appointment = Appointment::new(subject, placement, Action::Book, Some(of), self.now()).unwrap();
                made.push(Appointed { id: own, version: 1, appointment, of: Some((id, occasion.number, false)) });
            }
        }
        if made.is_empty() || !(made.len() == starts.len() || skip) {
            return Ok("series-refused".to_owned());
        }
        let series = Series {
            patient_id: patient,
            practitioner_id: practitioner,
            room_id: room,
            service_id: SERVICE,
            clinic_id: CLINIC,
            time_zone: self.zone.to_owned(),
            beginning,
            rule,
            occurrences,
            ended_from: None,
            continues: None,
            continued_by: None,
            rooms: room.into_iter().collect(),
            created: self.now(),
            changed: self.now(),
        };
        let skipped = made.len() < starts.len();
        let planned = planned.into_iter().map(|(local, _)| local).collect();
        let kept = Kept { id, version: 1, series, service, planned, end: u16::MAX };
        match (self.write(&[&kept], &made).await?, blind && allowed.contains(&false)) {
            (None, false) => {
                self.series.push(kept);
                self.take(made);
                Ok(if skipped { "series-skipped" } else { "series" }.to_owned())
            }
            (Some(_), true) => Ok("series-refused".to_owned()),
            (refused, _) => Ok(format!("differs: a series, {refused:?}")),
        }
    }

    /// Calls off what follows one of a series.
    pub(super) async fn end_series(&mut self) -> Result<String> {
        let Some(mut kept) = self.any_series() else { return Ok("nothing".to_owned()) };
        let from = 1 + u16::try_from(self.below(i64::try_from(kept.planned.len())?))?;
        let can = [Status::Booked, Status::Arrived];
        let expected = |own: &&Appointed| {
            let of = own.of.is_some_and(|(series, number, _)| series == kept.id && number >= from);
            of && can.contains(&own.appointment.status)
        };
        let mut expected: Vec<_> = self.kept.iter().filter(expected).map(|own| own.id).collect();
        let mut off = Vec::new();
        for own in kept.series.from(from).filter_map(|id| self.kept.iter().find(|own| own.id == id)) {
            let is_of = own.appointment.series.is_some_and(|series| series.id == kept.id);
            let change = Change::Cancel(CancellationReason::Patient);
            if let (true, Ok(appointment)) = (is_of, own.appointment.change(change, self.now())) {
                off.push(Appointed { version: own.version + 1, appointment, ..own.clone() });
            }
        }
        expected.sort_unstable();
        let mut found: Vec<_> = off.iter().map(|own| own.id).collect();
        found.sort_unstable();
        if found != expected {
            return Ok(format!("differs: {found:?} were called off, not {expected:?}"));
        }
        (kept.series, kept.version, kept.end) =
            (kept.series.ended(from, self.now()), kept.version + 1, kept.end.min(from));
        if let Some(refused) = self.write(&[&kept], &off).await? {
            return Ok(format!("differs: {refused} refused an end"));
        }
        self.put_series(kept);
        self.take(off);
        Ok("ended".to_owned())
    }

    /// Moves what follows one of a series.
    pub(super) async fn move_series(&mut self) -> Result<String> {
        let Some(mut kept) = self.any_series() else { return Ok("nothing".to_owned()) };
        let left = usize::from(kept.end.saturating_sub(1)).min(kept.planned.len());
        if left == 0 {
            return Ok("nothing".to_owned());
        }
        let from = 1 + u16::try_from(self.below(i64::try_from(left)?))?;
        let (skip, elsewhere) = (self.dice.roll(2) == 0, self.dice.roll(3) == 0);
        let planned = kept.planned[usize::from(from) - 1..left].to_vec();
        let days = self.below(5) - 2;
        // Now and then to where the clock is set.
        let odd = self.clock.windows(2).find(|pair| pair[1] != pair[0] + Span::new().minutes(1)).map(|pair| pair[0]);
        let (aims, night) = (self.dice.roll(4) == 0, self.local(1).time());
        let time = odd.filter(|_| aims).map_or(night, |odd| (odd + Span::new().minutes(16)).time());
        let start = planned[0].date().to_datetime(time) + Span::new().days(days);
        let locals: Vec<_> = planned.iter().map(|own| own.date().to_datetime(time) + Span::new().days(days)).collect();
        if locals.iter().any(|local| self.is_outside(*local)) {
            return Ok("nothing".to_owned());
        }
        let practitioner =
            if elsewhere { PractitionerId::new(self.dice.id(self.world, 3)) } else { kept.series.practitioner_id };
        let room = if elsewhere { self.room().or(kept.series.room_id) } else { kept.series.room_id };
        let zone = Zone::parse(self.zone).unwrap();

        let of: Vec<_> = self
            .kept
            .iter()
            .filter(|own| {
                own.of.is_some_and(|(series, number, _)| series == kept.id && number >= from && number < kept.end)
            })
            .filter(|own| own.appointment.status == Status::Booked)
            .cloned()
            .collect();
        let (apart, movers): (Vec<_>, Vec<_>) = of.into_iter().partition(|own| own.of.is_some_and(|(.., apart)| apart));
        let loaded: Vec<_> = kept
            .series
            .from(from)
            .filter_map(|id| self.kept.iter().find(|own| own.id == id))
            .map(|own| (own.id, own.appointment.clone()))
            .collect();
        let own = loaded.iter().map(|(id, appointment)| (*id, appointment));
        let splitting = match Splitting::of((kept.id, &kept.series), (from, start), own, &zone, self.now()) {
            Ok(splitting) => splitting,
            Err(Unshiftable::NoSuchTime) if self.first(start).is_none() => return Ok("skipped-time".to_owned()),
            Err(Unshiftable::Over) if movers.is_empty() && self.first(start).is_some() => return Ok("over".to_owned()),
            Err(error) => return Ok(format!("differs: from {from} to {start}: {error}")),
        };
        if self.first(start).is_none() || movers.is_empty() {
            return Ok(format!("differs: from {from} to {start} was let through"));
        }

        let starts = splitting.starts();
        let situation = self.situation(practitioner, room, kept.series.patient_id, &kept.service, &starts).await?;
        let continued = Uuid::now_v7();
        let result = splitting.decide(continued, &situation, room, skip, self.now());
        let fates = self.fates(&kept, &movers, (from, &locals), (practitioner, room), skip);
        let stuck = fates.iter().filter(|fate| fate.place.is_none()).count();
        let refused = stuck == fates.len() || stuck > 0 && !skip;
        let split = match (result, refused) {
            (Ok(split), false) => split,
            (Err(conflicts), true) => {
                let mut found: Vec<_> = conflicts.iter().map(|conflict| conflict.occasion.number + from - 1).collect();
                found.sort_unstable();
                let mut named: Vec<_> =
                    fates.iter().filter(|fate| fate.place.is_none()).map(|fate| fate.number).collect();
                named.sort_unstable();
                return Ok(if found == named {
                    "split-refused".to_owned()
                } else {
                    "differs: other conflicts".to_owned()
                });
            }
            (result, _) => return Ok(format!("differs: {refused}, {:?}", result.err())),
        };
        if let Some(differs) = differs(&split, continued, from, &fates, &apart) {
            return Ok(differs);
        }
        let Split { ended, series, appointments } = split;
        (kept.series, kept.version, kept.end) = (ended, kept.version + 1, kept.end.min(from));
        let next =
            Kept { id: continued, version: 1, series, service: kept.service.clone(), planned: locals, end: u16::MAX };
        let over: Vec<_> = appointments
            .into_iter()
            .filter_map(|own| {
                let before = self.kept.iter().find(|kept| kept.id == own.id)?;
                let (_, number, _) = before.of?;
                let of = Some((continued, number + 1 - from, own.kept));
                Some(Appointed { id: own.id, version: before.version + 1, appointment: own.appointment, of })
            })
            .collect();
        let word = if stuck > 0 || !apart.is_empty() { "split-kept" } else { "split" };
        if let Some(refused) = self.write(&[&kept, &next], &over).await? {
            return Ok(format!("differs: {refused} refused a split"));
        }
        self.put_series(kept);
        self.series.push(next);
        self.take(over);
        Ok(word.to_owned())
    }

    /// What the model says of those that are to move: who cannot stays, and is in the way of others then.
    fn fates(
        &self,
        kept: &Kept,
        movers: &[Appointed],
        (from, locals): (u16, &[DateTime]),
        (practitioner, room): (PractitionerId, Option<RoomId>),
        skip: bool,
    ) -> Vec<Fate> {
        let number = |own: &Appointed| own.of.map(|(_, number, _)| number).unwrap_or_default();
        let mut stuck: Vec<AppointmentId> = Vec::new();
        loop {
            let leaving: Vec<_> = movers.iter().map(|own| own.id).filter(|id| !stuck.contains(id)).collect();
            let fate = |own: &Appointed| {
                let minute = self.first(locals[usize::from(number(own) - from)]);
                let place = minute.map(|minute| {
                    let (start, service) = (self.at(minute), &kept.service);
                    Place { practitioner, room, time: service.visit(start), busy: service.busy(start) }
                });
                let free = |place: &Place| self.allows(&leaving, kept.series.patient_id, place, None);
                let place = place.filter(|place| !stuck.contains(&own.id) && free(place));
                Fate { number: number(own), place, before: placed(&own.appointment).place }
            };
            let fates: Vec<_> = movers.iter().map(fate).collect();
            let now: Vec<_> =
                movers.iter().zip(&fates).filter(|(_, fate)| fate.place.is_none()).map(|(own, _)| own.id).collect();
            if !skip || now.len() == stuck.len() {
                return fates;
            }
            stuck = now;
        }
    }

    fn any_series(&mut self) -> Option<Kept> {
        let index = self.below(i64::try_from(self.series.len().max(1)).unwrap());
        self.series.get(usize::try_from(index).unwrap()).cloned()
    }

    fn put_series(&mut self, next: Kept) {
        self.series.retain(|kept| kept.id != next.id);
        self.series.push(next);
    }

    fn take(&mut self, next: Vec<Appointed>) {
        self.kept.retain(|kept| next.iter().all(|next| next.id != kept.id));
        self.kept.extend(next);
    }

    /// What the clock may show at some time of a night, whether it does or not.
    fn local(&mut self, days: i64) -> DateTime {
        let minute = self.below(NIGHT / STEP) * STEP;
        let (day, midnight) = (self.below(days + 1), self.clock[0]);
        midnight + Span::new().days(day).minutes(minute)
    }

    /// Whether a time is before or after all that the model knows of.
    fn is_outside(&self, local: DateTime) -> bool {
        local < self.clock[0] + Span::new().hours(1) || local > self.clock[0] + Span::new().minutes((DAYS - 1) * DAY)
    }
}

/// Where a split is not what the model says.
fn differs(split: &Split, continued: Uuid, from: u16, fates: &[Fate], apart: &[Appointed]) -> Option<String> {
    if split.appointments.len() != fates.len() + apart.len() {
        return Some(format!("differs: {} went over", split.appointments.len()));
    }
    for own in &split.appointments {
        let Some(of) = own.appointment.series else { return Some("differs: one is of no series".to_owned()) };
        let number = u16::try_from(of.number).ok()? + from - 1;
        let fate = fates.iter().find(|fate| fate.number == number && apart.iter().all(|apart| apart.id != own.id));
        let place = fate.and_then(|fate| fate.place);
        let planned = split.series.occurrences.iter().find(|planned| planned.appointment_id == Some(own.id));
        let listed = planned.is_some_and(|planned| u32::from(planned.number) == of.number && planned.kept == own.kept);
        let kept = place.is_none();
        let stays =
            apart.iter().all(|apart| apart.id != own.id || apart.appointment.place() == own.appointment.place());
        let there = fate.is_none_or(|fate| placed(&own.appointment).place == fate.place.unwrap_or(fate.before));
        if !(listed && stays && there && own.kept == kept && of.moved == kept && of.id == continued) {
            return Some(format!("differs: {number} went to {:?}", own.appointment.place()));
        }
        if !takes_time(own.appointment.status) {
            return Some(format!("differs: {number} came to life"));
        }
    }
    None
}

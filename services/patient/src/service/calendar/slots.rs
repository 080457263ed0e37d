//! The search for a time.

use jiff::{Span, Timestamp};
use sidecar::failure::Failure;

use super::Calendar;
use crate::{
    domain::calendar::{
        PractitionerId,
        availability::{Availability, Slot},
        zone::Zone,
    },
    outbound::calendar::SlotQuestion,
};

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub struct SlotSearch {
    /// Where, what for, with whom, and on which days.
    pub question: SlotQuestion,
    /// What the page before ended with.
    pub after: Option<(Timestamp, PractitionerId)>,
    /// How many.
    pub limit: usize,
}

/// A time that can be booked with somebody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Offer {
    /// With whom.
    pub practitioner: PractitionerId,
    /// When and where.
    pub slot: Slot,
}

/// A page of what can be booked.
#[derive(Debug)]
pub struct SlotPage {
    /// The clock that they are meant by.
    pub zone: Zone,
    /// In the order of time.
    pub offers: Vec<Offer>,
    /// The last of them, when there are more.
    pub next: Option<(Timestamp, PractitionerId)>,
}

/// Why nothing was looked for.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// What is named is not there: a parameter for each.
    #[error("something that is named is not there")]
    Unknown(Vec<&'static str>),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Calendar {
    /// The times that can be booked, with one question to the database.
    pub async fn slots(&self, search: &SlotSearch, now: Timestamp) -> Result<SlotPage, SearchError> {
        let context = self.calendars.context(&search.question).await?;
        let nobody = search.question.practitioner.is_some() && context.practitioners.is_empty();
        let (Some(clinic), Some(service), false) = (&context.clinic, &context.service, nobody) else {
            let missing = [
                ("clinic", context.clinic.is_none()),
                ("service", context.service.is_none()),
                ("practitioner", nobody),
            ];
            return Err(SearchError::Unknown(
                missing.into_iter().filter_map(|(name, missing)| missing.then_some(name)).collect(),
            ));
        };
        let question = &search.question;
        let availabilities: Vec<_> = context
            .practitioners
            .iter()
            .map(|(id, practitioner, taken)| {
                let (clinic, service) = ((question.clinic, clinic), (question.service, service));
                (*id, Availability::of(clinic, practitioner, service, taken, &context.rooms))
            })
            .collect();
        let (offers, next) = page(&availabilities, &clinic.zone, search, now);
        Ok(SlotPage { zone: clinic.zone.clone(), offers, next })
    }
}

type Cursor = (Timestamp, PractitionerId);

/// Day by day, so that no more is looked at than the page needs.
fn page(
    availabilities: &[(PractitionerId, Availability<'_>)],
    zone: &Zone,
    search: &SlotSearch,
    now: Timestamp,
) -> (Vec<Offer>, Option<Cursor>) {
    let SlotQuestion { from, to, .. } = search.question;
    let place = |offer: &Offer| (offer.slot.visit.start, offer.practitioner);
    let first = search.after.map_or(from, |(start, _)| zone.local(start).date().max(from));
    let mut offers: Vec<Offer> = Vec::new();
    for day in first.series(Span::new().days(1)).take_while(|day| *day <= to) {
        let known = offers.len();
        for (practitioner, availability) in availabilities {
            let slots = availability.slots(day, day, now).into_iter();
            offers.extend(slots.map(|slot| Offer { practitioner: *practitioner, slot }));
        }
        offers[known..].sort_unstable_by_key(place);
        if let Some(after) = search.after {
            offers.retain(|offer| place(offer) > after);
        }
        if offers.len() > search.limit {
            offers.truncate(search.limit);
            let next = offers.last().map(place);
            return (offers, next);
        }
    }
    (offers, None)
}

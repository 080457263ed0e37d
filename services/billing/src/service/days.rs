//! Closing days, and knowing which day one posts to.

use std::sync::{Arc, Mutex, PoisonError};

use access::Caller;
use audit::{Action, Entry};
use jiff::{Timestamp, civil::Date};
use sidecar::failure::Failure;

use super::{Books, Keyed, Settings, rounds::Rounds};
use crate::{
    domain::{
        day::{Count, Day, Refusal, Standing, open_day},
        money::{Amount, Currency},
    },
    outbound::days::{Closing, Days, FoundDay, WantedDays},
};

/// What refuses a posting to a closed day.
const DAY_OPEN: &str = "journal_day_open_check";

/// Which day one posts to. What is closed is learnt from the store, which refuses a closed day: it is asked when it has,
/// so that an act that is not refused costs nothing.
#[derive(Clone, Debug)]
pub(super) struct OpenDays {
    settings: Arc<Settings>,
    days: Days,
    closed: Arc<Mutex<Option<Date>>>,
}

impl OpenDays {
    pub(super) fn new(settings: Arc<Settings>, days: Days) -> Self {
        Self { settings, days, closed: Arc::default() }
    }

    /// The day of the books that what is done now belongs to.
    pub(super) fn day(&self, now: Timestamp) -> Date {
        open_day(self.settings.day(now), *self.closed.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Learns from what refused a write, so that the next try is of an open day.
    pub(super) async fn learn(&self, failure: &Failure) {
        if !matches!(failure, Failure::Constraint { name } if name == DAY_OPEN) {
            return;
        }
        // When the store does not answer, the next try is refused again.
        if let Ok(Some(closed)) = self.days.closed().await {
            self.know(closed);
        }
    }

    /// Whether a day is known to be closed.
    fn is_closed(&self, date: Date) -> bool {
        Some(date) <= *self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn know(&self, closed: Date) {
        let mut known = self.closed.lock().unwrap_or_else(PoisonError::into_inner);
        *known = (*known).max(Some(closed));
    }
}

/// Why a day is not closed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CloseError {
    /// The books are kept in another currency.
    #[error("the books are in another currency")]
    Currency(Currency),
    /// A rule of the domain.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The key was used for something else.
    #[error("the key was used with another body")]
    KeyReused,
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

/// A count that somebody closes a day with.
#[derive(Clone, Debug)]
pub struct CloseDay {
    /// The day.
    pub date: Date,
    /// See [`Day::counted`].
    pub counted: Amount,
    /// The currency.
    pub currency: Currency,
    /// What is said of it.
    pub note: Option<String>,
}

impl Books {
    /// Closes a day, and every open day before it.
    pub async fn close_day(&self, caller: &Caller, asked: CloseDay, request: Keyed) -> Result<Day, CloseError> {
        if asked.currency != self.settings.currency {
            return Err(CloseError::Currency(self.settings.currency));
        }
        let mut rounds = Rounds::begin();
        loop {
            match self.try_close(caller, &asked, request).await {
                // Cash has moved since it was summed, or somebody else has closed a day.
                Err(CloseError::Store(failure)) if rounds.again(&failure).await => {}
                closed => return closed,
            }
        }
    }

    async fn try_close(&self, caller: &Caller, asked: &CloseDay, request: Keyed) -> Result<Day, CloseError> {
        let FoundDay { closed, closing, expected } = self.days.day(asked.date, asked.currency).await?;
        if let Some(Closing { day, requests }) = closing
            && let Some(before) = requests.iter().find(|before| before.key == request.key)
        {
            return if before.hash == request.hash { Ok(day) } else { Err(CloseError::KeyReused) };
        }
        let now = Timestamp::now();
        let CloseDay { date, counted, currency, note } = asked.clone();
        let standing = Standing { today: self.settings.day(now), closed, expected };
        let count = Count { counted, currency, note, at: now, by: crate::domain::ids::UserId(caller.subject) };
        let day = Day::close(date, standing, count)?;
        let entry = Entry::new(Action::Create, "create").by(caller).detail("action", "close");
        self.days.close(&day, request.remembered(), &entry).await?;
        self.open_days.know(date);
        Ok(day)
    }

    /// How a day stands.
    pub async fn how_day_stands(&self, date: Date) -> Result<FoundDay, Failure> {
        self.days.day(date, self.settings.currency).await
    }

    /// A page of what closed days, the latest first.
    pub async fn closings(&self, wanted: &WantedDays) -> Result<Vec<Day>, Failure> {
        self.days.page(wanted).await
    }

    /// Whether a day is closed: what the books say of it will never be anything else.
    pub async fn is_final(&self, date: Date) -> Result<bool, Failure> {
        if self.open_days.is_closed(date) {
            return Ok(true);
        }
        // Another instance may have closed it.
        if let Some(closed) = self.days.closed().await? {
            self.open_days.know(closed);
        }
        Ok(self.open_days.is_closed(date))
    }
}

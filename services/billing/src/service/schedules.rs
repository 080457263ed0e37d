//! Fee schedules.

use access::Caller;
use audit::{Action, Entry};
use jiff::civil::Date;
use sidecar::failure::Failure;

use super::{Books, Keyed};
use crate::{
    domain::{
        fees::{BadSchedule, Code, FeeSchedule},
        ids::{FeeScheduleId, PayerId},
        money::Currency,
    },
    outbound::{
        fees::{AskedFee, FoundFee},
        journal::Versioned,
        kept::KeepError,
        lists::Page,
    },
};

/// Why a schedule is not put up.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Something in it is wrong.
    #[error("something in it is wrong")]
    Bad(Vec<BadSchedule>),
    /// Its currency is not that of the books.
    #[error("the books are in another currency")]
    Currency(Currency),
    /// Why it is not kept.
    #[error(transparent)]
    Kept(#[from] KeepError),
}

impl Books {
    /// Puts a schedule up; the request's key is its id.
    pub async fn put_up(
        &self,
        caller: &Caller,
        schedule: FeeSchedule,
        request: Keyed,
    ) -> Result<Versioned<FeeSchedule>, ScheduleError> {
        self.check(&schedule)?;
        let schedule = FeeSchedule { id: FeeScheduleId(request.key), ..schedule };
        let entry = Entry::new(Action::Create, "create").by(caller);
        let id = schedule.id;
        let put_up = self.fees.kept.create(id.0, schedule, request.remembered(), &entry).await?;
        Ok(Versioned { item: FeeSchedule { id, ..put_up.item }, version: put_up.version })
    }

    /// Replaces version `expected` of a schedule; what was drafted keeps its prices.
    pub async fn replace_schedule(
        &self,
        caller: &Caller,
        id: FeeScheduleId,
        expected: u64,
        schedule: FeeSchedule,
    ) -> Result<Versioned<FeeSchedule>, ScheduleError> {
        self.check(&schedule)?;
        let stored = self.fees.kept.seen(id.0, expected).await?;
        let schedule = FeeSchedule { id, created_at: stored.document.data.created_at, ..schedule };
        let entry = Entry::new(Action::Update, "update").by(caller);
        Ok(self.fees.kept.replace(id.0, &stored, schedule, &entry).await?)
    }

    /// A schedule.
    pub async fn schedule(&self, id: FeeScheduleId) -> Result<Option<Versioned<FeeSchedule>>, Failure> {
        let stored = self.fees.get(id).await?;
        Ok(stored.map(|stored| Versioned {
            version: stored.document.version,
            item: FeeSchedule { id, ..stored.document.data },
        }))
    }

    /// A page of schedules without their fees.
    pub async fn schedules(&self, page: &Page) -> Result<Vec<Versioned<FeeSchedule>>, Failure> {
        self.fees.page(page).await
    }

    /// What a service costs on a day.
    pub async fn fee(
        &self,
        code: Code,
        modifiers: Vec<String>,
        payer_id: Option<PayerId>,
        date: Date,
    ) -> Result<Option<FoundFee>, Failure> {
        Ok(self.fees.find(&[AskedFee { code, modifiers, payer_id, date }]).await?.pop().flatten())
    }

    fn check(&self, schedule: &FeeSchedule) -> Result<(), ScheduleError> {
        if schedule.currency != self.settings.currency {
            return Err(ScheduleError::Currency(self.settings.currency));
        }
        let bad = schedule.check();
        if bad.is_empty() { Ok(()) } else { Err(ScheduleError::Bad(bad)) }
    }
}

//! Use cases: load, decide, save.

pub mod act;
pub mod claim_act;
pub mod claims;
mod coverages;
pub mod days;
pub mod draft;
pub mod follow_up;
pub mod issue;
pub mod open_accounts;
mod payers;
pub mod print;
pub mod remittances;
pub mod reports;
mod round;
mod rounds;
mod schedules;
mod turns;

use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sidecar::{documents::KeyedRequest, failure::Failure};
use uuid::Uuid;

use self::{
    act::{Answer, Asked},
    days::OpenDays,
    issue::Issuing,
    turns::Turns,
};
use crate::{
    domain::{
        account::{Account, PatientId},
        ids::{InvoiceId, PaymentId},
        invoice::Invoice,
        money::{Amount, Currency},
        payment::Payment,
    },
    outbound::{
        accounts::Accounts,
        claims::Claims,
        clearinghouse::Clearinghouse,
        coverages::Coverages,
        days::Days,
        demographics::Demographics,
        eligibility::Eligibilities,
        fees::FeeSchedules,
        journal::{Journal, Versioned},
        lists::Lists,
        payers::Payers,
        remittances::Remittances,
        reports::Reports,
    },
};

pub use self::{coverages::CoverageError, schedules::ScheduleError};

/// How the clinic keeps its books.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the days of the books begin and end.
    pub zone: TimeZone,
    /// What everything is counted in.
    pub currency: Currency,
    /// Above this a refund takes two people.
    pub refund_limit: Amount,
    /// How many days a patient has for paying.
    pub payment_terms: u16,
}

impl Settings {
    /// The day of the books that a moment belongs to.
    pub fn day(&self, now: Timestamp) -> Date {
        now.to_zoned(self.zone.clone()).date()
    }
}

/// A request that carries an idempotency key.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    /// Caller, route and key in one; the id of what a create makes.
    pub key: Uuid,
    /// Hash of what is asked.
    pub hash: Uuid,
}

impl Keyed {
    /// Whether one of these asked the same; another hash under the key is another request.
    fn is_among(&self, before: &[KeyedRequest]) -> bool {
        before.iter().any(|before| before.hash == self.hash)
    }

    /// What is remembered of it by the document that it made.
    fn remembered(&self) -> KeyedRequest {
        KeyedRequest { key: self.key, hash: self.hash, version: 1 }
    }
}

/// The parts that books stand on.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The patients' accounts.
    pub accounts: Accounts,
    /// The journal.
    pub journal: Journal,
    /// What services cost.
    pub fees: FeeSchedules,
    /// Who patients are.
    pub demographics: Demographics,
    /// Lists and sums.
    pub lists: Lists,
    /// Days that are closed.
    pub days: Days,
    /// Reports.
    pub reports: Reports,
    /// Who pays.
    pub payers: Payers,
    /// For whom.
    pub coverages: Coverages,
    /// What payers say of their members.
    pub eligibility: Eligibilities,
    /// What payers are asked to pay for.
    pub claims: Claims,
    /// Who passes that on.
    pub clearinghouse: Clearinghouse,
    /// What payers pay.
    pub remittances: Remittances,
    /// How the books are kept.
    pub settings: Settings,
}

/// The clinic's books.
#[derive(Clone, Debug)]
pub struct Books {
    pub(crate) lists: Lists,
    pub(crate) reports: Reports,
    pub(crate) settings: Arc<Settings>,
    accounts: Accounts,
    journal: Journal,
    fees: FeeSchedules,
    demographics: Demographics,
    days: Days,
    payers: Payers,
    coverages: Coverages,
    eligibility: Eligibilities,
    pub(crate) claims: Claims,
    clearinghouse: Clearinghouse,
    pub(crate) remittances: Remittances,
    open_days: OpenDays,
    turns: Turns<Asked, Answer>,
    issues: Turns<Issuing, Answer>,
}

impl Books {
    /// Books on these parts; needs a runtime, since their queues begin to work.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            accounts,
            journal,
            fees,
            demographics,
            lists,
            days,
            reports,
            payers,
            coverages,
            eligibility,
            claims,
            clearinghouse,
            remittances,
            settings,
        } = parts;
        let settings = Arc::new(settings);
        let open_days = OpenDays::new(Arc::clone(&settings), days.clone());
        let desk = Desk { journal: journal.clone(), settings: Arc::clone(&settings), days: open_days.clone() };
        let turns = {
            let desk = desk.clone();
            Turns::spawn(move |asked| {
                let desk = desk.clone();
                async move { desk.take_turns(asked).await }
            })
        };
        let issues = Turns::spawn(move |asked| {
            let desk = desk.clone();
            async move { desk.take_numbers(asked).await }
        });
        Self {
            lists,
            reports,
            settings,
            accounts,
            journal,
            fees,
            demographics,
            days,
            payers,
            coverages,
            eligibility,
            claims,
            clearinghouse,
            remittances,
            open_days,
            turns,
            issues,
        }
    }

    /// The account of a patient.
    pub async fn account_of(&self, patient: PatientId) -> Result<Option<Versioned<Account>>, Failure> {
        Ok(self.accounts.of_patients(&[patient]).await?.pop().flatten())
    }

    /// The day of the books that a moment belongs to.
    pub fn day(&self, moment: Timestamp) -> Date {
        self.settings.day(moment)
    }

    /// An invoice.
    pub async fn invoice(&self, id: InvoiceId) -> Result<Option<Versioned<Invoice>>, Failure> {
        let stored = self.journal.invoice(id).await?;
        Ok(stored
            .map(|stored| Versioned { version: stored.document.version, item: Invoice { id, ..stored.document.data } }))
    }

    /// A payment.
    pub async fn payment(&self, id: PaymentId) -> Result<Option<Versioned<Payment>>, Failure> {
        let stored = self.journal.payment(id).await?;
        Ok(stored
            .map(|stored| Versioned { version: stored.document.version, item: Payment { id, ..stored.document.data } }))
    }
}

/// Where money is moved, by those whose turn it is.
#[derive(Clone, Debug)]
struct Desk {
    journal: Journal,
    settings: Arc<Settings>,
    days: OpenDays,
}

//! Coverages of patients, and what is known of each at a day.

use access::Caller;
use audit::{Action, Entry};
use jiff::{Timestamp, civil::Date};
use problem::Problem;
use sidecar::failure::Failure;

use super::{Books, Keyed, rounds::Rounds};
use crate::{
    domain::{
        claim::adjudication::Used,
        coverage::{Coverage, CoverageId, eligibility::Eligibility},
        money::Currency,
    },
    outbound::{coverages::WantedCoverages, journal::Versioned, kept::KeepError},
};

/// What refuses a second coverage of a rank.
const ORDER: &str = "coverages_order_excl";

/// Why a coverage is not written down, or nothing is said of it.
#[derive(Debug, thiserror::Error)]
pub enum CoverageError {
    /// Its currency is not that of the books.
    #[error("the books are in another currency")]
    Currency(Currency),
    /// Nobody who has an account is known by this id.
    #[error("the patient has no account")]
    NoAccount,
    /// Nobody pays who is known by this id.
    #[error("there is no such payer")]
    NoPayer,
    /// Another active one of the patient has its order on a day of its period.
    #[error("the order is taken")]
    OrderTaken,
    /// It is of this patient and this payer for ever.
    #[error("a coverage stays with its patient and its payer")]
    Moved {
        /// Whether another patient was given.
        patient: bool,
        /// Whether another payer was given.
        payer: bool,
    },
    /// It has no number of a member.
    #[error("it has no number of a member")]
    NoMember,
    /// The payer does not say anything.
    #[error("the payer does not answer")]
    Silent(Problem),
    /// Why it is not kept.
    #[error(transparent)]
    Kept(KeepError),
}

impl From<KeepError> for CoverageError {
    fn from(error: KeepError) -> Self {
        match error {
            KeepError::Store(Failure::Constraint { name }) if name == ORDER => Self::OrderTaken,
            error => Self::Kept(error),
        }
    }
}

impl From<Failure> for CoverageError {
    fn from(failure: Failure) -> Self {
        KeepError::from(failure).into()
    }
}

/// What a payer has said.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What.
    pub said: Versioned<Eligibility>,
    /// The coverage that it is of.
    pub coverage: Coverage,
    /// Whether it was not asked anew.
    pub is_kept: bool,
}

/// What a member has used in a plan year.
#[derive(Clone, Debug)]
pub struct Accumulated {
    /// The coverage.
    pub coverage: Coverage,
    /// The first day of the year.
    pub year: Date,
    /// How much; nothing where no payer has answered.
    pub used: Used,
    /// The version of what is known of it.
    pub version: Option<u64>,
}

impl Books {
    /// Writes a coverage down; the request's key is its id.
    pub async fn create_coverage(
        &self,
        caller: &Caller,
        coverage: Coverage,
        request: Keyed,
    ) -> Result<Versioned<Coverage>, CoverageError> {
        self.check_currency(&coverage)?;
        let coverage = Coverage { id: CoverageId(request.key), ..coverage };
        let (account, payer) =
            tokio::try_join!(self.account_of(coverage.patient_id), self.payers.get(coverage.payer_id))?;
        account.ok_or(CoverageError::NoAccount)?;
        payer.ok_or(CoverageError::NoPayer)?;
        let entry = Entry::new(Action::Create, "create").by(caller).of_patient(coverage.patient_id.0);
        Ok(self.coverages.kept.create(coverage.id.0, coverage, request.remembered(), &entry).await?)
    }

    /// Replaces version `expected` of a coverage.
    pub async fn replace_coverage(
        &self,
        caller: &Caller,
        expected: u64,
        coverage: Coverage,
    ) -> Result<Versioned<Coverage>, CoverageError> {
        self.check_currency(&coverage)?;
        let id = coverage.id.0;
        let stored = self.coverages.kept.seen(id, expected).await?;
        let held = &stored.document.data;
        let (patient, payer) = (coverage.patient_id != held.patient_id, coverage.payer_id != held.payer_id);
        if patient || payer {
            return Err(CoverageError::Moved { patient, payer });
        }
        let entry = Entry::new(Action::Update, "update").by(caller).of_patient(coverage.patient_id.0);
        Ok(self.coverages.kept.replace(id, &stored, coverage, &entry).await?)
    }

    /// A coverage.
    pub async fn coverage(&self, id: CoverageId) -> Result<Option<Versioned<Coverage>>, Failure> {
        let stored = self.coverages.get(id).await?;
        Ok(stored.map(|stored| Versioned { version: stored.document.version, item: stored.document.data }))
    }

    /// A patient's coverages, the first to pay first.
    pub async fn coverages(&self, wanted: &WantedCoverages) -> Result<Vec<Versioned<Coverage>>, Failure> {
        self.coverages.of_patient(wanted).await
    }

    /// Whether the payer insures the patient on a day: what it said within so many seconds, else what it says now.
    pub async fn check_eligibility(
        &self,
        caller: &Caller,
        id: CoverageId,
        date: Date,
        max_age: i64,
    ) -> Result<Answer, CoverageError> {
        let Versioned { item: coverage, version } = self.coverage(id).await?.ok_or(KeepError::Unknown("coverage"))?;
        let member = coverage.member_id.as_deref().ok_or(CoverageError::NoMember)?;
        let mut kept = self.eligibility.kept(id, date).await?;
        if let Some(kept) = &kept
            && kept.document.data.answers(version, max_age, Timestamp::now())
        {
            let said = Versioned { item: kept.document.data.clone(), version: kept.document.version };
            return Ok(Answer { said, coverage, is_kept: true });
        }
        let payer = self.payers.get(coverage.payer_id).await?.ok_or(CoverageError::NoPayer)?.document.data;
        let said = self.eligibility.ask(&payer, &coverage, member, date).await.map_err(CoverageError::Silent)?;
        let said = Eligibility {
            coverage_id: id,
            coverage_version: version,
            date,
            active: said.active,
            note: said.note.as_deref().and_then(Eligibility::note),
            checked_at: Timestamp::now(),
        };
        let entry = Entry::new(Action::Execute, "check").by(caller).of_patient(coverage.patient_id.0);
        let mut rounds = Rounds::begin();
        loop {
            match self.eligibility.keep(kept.as_ref(), &said, &entry).await {
                Ok(version) => {
                    return Ok(Answer { said: Versioned { item: said, version }, coverage, is_kept: false });
                }
                // Somebody else has asked in the meantime.
                Err(failure) if rounds.again(&failure).await => kept = self.eligibility.kept(id, date).await?,
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// What the member has used in the plan year of a day.
    pub async fn accumulated(&self, id: CoverageId, date: Date) -> Result<Option<Accumulated>, Failure> {
        let (coverage, found) = tokio::try_join!(self.coverage(id), self.coverages.accumulators(id))?;
        Ok(coverage.map(|Versioned { item: coverage, .. }| {
            let year = coverage.terms.plan_year.of(date);
            let used = found.as_ref().map(|found| found.item.used(year)).unwrap_or_default();
            Accumulated { coverage, year, used, version: found.map(|found| found.version) }
        }))
    }

    fn check_currency(&self, coverage: &Coverage) -> Result<(), CoverageError> {
        let books = self.settings.currency;
        if coverage.terms.currency == books { Ok(()) } else { Err(CoverageError::Currency(books)) }
    }
}

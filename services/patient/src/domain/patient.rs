//! The aggregate: decisions answer the new state and what to tell others, or a refusal.

use std::fmt;

use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{demographics::Demographics, mrn::Mrn};

/// The id of a patient: UUIDv5 of the request that registered them, so that the same request meets the same patient.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PatientId(Uuid);

impl PatientId {
    /// The patient of this id.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// The id for those who know no patients.
    pub const fn as_uuid(self) -> Uuid {
        self.0
    }
}

impl fmt::Display for PatientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A patient's record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Patient {
    /// Who they are to other services.
    pub id: PatientId,
    /// What staff call the record by.
    pub mrn: Mrn,
    /// When the record was made.
    pub registered_at: Timestamp,
    /// When this version was made.
    pub changed_at: Timestamp,
    /// Whether the record is in use.
    pub active: bool,
    /// What is known of the person.
    pub demographics: Demographics,
}

/// What a decision may answer instead.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Nobody registers the unborn.
    #[error("the birth date lies in the future")]
    BornInFuture,
}

/// What an amendment came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Amendment {
    /// There was something to change.
    Changed(Box<Patient>),
    /// Everything was so already.
    Unchanged,
}

impl Patient {
    /// Makes the record of a person who has none.
    ///
    /// `latest_today` is the date where the day begins first, so that no clinic is told its today is the future.
    pub fn register(
        id: PatientId,
        mrn: Mrn,
        demographics: Demographics,
        now: Timestamp,
        latest_today: Date,
    ) -> Result<Self, Refusal> {
        check(&demographics, latest_today)?;
        Ok(Self { id, mrn, registered_at: now, changed_at: now, active: true, demographics })
    }

    /// Replaces what is known of the person.
    pub fn amend(
        &self,
        demographics: Demographics,
        active: bool,
        now: Timestamp,
        latest_today: Date,
    ) -> Result<Amendment, Refusal> {
        check(&demographics, latest_today)?;
        if self.demographics == demographics && self.active == active {
            return Ok(Amendment::Unchanged);
        }
        Ok(Amendment::Changed(Box::new(Self { demographics, active, changed_at: now, ..self.clone() })))
    }

    /// Age in bands of ten years, for those who must not know the date; empty when it is not known.
    pub fn age_band(&self, today: Date) -> String {
        match self.demographics.birth_date.map(|born| born.age_on(today)) {
            None => String::new(),
            Some(age) if age >= 90 => "90+".to_owned(),
            Some(age) => {
                let from = age.max(0) / 10 * 10;
                format!("{from}-{}", from + 9)
            }
        }
    }
}

fn check(demographics: &Demographics, latest_today: Date) -> Result<(), Refusal> {
    match demographics.birth_date {
        Some(born) if born.earliest() > latest_today => Err(Refusal::BornInFuture),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;
    use crate::domain::demographics::{BirthDate, Gender};

    fn born(text: &str) -> Demographics {
        Demographics { birth_date: Some(BirthDate::parse(text).unwrap()), ..Demographics::default() }
    }

    fn register(demographics: Demographics) -> Result<Patient, Refusal> {
        let id = PatientId::new(Uuid::from_u128(1));
        Patient::register(id, Mrn::draw(id, 0), demographics, Timestamp::UNIX_EPOCH, date(2026, 11, 23))
    }

    #[test]
    fn nobody_is_born_tomorrow() {
        assert!(register(born("2026-11-23")).is_ok());
        assert_eq!(register(born("2026-11-24")), Err(Refusal::BornInFuture));
        assert_eq!(register(born("2027")), Err(Refusal::BornInFuture));
        assert!(register(born("2026")).is_ok());
    }

    #[test]
    fn an_amendment_that_changes_nothing_is_none() {
        let patient = register(born("1984-02-11")).unwrap();
        let later = Timestamp::from_second(60).unwrap();
        let today = date(2026, 11, 23);
        assert_eq!(patient.amend(born("1984-02-11"), true, later, today), Ok(Amendment::Unchanged));
        let female = Demographics { gender: Some(Gender::Female), ..born("1984-02-11") };
        let Ok(Amendment::Changed(changed)) = patient.amend(female, true, later, today) else { panic!("unchanged") };
        assert_eq!((changed.registered_at, changed.changed_at), (Timestamp::UNIX_EPOCH, later));
        assert_eq!(changed.mrn, patient.mrn);
    }

    #[test]
    fn age_is_told_in_bands() {
        let band = |text: &str| register(born(text)).unwrap().age_band(date(2026, 11, 23));
        assert_eq!(
            [band("2026-01-01"), band("1984-02-11"), band("1936-11-24"), band("1900")],
            ["0-9", "40-49", "80-89", "90+"]
        );
        assert_eq!(register(Demographics::default()).unwrap().age_band(date(2026, 1, 1)), "");
    }
}

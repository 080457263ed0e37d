//! Facts and counts in the database.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use sidecar::{Sidecar, failure::Failure};
use uuid::Uuid;

use crate::domain::{
    fact::{AgeBand, Fact, Gender},
    range::Range,
    zone::ClinicZone,
};

/// The parameter of `api.ingest`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Batch<'a> {
    time_zone: &'a str,
    patients: Vec<PatientRow<'a>>,
    accounts: Vec<AccountRow>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PatientRow<'a> {
    patient_id: Uuid,
    version: i64,
    registered_at: Timestamp,
    changed_at: Timestamp,
    gender: Option<&'static str>,
    age_band: Option<&'a str>,
    active: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AccountRow {
    account_id: Uuid,
    patient_id: Uuid,
    version: i64,
    opened_at: Timestamp,
}

/// The facts.
#[derive(Clone, Debug)]
pub struct Facts {
    sidecar: Sidecar,
}

impl Facts {
    /// Facts in this sidecar's database.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// Stores what is newer than what is known, and counts it in this zone too; one call, one transaction.
    pub async fn ingest(&self, facts: &[Fact], zone: &ClinicZone) -> Result<(), Failure> {
        self.sidecar.exec("ingest", &Batch::of(facts, zone)).await
    }

    /// The counts that are not 0; none when nothing is counted in this zone.
    pub async fn registrations(
        &self,
        range: &Range,
        zone: &ClinicZone,
    ) -> Result<Option<Vec<(Timestamp, u64)>>, Failure> {
        let asked = json!({
            "timeZone": zone.name(),
            "group": range.group().code(),
            "from": range.start(),
            "to": range.end(),
        });
        self.sidecar.query("registrations", &asked).await
    }

    /// Counts all facts in this zone, and from now on each new one.
    pub async fn rebuild_registrations(&self, zone: &ClinicZone) -> Result<(), Failure> {
        self.sidecar.exec("rebuild_registrations", &json!({ "timeZone": zone.name() })).await
    }
}

impl<'a> Batch<'a> {
    fn of(facts: &'a [Fact], zone: &'a ClinicZone) -> Self {
        let mut batch = Self { time_zone: zone.name(), patients: Vec::new(), accounts: Vec::new() };
        for fact in facts {
            match fact {
                Fact::Patient(patient) => batch.patients.push(PatientRow {
                    patient_id: patient.id,
                    version: patient.version.number(),
                    registered_at: patient.registered_at.time(),
                    changed_at: patient.changed_at.time(),
                    gender: patient.gender.map(Gender::code),
                    age_band: patient.age_band.as_ref().map(AgeBand::as_str),
                    active: patient.active,
                }),
                Fact::Account(account) => batch.accounts.push(AccountRow {
                    account_id: account.id,
                    patient_id: account.patient_id,
                    version: account.version.number(),
                    opened_at: account.opened_at.time(),
                }),
            }
        }
        batch
    }
}

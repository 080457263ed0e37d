//! What this build knows of each database: the foundation's migrations and the service's own, in the order of their
//! versions, so that a new database gets them in the order in which an old one got them.

use anyhow::anyhow;
use sqlx::migrate::{MigrateError, Migrator};

use crate::Service;

static FOUNDATION: Migrator = sqlx::migrate!("./foundation");
static AUTH: Migrator = sqlx::migrate!("../../services/auth/migrations");
static PATIENT: Migrator = sqlx::migrate!("../../services/patient/migrations");
static BILLING: Migrator = sqlx::migrate!("../../services/billing/migrations");
static ANALYTICS: Migrator = sqlx::migrate!("../../services/analytics/migrations");

/// The migrations of a service's database, oldest first.
pub(crate) fn migrator(service: Service) -> Migrator {
    let own = match service {
        Service::Auth => &AUTH,
        Service::Patient => &PATIENT,
        Service::Billing => &BILLING,
        Service::Analytics => &ANALYTICS,
    };
    let mut all: Vec<_> = FOUNDATION.iter().chain(own.iter()).cloned().collect();
    all.sort_by_key(|migration| migration.version);
    Migrator::with_migrations(all)
}

/// The newest version that this build knows.
pub(crate) fn newest(service: Service) -> i64 {
    migrator(service).iter().map(|migration| migration.version).max().unwrap_or_default()
}

/// Says in plain words why a database was left as it was.
pub(crate) fn explain(service: Service, error: MigrateError) -> anyhow::Error {
    let database = service.database();
    match error {
        MigrateError::VersionMissing(version) if version > newest(service) => anyhow!(
            "the schema of {database} is newer than this build: it has version {version}, this build knows {}; \
             nothing was changed; deploy the build that made it, or one after it",
            newest(service)
        ),
        MigrateError::VersionMissing(version) => anyhow!(
            "{database} has version {version}, which this build lacks although it knows newer ones: \
             a migration that ran must not be removed or renumbered; nothing was changed"
        ),
        MigrateError::VersionMismatch(version) => {
            anyhow!("migration {version} of {database} was changed after it had run: write a new migration instead")
        }
        MigrateError::ExecuteMigration(source, version) => {
            anyhow::Error::new(source).context(format!("migration {version} of {database} failed"))
        }
        other => anyhow::Error::new(other).context(format!("cannot migrate {database}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_unique_and_a_database_begins_with_the_foundation() {
        let begins = FOUNDATION.iter().map(|migration| migration.version).min();
        for service in Service::ALL {
            let versions: Vec<i64> = migrator(service).iter().map(|migration| migration.version).collect();
            assert!(versions.is_sorted_by(|one, next| one < next), "{service}: {versions:?}");
            assert_eq!(versions.first().copied(), begins);
        }
    }

    #[test]
    fn only_versions_above_the_newest_count_as_a_newer_schema() {
        let newer = explain(Service::Auth, MigrateError::VersionMissing(newest(Service::Auth) + 1)).to_string();
        assert!(newer.contains("is newer than this build"), "{newer}");
        let removed = explain(Service::Auth, MigrateError::VersionMissing(1)).to_string();
        assert!(removed.contains("must not be removed"), "{removed}");
    }
}

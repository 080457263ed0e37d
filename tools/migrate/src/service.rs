//! The services that have a database, and the names that follow from theirs.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// A service that keeps documents. `gateway` keeps none and is missing here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Users, tokens and their revocation.
    Auth,
    /// People and who they are.
    Patient,
    /// Accounts and money.
    Billing,
    /// Facts counted from events.
    Analytics,
}

impl Service {
    /// Every service that has a database.
    pub const ALL: [Self; 4] = [Self::Auth, Self::Patient, Self::Billing, Self::Analytics];

    /// The service's app id, which is also its folder's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Patient => "patient",
            Self::Billing => "billing",
            Self::Analytics => "analytics",
        }
    }

    /// The service's database.
    pub fn database(self) -> String {
        format!("{self}-service-db")
    }

    /// Owns the database and everything in it; nobody can sign in as this role.
    pub fn owner(self) -> String {
        format!("{self}-service-owner")
    }

    /// The role of the sidecar's `statestore` component.
    pub fn state_role(self) -> String {
        format!("{self}-service-state")
    }

    /// The role of the sidecar's `functions` component.
    pub fn functions_role(self) -> String {
        format!("{self}-service-functions")
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Service {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|service| service.name() == name)
            .ok_or_else(|| anyhow::anyhow!("{name:?} is none of auth, patient, billing, analytics"))
    }
}

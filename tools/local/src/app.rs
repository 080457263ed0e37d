//! The five applications, under the names that Dapr knows them by.

use std::fmt;

/// An application of the system: a service with its sidecar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum App {
    /// Signs people in.
    Auth,
    /// Owns patients.
    Patient,
    /// Owns accounts.
    Billing,
    /// Counts.
    Analytics,
    /// The only one that clients reach.
    Gateway,
}

impl App {
    /// Every application, in the order of their ports.
    pub const ALL: [Self; 5] = [Self::Auth, Self::Patient, Self::Billing, Self::Analytics, Self::Gateway];

    /// The Dapr app id, which is also the name of the binary and of the folder.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Patient => "patient",
            Self::Billing => "billing",
            Self::Analytics => "analytics",
            Self::Gateway => "gateway",
        }
    }

    /// The application with this app id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|app| app.id() == id)
    }

    /// The name of the database, for those that have one.
    pub fn database(self) -> Option<String> {
        (self != Self::Gateway).then(|| format!("{self}-service-db"))
    }

    /// The role as which the sidecar's state store connects.
    pub fn state_role(self) -> String {
        format!("{self}-service-state")
    }

    /// The role as which the sidecar's `functions` binding connects.
    pub fn functions_role(self) -> String {
        format!("{self}-service-functions")
    }
}

impl fmt::Display for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

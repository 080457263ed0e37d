//! The applications, under the names that Dapr knows them by.

use std::fmt;

/// An application: a service with its sidecar.
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
    /// Another company's, and none of the system's: a program plays it for tests and the demonstration.
    Clearinghouse,
}

impl App {
    /// Every application of the system, in the order of their ports.
    pub const ALL: [Self; 5] = [Self::Auth, Self::Patient, Self::Billing, Self::Analytics, Self::Gateway];

    /// The Dapr app id, which is also the name of the folder.
    pub fn id(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Patient => "patient",
            Self::Billing => "billing",
            Self::Analytics => "analytics",
            Self::Gateway => "gateway",
            Self::Clearinghouse => "clearinghouse",
        }
    }

    /// The name of its program.
    pub fn program(self) -> &'static str {
        match self {
            Self::Clearinghouse => "payer-simulator",
            ours => ours.id(),
        }
    }

    /// The application with this app id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::known().find(|app| app.id() == id)
    }

    /// The application with this program.
    pub(crate) fn of_program(name: &str) -> Option<Self> {
        Self::known().find(|app| app.program() == name)
    }

    /// The system's, and what may be started beside it.
    pub(crate) fn known() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().chain([Self::Clearinghouse])
    }

    /// The name of the database, for those that have one.
    pub fn database(self) -> Option<String> {
        (!matches!(self, Self::Gateway | Self::Clearinghouse)).then(|| format!("{self}-service-db"))
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

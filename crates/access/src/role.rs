//! Roles.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a user is in the clinic.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Registers patients and books.
    FrontDesk,
    /// Cares for patients.
    Nurse,
    /// Treats patients.
    Physician,
    /// Invoices and claims.
    Biller,
    /// Sees figures and no person.
    Analyst,
    /// Sees who did what.
    PrivacyOfficer,
    /// Sets the system up.
    Admin,
    /// A program.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::FrontDesk,
        Self::Nurse,
        Self::Physician,
        Self::Biller,
        Self::Analyst,
        Self::PrivacyOfficer,
        Self::Admin,
        Self::Service,
    ];
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FrontDesk => "front-desk",
            Self::Nurse => "nurse",
            Self::Physician => "physician",
            Self::Biller => "biller",
            Self::Analyst => "analyst",
            Self::PrivacyOfficer => "privacy-officer",
            Self::Admin => "admin",
            Self::Service => "service",
        })
    }
}

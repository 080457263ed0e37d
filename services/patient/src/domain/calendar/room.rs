//! A room.

use super::ClinicId;

/// A room of a clinic.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Room {
    /// Where it is; for ever.
    pub clinic: ClinicId,
    /// What it is called.
    pub name: String,
    /// Whether it is in use.
    pub active: bool,
    /// How many appointments may be in it at once, if somebody overbooks it deliberately.
    pub lanes: u16,
}

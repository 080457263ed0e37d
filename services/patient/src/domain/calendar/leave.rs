//! Time in which a practitioner is away or a room is down.
//!
//! It cancels nothing: what is booked in it is for people to decide about.

use super::{ClinicId, PractitionerId, RoomId, interval::Interval};

/// Who or what is not there.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Absent {
    /// A practitioner is away.
    Practitioner(PractitionerId),
    /// A room is down.
    Room(RoomId),
}

/// Why, without anything that would be a secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reason {
    /// Holidays.
    Vacation,
    /// Illness.
    Sick,
    /// Learning or teaching.
    Training,
    /// Work on a room.
    Maintenance,
    /// Anything else.
    Other,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Vacation, Self::Sick, Self::Training, Self::Maintenance, Self::Other];

    /// Its code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Vacation => "vacation",
            Self::Sick => "sick",
            Self::Training => "training",
            Self::Maintenance => "maintenance",
            Self::Other => "other",
        }
    }

    /// The reason of a code.
    pub fn parse(code: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|reason| reason.code() == code).ok_or_else(|| {
            let codes: Vec<_> = Self::ALL.iter().map(|reason| reason.code()).collect();
            format!("must be one of {}", codes.join(", "))
        })
    }
}

/// Time in which somebody or something is not there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Leave {
    /// Who or what.
    pub absent: Absent,
    /// By whose clock it was given.
    pub clinic: ClinicId,
    /// When.
    pub period: Interval,
    /// Why.
    pub reason: Reason,
    /// Whether it was taken back.
    pub withdrawn: bool,
}

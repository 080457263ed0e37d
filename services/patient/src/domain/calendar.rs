//! When and where patients can be seen: clinics, practitioners, rooms, services, leave, and what follows from them.
//!
//! Hours are wall-clock time of a clinic, everything else is instants; [`zone`] is the one bridge between the two.

pub mod availability;
pub mod clinic;
pub mod interval;
pub mod leave;
pub mod practitioner;
pub mod room;
pub mod service;
pub mod working_time;
pub mod zone;

/// Ids that the compiler keeps apart.
macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident,)+) => { $(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, serde::Deserialize, serde::Serialize,
        )]
        #[serde(transparent)]
        pub struct $name(uuid::Uuid);

        impl $name {
            /// The one of this id.
            pub const fn new(id: uuid::Uuid) -> Self {
                Self(id)
            }

            /// The id for those who do not tell kinds apart.
            pub const fn as_uuid(self) -> uuid::Uuid {
                self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(f)
            }
        }
    )+ };
}

ids! {
    /// The id of a clinic.
    ClinicId,
    /// The id of a practitioner.
    PractitionerId,
    /// The id of a room.
    RoomId,
    /// The id of a service.
    ServiceId,
    /// The id of a leave.
    LeaveId,
}

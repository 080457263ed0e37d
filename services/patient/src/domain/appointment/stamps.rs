//! When everything happened to an appointment.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Every time stamp, kept whatever comes later.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stamps {
    /// When it was first written.
    pub created: Timestamp,
    /// When this version was made.
    pub changed: Timestamp,
    /// When it was fixed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub booked: Option<Timestamp>,
    /// When it was last moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rescheduled: Option<Timestamp>,
    /// When the patient said that they will come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confirmed: Option<Timestamp>,
    /// When the patient came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Timestamp>,
    /// When the encounter could begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_in: Option<Timestamp>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// When it was over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<Timestamp>,
    /// When it was called off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<Timestamp>,
    /// When somebody noted that the patient did not come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_show: Option<Timestamp>,
    /// When that, or all of it, was found to be wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub corrected: Option<Timestamp>,
}

//! Minutes that practitioners could have been booked for, asked of `patient`.

use std::collections::BTreeMap;

use problem::Problem;
use sidecar::Sidecar;

use super::rollups::Filters;
use crate::domain::{metric::Dimension, range::Range, zone::ClinicZone};

/// The hours of practitioners.
#[derive(Clone, Debug)]
pub struct Availability {}

impl Availability {
    /// As the app `patient` has them.
    pub fn new(_: &Sidecar) -> Self {
        Self {}
    }

    /// Minutes in each group of a range, by the value of the dimension.
    pub async fn minutes(
        &self,
        _: &ClinicZone,
        _: &Range,
        _: Option<Dimension>,
        _: &Filters,
    ) -> Result<BTreeMap<String, Vec<f64>>, Problem> {
        Ok(BTreeMap::new())
    }
}

//! Use cases: take facts, tell figures, tell what has changed.

pub mod live;
pub mod metrics;
pub mod overview;

use std::sync::Arc;

use sidecar::failure::Failure;

use self::live::Live;
use crate::{
    domain::{fact::Fact, zone::ClinicZone},
    outbound::{
        availability::Availability,
        facts::Facts,
        rollups::{Progress, Rollups},
    },
};

/// The clinic's figures; clones share them.
#[derive(Clone, Debug)]
pub struct Figures {
    /// What was told.
    pub facts: Facts,
    rollups: Rollups,
    availability: Availability,
    zone: ClinicZone,
    live: Arc<Live>,
}

impl Figures {
    /// Figures of these facts, by the clock of this zone.
    pub fn new(facts: Facts, rollups: Rollups, availability: Availability, zone: ClinicZone) -> Self {
        Self { facts, rollups, availability, zone, live: Arc::default() }
    }

    /// Where the clinic is.
    pub fn zone(&self) -> &ClinicZone {
        &self.zone
    }

    /// Takes what events told: all of it or nothing. What is known already, or older than that, changes nothing.
    pub async fn ingest(&self, facts: Vec<Fact>) -> Result<(), Failure> {
        if facts.is_empty() {
            return Ok(());
        }
        self.facts.ingest(facts).await?;
        self.live.changed();
        Ok(())
    }

    /// How far the figures have come.
    pub async fn progress(&self) -> Result<Progress, Failure> {
        self.rollups.progress(None).await
    }
}

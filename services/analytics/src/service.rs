//! Use cases: take facts, tell figures, tell what has changed.

pub mod live;
pub mod metrics;
pub mod overview;

use std::sync::Arc;

use jiff::Timestamp;
use sidecar::failure::Failure;

use self::live::Live;
use crate::{
    domain::{
        fact::Fact,
        range::{Bound, Range, Refusal},
        zone::{ClinicZone, Group},
    },
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
        self.facts.ingest(facts, true).await?;
        self.live.changed();
        Ok(())
    }

    /// Takes what was told before, and may be known already.
    pub async fn hear_again(&self, facts: Vec<Fact>, restates: bool) -> Result<(), Failure> {
        if facts.is_empty() {
            return Ok(());
        }
        self.facts.ingest(facts, restates).await?;
        self.live.changed();
        Ok(())
    }

    /// What is asked for, in whole groups.
    pub fn range(
        &self,
        from: Option<Bound>,
        to: Option<Bound>,
        group: Group,
        now: Timestamp,
    ) -> Result<Range, Refusal> {
        Range::of(from, to, group, &self.zone, now)
    }

    /// How far the figures have come.
    pub async fn progress(&self) -> Result<Progress, Failure> {
        // Nothing has changed after the last change.
        self.rollups.progress(i64::MAX).await
    }

    /// When something was taken in last.
    pub async fn taken_at(&self) -> Result<Option<Timestamp>, Failure> {
        Ok(self.progress().await?.taken_at)
    }
}

//! Use cases: take facts, tell figures.

use jiff::Timestamp;
use sidecar::failure::Failure;

use crate::{
    domain::{
        fact::Fact,
        range::{Bound, Bucket, Range, Refusal},
        zone::{ClinicZone, Group},
    },
    outbound::facts::Facts,
};

/// The clinic's figures.
#[derive(Clone, Debug)]
pub struct Figures {
    facts: Facts,
    zone: ClinicZone,
}

impl Figures {
    /// Figures of these facts, by the clock of this zone.
    pub fn new(facts: Facts, zone: ClinicZone) -> Self {
        Self { facts, zone }
    }

    /// Where the clinic is.
    pub fn zone(&self) -> &ClinicZone {
        &self.zone
    }

    /// Takes what events told: all of it or nothing. What is known already, or older than that, changes nothing.
    pub async fn ingest(&self, facts: &[Fact]) -> Result<(), Failure> {
        self.facts.ingest(facts, &self.zone).await
    }

    /// What is asked for, in whole hours or days.
    pub fn range(
        &self,
        from: Option<Bound>,
        to: Option<Bound>,
        group: Group,
        now: Timestamp,
    ) -> Result<Range, Refusal> {
        Range::of(from, to, group, &self.zone, now)
    }

    /// How many patients were registered.
    pub async fn registrations(&self, range: &Range) -> Result<Vec<Bucket>, Failure> {
        let mut counted = self.facts.registrations(range, &self.zone).await?;
        if counted.is_none() {
            // Nobody has counted in this zone before: the service is new, or the clinic has moved.
            self.facts.rebuild_registrations(&self.zone).await?;
            counted = self.facts.registrations(range, &self.zone).await?;
        }
        Ok(range.fill(&counted.unwrap_or_default()))
    }
}

//! Compares, every now and then, what is known with what the producers have told, page by page of ids, and hears again
//! what is missing: an event that was lost, by whatever accident, is lost for so long at most.

use std::time::Duration;

use jiff::Timestamp;
use opentelemetry::{
    KeyValue, global,
    metrics::{Counter, Gauge},
};
use problem::{Kind, Problem};
use tokio::time;
use uuid::Uuid;

use super::events;
use crate::{domain::fact::FactKind, outbound::replay::Producers, service::Figures};

/// Between two pages, so that those who wait for something come first.
const BREATH: Duration = Duration::from_millis(50);
/// What was told a moment ago is still on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(3);

/// Compares facts with what was told, and gathers them anew.
#[derive(Clone, Debug)]
pub struct Reconciler {
    figures: Figures,
    producers: Producers,
    gaps: Counter<u64>,
    divergent: Gauge<u64>,
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Found {
    /// Pages of ids.
    pub pages: u64,
    /// Pages of which something was missing.
    pub gaps: u64,
    /// Pages that are still not as they were told after everything of them was heard again.
    pub divergent: u64,
}

impl Reconciler {
    /// Of these figures, which these producers tell.
    pub fn new(figures: Figures, producers: Producers) -> Self {
        let meter = global::meter("analytics");
        let gaps = meter.u64_counter("reconciliation.gaps");
        let gaps = gaps.with_description("pages of ids of which something was missing").build();
        let divergent = meter.u64_gauge("reconciliation.divergent");
        let divergent = divergent.with_description("pages of ids that are not as they were told").build();
        Self { figures, producers, gaps, divergent }
    }

    /// Compares for as long as the process runs, with such a pause before each time. What was being gathered anew when a
    /// process ended is gathered first.
    pub async fn run(self, pause: Duration) {
        loop {
            match self.figures.progress().await {
                Ok(progress) if progress.rebuilding => self.gather_until_done().await,
                Ok(_) => break,
                Err(_) => time::sleep(ON_ITS_WAY).await,
            }
        }
        loop {
            time::sleep(pause).await;
            for kind in FactKind::ALL {
                match self.reconcile(kind).await {
                    Ok(found) => tracing::info!(kind = kind.code(), ?found, "reconciled"),
                    // The next time begins anew.
                    Err(problem) => tracing::warn!(%problem, kind = kind.code(), "not reconciled"),
                }
            }
        }
    }

    /// Compares all facts of a kind, and hears again what is missing.
    pub async fn reconcile(&self, kind: FactKind) -> Result<Found, Problem> {
        let (mut found, mut after) = (Found::default(), None);
        loop {
            let (told, next) = self.producers.digest(kind, after).await?;
            found.pages += 1;
            if told != self.figures.facts.digest(kind, after, next).await? && !self.was_on_its_way(kind, after).await? {
                found.gaps += 1;
                self.gaps.add(1, &[KeyValue::new("kind", kind.code())]);
                self.hear(kind, after, next).await?;
                found.divergent += u64::from(!self.was_on_its_way(kind, after).await?);
            }
            let Some(next) = next else { break };
            after = Some(next);
            time::sleep(BREATH).await;
        }
        self.divergent.record(found.divergent, &[KeyValue::new("kind", kind.code())]);
        Ok(found)
    }

    /// Whether a page is as it was told a moment later.
    async fn was_on_its_way(&self, kind: FactKind, after: Option<Uuid>) -> Result<bool, Problem> {
        time::sleep(ON_ITS_WAY).await;
        let (told, next) = self.producers.digest(kind, after).await?;
        Ok(told == self.figures.facts.digest(kind, after, next).await?)
    }

    /// Hears all that was told of ids after one and up to another, or to the last.
    async fn hear(&self, kind: FactKind, after: Option<Uuid>, up_to: Option<Uuid>) -> Result<(), Problem> {
        let mut after = after;
        loop {
            let told = self.producers.latest(kind, after).await?;
            let known = told.events.iter().map(|event| events::fact(event, self.figures.zone()));
            let (facts, useless): (Vec<_>, Vec<_>) = known.partition(Result::is_ok);
            let facts: Vec<_> = facts.into_iter().flatten().collect();
            if !useless.is_empty() || told.unreadable > 0 {
                let unreadable = useless.len() + told.unreadable;
                tracing::error!(kind = kind.code(), unreadable, "events that were told can never be counted");
            }
            self.figures.ingest(facts).await?;
            match told.next {
                Some(next) if up_to.is_none_or(|last| next < last) => after = Some(next),
                _ => return Ok(()),
            }
        }
    }

    /// Forgets everything and hears it anew; there are no figures in the meantime.
    pub async fn rebuild(self) -> Result<(), Problem> {
        if !self.figures.facts.begin_rebuild().await? {
            return Err(Problem::new(Kind::Conflict, "The figures are being made anew already."));
        }
        tokio::spawn(async move { self.gather_until_done().await });
        Ok(())
    }

    async fn gather_until_done(&self) {
        let begun = Timestamp::now();
        while let Err(problem) = self.gather().await {
            tracing::warn!(%problem, "facts are not gathered anew yet");
            time::sleep(ON_ITS_WAY).await;
        }
        tracing::info!(seconds = (Timestamp::now() - begun).get_seconds(), "facts were gathered anew");
    }

    async fn gather(&self) -> Result<(), Problem> {
        for kind in FactKind::ALL {
            self.hear(kind, None, None).await?;
        }
        Ok(self.figures.facts.end_rebuild().await?)
    }
}

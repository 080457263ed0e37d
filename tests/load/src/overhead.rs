//! What the gateway adds to a request: the same read through it, and through its own sidecar as it would ask itself.
//!
//! Both in turns, so that both meet the machine in the same moods.

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use serde::Serialize;

use crate::{
    client::Client,
    load::{Numbered, closed},
    rig::Rig,
    sources::Reads,
    tally::{Latency, Tally},
};

/// How many connections ask.
pub const CONNECTIONS: [u32; 2] = [1, 8];

/// How long one way is taken until it is the other's turn.
const TURN: Duration = Duration::from_millis(200);
/// How often both are taken in a round.
const TURNS: u32 = 10;
const ROUNDS: u32 = 6;

/// One way and the other, at a number of connections.
#[derive(Clone, Debug, Serialize)]
pub struct Overhead {
    /// How many connections.
    pub connections: u32,
    /// Through the gateway, over all rounds.
    pub gateway: Latency,
    /// The bare invocation, over all rounds.
    pub bare: Latency,
    /// The gateway's p50 and p99 by those of the bare invocation, over all rounds.
    pub ratio: Ratio,
    /// The same of each round.
    pub rounds: Vec<Ratio>,
    /// Requests that were not answered as they should.
    pub errors: u64,
}

/// How many times as long it takes through the gateway.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratio {
    /// Of the median.
    pub p50: f64,
    /// Of the 99th percentile.
    pub p99: f64,
}

/// What was counted of both ways.
struct Both {
    gateway: Tally,
    bare: Tally,
}

/// Compares both ways.
pub async fn compare(rig: &Rig, reads: &Arc<Numbered<Reads>>, connections: u32) -> Result<Overhead> {
    let clients = (rig.client()?, rig.bare_client()?);
    turns(&clients, reads, connections).await?;
    let (mut all, mut rounds) = (Both::new()?, Vec::new());
    for _ in 0..ROUNDS {
        let round = turns(&clients, reads, connections).await?;
        rounds.push(round.ratio());
        all.gateway.add(&round.gateway)?;
        all.bare.add(&round.bare)?;
    }
    let errors = all.gateway.errors().values().chain(all.bare.errors().values()).sum();
    let (gateway, bare) = (all.gateway.latency(), all.bare.latency());
    Ok(Overhead { connections, gateway, bare, ratio: all.ratio(), rounds, errors })
}

async fn turns((gateway, bare): &(Client, Client), reads: &Arc<Numbered<Reads>>, connections: u32) -> Result<Both> {
    let mut both = Both::new()?;
    for turn in 0..TURNS {
        // Who comes second comes first the next time.
        for is_gateways in [turn % 2 == 0, turn % 2 != 0] {
            let (client, tally) = if is_gateways { (gateway, &mut both.gateway) } else { (bare, &mut both.bare) };
            tally.add(&closed(client, reads, connections, TURN).await?.tally)?;
        }
    }
    Ok(both)
}

impl Both {
    fn new() -> Result<Self> {
        Ok(Self { gateway: Tally::new()?, bare: Tally::new()? })
    }

    fn ratio(&self) -> Ratio {
        let (gateway, bare) = (self.gateway.latency(), self.bare.latency());
        Ratio { p50: gateway.p50 / bare.p50, p99: gateway.p99 / bare.p99 }
    }
}

impl Overhead {
    /// The least and the most that a round came to.
    pub fn spread(&self, of: impl Fn(&Ratio) -> f64) -> (f64, f64) {
        let ratios = self.rounds.iter().map(of);
        ratios.fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), ratio| (least.min(ratio), most.max(ratio)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_of_the_same_percentile() {
        let mut both = Both::new().unwrap();
        for n in 1..=100 {
            both.bare.success(Duration::from_millis(n), Duration::ZERO);
            both.gateway.success(Duration::from_millis(2 * n), Duration::ZERO);
        }
        let ratio = both.ratio();
        assert!((ratio.p50 - 2.0).abs() < 0.01 && (ratio.p99 - 2.0).abs() < 0.01, "{ratio:?}");
    }
}

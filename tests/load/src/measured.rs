//! One scenario, and what it came to.

use std::{collections::BTreeMap, future::Future, time::Duration};

use anyhow::Result;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    calls::{self, Calls},
    load::Loaded,
    rig::Rig,
    tally::{Latency, micros, quotient},
    usage::{self, Cpu, Memory, Processes, is_service, is_sidecar},
};

/// What a scenario came to.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The scenario.
    pub name: String,
    /// Requests that were answered as they should.
    pub requests: u64,
    /// Those, a second.
    pub per_second: f64,
    /// Milliseconds.
    pub latency: Latency,
    /// Requests that were not, by status or cause.
    pub errors: BTreeMap<String, u64>,
    /// Answers in each second of the scenario.
    pub seconds: Vec<u64>,
    /// Calls to a sidecar, for one request.
    pub calls: f64,
    /// Deliveries by a sidecar, for one request.
    pub deliveries: f64,
    /// Both by app and kind.
    pub calls_by_kind: BTreeMap<String, f64>,
    /// Milliseconds of CPU over all processes, for one request.
    pub cpu: f64,
    /// Those by process.
    pub cpu_by_process: BTreeMap<String, f64>,
    /// The part of our services in it.
    pub cpu_of_services: f64,
    /// MiB by process.
    pub memory: BTreeMap<String, Memory>,
    /// MiB of services and sidecars together.
    pub services_and_sidecars: Memory,
    /// Seconds from the last answer until every event was applied; none when that did not come to be.
    pub settled: Option<f64>,
    /// From acknowledgement to visible in analytics.
    pub visible: Option<Visible>,
}

/// How soon analytics counts a registration.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Visible {
    /// Milliseconds.
    pub p50: f64,
    /// Milliseconds.
    pub p99: f64,
    /// Milliseconds between two looks: it is not known better than that.
    pub resolution: f64,
    /// How many were never seen.
    pub missed: usize,
}

/// What the whole system does when nobody asks anything.
#[derive(Clone, Debug, Serialize)]
pub struct Idle {
    /// Milliseconds of CPU a second, by process.
    pub cpu_by_process: BTreeMap<String, f64>,
    /// Together.
    pub cpu: f64,
    /// Calls to a sidecar a second.
    pub calls: f64,
}

/// Runs a load and reads clocks and counters before and after.
///
/// What a request causes beside its caller's way is a part of its cost: where `events` are sent, the end is when all of
/// them were applied. What the system does for itself meanwhile is in the figures too; `Idle` says how much that is.
pub async fn measure(
    rig: &Rig,
    name: &str,
    events: bool,
    load: impl Future<Output = Result<Loaded>>,
) -> Result<Measured> {
    let processes = Processes::of(rig.home());
    let counts = rig.counts().await?;
    let calls = calls::read(rig.ports()).await?;
    let cpu = processes.cpu();
    let loaded = load.await?;
    let ended = Instant::now();
    let settled = (!events || rig.quiet(counts, loaded.tally.successes()).await?).then(|| ended.elapsed());
    let cpu = usage::since(&cpu, &processes.cpu());
    let calls = calls::since(&calls, &calls::read(rig.ports()).await?);
    Ok(Measured::of(name, &loaded, &cpu, &calls, processes.memory(), settled))
}

/// Looks at a system that nobody asks anything.
pub async fn idle(rig: &Rig, time: Duration) -> Result<Idle> {
    let processes = Processes::of(rig.home());
    let (cpu, calls, begun) = (processes.cpu(), calls::read(rig.ports()).await?, Instant::now());
    tokio::time::sleep(time).await;
    let (cpu, elapsed) = (usage::since(&cpu, &processes.cpu()), begun.elapsed());
    let calls = calls::since(&calls, &calls::read(rig.ports()).await?);
    let cpu_by_process: BTreeMap<_, _> =
        cpu.into_iter().map(|(name, time)| (name, quotient(micros(time), micros(elapsed)) * 1000.0)).collect();
    let calls: u64 = calls.iter().filter(|(kind, _)| !calls::is_delivery(kind)).map(|(_, count)| count).sum();
    Ok(Idle { cpu: cpu_by_process.values().sum(), cpu_by_process, calls: quotient(calls * 1_000_000, micros(elapsed)) })
}

impl Measured {
    fn of(
        name: &str,
        loaded: &Loaded,
        cpu: &Cpu,
        calls: &Calls,
        memory: BTreeMap<String, Memory>,
        settled: Option<Duration>,
    ) -> Self {
        let requests = loaded.tally.successes();
        let each = |count: u64| quotient(count, requests);
        let total = |deliveries: bool| {
            each(calls.iter().filter(|(kind, _)| calls::is_delivery(kind) == deliveries).map(|(_, count)| count).sum())
        };
        let cpu_by_process: BTreeMap<_, _> =
            cpu.iter().map(|(name, time)| (name.clone(), each(micros(*time)) / 1000.0)).collect();
        let ours = memory.iter().filter(|(name, _)| is_service(name) || is_sidecar(name));
        let services_and_sidecars = ours.fold(Memory::default(), |sum, (_, memory)| Memory {
            rss: sum.rss + memory.rss,
            pss: sum.pss + memory.pss,
        });
        let services = cpu_by_process.iter().filter(|(name, _)| is_service(name)).map(|(_, cpu)| cpu).sum::<f64>();
        let whole: f64 = cpu_by_process.values().sum();
        Self {
            name: name.to_owned(),
            requests,
            per_second: quotient(requests * 1_000_000, micros(loaded.elapsed)),
            latency: loaded.tally.latency(),
            errors: loaded.tally.errors().clone(),
            seconds: loaded.tally.per_second().to_vec(),
            calls: total(false),
            deliveries: total(true),
            calls_by_kind: calls.iter().map(|(kind, count)| (kind.clone(), each(*count))).collect(),
            cpu: whole,
            cpu_of_services: if whole > 0.0 { services / whole } else { 0.0 },
            cpu_by_process,
            memory,
            services_and_sidecars,
            settled: settled.map(|settled| settled.as_secs_f64()),
            visible: None,
        }
    }
}

impl Visible {
    /// Percentiles of delays.
    pub fn of(delays: &[Option<Duration>], resolution: Duration) -> Self {
        let mut known: Vec<_> = delays.iter().flatten().map(|delay| quotient(micros(*delay), 1000)).collect();
        known.sort_by(f64::total_cmp);
        let at = |hundredths: usize| {
            let index = (known.len() * hundredths).div_ceil(100).saturating_sub(1);
            known.get(index).copied().unwrap_or_default()
        };
        Self {
            p50: at(50),
            p99: at(99),
            resolution: resolution.as_secs_f64() * 1000.0,
            missed: delays.len() - known.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Tally;

    #[test]
    fn costs_are_of_one_request() {
        let mut tally = Tally::new().unwrap();
        for _ in 0..100 {
            tally.success(Duration::from_millis(1), Duration::ZERO);
        }
        let loaded = Loaded { tally, elapsed: Duration::from_millis(500) };
        let cpu = [("patient", 20), ("patient-sidecar", 30), ("postgres", 50)]
            .map(|(name, millis)| (name.to_owned(), Duration::from_millis(millis)))
            .into();
        let calls =
            [("patient: state transaction", 100), ("patient: function query", 150), ("billing: bulk delivery", 10)]
                .map(|(kind, count)| (kind.to_owned(), count))
                .into();
        let memory = [("patient", 10.0), ("patient-sidecar", 90.0), ("kafka", 300.0)]
            .map(|(name, size)| (name.to_owned(), Memory { rss: size, pss: size / 2.0 }))
            .into();
        let measured = Measured::of("x", &loaded, &cpu, &calls, memory, None);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-9, "{a} {b}");
        near(measured.per_second, 200.0);
        near(measured.calls, 2.5);
        near(measured.deliveries, 0.1);
        near(measured.cpu, 1.0);
        near(measured.cpu_of_services, 0.2);
        near(measured.services_and_sidecars.rss, 100.0);
        near(measured.services_and_sidecars.pss, 50.0);
    }

    #[test]
    fn percentiles_of_delays_leave_out_what_was_never_seen() {
        let mut delays: Vec<_> = (1..=100).map(|millis| Some(Duration::from_millis(millis))).collect();
        delays.push(None);
        let visible = Visible::of(&delays, Duration::from_millis(20));
        assert_eq!((visible.p50, visible.p99, visible.missed), (50.0, 99.0, 1));
    }
}

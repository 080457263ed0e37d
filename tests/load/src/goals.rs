//! What is wanted, and whether it is so.

use crate::{overhead::Ratio, scenarios::Outcome};

/// A goal, and what was measured.
#[derive(Debug)]
pub struct Goal {
    /// What it is about.
    pub what: &'static str,
    /// The bound.
    pub wanted: f64,
    /// What was measured; none when its scenario did not run.
    pub measured: Option<f64>,
    at_least: bool,
}

impl Goal {
    /// A goal that is met from `wanted` down.
    pub fn at_most(what: &'static str, wanted: f64, measured: Option<f64>) -> Self {
        Self { what, wanted, measured, at_least: false }
    }

    /// A goal that is met from `wanted` up.
    pub fn at_least(what: &'static str, wanted: f64, measured: Option<f64>) -> Self {
        Self { what, wanted, measured, at_least: true }
    }

    /// Whether it is met.
    pub fn met(&self) -> Option<bool> {
        self.measured.map(|measured| if self.at_least { measured >= self.wanted } else { measured <= self.wanted })
    }
}

/// All goals of `bench load`.
pub fn of(outcome: &Outcome) -> Vec<Goal> {
    let register = outcome.get("register-64");
    let ratio = |a: Option<f64>, b: Option<f64>| Some(a? / b?);
    let speed = |name| outcome.get(name).map(|scenario| scenario.per_second);
    let errors: u64 = outcome.scenarios.iter().flat_map(|scenario| scenario.errors.values()).sum();
    let second = |range: std::ops::Range<usize>| {
        let seconds = &outcome.get("first")?.seconds;
        let (sum, count) = seconds.get(range)?.iter().fold((0.0, 0.0), |(sum, count), second| {
            #[expect(clippy::cast_precision_loss, reason = "a count of one second")]
            (sum + *second as f64, count + 1.0)
        });
        (count > 0.0).then(|| sum / count)
    };
    let visible = outcome.scenarios.iter().find_map(|scenario| scenario.visible);
    let overhead = |connections, of: fn(&Ratio) -> f64| {
        let compared = outcome.overheads.iter().find(|overhead| overhead.connections == connections);
        compared.map(|overhead| of(&overhead.ratio))
    };
    let storm = outcome.storm.as_ref();
    vec![
        Goal::at_most("CPU ms for a registration, 64 connections", 1.8, register.map(|scenario| scenario.cpu)),
        Goal::at_most("our services' part of it", 0.25, register.map(|scenario| scenario.cpu_of_services)),
        Goal::at_least("throughput, as a part of the floor's", 0.7, ratio(speed("register-64"), speed("floor-64"))),
        Goal::at_most("p99 ms of a registration, 64 connections", 110.0, register.map(|scenario| scenario.latency.p99)),
        Goal::at_most(
            "MiB of services and sidecars",
            780.0,
            register.map(|scenario| scenario.services_and_sidecars.rss),
        ),
        Goal::at_least("reads to registrations, 64 connections", 2.0, ratio(speed("read-64"), speed("register-64"))),
        Goal::at_most("p99 ms until visible, 50 a second", 1000.0, visible.map(|visible| visible.p99)),
        Goal::at_least(
            "first second after start, as a part of the warm rate",
            0.7,
            ratio(second(0..1), speed("register-64")),
        ),
        Goal::at_least("seconds 1 to 5, as a part of the warm rate", 0.9, ratio(second(0..5), speed("register-64"))),
        Goal::at_most("us to check a token that was seen before", 5.0, outcome.tokens.map(|tokens| tokens.seen)),
        Goal::at_most("us to check a new token", 60.0, outcome.tokens.map(|tokens| tokens.new)),
        Goal::at_most("p50 through the gateway by the bare one, 1 connection", 1.15, overhead(1, |ratio| ratio.p50)),
        Goal::at_most("p99 of the same", 1.15, overhead(1, |ratio| ratio.p99)),
        Goal::at_most("p50 through the gateway by the bare one, 8 connections", 1.15, overhead(8, |ratio| ratio.p50)),
        Goal::at_most("p99 of the same, 8 connections", 1.15, overhead(8, |ratio| ratio.p99)),
        Goal::at_most("p99 ms of others while 200 sign in", 50.0, storm.map(|storm| storm.others.p99)),
        Goal::at_most("MiB that auth holds at most then", 120.0, storm.map(|storm| storm.peak)),
        #[expect(clippy::cast_precision_loss, reason = "a count of errors")]
        Goal::at_most("errors", 0.0, Some(errors as f64)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_on_its_side() {
        let goal = |at_least, measured| Goal { what: "", wanted: 2.0, measured, at_least }.met();
        assert_eq!([goal(true, Some(2.0)), goal(true, Some(1.9))], [Some(true), Some(false)]);
        assert_eq!([goal(false, Some(2.0)), goal(false, Some(2.1))], [Some(true), Some(false)]);
        assert_eq!(goal(true, None), None);
    }
}

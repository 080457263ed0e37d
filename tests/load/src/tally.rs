//! What became of the requests of a load.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;

/// Three digits, in microseconds; what takes longer than two minutes counts as that.
const DIGITS: u8 = 3;
const LONGEST: u64 = 120_000_000;

/// Counts and latencies; each worker has its own, and they are added at the end.
#[derive(Debug)]
pub struct Tally {
    latencies: Histogram<u64>,
    errors: BTreeMap<String, u64>,
    per_second: Vec<u64>,
}

/// Percentiles in milliseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Latency {
    /// The median.
    pub p50: f64,
    /// 95 of 100 are faster.
    pub p95: f64,
    /// 99 of 100 are faster.
    pub p99: f64,
    /// The slowest.
    pub max: f64,
}

impl Tally {
    /// Nothing yet.
    pub fn new() -> Result<Self> {
        Ok(Self {
            latencies: Histogram::new_with_bounds(1, LONGEST, DIGITS)?,
            errors: BTreeMap::new(),
            per_second: Vec::new(),
        })
    }

    /// A request that was answered as it should, `at` this time of the load.
    pub fn success(&mut self, took: Duration, at: Duration) {
        self.latencies.saturating_record(micros(took));
        let second = usize::try_from(at.as_secs()).unwrap_or(usize::MAX).min(3600);
        if self.per_second.len() <= second {
            self.per_second.resize(second + 1, 0);
        }
        self.per_second[second] += 1;
    }

    /// A request that was not.
    pub fn error(&mut self, what: String) {
        *self.errors.entry(what).or_default() += 1;
    }

    /// Takes another's counts.
    pub fn add(&mut self, other: &Self) -> Result<()> {
        self.latencies.add(&other.latencies)?;
        for (what, count) in &other.errors {
            *self.errors.entry(what.clone()).or_default() += count;
        }
        if self.per_second.len() < other.per_second.len() {
            self.per_second.resize(other.per_second.len(), 0);
        }
        for (sum, count) in self.per_second.iter_mut().zip(&other.per_second) {
            *sum += count;
        }
        Ok(())
    }

    /// How many were answered as they should.
    pub fn successes(&self) -> u64 {
        self.latencies.len()
    }

    /// The failed ones by status or cause.
    pub fn errors(&self) -> &BTreeMap<String, u64> {
        &self.errors
    }

    /// The successes that were answered in each second of the load.
    pub fn per_second(&self) -> &[u64] {
        &self.per_second
    }

    /// How long the successes took.
    pub fn latency(&self) -> Latency {
        let at = |quantile| millis(self.latencies.value_at_quantile(quantile));
        Latency { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: millis(self.latencies.max()) }
    }
}

/// Whole microseconds.
pub fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

fn millis(micros: u64) -> f64 {
    quotient(micros, 1000)
}

/// `a / b`, and 0 where there is nothing to divide by.
#[expect(clippy::cast_precision_loss, reason = "counts and times of a run are far below 2^52")]
pub fn quotient(a: u64, b: u64) -> f64 {
    if b == 0 { 0.0 } else { a as f64 / b as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_added() {
        let mut sum = Tally::new().unwrap();
        for second in 0..3 {
            let mut worker = Tally::new().unwrap();
            worker.success(Duration::from_millis(second + 1), Duration::from_secs(second));
            worker.error("503".to_owned());
            sum.add(&worker).unwrap();
        }
        assert_eq!((sum.successes(), sum.per_second(), sum.errors()["503"]), (3, &[1, 1, 1][..], 3));
        assert!((sum.latency().p50 - 2.0).abs() < 0.01, "{:?}", sum.latency());
    }

    #[test]
    fn nothing_is_no_quotient() {
        assert!(quotient(1, 0).abs() < f64::EPSILON);
        assert!((quotient(1, 4) - 0.25).abs() < f64::EPSILON);
    }
}

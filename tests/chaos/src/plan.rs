//! Who is killed when: the same seed makes the same plan.

use std::fmt;

use local::{App, Part};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

/// What is killed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Victim {
    /// A service or a sidecar.
    Part(Part),
    /// The broker.
    Broker,
    /// The database server, as by a loss of power.
    Postgres,
}

/// What kills are counted by.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Kind {
    /// Our programs.
    Service,
    /// daprd.
    Sidecar,
    /// The broker.
    Broker,
    /// PostgreSQL.
    Postgres,
}

/// One kill, and what comes with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// Who dies.
    pub victim: Victim,
    /// Whether the broker hangs before, so that what is acknowledged meanwhile cannot have been published.
    pub hold: bool,
    /// How much of the step's share of the writes is done before, from 0 to 1.
    pub offset: f64,
    /// Whether events are delivered again, in another order, beside it.
    pub inject: bool,
    /// Whether messages that nobody can use are published beside it.
    pub poison: bool,
}

/// All kills in order, and the relay that hangs at the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The kills.
    pub steps: Vec<Step>,
    /// Whose service is paused under the last writes.
    pub paused: Part,
}

/// Those that publish are hit most: what they have committed and not published is what can be lost.
const TURNS: [App; 7] =
    [App::Patient, App::Billing, App::Auth, App::Patient, App::Billing, App::Analytics, App::Gateway];

/// Latest, as a part of a step's writes, so that enough of them are left for what happens around the kill.
const LATEST: f64 = 0.5;

impl Plan {
    /// A plan of `kills` kills of each kind.
    pub fn new(seed: u64, kills: u32, instances: u8) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let mut victims = Vec::new();
        for sidecar in [false, true] {
            for (n, app) in TURNS.into_iter().cycle().take(usize::try_from(kills).unwrap_or(usize::MAX)).enumerate() {
                let part = if sidecar { Part::sidecar(app) } else { Part::service(app) };
                let second = part.of_instance(2);
                // Both are hit in turn.
                let both =
                    instances > 1 && (n / TURNS.len()) % 2 == 1 && Part::all(instances).any(|part| part == second);
                victims.push(Victim::Part(if both { second } else { part }));
            }
        }
        for _ in 0..kills {
            victims.extend([Victim::Broker, Victim::Postgres]);
        }
        victims.shuffle(&mut random);
        let steps = victims.into_iter().map(|victim| Step {
            victim,
            hold: victim.publishes() || (victim == Victim::Broker && random.random_bool(0.5)),
            offset: random.random_range(0.05..LATEST),
            inject: random.random_bool(0.3),
            poison: random.random_bool(0.1),
        });
        let steps = steps.collect();
        let paused = Part::service(if random.random_bool(0.5) { App::Patient } else { App::Billing });
        Self { steps, paused }
    }
}

impl Victim {
    /// What it is counted as.
    pub fn kind(self) -> Kind {
        match self {
            Self::Part(part) if part.is_service() => Kind::Service,
            Self::Part(_) => Kind::Sidecar,
            Self::Broker => Kind::Broker,
            Self::Postgres => Kind::Postgres,
        }
    }

    /// Whether its end can leave events of this app between commit and publication.
    pub fn delays(self, app: App) -> bool {
        match self {
            Self::Part(part) => part.app == app,
            Self::Broker => true,
            Self::Postgres => false,
        }
    }

    fn publishes(self) -> bool {
        matches!(self, Self::Part(part) if [App::Patient, App::Billing].contains(&part.app))
    }
}

impl fmt::Display for Victim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(part) => part.fmt(f),
            Self::Broker => f.write_str("broker"),
            Self::Postgres => f.write_str("postgres"),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Service => "service",
            Self::Sidecar => "sidecar",
            Self::Broker => "broker",
            Self::Postgres => "PostgreSQL",
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.victim)?;
        for (is, word) in
            [(self.hold, "while the broker hangs"), (self.inject, "with events again"), (self.poison, "with poison")]
        {
            if is {
                write!(f, ", {word}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_replays() {
        assert_eq!(Plan::new(7, 20, 1), Plan::new(7, 20, 1));
        assert_ne!(Plan::new(7, 20, 1), Plan::new(8, 20, 1));
    }

    #[test]
    fn every_kind_is_killed_as_often_as_asked_and_every_part_several_times() {
        for instances in [1, 2] {
            let plan = Plan::new(1, 20, instances);
            for kind in [Kind::Service, Kind::Sidecar, Kind::Broker, Kind::Postgres] {
                assert_eq!(plan.steps.iter().filter(|step| step.victim.kind() == kind).count(), 20);
            }
            for part in Part::all(instances) {
                let kills = plan.steps.iter().filter(|step| step.victim == Victim::Part(part)).count();
                assert!(kills >= 2, "{part}: {kills}");
            }
        }
    }
}

//! What each process costs: CPU time and memory, as the kernel tells.

use std::{collections::BTreeMap, fs, time::Duration};

use local::{App, Home, Part, Process};
use serde::Serialize;

/// The processes of a system by name, and this one, which is `client`.
#[derive(Clone, Debug)]
pub struct Processes {
    named: Vec<(String, Process)>,
}

/// CPU time of each process since its start.
pub type Cpu = BTreeMap<String, Duration>;

/// Memory of a process in MiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Memory {
    /// Resident, with pages that others hold too.
    pub rss: f64,
    /// Its share of what it holds.
    pub pss: f64,
}

/// The fields of `/proc/<pid>/stat` that are about time, in clock ticks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Ticks {
    /// Of the process itself, user and system.
    own: u64,
    /// Of children that it has waited for.
    waited: u64,
}

impl Processes {
    /// Everything that runs in this home.
    pub fn of(home: &Home) -> Self {
        let mut named: Vec<_> =
            Part::running(home).into_iter().map(|(part, process)| (part.to_string(), process)).collect();
        for part in ["postgres", "kafka", "redis", "rabbitmq", "sentry", "dapr"] {
            named.extend(Process::recorded(home, part).map(|process| (part.to_owned(), process)));
        }
        named.extend(Process::of(std::process::id()).map(|own| ("client".to_owned(), own)));
        Self { named }
    }

    /// The CPU time of each so far.
    pub fn cpu(&self) -> Cpu {
        self.named.iter().map(|(name, process)| (name.clone(), time(family(name, process)))).collect()
    }

    /// The memory of each now.
    pub fn memory(&self) -> BTreeMap<String, Memory> {
        let weigh = |(name, process): &(String, Process)| {
            let sum = |size: fn(&Process) -> u64| mebibytes(members(name, process).iter().map(size).sum());
            (name.clone(), Memory { rss: sum(Process::resident_kib), pss: sum(Process::share_kib) })
        };
        self.named.iter().map(weigh).collect()
    }
}

/// Whether a process is one of our services, by its name.
pub fn is_service(name: &str) -> bool {
    App::ALL.iter().any(|app| app.id() == instance_of(name))
}

/// Whether a process is a sidecar, by its name.
pub fn is_sidecar(name: &str) -> bool {
    name.ends_with("-sidecar")
}

/// The app of a name that may carry an instance's number.
fn instance_of(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('-')
}

/// How much more each has used than `before`.
pub fn since(before: &Cpu, after: &Cpu) -> Cpu {
    let more = |(name, time): (&String, &Duration)| {
        let before = before.get(name).copied().unwrap_or_default();
        (name.clone(), time.saturating_sub(before))
    };
    after.iter().map(more).collect()
}

/// A process and, of PostgreSQL, those that serve its connections.
fn members(name: &str, process: &Process) -> Vec<Process> {
    let mut members = vec![process.clone()];
    if name == "postgres" {
        members.extend(process.children());
    }
    members
}

/// Ended connections of PostgreSQL are in its own account of children that it waited for.
fn family(name: &str, process: &Process) -> u64 {
    let ticks = |process: &Process| read(process.pid()).map_or(0, |ticks| ticks.own + ticks.waited);
    if name == "postgres" {
        return members(name, process).iter().map(ticks).sum();
    }
    read(process.pid()).map_or(0, |ticks| ticks.own)
}

fn read(pid: u32) -> Option<Ticks> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(stat: &str) -> Option<Ticks> {
    // The second field is the program's name in parentheses, and may itself hold both.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |index: usize| fields.get(index)?.parse::<u64>().ok();
    Some(Ticks { own: field(11)? + field(12)?, waited: field(13)? + field(14)? })
}

fn time(ticks: u64) -> Duration {
    Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second())
}

fn mebibytes(kibibytes: u64) -> f64 {
    crate::tally::quotient(kibibytes, 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_past_a_name_with_parentheses() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 1 2 3 4 50 6 700 8 20 0 1 0 4242 99 1";
        assert_eq!(parse(stat), Some(Ticks { own: 56, waited: 708 }));
        assert_eq!(parse("7 (a) S 1"), None);
    }

    #[test]
    fn the_difference_is_by_process_and_never_negative() {
        let cpu = |pairs: &[(&str, u64)]| -> Cpu {
            pairs.iter().map(|(name, millis)| ((*name).to_owned(), Duration::from_millis(*millis))).collect()
        };
        let more = since(&cpu(&[("a", 10), ("b", 30)]), &cpu(&[("a", 15), ("b", 20), ("c", 7)]));
        assert_eq!(more, cpu(&[("a", 5), ("b", 0), ("c", 7)]));
    }

    #[test]
    fn work_shows_as_cpu_time_of_this_process() {
        let own = Processes { named: vec![("client".to_owned(), Process::of(std::process::id()).unwrap())] };
        let before = own.cpu();
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(100) {
            std::hint::black_box(0);
        }
        assert!(since(&before, &own.cpu())["client"] >= Duration::from_millis(20));
        assert!(own.memory()["client"].rss > 1.0);
    }

    #[test]
    fn names_tell_services_and_sidecars_apart() {
        assert!(is_service("patient") && is_service("patient-2") && is_sidecar("patient-sidecar"));
        assert!(!is_service("patient-sidecar") && !is_service("kafka") && !is_sidecar("client"));
    }
}

//! Starts the services and sidecars of a run file without the CLI and brings back whatever ends, as an orchestrator does.
//!
//! A sidecar ends when its database or broker is away at its start, and a part that was killed ends as well: both are
//! started again, at once when they had run for a while, otherwise after a pause that grows.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokio::{task::JoinSet, time::sleep};

use crate::{
    dapr,
    home::{Home, write_private},
    launch::{open_log, spawn},
    part::Part,
    process::{Process, Signal},
    run_file::Program,
};

/// The pause before a part that had run for a while is started again.
const PAUSE: Duration = Duration::from_millis(100);
/// The first one before a part that had not; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// What ends sooner than this after its start did not get anywhere.
const BRIEF: Duration = Duration::from_secs(2);

const KILLED: Duration = Duration::from_secs(5);

/// While this file is in a home, nothing is started again there.
const HALT: &str = "halt";

/// Keeps the services and sidecars of a system running; they end with it.
#[derive(Debug)]
pub struct Supervisor {
    home: Home,
    lives: Lives,
    keepers: tokio::sync::Mutex<JoinSet<()>>,
}

type Lives = Arc<Mutex<BTreeMap<Part, Life>>>;

/// How it goes with a part.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its latest process, which may have ended.
    pub process: Process,
    /// When that was started.
    pub started: Instant,
    /// How often it was started again.
    pub restarts: u64,
}

impl Supervisor {
    /// Starts everything, each part with a log of its own that it keeps through restarts.
    pub(crate) fn start(home: &Home, programs: Vec<Program>) -> Result<Self> {
        std::fs::remove_file(home.run(HALT)).ok();
        let lives = Lives::default();
        let mut keepers = JoinSet::new();
        for program in programs {
            let log = open_log(&home.log(&program.part.to_string()))?;
            keepers.spawn(keep(home.clone(), program, log, Arc::clone(&lives)));
        }
        Ok(Self { home: home.clone(), lives, keepers: keepers.into() })
    }

    /// Every part that it has started.
    pub fn parts(&self) -> Vec<Part> {
        lock(&self.lives).keys().copied().collect()
    }

    /// How it goes with a part.
    pub fn life(&self, part: Part) -> Option<Life> {
        lock(&self.lives).get(&part).cloned()
    }

    /// The running process of a part.
    pub fn process(&self, part: Part) -> Option<Process> {
        self.life(part).map(|life| life.process).filter(Process::is_running)
    }

    /// Kills a part at once, as a crash would, and answers the process that has ended; another one follows by itself.
    pub async fn kill(&self, part: Part) -> Result<Process> {
        let process = self.running(part)?;
        process.end(Signal::KILL, KILLED).await;
        Ok(process)
    }

    /// Sends a signal to a part, such as [`Signal::STOP`] and [`Signal::CONT`].
    pub fn signal(&self, part: Part, signal: Signal) -> Result<()> {
        self.running(part)?.signal(signal);
        Ok(())
    }

    /// Ends everything in order, services before their sidecars, each with time to finish.
    pub async fn stop(&self) {
        halt(&self.home);
        dapr::stop(&self.home).await;
        self.keepers.lock().await.shutdown().await;
        // What was just about to start when it was halted is killed with its keeper, and takes a moment to end.
        let latest: Vec<_> = lock(&self.lives).values().map(|life| life.process.clone()).collect();
        for process in latest {
            process.ended(KILLED).await;
        }
    }

    fn running(&self, part: Part) -> Result<Process> {
        self.process(part).with_context(|| format!("{part} does not run"))
    }
}

/// From now on no supervisor of this home starts anything, whichever process it is in.
pub(crate) fn halt(home: &Home) {
    // A home that is gone has no supervisor.
    write_private(&home.run(HALT), "").ok();
}

fn is_halted(home: &Home) -> bool {
    home.run(HALT).exists()
}

fn lock(lives: &Lives) -> MutexGuard<'_, BTreeMap<Part, Life>> {
    lives.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a part again and again.
async fn keep(home: Home, program: Program, mut log: File, lives: Lives) {
    let part = program.part;
    let mut pause = PAUSE;
    while home.root().exists() && !is_halted(&home) {
        let begun = Instant::now();
        if let Err(error) = live(&home, &program, &log, &lives).await {
            writeln!(log, "{part} cannot be started: {error:#}").ok();
        }
        pause = match begun.elapsed() {
            elapsed if elapsed >= BRIEF => PAUSE,
            _ => (pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE),
        };
        sleep(pause).await;
    }
}

/// One life of a part, from its start to its end.
async fn live(home: &Home, program: &Program, log: &File, lives: &Lives) -> Result<()> {
    let mut command = program.command();
    command.kill_on_drop(true);
    let (mut child, process) = spawn(home, &program.part.to_string(), &mut command, log.try_clone()?)?;
    let started = Instant::now();
    lock(lives)
        .entry(program.part)
        .and_modify(|life| *life = Life { process: process.clone(), started, restarts: life.restarts + 1 })
        .or_insert(Life { process, started, restarts: 0 });
    child.wait().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::App;

    const PATIENT: Part = Part::service(App::Patient);
    const SIDECAR: Part = Part::sidecar(App::Patient);

    async fn eventually(what: &str, condition: impl Fn() -> bool) {
        for _ in 0..500 {
            if condition() {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
        panic!("never: {what}");
    }

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        (folder, home)
    }

    fn restarts(supervisor: &Supervisor, part: Part) -> u64 {
        supervisor.life(part).map_or(0, |life| life.restarts)
    }

    #[tokio::test]
    async fn what_was_killed_comes_back_and_what_was_stopped_does_not() {
        let (_folder, home) = home();
        let programs = [PATIENT, SIDECAR].map(|part| Program::of(part, "sleep", &["60"]));
        let supervisor = Supervisor::start(&home, programs.into()).unwrap();
        eventually("both run", || [PATIENT, SIDECAR].iter().all(|part| supervisor.process(*part).is_some())).await;

        let other = supervisor.process(SIDECAR).unwrap();
        let killed = supervisor.kill(PATIENT).await.unwrap();
        assert!(!killed.is_running());
        eventually("it comes back", || supervisor.process(PATIENT).is_some_and(|process| process != killed)).await;
        assert_eq!((restarts(&supervisor, PATIENT), restarts(&supervisor, SIDECAR)), (1, 0));
        assert_eq!(supervisor.process(SIDECAR), Some(other));

        supervisor.stop().await;
        assert_eq!(Process::all_of(&home), []);
    }

    #[tokio::test]
    async fn what_ends_at_once_is_started_again_and_again_with_pauses() {
        let (_folder, home) = home();
        let supervisor = Supervisor::start(&home, vec![Program::of(PATIENT, "false", &[])]).unwrap();
        eventually("the third attempt", || restarts(&supervisor, PATIENT) == 2).await;
        let begun = Instant::now();
        eventually("the fourth", || restarts(&supervisor, PATIENT) == 3).await;
        assert!(begun.elapsed() > Duration::from_millis(500), "after {:?}", begun.elapsed());
        supervisor.stop().await;
    }

    #[tokio::test]
    async fn nothing_comes_back_when_everything_is_killed_nor_when_nobody_supervises() {
        let (_folder, home) = home();
        let programs = || vec![Program::of(PATIENT, "sleep", &["60"])];
        let supervisor = Supervisor::start(&home, programs()).unwrap();
        eventually("it runs", || supervisor.process(PATIENT).is_some()).await;
        crate::system::kill_all(&home);
        sleep(PAUSE * 4).await;
        assert_eq!(Process::all_of(&home), []);

        let supervisor = Supervisor::start(&home, programs()).unwrap();
        eventually("it runs", || supervisor.process(PATIENT).is_some()).await;
        let process = supervisor.process(PATIENT).unwrap();
        drop(supervisor);
        assert!(process.ended(KILLED).await, "it outlives its supervisor");
    }
}

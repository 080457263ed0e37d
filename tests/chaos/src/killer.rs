//! Carries out the plan: kills under load, in step with the writes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use local::{Part, Signal};
use tokio::{runtime::Handle, task::JoinSet};

use crate::{
    injection::Injector,
    pace::Pace,
    plan::{Plan, Step, Victim},
    stage::Stage,
};

/// A part has worked for this long before it is killed again.
const LIVED: Duration = Duration::from_millis(700);
/// How long the broker hangs at most, and how many writes are waited for meanwhile.
const HELD: Duration = Duration::from_millis(1500);
const WRITES_HELD: u64 = 6;
const BACK: Duration = Duration::from_secs(90);
/// The share of the writes that is left for the relay that hangs.
const KEPT: u64 = 10;

/// A kill that happened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kill {
    pub(crate) victim: Victim,
    /// When the signal was sent.
    pub(crate) at: Timestamp,
    /// How many writes had their answer.
    pub(crate) done: u64,
}

pub(crate) struct Killer {
    stage: Arc<Stage>,
    pace: Arc<Pace>,
    injector: Arc<Injector>,
    pause: Duration,
    broker_is_back: Arc<AtomicBool>,
    postgres_is_back: Arc<AtomicBool>,
    healing: JoinSet<Result<()>>,
    kills: Vec<Kill>,
}

impl Killer {
    pub(crate) fn new(stage: &Arc<Stage>, pace: &Arc<Pace>, injector: &Arc<Injector>, pause: Duration) -> Self {
        Self {
            stage: Arc::clone(stage),
            pace: Arc::clone(pace),
            injector: Arc::clone(injector),
            pause,
            broker_is_back: Arc::new(AtomicBool::new(true)),
            postgres_is_back: Arc::new(AtomicBool::new(true)),
            healing: JoinSet::new(),
            kills: Vec::new(),
        }
    }

    /// Kills everything that the plan names; when it returns, everything has been started again.
    pub(crate) async fn carry_out(mut self, plan: &Plan, progress: impl Fn(&str)) -> Result<Vec<Kill>> {
        let steps = plan.steps.len();
        let share = |n: usize| -> u64 {
            let killing = self.pace.total() - self.pace.total() / KEPT;
            killing * u64::try_from(n).unwrap_or_default() / u64::try_from(steps.max(1)).unwrap_or(1)
        };
        let bounds: Vec<u64> = (0..=steps).map(share).collect();
        for (n, step) in plan.steps.iter().enumerate() {
            let (from, to) = (bounds[n], bounds[n + 1]);
            self.pace.allow(to);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                clippy::cast_precision_loss,
                reason = "a share of a small number"
            )]
            self.pace.reached(from + ((to - from) as f64 * step.offset) as u64).await;
            self.kill(step).await.with_context(|| format!("kill {} of {steps}: {step}", n + 1))?;
            progress(&format!("{:>3} of {steps} at write {:>5}: {step}", n + 1, self.pace.done()));
            while let Some(healed) = self.healing.try_join_next() {
                healed??;
            }
        }
        self.pace.allow(self.pace.total() - self.pace.total() / (2 * KEPT));
        if !self.pause.is_zero() {
            self.hang(plan.paused).await?;
            progress(&format!("{} has hung for {} s", plan.paused, self.pause.as_secs()));
        }
        self.pace.allow(self.pace.total());
        while let Some(healed) = self.healing.join_next().await {
            healed??;
        }
        Ok(self.kills)
    }

    async fn kill(&mut self, step: &Step) -> Result<()> {
        match step.victim {
            Victim::Part(part) => self.stage.running(part, LIVED).await?,
            Victim::Broker => back(&self.broker_is_back, "the broker").await?,
            Victim::Postgres => back(&self.postgres_is_back, "PostgreSQL").await?,
        }
        if step.inject {
            self.injector.again_beside(&self.stage);
        }
        if step.poison {
            self.injector.poison_beside(&self.stage);
        }
        let held = if step.hold { self.hold_broker().await } else { None };
        self.kills.push(Kill { victim: step.victim, at: Timestamp::now(), done: self.pace.done() });
        let killed = match step.victim {
            Victim::Part(part) => self.stage.supervisor()?.kill(part).await.map(drop),
            Victim::Broker => self.kill_broker().await,
            Victim::Postgres => self.kill_postgres().await,
        };
        if let Some(broker) = held {
            broker.signal(Signal::CONT);
        }
        killed
    }

    /// Makes the broker hang until some writes have been acknowledged, whose events then cannot have left.
    async fn hold_broker(&self) -> Option<local::Process> {
        let broker = self.stage.broker().filter(|_| self.broker_is_back.load(Ordering::SeqCst))?;
        broker.signal(Signal::STOP);
        let enough = self.pace.done() + WRITES_HELD;
        let _ = tokio::time::timeout(HELD, self.pace.reached(enough)).await;
        Some(broker)
    }

    async fn kill_broker(&mut self) -> Result<()> {
        self.broker_is_back.store(false, Ordering::SeqCst);
        self.stage.system.kill_broker().await?;
        let (stage, is_back) = (Arc::clone(&self.stage), Arc::clone(&self.broker_is_back));
        self.heal(move |runtime| {
            runtime.block_on(stage.system.start_broker()).context("the broker does not start again")?;
            is_back.store(true, Ordering::SeqCst);
            Ok(())
        });
        Ok(())
    }

    async fn kill_postgres(&mut self) -> Result<()> {
        self.postgres_is_back.store(false, Ordering::SeqCst);
        self.stage.system.kill_postgres().await?;
        let (stage, is_back) = (Arc::clone(&self.stage), Arc::clone(&self.postgres_is_back));
        self.heal(move |runtime| {
            runtime.block_on(stage.system.start_postgres()).context("PostgreSQL does not start again")?;
            is_back.store(true, Ordering::SeqCst);
            Ok(())
        });
        Ok(())
    }

    /// Brings something back beside the load.
    fn heal(&mut self, start: impl FnOnce(Handle) -> Result<()> + Send + 'static) {
        let runtime = Handle::current();
        self.healing.spawn_blocking(move || start(runtime));
    }

    /// A relay stops in the middle of its work and goes on long after others may have done it.
    async fn hang(&self, part: Part) -> Result<()> {
        self.stage.running(part, LIVED).await?;
        back(&self.broker_is_back, "the broker").await?;
        let supervisor = self.stage.supervisor()?;
        let before = supervisor.process(part);
        supervisor.signal(part, Signal::STOP)?;
        tokio::time::sleep(self.pause).await;
        supervisor.signal(part, Signal::CONT)?;
        ensure!(before.is_some() && supervisor.process(part) == before, "{part} did not live through its pause");
        Ok(())
    }
}

/// Waits until what was killed has been started again.
async fn back(is_back: &AtomicBool, what: &str) -> Result<()> {
    let begun = Instant::now();
    while !is_back.load(Ordering::SeqCst) {
        if begun.elapsed() > BACK {
            bail!("{what} does not come back");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}

//! One run, from the start of the system to the verdict.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use local::Part;
use testkit::Issuer;
use tokio::task::JoinSet;

use crate::{
    client::{Client, Contended, GIVE_UP, Payers, World},
    clinic::Clinic,
    drain,
    evidence::{self, Evidence},
    injection::{Counts, Injector},
    journal::Journal,
    killer::{Kill, Killer},
    pace::Pace,
    plan::{Kind, Plan},
    sabotage::Sabotage,
    settings::{Limits, Settings},
    stage::Stage,
    tally::Tally,
    tampering,
    verdict::{self, Line},
};

/// How long parts may take to be ready when they have been started again.
const BACK: Duration = Duration::from_secs(90);
/// Enough for what can settle when something cannot.
const SABOTAGED: Duration = Duration::from_secs(20);
/// Messages that nobody can use, on each topic, when the load is over: some for every partition.
const POISON: usize = 12;
/// Kills between commit and publication that a run of full size has to show.
const BETWEEN: usize = 20;

/// What a run came to.
#[derive(Debug)]
pub struct Outcome {
    /// The promises, the run's own first.
    pub lines: Vec<Line>,
    /// What the clients saw.
    pub tally: Tally,
    /// Kills by victim.
    pub kills: BTreeMap<String, u64>,
    /// Kills by kind.
    pub kinds: BTreeMap<Kind, u64>,
    /// How often the supervisor started something again.
    pub restarts: u64,
    /// What the sweepers did.
    pub evidence: Evidence,
    /// Events that were delivered again, those of them that came late, those published again, deliveries that nobody
    /// took, messages that nobody can use.
    pub injected: [u64; 5],
    /// From the first write to the last answer.
    pub load: Duration,
    /// From the last part's return until the outboxes were empty, from then until the consumers had applied everything, and
    /// from the end of the injections until what remittances say was booked.
    pub drained: [Option<Duration>; 3],
    /// The same system, sabotaged after the verdict and checked again: whether that was seen.
    pub control: Option<(Sabotage, Option<String>)>,
    /// The same of each tampering with its books that was asked for, before that.
    pub tampered: Vec<(&'static str, Option<String>)>,
    /// Where everything is, when it was kept.
    pub home: Option<PathBuf>,
}

impl Outcome {
    /// Whether every promise holds.
    pub fn holds(&self) -> bool {
        self.lines.iter().all(Line::holds)
    }
}

/// What is broken when the verdict is there, and the checker asked again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Controls {
    /// The books, in every way that is known.
    pub books: bool,
    /// At last, a mechanism.
    pub sabotage: Option<Sabotage>,
}

/// Runs, and has controls where every promise holds.
pub async fn run(settings: &Settings, controls: Controls, progress: impl Fn(&str)) -> Result<Outcome> {
    let environment = settings.sabotage.map(|sabotage| sabotage.environment(settings)).transpose()?.unwrap_or_default();
    let stage = Arc::new(Stage::set(settings, environment).await?);
    progress(&format!("the system is up in {}", stage.home().root().display()));
    let ran = on(&stage, settings, controls, &progress).await;
    let keep = settings.keep || (settings.sabotage.is_none() && !ran.as_ref().is_ok_and(Outcome::holds));
    let home = stage.home().root().to_owned();
    stage.strike(keep).await?;
    if keep {
        progress(&format!("everything is kept in {}", home.display()));
    }
    ran.map(|outcome| Outcome { home: keep.then_some(home), ..outcome })
}

async fn on(stage: &Arc<Stage>, settings: &Settings, controls: Controls, progress: &impl Fn(&str)) -> Result<Outcome> {
    let plan = Plan::new(settings.seed, settings.kills, settings.instances);
    evidence::watch(stage).await?;
    if let Some(sabotage) = settings.sabotage {
        sabotage.apply(stage).await?;
    }
    let file = |name: &str| stage.home().root().join(name);
    let injector = Arc::new(Injector::new(settings.seed, Journal::create(&file("poison.jsonl"))?));
    let (url, issuer) = (stage.system.url(), Issuer::of(stage.home())?);
    let world = Arc::new(World {
        clinic: Clinic::open(&url, &stage.http, &issuer, &stage.time_zone).await?,
        url,
        http: stage.http.clone(),
        issuer,
        journal: Journal::create(&file("clients.jsonl"))?,
        payers: Payers::default(),
        // Who waits in vain need not wait for long.
        give_up: settings.sabotage.filter(|sabotage| sabotage.leaves_waiting()).map_or(GIVE_UP, |_| SABOTAGED),
        pace: Arc::new(Pace::new(settings.writes)),
        seed: settings.seed,
    });
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    let mut contended = Contended::default();
    for number in 0..settings.clients {
        if number % 2 == 0 {
            contended = Contended::default();
        }
        clients.spawn(Client::new(number, &world, &contended).run());
    }
    let killer = Killer::new(stage, &world.pace, &injector, settings.pause);
    // A client that cannot write down what it was told ends the run at once.
    let (kills, load) = tokio::try_join!(killer.carry_out(&plan, progress), async {
        while let Some(ended) = clients.join_next().await {
            ended??;
        }
        Ok(begun.elapsed())
    })?;
    progress(&format!("{} writes have their answer after {:.1} s", world.pace.done(), load.as_secs_f64()));
    injector.settle().await?;
    stage.ready(BACK).await?;
    let limits = Limits::of(settings.broker);
    let limit = |limit: Duration| if settings.sabotage.is_some() { limit.min(SABOTAGED) } else { limit };
    let settles = settings.sabotage.is_none_or(Sabotage::settles);
    let [outbox, consumers] = [
        drain::outbox(stage, limit(limits.outbox)).await,
        if settles { drain::consumers(stage, limit(limits.consumers)).await } else { None },
    ];
    progress("injecting duplicates, reorderings and poison");
    // Late arrivals of new versions would mend what the version check's absence breaks.
    if settings.sabotage.is_none() {
        injector.through_the_broker(stage).await?;
    }
    injector.again(stage).await?;
    injector.poison(stage, POISON).await?;
    let counts = &injector.counts;
    let put_aside = drain::poison(stage, of(&counts.poison), limit(limits.poison)).await;
    let drained = [outbox, consumers, drain::remittances(stage, limits.remittances).await];

    let mut lines = of_run(settings, &plan, &kills, drained, put_aside);
    let evidence = evidence::gather(stage, &kills).await?;
    let enough = if settings.kills >= 20 { BETWEEN } else { usize::from(settings.kills > 0) };
    lines.push(Line::of_run(
        "between",
        "kills fell between commit and publication, and sweepers sent what they left",
        evidence.kills >= enough || !settles,
        format!("{} of {} kills", evidence.kills, kills.len()),
    ));
    let [late, published] = [of(&counts.late), of(&counts.published)];
    lines.push(Line::of_run(
        "injected",
        "consumers got events again, some after newer ones, and the broker some",
        late > 0 && (published > 0 || settings.sabotage.is_some()),
        format!("{late} late, {published} published again"),
    ));
    let check = async || verdict::check(settings, stage, world.journal.path(), injector.journal.path()).await;
    lines.extend(check().await?);
    let holds = lines.iter().all(Line::holds);
    let mut tampered = Vec::new();
    for tampering in tampering::ALL.iter().filter(|_| controls.books && holds) {
        tampering.apply(stage).await.with_context(|| tampering.name)?;
        tampered.push((tampering.name, tampering.unseen(&check().await?)));
        tampering.mend(stage).await.with_context(|| tampering.name)?;
    }
    let control = match controls.sabotage.filter(|_| holds) {
        None => None,
        Some(sabotage) => {
            sabotage.apply(stage).await?;
            injector.again(stage).await?;
            Some((sabotage, verdict::unseen(sabotage, &check().await?)))
        }
    };
    let supervisor = stage.supervisor()?;
    let lives = |part: Part| supervisor.life(part).map_or(0, |life| life.restarts);
    let Counts { again, late, published, missed, poison } = counts;
    Ok(Outcome {
        lines,
        tally: Tally::of(world.journal.path())?,
        kills: counted(kills.iter().map(|kill| kill.victim.to_string())),
        kinds: counted(kills.iter().map(|kill| kill.victim.kind())),
        restarts: stage.system.parts().map(lives).sum(),
        evidence,
        injected: [again, late, published, missed, poison].map(of),
        load,
        drained,
        control,
        tampered,
        home: None,
    })
}

/// What has to be true of the run before its verdict says anything.
fn of_run(
    settings: &Settings,
    plan: &Plan,
    kills: &[Kill],
    drained: [Option<Duration>; 3],
    put_aside: Option<Duration>,
) -> Vec<Line> {
    let settles = settings.sabotage.is_none_or(Sabotage::settles);
    let last = kills.last().map_or(0, |kill| kill.done);
    let mut lines = vec![
        Line::of_run(
            "planned",
            "every planned kill happened",
            kills.len() == plan.steps.len(),
            format!("{}", kills.len()),
        ),
        Line::of_run(
            "overlap",
            "the load was under way when the last kill fell",
            last < settings.writes,
            format!("{last} of {} writes had their answer", settings.writes),
        ),
    ];
    // What cannot settle is not waited for.
    if settles {
        let limits = Limits::of(settings.broker);
        let [outbox, consumers, remittances] = drained;
        for (name, promise, took, limit) in [
            ("drained", "every event had left in time", outbox, limits.outbox),
            ("caught-up", "every consumer had applied everything in time", consumers, limits.consumers),
            ("put-aside", "every consumer had put the poison aside in time", put_aside, limits.poison),
            ("booked", "whatever remittances say was booked in time", remittances, limits.remittances),
        ] {
            let waits = settings.sabotage.is_none();
            lines.push(Line::of_run(
                name,
                promise,
                took.is_some() || !waits,
                format!("not within {} s", limit.as_secs()),
            ));
        }
    }
    lines
}

fn counted<T: Ord>(all: impl Iterator<Item = T>) -> BTreeMap<T, u64> {
    let mut counts = BTreeMap::new();
    for one in all {
        *counts.entry(one).or_default() += 1;
    }
    counts
}

fn of(count: &std::sync::atomic::AtomicU64) -> u64 {
    count.load(std::sync::atomic::Ordering::Relaxed)
}

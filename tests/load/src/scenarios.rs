//! `bench load`: the scenarios, in their order.

use std::{fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use local::App;
use tempfile::TempDir;
use uuid::Uuid;

use crate::{
    load::{Loaded, Numbered, Source, closed, open},
    measured::{Idle, Measured, Visible, idle, measure},
    options::{Load, own_directory},
    overhead::{self, Overhead},
    person::People,
    report::progress,
    rig::Rig,
    sources::{Reads, Registrations, Searches, SignIns},
    storm::{self, Storm},
    tokens::{self, TokenCheck},
    visible::{self, POLL, Poller},
};

const FIRST: &str = "first";
const IDLE: &str = "idle";
const TOKENS: &str = "token-check";
const OVERHEAD: &str = "gateway-overhead";
const STORM: &str = "login-storm";
const REGISTER: [u32; 4] = [1, 8, 32, 64];
const RATES: [u32; 2] = [300, 50];
/// The rate at which it is watched how soon analytics knows.
const WATCHED: u32 = 50;
const READ: [u32; 1] = [64];
const SEARCH: [u32; 2] = [64, 8];
/// Some tens of people have a name that begins so.
const LETTERS: usize = 2;
const SIGN_IN: [u32; 1] = [8];
const FLOOR: [u32; 2] = [64, 8];
const INVOKE: [u32; 1] = [64];
const LOOK: Duration = Duration::from_secs(5);
/// Enough for a scenario that needs patients when no other has registered any.
const SOME: Duration = Duration::from_secs(3);

/// What was measured.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The scenarios.
    pub scenarios: Vec<Measured>,
    /// The system at rest.
    pub idle: Option<Idle>,
    /// The check of a token.
    pub tokens: Option<TokenCheck>,
    /// What the gateway adds.
    pub overheads: Vec<Overhead>,
    /// What happens when everybody signs in.
    pub storm: Option<Storm>,
}

/// Runs everything that is asked for: our services, then the floor, each in a system of its own.
pub async fn run(options: &Load, seed: u64) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    if ours().iter().any(|name| options.wants(name)) {
        let rig = Rig::start(&options.setup, "services", &options.setup.programs()?).await?;
        let measured = services(&rig, options, seed, &mut outcome).await;
        rig.end().await?;
        measured?;
    }
    if names(&[("floor", &FLOOR), ("invoke", &INVOKE)]).iter().any(|name| options.wants(name)) {
        let programs = floor_programs()?;
        let rig = Rig::start(&options.setup, "floor", programs.path()).await?;
        let measured = floor(&rig, options, seed, &mut outcome).await;
        rig.end().await?;
        measured?;
    }
    Ok(outcome)
}

fn name(family: &str, number: u32) -> String {
    format!("{family}-{number}")
}

fn names(families: &[(&str, &[u32])]) -> Vec<String> {
    families.iter().flat_map(|(family, numbers)| numbers.iter().map(|number| name(family, *number))).collect()
}

fn ours() -> Vec<String> {
    let mut ours = vec![FIRST.to_owned(), IDLE.to_owned()];
    ours.extend(names(&[
        ("register", &REGISTER),
        ("open", &RATES),
        ("read", &READ),
        ("search", &SEARCH),
        ("login", &SIGN_IN),
        (OVERHEAD, &overhead::CONNECTIONS),
    ]));
    ours.extend([TOKENS, STORM].map(str::to_owned));
    ours
}

async fn services(rig: &Rig, options: &Load, seed: u64, outcome: &mut Outcome) -> Result<()> {
    let people = People::new(seed);
    let source = Numbered::new(Registrations::new(people));
    if options.wants(FIRST) {
        let client = rig.client()?;
        let load = closed(&client, &source, 64, Duration::from_secs(options.first_seconds));
        outcome.add(measure(rig, FIRST, true, load).await?);
    }
    for connections in REGISTER {
        let scenario = Scenario { rig, options, name: name("register", connections), events: true };
        scenario.closed(&source, connections, outcome).await?;
    }
    for rate in RATES {
        open_loop(rig, options, &source, rate, outcome).await?;
    }
    if source.source().registered().is_empty() {
        closed(&rig.client()?, &source, 8, SOME).await?;
    }
    let reads = Numbered::new(Reads { ids: source.source().registered().into_iter().map(|(id, _)| id).collect() });
    let searches = Numbered::new(Searches { people, letters: LETTERS });
    let sign_ins = Numbered::new(SignIns::new(rig.administrator()));
    let quiet = |family, connections| Scenario { rig, options, name: name(family, connections), events: false };
    for connections in READ {
        quiet("read", connections).closed(&reads, connections, outcome).await?;
    }
    for connections in SEARCH {
        quiet("search", connections).closed(&searches, connections, outcome).await?;
    }
    for connections in SIGN_IN {
        quiet("login", connections).closed(&sign_ins, connections, outcome).await?;
    }
    guarded(rig, options, &reads, outcome).await?;
    if options.wants(IDLE) {
        progress(IDLE);
        outcome.idle = Some(idle(rig, LOOK).await?);
    }
    Ok(())
}

/// What it costs that not everybody may do everything.
async fn guarded(rig: &Rig, options: &Load, reads: &Arc<Numbered<Reads>>, outcome: &mut Outcome) -> Result<()> {
    if options.wants(TOKENS) {
        progress(TOKENS);
        outcome.tokens = Some(tokens::check(rig).await?);
    }
    for connections in overhead::CONNECTIONS {
        let name = name(OVERHEAD, connections);
        if options.wants(&name) {
            progress(&name);
            outcome.overheads.push(overhead::compare(rig, reads, connections).await?);
        }
    }
    if options.wants(STORM) {
        progress(STORM);
        outcome.storm = Some(storm::storms(rig, reads).await?);
    }
    Ok(())
}

async fn floor(rig: &Rig, options: &Load, seed: u64, outcome: &mut Outcome) -> Result<()> {
    let source = Numbered::new(Registrations::new(People::new(seed)));
    for connections in FLOOR {
        let scenario = Scenario { rig, options, name: name("floor", connections), events: true };
        scenario.closed(&source, connections, outcome).await?;
    }
    let nothing = Numbered::new(Reads { ids: vec![Uuid::nil()] });
    for connections in INVOKE {
        let scenario = Scenario { rig, options, name: name("invoke", connections), events: false };
        scenario.closed(&nothing, connections, outcome).await?;
    }
    Ok(())
}

struct Scenario<'a> {
    rig: &'a Rig,
    options: &'a Load,
    name: String,
    /// Whether its requests cause events.
    events: bool,
}

impl Scenario<'_> {
    /// Warms up, lets the events of that settle, and measures; does nothing unless the scenario is asked for.
    async fn closed<S: Source>(self, source: &Arc<Numbered<S>>, connections: u32, outcome: &mut Outcome) -> Result<()> {
        let Self { rig, options, name, events } = self;
        if !options.wants(&name) {
            return Ok(());
        }
        let client = rig.client()?;
        let counts = rig.counts().await?;
        let warm = closed(&client, source, connections, Duration::from_secs(options.warm_up)).await?;
        if events {
            rig.quiet(counts, warm.tally.successes()).await?;
        }
        let load = closed(&client, source, connections, Duration::from_secs(options.seconds));
        outcome.add(measure(rig, &name, events, load).await?);
        Ok(())
    }
}

async fn open_loop(
    rig: &Rig,
    options: &Load,
    source: &Arc<Numbered<Registrations>>,
    rate: u32,
    outcome: &mut Outcome,
) -> Result<()> {
    let name = name("open", rate);
    if !options.wants(&name) {
        return Ok(());
    }
    let client = rig.client()?;
    let counts = rig.counts().await?;
    let warm = open(&client, source, rate, Duration::from_secs(options.warm_up)).await?;
    rig.quiet(counts, warm.tally.successes()).await?;
    let before = visible::count(&client).await?;
    let registered = source.source().registered().len();
    let mut seen = Vec::new();
    let load = async {
        let poller = (rate == WATCHED).then(|| Poller::start(&client));
        let loaded: Loaded = open(&client, source, rate, Duration::from_secs(options.seconds)).await?;
        if let Some(poller) = poller {
            // The last ones have to be seen, too.
            tokio::time::sleep(Duration::from_secs(1)).await;
            seen = poller.stop().await?;
        }
        Ok(loaded)
    };
    let mut measured = measure(rig, &name, true, load).await?;
    if rate == WATCHED {
        let acknowledged: Vec<_> =
            source.source().registered().into_iter().skip(registered).map(|(_, at)| at).collect();
        measured.visible = Some(Visible::of(&visible::delays(&acknowledged, &seen, before), POLL));
    }
    outcome.add(measured);
    Ok(())
}

impl Outcome {
    fn add(&mut self, measured: Measured) {
        progress(&format!(
            "{:<12} {:>6.0}/s  p99 {:>6.1} ms  {:.2} ms CPU",
            measured.name, measured.per_second, measured.latency.p99, measured.cpu
        ));
        self.scenarios.push(measured);
    }

    /// The scenario of this name.
    pub fn get(&self, name: &str) -> Option<&Measured> {
        self.scenarios.iter().find(|scenario| scenario.name == name)
    }
}

/// A directory in which the floor stands in for each service. Copies, not links: a process is known by its program.
pub(crate) fn floor_programs() -> Result<TempDir> {
    let folder = TempDir::with_prefix("pms-floor-")?;
    let program = own_directory()?.join("floor");
    for app in App::ALL {
        let copy: &Path = &folder.path().join(app.id());
        fs::copy(&program, copy).with_context(|| format!("copying {}", program.display()))?;
    }
    Ok(folder)
}

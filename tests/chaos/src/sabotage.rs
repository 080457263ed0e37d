//! What is broken on purpose, to see that the checker sees it: each in the database of a running system, by its
//! superuser, but for one switch that only debug programs have.

use std::{collections::BTreeMap, fs};

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;
use local::App;
use serde_json::Value;

use crate::{settings::Settings, stage::Stage};

/// The variable by which a debug program of `patient` ignores keys.
const IGNORE_KEYS: &str = "IGNORE_IDEMPOTENCY_KEYS";

/// A mechanism that does not work.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub enum Sabotage {
    /// Nobody sends what was left in the outbox.
    SweeperOff,
    /// A consumer takes old versions over new ones.
    VersionCheckOff,
    /// Each attempt is a new request.
    IdempotencyIgnored,
    /// The documents' trigger runs before its row is known to be written.
    BeforeTrigger,
}

/// The wrong function and what it says where the right one says something else.
struct Surgery {
    function: &'static str,
    right: &'static str,
    wrong: &'static str,
}

const INGEST: Surgery = Surgery {
    function: "fact.take_patients(jsonb)",
    right: "known.id = latest.id and known.version >= latest.version",
    wrong: "false",
};

const OUTBOX_CLAIM: &str = "
    create or replace function api.outbox_claim(p jsonb) returns void
    language sql security definer set search_path = pg_catalog, pg_temp as $$ $$";

impl Sabotage {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::SweeperOff, Self::VersionCheckOff, Self::IdempotencyIgnored, Self::BeforeTrigger];

    /// The line of the checker that has to break.
    pub fn breaks(self) -> &'static str {
        match self {
            Self::SweeperOff => "outbox",
            Self::VersionCheckOff => "facts",
            Self::IdempotencyIgnored => "once",
            Self::BeforeTrigger => "projections",
        }
    }

    /// The lines that may break in consequence; no other one may.
    pub fn may_break(self) -> &'static [&'static str] {
        match self {
            // Whoever was not told of a patient has opened no account and counted nothing, and who wants to bill them waits
            // in vain; who was not told of an encounter has drafted nothing.
            Self::SweeperOff => &["accounts", "facts", "figures", "definite", "drafts"],
            // Who was not in use before is counted otherwise again.
            Self::VersionCheckOff => &["figures"],
            // The second attempt meets what the first has made.
            Self::IdempotencyIgnored => &["refusals"],
            // The event of a write that was refused may be the one that comes first. A remittance that comes twice is known
            // by its id; now what is to be kept of it meets what was kept before, which nobody has an answer for.
            Self::BeforeTrigger => &["facts", "figures", "failures", "definite"],
        }
    }

    /// Whether what waits can leave and be applied at all.
    pub fn settles(self) -> bool {
        self != Self::SweeperOff
    }

    /// Whether somebody may wait for an answer in vain.
    pub(crate) fn leaves_waiting(self) -> bool {
        self.may_break().contains(&"definite")
    }

    /// What has to be in the services' environment.
    pub(crate) fn environment(self, settings: &Settings) -> Result<BTreeMap<String, String>> {
        if self != Self::IdempotencyIgnored {
            return Ok(BTreeMap::new());
        }
        let program = settings.bin_dir.join("patient");
        ensure!(knows_the_switch(settings)?, "{} is a release program, which cannot ignore keys", program.display());
        Ok([(IGNORE_KEYS.to_owned(), "true".to_owned())].into())
    }

    /// Breaks it.
    pub(crate) async fn apply(self, stage: &Stage) -> Result<()> {
        match self {
            Self::SweeperOff => {
                for app in [App::Patient, App::Billing] {
                    stage.execute(app, OUTBOX_CLAIM).await?;
                }
            }
            Self::VersionCheckOff => {
                let function = operated(stage, App::Analytics, &INGEST).await?;
                stage.execute(App::Analytics, &function).await?;
            }
            Self::IdempotencyIgnored => {}
            Self::BeforeTrigger => {
                for app in [App::Patient, App::Billing] {
                    let right = Surgery { function: "document.keep()", right: "return null;", wrong: "return new;" };
                    let function = operated(stage, app, &right).await?;
                    let statements = format!(
                        "drop trigger keep on state.state; {function};
                         create trigger keep before insert or update of value on state.state
                         for each row execute function document.keep()"
                    );
                    stage.execute(app, &statements).await?;
                }
            }
        }
        Ok(())
    }
}

/// Whether the program of `patient` knows of the switch at all.
pub(crate) fn knows_the_switch(settings: &Settings) -> Result<bool> {
    let program = settings.bin_dir.join("patient");
    let program = fs::read(&program).with_context(|| format!("reading {}", program.display()))?;
    Ok(program.windows(IGNORE_KEYS.len()).any(|bytes| bytes == IGNORE_KEYS.as_bytes()))
}

/// The statement that puts the wrong text in the place of the right one, which has to be there once.
async fn operated(stage: &Stage, app: App, surgery: &Surgery) -> Result<String> {
    let Surgery { function, right, wrong } = surgery;
    let query = format!("select to_jsonb(pg_get_functiondef('{function}'::regprocedure))");
    let rows = stage.rows(app, &query).await?;
    let text = rows.first().and_then(Value::as_str).with_context(|| format!("there is no {function}"))?;
    ensure!(
        text.matches(right).count() == 1,
        "{function} does not say {right:?} once: what was to be broken has moved"
    );
    Ok(text.replace(right, wrong))
}

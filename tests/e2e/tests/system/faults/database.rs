//! PostgreSQL is dead: 503 within a second, nothing promised that is not kept, nothing kept twice.
#![expect(clippy::print_stdout, reason = "how long it takes is a figure to know")]

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use access::Role;
use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;
use local::App;
use serde_json::Value;

use crate::{
    door::{Door, key},
    people::{family, person},
    stage::Stage,
};

const AT_ONCE: usize = 6;
const TOLD_WITHIN: Duration = Duration::from_secs(1);
/// How many are turned away before the database comes back.
const TURNED_AWAY: usize = 40;

/// A request, by its key, and the patient's id when it was answered 201.
type Asked = Mutex<BTreeMap<String, (Value, Option<String>)>>;

pub(crate) async fn dies(stage: &Stage) -> Result<()> {
    let door = stage.public(Role::FrontDesk)?;
    stage.settled().await?;
    let (asked, over, down) = (Asked::default(), AtomicBool::new(false), AtomicBool::new(false));
    let clerks = try_join_all((0..AT_ONCE).map(|_| register_and_note(&door, &asked, &over, &down)));
    let outage = async {
        stage.eventually("some are registered", async || Ok(answered(&asked).0 > 20)).await?;
        stage.system.kill_postgres().await?;
        down.store(true, Ordering::SeqCst);
        let (_, before) = answered(&asked);
        stage.eventually("many are turned away", async || Ok(answered(&asked).1 >= before + TURNED_AWAY)).await?;
        let search = door.get(&format!("/api/patients?family={}", family(&person()))).await?.expect_problem(503)?;
        ensure!(search.took < TOLD_WITHIN, "a search was answered after {:?}", search.took);
        let ready = stage.client.get(format!("{}/readyz", app_url(stage, App::Patient))).send().await?.status();
        ensure!(ready == 503, "`patient` says that it is ready");
        let live = stage.client.get(format!("{}/livez", app_url(stage, App::Patient))).send().await?.status();
        ensure!(live == 200, "`patient` says that it is dead");
        down.store(false, Ordering::SeqCst);
        stage.system.start_postgres().await?;
        stage.ready().await?;
        let (before, _) = answered(&asked);
        stage.eventually("registrations go on", async || Ok(answered(&asked).0 > before + 20)).await?;
        over.store(true, Ordering::SeqCst);
        anyhow::Ok(())
    };
    let (slowest, ()) = tokio::try_join!(clerks, outage)?;
    println!("    slowest answer without a database: {:?}", slowest.into_iter().max().unwrap_or_default());
    every_promise_is_kept(stage, &door, asked.into_inner().unwrap_or_else(PoisonError::into_inner)).await
}

fn app_url(stage: &Stage, app: App) -> String {
    format!("http://127.0.0.1:{}", stage.ports().app(app).app)
}

/// How many were answered 201, and how many 503.
fn answered(asked: &Asked) -> (usize, usize) {
    let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
    let yes = asked.values().filter(|(_, id)| id.is_some()).count();
    (yes, asked.len() - yes)
}

/// Registers one after another until it is over; answers how long the slowest 503 took that came while the database was down.
async fn register_and_note(door: &Door, asked: &Asked, over: &AtomicBool, down: &AtomicBool) -> Result<Duration> {
    let mut slowest = Duration::ZERO;
    while !over.load(Ordering::SeqCst) {
        let (key, someone) = (key(), person());
        let was_down = down.load(Ordering::SeqCst);
        let answer = door.register(&key, &someone).await?;
        let id = match answer.status {
            201 => Some(answer.id().to_owned()),
            503 => {
                ensure!(answer.header("retry-after") == "1", "{:?}", answer.headers);
                ensure!(answer.took < TOLD_WITHIN || !was_down, "told only after {:?}", answer.took);
                if was_down {
                    slowest = slowest.max(answer.took);
                }
                answer.expect_problem(503)?;
                None
            }
            status => bail!("answered {status}: {}", answer.body),
        };
        asked.lock().unwrap_or_else(PoisonError::into_inner).insert(key, (someone, id));
    }
    Ok(slowest)
}

async fn every_promise_is_kept(
    stage: &Stage,
    door: &Door,
    asked: BTreeMap<String, (Value, Option<String>)>,
) -> Result<()> {
    let expected = asked.len();
    let families: Vec<_> = asked.values().map(|(someone, _)| format!("'{}'", family(someone).to_lowercase())).collect();
    for (key, (someone, id)) in &asked {
        // What was promised is there; what was not is made now, or was made then: once in any case.
        let patient = match id {
            Some(id) => door.get(&format!("/api/patients/{id}")).await?.expect(200)?,
            None => door.register(key, someone).await?.expect(201)?,
        };
        ensure!(patient.body["name"] == someone["name"], "{}", patient.body);
    }
    let made = format!("select count(*) from projection.patients where family in ({})", families.join(","));
    let made = stage.count(App::Patient, &made).await?;
    ensure!(made["count"] == expected, "{expected} people were asked for and {} are there", made["count"]);
    stage.settled().await
}

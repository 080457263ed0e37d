//! Each instance of an app that has two is killed, service and sidecar, and nobody who asks the gateway notices.
#![expect(clippy::print_stdout, reason = "how often the gateway asked twice is a figure to know")]

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use access::Role;
use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use local::{App, Part};

use crate::{
    door::{Answer, Door, key},
    people::{family, person},
    stage::Stage,
};

const CLIENTS: usize = 8;
const APPS: [App; 2] = [App::Patient, App::Billing];
/// Registrations before a kill, and again while the part is away.
const BETWEEN: usize = 40;
/// Longer than the resolver waits before it uses an instance that was away: the other one is killed next.
const SETTLED: Duration = Duration::from_secs(4);

pub(crate) async fn are_killed_in_turn(stage: &Stage) -> Result<()> {
    if stage.system.instances() < 2 {
        println!("    there is one instance of each app; PMS_INSTANCES=2 makes two of some");
        return Ok(());
    }
    let clerk = stage.public(Role::Admin)?;
    let (over, registered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let clients = try_join_all((0..CLIENTS).map(|_| ask_until(&clerk, &over, &registered)));
    let outages = async {
        for part in stage.system.parts().filter(|part| APPS.contains(&part.app)) {
            let before = registered.load(Ordering::SeqCst);
            dies_and_comes_back(stage, part, &registered).await.with_context(|| part.to_string())?;
            println!("    {} registered around the death of {part}", registered.load(Ordering::SeqCst) - before);
        }
        over.store(true, Ordering::SeqCst);
        anyhow::Ok(())
    };
    tokio::try_join!(clients, outages)?;
    println!("    the gateway asked twice {} times", stage.logged(App::Gateway, "asking once more"));
    stage.settled().await
}

async fn dies_and_comes_back(stage: &Stage, part: Part, registered: &AtomicUsize) -> Result<()> {
    let go_on = async || {
        let before = registered.load(Ordering::SeqCst);
        stage
            .eventually("registrations go on", async || Ok(registered.load(Ordering::SeqCst) >= before + BETWEEN))
            .await
    };
    go_on().await?;
    stage.kill(part).await?;
    go_on().await?;
    stage.respawn(part)?;
    stage.ready().await?;
    tokio::time::sleep(SETTLED).await;
    Ok(())
}

/// Registers somebody and reads what there is of them, again and again; any failure is the end.
async fn ask_until(door: &Door, over: &AtomicBool, registered: &AtomicUsize) -> Result<()> {
    while !over.load(Ordering::SeqCst) {
        let someone = person();
        let patient = succeeds(door.register(&key(), &someone).await?)?;
        registered.fetch_add(1, Ordering::SeqCst);
        succeeds(door.get(patient.header("location")).await?)?;
        succeeds(door.get(&format!("/api/patients?family={}", family(&someone))).await?)?;
        // A pending account need not be there yet.
        if patient.has_account() {
            succeeds(door.get(&format!("/api/billing/accounts/{}", patient.id())).await?)?;
        }
    }
    Ok(())
}

fn succeeds(answer: Answer) -> Result<Answer> {
    ensure!((200..300).contains(&answer.status), "answered {} after {:?}: {}", answer.status, answer.took, answer.body);
    Ok(answer)
}

//! A service is told to end, as at every deployment.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};

use access::Role;
use anyhow::{Result, bail, ensure};
use futures::future::try_join_all;
use local::App;
use sqlx::Executor as _;

use crate::{door::Door, people::person, stage::Stage};

const AT_ONCE: usize = 8;
/// Long enough to be under way, short enough for the store's deadline.
const UNDER_WAY: Duration = Duration::from_millis(400);
const ENDS_WITHIN: Duration = Duration::from_secs(5);

pub(crate) async fn drains(stage: &Stage) -> Result<()> {
    what_is_under_way_is_finished(stage).await?;
    nobody_sees_more_than_a_503(stage).await
}

async fn what_is_under_way_is_finished(stage: &Stage) -> Result<()> {
    let door = stage.public(Role::FrontDesk)?;
    // A write cannot end while somebody else holds the table.
    let mut database = stage.database(App::Patient).await?;
    database.execute("begin; lock table projection.patients in exclusive mode").await?;
    let someone = person();
    let registration = door.registered(&someone);
    let deployment = async {
        stage
            .eventually("the registration waits for the table", async || {
                let waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'";
                Ok(stage.count(App::Patient, waiting).await?["count"] != 0)
            })
            .await?;
        // Whichever instance it is that has the registration.
        let services = stage.services(App::Patient).into_iter();
        let processes = services.map(|service| stage.terminate(service)).collect::<Result<Vec<_>>>()?;
        tokio::time::sleep(UNDER_WAY).await;
        database.execute("commit").await?;
        anyhow::Ok(processes)
    };
    let (registered, processes) = tokio::try_join!(registration, deployment)?;
    for process in processes {
        ensure!(process.ended(ENDS_WITHIN).await, "it does not end");
    }
    stage.respawn_every(App::Patient)?;
    stage.ready().await?;
    door.get(registered.header("location")).await?.expect(200)?;
    Ok(())
}

async fn nobody_sees_more_than_a_503(stage: &Stage) -> Result<()> {
    let door = stage.public(Role::FrontDesk)?;
    let (over, registered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let clerks = try_join_all((0..AT_ONCE).map(|_| register_until(&door, &over, &registered)));
    let deployment = async {
        let go_on = async || {
            let before = registered.load(Ordering::SeqCst);
            stage.eventually("registrations go on", async || Ok(registered.load(Ordering::SeqCst) > before + 50)).await
        };
        for service in stage.services(App::Patient) {
            go_on().await?;
            let process = stage.terminate(service)?;
            ensure!(process.ended(ENDS_WITHIN).await, "{service} does not end");
            stage.respawn(service)?;
            stage.ready().await?;
        }
        go_on().await?;
        over.store(true, Ordering::SeqCst);
        anyhow::Ok(())
    };
    tokio::try_join!(clerks, deployment)?;
    ensure!(stage.logged(App::Patient, "some requests were still under way") == 0, "it ended with requests under way");
    stage.settled().await
}

async fn register_until(door: &Door, over: &AtomicBool, registered: &AtomicUsize) -> Result<()> {
    while !over.load(Ordering::SeqCst) {
        let answer = door.register(&crate::door::key(), &person()).await?;
        match answer.status {
            201 => {
                registered.fetch_add(1, Ordering::SeqCst);
            }
            503 => {
                answer.expect_problem(503)?;
            }
            status => bail!("answered {status}: {}", answer.body),
        }
    }
    Ok(())
}

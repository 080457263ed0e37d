//! Two hundred want one time at once, while whoever answers them is killed: one gets it, whatever dies, and every other
//! is told who is in the way.
#![expect(clippy::print_stdout, reason = "how long it took is a figure to know")]

use std::time::{Duration, Instant};

use access::Role;
use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use local::{App, Part};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::Stage,
};

const CLIENTS: usize = 200;
/// What any client may ask again after.
const UNDECIDED: [u16; 4] = [429, 502, 503, 504];
/// Longer than the resolver waits before it uses an instance that was away: the other one is killed next.
const SETTLED: Duration = Duration::from_secs(4);

pub(crate) async fn of_one_time(stage: &Stage) -> Result<()> {
    let clerk = stage.public(Role::Admin)?;
    let people = try_join_all((0..CLIENTS).map(async |_| registered(&clerk).await)).await?;
    let place = place(stage).await?;
    let took = rush(stage, &clerk, &place, &people, "2027-03-01T09:00:00+01:00", None).await?;
    println!("    {CLIENTS} clients were answered in {took:?}");
    ensure!(took < Duration::from_secs(3), "it took {took:?}");
    for (hour, part) in (10..).zip(stage.system.parts().filter(|part| part.app == App::Patient)) {
        let time = format!("2027-03-01T{hour}:00:00+01:00");
        let took = rush(stage, &clerk, &place, &people, &time, Some(part)).await.with_context(|| part.to_string())?;
        println!("    {took:?} around the death of {part}");
    }
    no_overlap(stage).await?;
    stage.settled().await
}

/// Everybody asks until they know; a part dies while they do. Then they ask once more, and are told the same.
async fn rush(
    stage: &Stage,
    clerk: &Door,
    place: &Value,
    people: &[String],
    time: &str,
    dies: Option<Part>,
) -> Result<Duration> {
    let asked: Vec<_> = people
        .iter()
        .map(|patient| {
            let mut body = place.clone();
            body["patientId"] = json!(patient);
            body["start"] = json!(time);
            (key(), body)
        })
        .collect();
    let everybody = async || try_join_all(asked.iter().map(|(key, body)| decided(clerk, key, body))).await;
    let begun = Instant::now();
    let (answers, ()) = tokio::try_join!(everybody(), async {
        if let Some(part) = dies {
            tokio::time::sleep(Duration::from_millis(50)).await;
            stage.kill(part).await?;
            // A single instance has to come back for anybody to know.
            stage.respawn(part)?;
        }
        Ok(())
    })?;
    let took = begun.elapsed();
    if dies.is_some() {
        stage.ready().await?;
        tokio::time::sleep(SETTLED).await;
    }
    let again = everybody().await?;
    for answers in [&answers, &again] {
        let winners: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        ensure!(winners.len() == 1, "{} have the time", winners.len());
        for refused in answers.iter().filter(|answer| answer.status != 201) {
            ensure!(refused.status == 409, "{} {}", refused.status, refused.body);
            let overlap = refused.text("/overlaps/0/appointmentId");
            ensure!(overlap == winners[0].id(), "it is said that {overlap} is in the way: {}", refused.body);
        }
    }
    let statuses = |answers: &[Answer]| answers.iter().map(|answer| answer.status).collect::<Vec<_>>();
    ensure!(statuses(&answers) == statuses(&again), "who asked again was told something else");
    Ok(took)
}

async fn decided(clerk: &Door, key: &str, body: &Value) -> Result<Answer> {
    loop {
        let request = clerk.request(reqwest::Method::POST, "/api/appointments");
        match Answer::of(request.header("idempotency-key", key).json(body)).await {
            Ok(answer) if !UNDECIDED.contains(&answer.status) => return Ok(answer),
            _ => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    }
}

async fn registered(clerk: &Door) -> Result<String> {
    loop {
        let answer = clerk.register(&key(), &person()).await?;
        if !UNDECIDED.contains(&answer.status) {
            return Ok(answer.expect(201)?.id().to_owned());
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// A practitioner with long days, at a clinic of their own.
async fn place(stage: &Stage) -> Result<Value> {
    let [clinic, practitioner, service] = [Uuid::now_v7(), Uuid::now_v7(), Uuid::now_v7()];
    let week = json!([{ "days": ["mon"], "start": "08:00", "end": "20:00" }]);
    let mut database = stage.database(App::Patient).await?;
    for (kind, id, data) in [
        ("clinic", clinic, json!({ "name": "North", "timeZone": "Europe/Berlin" })),
        ("service", service, json!({ "name": "Visit", "durationMinutes": 30 })),
        (
            "practitioner",
            practitioner,
            json!({
                "name": "Dr Okoye",
                "schedules": [{ "clinicId": clinic, "from": "2026-01-01", "week": week }],
            }),
        ),
    ] {
        let document = json!({ "schema": 1, "version": 1, "events": [], "data": data });
        sqlx::query("insert into state.state (key, value) values ($1, convert_to($2, 'UTF8'))")
            .bind(format!("{kind}/{id}"))
            .bind(document.to_string())
            .execute(&mut database)
            .await?;
    }
    Ok(json!({ "clinicId": clinic, "practitionerId": practitioner, "serviceId": service }))
}

/// No two active appointments overlap, by a query that knows nothing of the constraints; and nobody waited in a circle.
async fn no_overlap(stage: &Stage) -> Result<()> {
    let pairs = "select count(*) as pairs, (select deadlocks from pg_stat_database where datname = current_database()) as deadlocks
        from projection.appointments as one join projection.appointments as other
          on one.appointment_id < other.appointment_id and one.starts < other.ends and other.starts < one.ends
        where one.status = 'booked' and other.status = 'booked'
          and (one.patient_id = other.patient_id or one.practitioner_id = other.practitioner_id or one.room_id = other.room_id)";
    let found = stage.count(App::Patient, pairs).await?;
    ensure!(found["pairs"] == 0 && found["deadlocks"] == 0, "{found}");
    Ok(())
}

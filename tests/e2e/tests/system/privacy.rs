//! Nothing of a person, and no token, in anything that operators read.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use access::Role;
use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use local::App;
use reqwest::{Method, Url};
use serde_json::json;

use crate::{
    collector::held,
    door::{Answer, key},
    people::{AILMENT, family, person, secrets_of_everyone},
    processes,
    stage::Stage,
};

/// How much of a finding is shown.
const SHOWN: usize = 1200;
const AT_ONCE: usize = 12;
/// Longer than any exporter waits.
const EXPORT: Duration = Duration::from_secs(2);

/// Runs last: it reads what all trials before it left, after a search for each thing that one can search by.
pub(crate) async fn kept(stage: &Stage) -> Result<()> {
    search_for_somebody(stage).await?;
    register_somebody_many_times_at_once(stage).await?;
    treat_somebody(stage).await?;
    processes::show_services(stage);
    search_for_somebody_in_vain(stage).await?;
    // What the last requests made is on its way.
    tokio::time::sleep(EXPORT).await;
    ensure!(stage.collector.spans() > 500, "hardly a span has arrived: the look is blind");

    let secrets = secrets(stage);
    let mut leaks = stage.collector.holding(&secrets);
    for log in logs(stage) {
        for (number, line) in String::from_utf8_lossy(&fs::read(&log)?).lines().enumerate() {
            leaks.extend(
                held(line.as_bytes(), &secrets)
                    .map(|text| format!("{text} in {}:{}: {line}", log.display(), number + 1)),
            );
        }
    }
    for part in stage.system.parts().filter(|part| !part.is_service()) {
        let block = stage.ports().instance(part.app, part.instance).context("no ports")?;
        let url = format!("http://127.0.0.1:{}/metrics", block.metrics);
        let metrics = stage.client.get(url).send().await?.text().await?;
        ensure!(metrics.contains("dapr_"), "{part} has no metrics: the look is blind");
        leaks.extend(held(metrics.as_bytes(), &secrets).map(|text| format!("{text} in the metrics of {part}")));
    }
    leaks.sort();
    leaks.dedup_by_key(|leak| leak.split(':').next().map(str::to_owned));
    let shown: Vec<String> = leaks.iter().take(10).map(|leak| leak.chars().take(SHOWN).collect()).collect();
    ensure!(leaks.is_empty(), "sorts of leaks: {}, the first of which are:\n{}", leaks.len(), shown.join("\n"));
    Ok(())
}

async fn search_for_somebody(stage: &Stage) -> Result<()> {
    let someone = person();
    for door in [stage.public(Role::FrontDesk)?, stage.gateways_sidecar(Role::FrontDesk)?] {
        let patient = door.register("key of the search", &someone).await?.expect(201)?;
        let text =
            |pointer: &str| someone.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_default().to_owned();
        let (family, given, born) = (family(&someone).to_owned(), text("/name/0/given/0"), text("/birthDate"));
        let (phone, email, number) = (text("/telecom/0/value"), text("/telecom/1/value"), text("/identifier/0/value"));
        for (name, value) in [
            ("family", &family),
            ("given", &given),
            ("query", &format!("{given} {family}")),
            ("birthDate", &born),
            ("phone", &phone),
            ("email", &email),
            ("identifier", &number),
        ] {
            let search = Url::parse_with_params("http://x/api/patients?limit=1", [(name, value)])?;
            let found = door.get(search.as_str().trim_start_matches("http://x")).await?.expect(200)?;
            ensure!(!found.text("/items/0/id").is_empty(), "nobody was found by {name}");
        }
        // Wrong values come back to their sender and stay between the two.
        let wrong = format!("/api/patients?nonsense={family}&birthDate={born}-99");
        door.get(&wrong).await?.expect_problem(422)?;
        let amend = door.request(Method::PATCH, patient.header("location")).header("if-match", "\"1\"");
        Answer::of(amend.json(&json!({ "gender": family }))).await?.expect_problem(422)?;
    }
    Ok(())
}

/// Words of a chart come and go, right and wrong, and stay between the two.
async fn treat_somebody(stage: &Stage) -> Result<()> {
    let patient = stage.public(Role::FrontDesk)?.registered(&person()).await?;
    let notes = format!("/api/patients/{}/notes", patient.id());
    let note = json!({ "status": "final", "type": { "text": AILMENT }, "title": AILMENT, "text": AILMENT });
    for door in [stage.public(Role::Physician)?, stage.gateways_sidecar(Role::Physician)?] {
        let post = |body| door.request(Method::POST, &notes).header("idempotency-key", key()).json(body);
        let written = Answer::of(post(&note)).await?.expect(201)?;
        Answer::of(post(&json!({ "status": AILMENT, AILMENT: AILMENT }))).await?.expect_problem(422)?;
        let path = format!("{notes}/{}", written.id());
        let amend = |seen: &str, body| door.request(Method::PATCH, &path).header("if-match", seen).json(body);
        let reason = json!({ "amendment": { "kind": "amended", "reason": AILMENT }, "text": format!("no {AILMENT}") });
        Answer::of(amend("\"1\"", &reason)).await?.expect(200)?;
        Answer::of(amend("\"1\"", &reason)).await?.expect_problem(412)?;
        door.get(&format!("{notes}?code={AILMENT}")).await?.expect(200)?;
        let history = door.get(&format!("{path}/history")).await?.expect(200)?;
        ensure!(history.body.to_string().matches(AILMENT).count() > 4, "{}", history.body);
        ensure!(door.get(&format!("{notes}?limit={AILMENT}")).await?.expect_problem(422).is_ok(), "a limit in words");
    }
    Ok(())
}

/// The losers learn it from a constraint of the database, which names the person.
async fn register_somebody_many_times_at_once(stage: &Stage) -> Result<()> {
    let (door, someone) = (stage.public(Role::FrontDesk)?, person());
    let keys: Vec<_> = (0..AT_ONCE).map(|_| key()).collect();
    let answers = try_join_all(keys.iter().map(|key| door.register(key, &someone))).await?;
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    ensure!(statuses.iter().filter(|&&status| status == 201).count() == 1, "{statuses:?}");
    ensure!(statuses.iter().all(|status| [201, 409].contains(status)), "{statuses:?}");
    Ok(())
}

/// A sidecar that cannot reach the service complains of the address.
async fn search_for_somebody_in_vain(stage: &Stage) -> Result<()> {
    stage.kill_every(App::Patient).await?;
    let search = format!("/api/patients?family={}", family(&person()));
    for door in [stage.public(Role::FrontDesk)?, stage.gateways_sidecar(Role::FrontDesk)?] {
        door.get(&search).await?.expect_problem(503)?;
    }
    Ok(())
}

fn secrets(stage: &Stage) -> Vec<String> {
    let mut secrets = secrets_of_everyone();
    // How every access token begins, whoever made it: `{"typ":"` and `{"alg":"`.
    secrets.extend(["eyJ0eXAiOiJ", "eyJhbGciOiJ"].map(str::to_lowercase));
    let known = [
        &stage.tokens.dapr_api_token,
        &stage.tokens.app_api_token,
        &stage.secrets.superuser_password,
        &stage.secrets.administrator_password,
    ];
    secrets.extend(known.map(|secret| secret.to_lowercase()));
    secrets
}

/// Every file below `logs` and `.dapr/logs`; a link is read as what it names.
fn logs(stage: &Stage) -> Vec<PathBuf> {
    let files = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        entries.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let root = stage.home().root();
    [root.join("logs"), root.join(".dapr/logs")].iter().flat_map(|folder| files(folder)).collect()
}

//! What the gateway says of a request's share, its version, and to browsers.

use std::{collections::BTreeMap, process::Stdio, time::Duration};

use access::Role;
use anyhow::{Context as _, Result, ensure};
use local::App;
use reqwest::Method;
use serde_json::json;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};

use crate::{
    door::{Answer, Door, key},
    people::person,
    stage::{Stage, within},
};

/// The default of `AUTH_RATE_PER_ADDRESS`: so many at once.
const AUTH_BURST: usize = 60;

/// Another gateway at the same sidecar, with the limits that it has when nobody sets any.
struct Strict {
    door: Door,
    _process: Child,
}

impl Strict {
    async fn start(stage: &Stage) -> Result<Self> {
        let block = stage.ports().app(App::Gateway);
        let [public, own] = [free_port().await?, free_port().await?];
        let environment = BTreeMap::from([
            ("APP_PORT", own.to_string()),
            ("PUBLIC_ADDRESS", format!("127.0.0.1:{public}")),
            ("DAPR_HTTP_PORT", block.http.to_string()),
            ("DAPR_GRPC_PORT", block.grpc.to_string()),
            ("DAPR_API_TOKEN", stage.tokens.dapr_api_token.clone()),
            ("APP_API_TOKEN", stage.tokens.app_api_token.clone()),
        ]);
        let running = stage.services(App::Gateway).into_iter().find_map(|part| stage.system.process(part));
        let mut command = Command::new(running.context("no gateway runs")?.image());
        command.env_clear().envs(environment).stdout(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().context("the gateway starts")?;
        let door = Door::new(&stage.client, format!("http://127.0.0.1:{public}"), None);
        let ready = async || Ok(door.get("/readyz").await.is_ok_and(|answer| answer.status == 200));
        within(Duration::from_secs(10), "the strict gateway is ready", ready).await?;
        Ok(Self { door, _process: process })
    }
}

async fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port())
}

pub(crate) async fn by_default(stage: &Stage) -> Result<()> {
    let strict = Strict::start(stage).await?;
    let mut passed = 0;
    for _ in 0..2 * AUTH_BURST {
        let answer = Answer::of(strict.door.request(Method::POST, "/auth/login").json(&json!({}))).await?;
        if answer.status == 429 {
            let answer = answer.expect_problem(429)?;
            let told =
                |name| answer.headers.get_all(name).iter().any(|value| value.as_bytes().starts_with(b"\"auth\";"));
            ensure!(told("ratelimit") && told("ratelimit-policy"), "{:?}", answer.headers);
            ensure!(answer.header("retry-after").parse::<u64>().is_ok_and(|wait| wait > 0), "{:?}", answer.headers);
        } else {
            passed += 1;
        }
    }
    // One token a second comes back meanwhile.
    ensure!((AUTH_BURST..AUTH_BURST + 20).contains(&passed), "{passed} passed");
    let clerk = strict.door.with_token(&stage.token(Role::FrontDesk)?);
    clerk.get("/api/patients").await?.expect(200).context("the rest goes on")?;
    let long = "x".repeat(9000);
    clerk.get(&format!("/api/patients?family={long}")).await?.expect_problem(414)?;
    let large = clerk.request(Method::GET, "/api/patients").header("x-large", "x".repeat(17_000));
    Answer::of(large).await?.expect_problem(431)?;
    let deep = clerk.request(Method::POST, "/api/patients").header("idempotency-key", key());
    let deep = deep.header("content-type", "application/json").body("[".repeat(65) + &"]".repeat(65));
    Answer::of(deep).await?.expect_problem(400)?;
    Ok(())
}

pub(crate) async fn headers(stage: &Stage) -> Result<()> {
    let clerk = stage.public(Role::FrontDesk)?;
    let answers = [
        ("/livez", 200),
        ("/nowhere", 404),
        ("/api/patients", 200),
        ("/openapi.json", 200),
        ("/docs/index.html", 200),
        ("/", 200),
        ("/auth/audit", 0),
    ];
    for (path, status) in answers {
        for door in [clerk.clone(), clerk.without_token()] {
            let answer = door.get(path).await?;
            ensure!(status == 0 || [status, 401].contains(&answer.status), "{path}: {}", answer.status);
            for name in [
                "cache-control",
                "content-security-policy",
                "permissions-policy",
                "referrer-policy",
                "strict-transport-security",
                "x-content-type-options",
                "x-request-id",
            ] {
                ensure!(!answer.header(name).is_empty(), "{path} is answered without {name}");
            }
            ensure!(answer.header("access-control-allow-origin").is_empty(), "{path} is for every origin");
        }
    }
    Ok(())
}

pub(crate) async fn not_modified(stage: &Stage) -> Result<()> {
    let patient = stage.public(Role::FrontDesk)?.registered(&person()).await?;
    let biller = stage.public(Role::Biller)?;
    let paths = [
        (stage.public(Role::FrontDesk)?, format!("/api/patients/{}", patient.id())),
        (biller.clone(), format!("/api/billing/accounts/{}", patient.id())),
    ];
    stage.eventually("the account is open", async || Ok(biller.account(patient.id()).await?.is_some())).await?;
    for (door, path) in paths {
        let first = door.get(&path).await?.expect(200)?;
        let tag = first.header("etag").to_owned();
        ensure!(tag.starts_with('"'), "{path} has no strong tag: {tag:?}");
        for (known, status) in [(tag.as_str(), 304), ("\"other\"", 200)] {
            let again =
                Answer::of(door.request(Method::GET, &path).header("if-none-match", known)).await?.expect(status)?;
            ensure!(again.header("etag") == tag && (status == 200 || again.body == ""), "{path}: {again:?}");
        }
    }
    Ok(())
}

//! Every cell of `dapr/access.yaml` that is empty, tried between the real sidecars.

use std::fs;

use access::Role;
use access_policy::{Call, Matrix, Operation, Use, Verb, Verdict};
use anyhow::{Context as _, Result, ensure};
use dapr::dapr::proto::common::v1::http_extension;
use local::App;
use reqwest::Method;
use tonic::Code;

use crate::{
    door::{Answer, Door},
    sidecars::SidecarApi,
    stage::Stage,
};

/// What a policy says no with, over HTTP.
const REFUSED: u16 = 403;

pub(crate) async fn callers(stage: &Stage) -> Result<()> {
    let token = stage.token(Role::Admin)?;
    let (mut refused, mut allowed) = (0, 0);
    for Call { caller, callee, operation, verdict } in matrix(stage)?.calls_between_apps()? {
        let what = format!("{caller} -> {callee}: {operation}");
        let (caller, callee) = (app(&caller)?, app(&callee)?);
        let door = Door::new(&stage.client, stage.sidecar_url(caller), Some(&stage.tokens.dapr_api_token));
        let door = door.with_token(&token);
        let api = SidecarApi::of(stage, caller).await?;
        match verdict {
            Verdict::Refused => {
                refuses(&door, &api, callee, &operation).await.context(what)?;
                refused += 1;
            }
            Verdict::Allowed => {
                allows(&door, &api, callee, &operation).await.context(what)?;
                allowed += 1;
            }
            // Dapr lets it through, and the callee answers as it does to anyone.
            Verdict::Tolerated => {
                let status = over_http(&door, callee, &operation).await?.status;
                ensure!([404, 405].contains(&status), "{what}: the callee answered {status}");
            }
        }
    }
    ensure!(refused > 50 && allowed > 8, "{refused} cells were refused and {allowed} allowed");
    strangers(stage).await
}

async fn refuses(door: &Door, api: &SidecarApi, callee: App, operation: &Operation) -> Result<()> {
    let forger = api.with("dapr-caller-app-id", App::Gateway.id())?;
    let answer = over_http(door, callee, operation).await?;
    ensure!(
        answer.status == REFUSED && answer.body["errorCode"].is_string(),
        "HTTP: {} {}",
        answer.status,
        answer.body
    );
    let forged = request(door, callee, operation).header("dapr-caller-app-id", App::Gateway.id());
    let forged = Answer::of(forged).await?;
    ensure!(forged.status == REFUSED, "HTTP with a forged caller: {} {}", forged.status, forged.body);
    for api in [api, &forger] {
        let status = match operation {
            Operation::Http { verb, .. } => api.invoke(callee, grpc_verb(*verb), &operation.example_path()).await,
            Operation::Grpc { .. } => api.call(callee, &operation.example_path()).await?,
        };
        // `InvokeService` wraps what the policy said into an error of its own.
        let said = status.code() == Code::Internal && status.message().contains("access control policy has denied");
        ensure!(status.code() == Code::PermissionDenied || said, "gRPC: {status:?}");
    }
    Ok(())
}

/// Whatever the callee says to a call that makes no sense: it is the callee that says it.
async fn allows(door: &Door, api: &SidecarApi, callee: App, operation: &Operation) -> Result<()> {
    match operation {
        Operation::Http { .. } => {
            let answer = over_http(door, callee, operation).await?;
            ensure!(answer.body["errorCode"].is_null(), "HTTP: {} {}", answer.status, answer.body);
        }
        Operation::Grpc { .. } => {
            let status = api.call(callee, &operation.example_path()).await?;
            let said = [Code::Ok, Code::Unauthenticated, Code::InvalidArgument];
            ensure!(said.contains(&status.code()), "gRPC: {status:?}");
        }
    }
    Ok(())
}

/// Who does not know the tokens, or has no certificate, gets nowhere.
async fn strangers(stage: &Stage) -> Result<()> {
    for app in App::ALL {
        let invoke = "/v1.0/invoke/patient/method/api/patients";
        let base = stage.sidecar_url(app);
        for token in [None, Some("wrong"), Some(stage.tokens.app_api_token.as_str())] {
            let answer = Door::new(&stage.client, base.clone(), token).get(invoke).await?;
            ensure!(answer.status == 401, "{app}'s sidecar answers {token:?}: {}", answer.status);
        }
        let api = SidecarApi::of(stage, app).await?.with("dapr-api-token", "wrong")?;
        let code = api.invoke(App::Patient, http_extension::Verb::Get, "/api/patients").await.code();
        ensure!(code == Code::Unauthenticated, "{app}'s sidecar answers over gRPC: {code:?}");
        let code = api.call(App::Billing, "/billing.v1.Accounts/GetAccount").await?.code();
        ensure!(code == Code::Unauthenticated, "{app}'s sidecar passes on over gRPC: {code:?}");

        let own = format!("http://127.0.0.1:{}", stage.ports().app(app).app);
        let path = if app == App::Billing { "/events/patient.registered" } else { "/api/patients" };
        for token in [None, Some(stage.tokens.dapr_api_token.as_str())] {
            let answer = Door::new(&stage.client, own.clone(), token).get(path).await?;
            ensure!(answer.status == 401, "{app} answers on its own port: {}", answer.status);
        }
        // Sidecars talk to each other with certificates and to nobody else.
        let internal = format!("http://127.0.0.1:{}/", stage.ports().app(app).internal);
        ensure!(stage.client.get(internal).send().await.is_err(), "{app}'s sidecar answers without a certificate");
    }
    Ok(())
}

pub(crate) async fn topics(stage: &Stage) -> Result<()> {
    let event = br#"{"specversion":"1.0","id":"1","source":"thief","type":"x","data":{}}"#;
    stage.settled().await?;
    let letters = "select count(*) from document.dead_letters";
    let before = [stage.count(App::Billing, letters).await?, stage.count(App::Analytics, letters).await?];
    let matrix = matrix(stage)?;
    for topic in matrix.topic_uses().into_iter().filter(|topic| !topic.allowed) {
        let api = SidecarApi::of(stage, app(&topic.app)?).await?;
        let code = match topic.direction {
            Use::Publish => {
                api.publish(&topic.topic, &[event.to_vec()]).await.map_or_else(|status| status.code(), |()| Code::Ok)
            }
            Use::Subscribe => api.subscribe(&topic.topic).await,
        };
        // Who publishes something is told that this topic is not theirs; the others cannot publish at all.
        let publishes = matrix.topics.iter().any(|other| other.publishers.contains(&topic.app));
        let expected =
            if topic.direction == Use::Publish && publishes { Code::PermissionDenied } else { Code::Unimplemented };
        ensure!(code == expected, "{} {:?} {}: {code:?}", topic.app, topic.direction, topic.topic);
    }
    let unknown = SidecarApi::of(stage, App::Patient).await?.publish("patient.secrets", &[event.to_vec()]).await;
    ensure!(unknown.is_err_and(|status| status.code() == Code::PermissionDenied), "a topic that is in no matrix");
    let after = [stage.count(App::Billing, letters).await?, stage.count(App::Analytics, letters).await?];
    ensure!(before == after, "something arrived");
    Ok(())
}

/// The matrix of apps.
pub(crate) fn matrix(stage: &Stage) -> Result<Matrix> {
    Ok(Matrix::parse(&fs::read_to_string(stage.repo.join("dapr/access.yaml"))?)?)
}

pub(crate) fn app(id: &str) -> Result<App> {
    App::parse(id).with_context(|| format!("no app {id}"))
}

fn request(door: &Door, callee: App, operation: &Operation) -> reqwest::RequestBuilder {
    let method = match operation {
        Operation::Http { verb, .. } => http_verb(*verb),
        Operation::Grpc { .. } => Method::POST,
    };
    door.request(method, &format!("/v1.0/invoke/{callee}/method{}", operation.example_path()))
}

async fn over_http(door: &Door, callee: App, operation: &Operation) -> Result<Answer> {
    Answer::of(request(door, callee, operation)).await
}

fn http_verb(verb: Verb) -> Method {
    match verb {
        Verb::Get => Method::GET,
        Verb::Post => Method::POST,
        Verb::Put => Method::PUT,
        Verb::Patch => Method::PATCH,
        Verb::Delete => Method::DELETE,
    }
}

fn grpc_verb(verb: Verb) -> http_extension::Verb {
    match verb {
        Verb::Get => http_extension::Verb::Get,
        Verb::Post => http_extension::Verb::Post,
        Verb::Put => http_extension::Verb::Put,
        Verb::Patch => http_extension::Verb::Patch,
        Verb::Delete => http_extension::Verb::Delete,
    }
}

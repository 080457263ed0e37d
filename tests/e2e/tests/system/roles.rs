//! Every cell of the matrix of roles, and every token that nobody may accept: at the gateway, and at each app behind it,
//! where only its sidecar comes.

use access::{
    ENROLLING, Name, Role,
    matrix::{self, Allowed, Operation, Whoever},
};
use anyhow::{Context as _, Result, ensure};
use contracts::rest;
use jiff::Timestamp;
use local::App;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use testkit::Issuer;
use tonic::Code;

use crate::{
    access_matrix,
    door::{Answer, Door},
    sidecars::SidecarApi,
    stage::Stage,
};

/// Stands for each variable of a path: nobody's id.
const NOBODY: &str = "0197a1b2-0000-7000-8000-000000000000";

/// The method that has no token of its own.
const OF_ITEMS: &str = "billing.v1.Accounts/OpenAccounts";

/// Who asks.
struct Somebody {
    name: String,
    /// None has no token.
    token: Option<String>,
    role: Option<Role>,
    enrolling: bool,
}

/// How far somebody got.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    NotSignedIn,
    Refused,
    LetThrough,
}

pub(crate) async fn every_cell(stage: &Stage) -> Result<()> {
    let somebodies = somebodies(stage)?;
    let (mut refused, mut let_through) = (0, 0);
    for operation in matrix::operations()? {
        for somebody in &somebodies {
            let expected = expected(&operation.allowed, somebody);
            let what = format!("{} of {} for {}", operation.name, operation.app, somebody.name);
            for outcome in outcomes(stage, operation, somebody.token.as_deref()).await.context(what.clone())? {
                ensure!(outcome == expected, "{what}: {outcome:?} instead of {expected:?}");
                if expected == Outcome::LetThrough { let_through += 1 } else { refused += 1 }
            }
        }
    }
    ensure!(refused > 40 && let_through > 40, "{refused} were refused and {let_through} let through");
    Ok(())
}

pub(crate) async fn every_bad_token(stage: &Stage) -> Result<()> {
    refuses(stage, &stage.issuer.forgeries(Role::Admin)?).await
}

/// No operation that wants a token takes one of these.
pub(crate) async fn refuses(stage: &Stage, bad: &[(&'static str, String)]) -> Result<()> {
    for operation in protected()? {
        for (what, token) in bad {
            let what = format!("{what} at {} of {}", operation.name, operation.app);
            for outcome in outcomes(stage, operation, Some(token)).await.context(what.clone())? {
                ensure!(outcome == Outcome::NotSignedIn, "{what}: {outcome:?}");
            }
        }
    }
    Ok(())
}

/// A token whose time is over by what clocks may differ is as good as any, and a few seconds later it is none.
pub(crate) async fn clocks(stage: &Stage) -> Result<()> {
    let admin = Somebody { name: "admin".to_owned(), token: None, role: Some(Role::Admin), enrolling: false };
    for operation in protected()? {
        for (what, token, good) in stage.issuer.on_the_edge(Role::Admin)? {
            let what = format!("{what} at {} of {}", operation.name, operation.app);
            let expected = if good { expected(&operation.allowed, &admin) } else { Outcome::NotSignedIn };
            for outcome in outcomes(stage, operation, Some(&token)).await.context(what.clone())? {
                ensure!(outcome == expected, "{what}: {outcome:?} instead of {expected:?}");
            }
        }
    }
    Ok(())
}

fn protected() -> Result<impl Iterator<Item = &'static Operation>> {
    Ok(matrix::operations()?.iter().filter(|operation| !operation.allowed.is_open()))
}

/// A header that says who somebody is does not make them so.
pub(crate) async fn forged_identities(stage: &Stage) -> Result<()> {
    let nobody = stage.public(Role::Analyst)?.without_token();
    let analyst = stage.public(Role::Analyst)?;
    for (name, value) in [
        ("x-user-id", NOBODY),
        ("x-user-role", "admin"),
        ("x-role", "admin"),
        ("x-forwarded-user", "admin"),
        ("x-forwarded-for", "127.0.0.1"),
        ("forwarded", "for=127.0.0.1"),
        ("dapr-caller-app-id", "gateway"),
        ("dapr-app-id", "auth"),
        ("dapr-api-token", &stage.tokens.dapr_api_token),
        ("x-original-url", "/auth/login"),
        ("x-http-method-override", "GET"),
        ("cookie", "role=admin"),
    ] {
        for (door, status) in [(&nobody, 401), (&analyst, 403)] {
            let request = door.request(Method::GET, "/api/patients").header(name, value);
            Answer::of(request).await?.expect_problem(status).with_context(|| name.to_owned())?;
        }
    }
    Ok(())
}

fn somebodies(stage: &Stage) -> Result<Vec<Somebody>> {
    let mut somebodies = vec![Somebody { name: "nobody".to_owned(), token: None, role: None, enrolling: false }];
    for role in Role::ALL {
        let name = role.to_string();
        let token = Some(stage.token(role)?);
        somebodies.push(Somebody { name, token, role: Some(role), enrolling: false });
    }
    let mut claims = Issuer::claims("admin", Role::Admin, Timestamp::now());
    claims.scope = ENROLLING.to_owned();
    let name = "an admin without second factor".to_owned();
    let token = Some(stage.issuer.sign(&claims)?);
    somebodies.push(Somebody { name, token, role: Some(Role::Admin), enrolling: true });
    Ok(somebodies)
}

/// What the matrix says, read here a second time.
fn expected(allowed: &Allowed, somebody: &Somebody) -> Outcome {
    match (allowed, somebody.role) {
        (Allowed::Whoever(Whoever::Cookie), _) => Outcome::NotSignedIn,
        (_, None) if !allowed.is_open() => Outcome::NotSignedIn,
        (Allowed::Whoever(Whoever::Open | Whoever::Enrolling), _) => Outcome::LetThrough,
        (Allowed::Whoever(Whoever::SignedIn), Some(_)) if !somebody.enrolling => Outcome::LetThrough,
        (Allowed::Roles(roles), Some(role)) if roles.contains(&role) && !somebody.enrolling => Outcome::LetThrough,
        _ => Outcome::Refused,
    }
}

/// At the gateway, if the operation is public, and at the app itself.
async fn outcomes(stage: &Stage, operation: &Operation, token: Option<&str>) -> Result<Vec<Outcome>> {
    let app = App::parse(&operation.app).context("an app")?;
    let mut outcomes = Vec::new();
    if operation.public {
        let public = Door::new(&stage.client, stage.system.url(), None);
        for (verb, path) in public_routes(operation)? {
            outcomes.push(outcome(&Answer::of(request(&public, &verb, "", &path, token)?).await?)?);
        }
    }
    match &operation.name {
        Name::Http { verb, path } => {
            let own = Door::new(&stage.client, stage.sidecar_url(app), Some(&stage.tokens.dapr_api_token));
            let prefix = format!("/v1.0/invoke/{app}/method");
            outcomes.push(outcome(&Answer::of(request(&own, verb, &prefix, path, token)?).await?)?);
        }
        // Asked with a token for each item, which is tried in the service's own tests.
        Name::Grpc(method) if method == OF_ITEMS => {}
        Name::Grpc(method) => {
            // Over gRPC, a sidecar asks the policy for its own app, too.
            let mut api = SidecarApi::of(stage, caller(stage, operation)?).await?;
            if let Some(token) = token {
                api = api.with("authorization", &format!("Bearer {token}"))?;
            }
            outcomes.push(match api.call(app, &format!("/{method}")).await?.code() {
                Code::Unauthenticated => Outcome::NotSignedIn,
                Code::PermissionDenied => Outcome::Refused,
                _ => Outcome::LetThrough,
            });
        }
    }
    Ok(outcomes)
}

/// Who may pass an operation on: an app of those that ask for it.
fn caller(stage: &Stage, operation: &Operation) -> Result<App> {
    let name = operation.name.to_string();
    let apps = access_matrix::matrix(stage)?;
    let mut granted =
        apps.calls.iter().filter(|grant| grant.callee == operation.app && grant.operation.to_string() == name);
    access_matrix::app(granted.next().and_then(|grant| grant.callers.first()).context("nobody may ask")?)
}

fn request(door: &Door, verb: &str, prefix: &str, path: &str, token: Option<&str>) -> Result<RequestBuilder> {
    let path: Vec<_> = path.split('/').map(|part| if part.starts_with('{') { NOBODY } else { part }).collect();
    let request = door.request(verb.parse()?, &format!("{prefix}{}", path.join("/")));
    let request = token.into_iter().fold(request, RequestBuilder::bearer_auth);
    Ok(if verb == "GET" { request } else { request.json(&json!({})) })
}

/// All routes of an operation at the gateway.
fn public_routes(operation: &Operation) -> Result<Vec<(String, String)>> {
    Ok(match &operation.name {
        Name::Http { verb, path } => vec![(verb.clone(), path.clone())],
        Name::Grpc(method) => {
            let bindings = rest::method(method)?.bindings;
            bindings.into_iter().map(|binding| (binding.verb, binding.path)).collect()
        }
    })
}

/// Answers that say nothing of who asked: too slow, too large, too often.
const UNLOOKED: [u16; 4] = [408, 413, 429, 431];

/// A refused sign-in has its own words, and is no refused token.
fn outcome(answer: &Answer) -> Result<Outcome> {
    // Who is let in to make the figures anew is told none for a while.
    let rebuilding = answer.status == 503 && answer.body["type"] == "urn:patient-management:problem:figures-rebuilding";
    let looked = rebuilding || answer.status < 500 && !UNLOOKED.contains(&answer.status);
    ensure!(looked, "answered {}: {}", answer.status, answer.body);
    Ok(match answer.status {
        401 => Outcome::NotSignedIn,
        403 => Outcome::Refused,
        _ => Outcome::LetThrough,
    })
}

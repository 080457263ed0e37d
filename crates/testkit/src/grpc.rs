//! What every service that speaks gRPC tells of itself: which services it has, and whether they can serve.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use futures::stream;
use libtest_mimic::Trial;
use reqwest::Method;
use tonic::{
    Code, Request,
    transport::{Channel, Endpoint},
};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

use crate::{Parts, test};

/// What a service has beside those of its contract.
const OF_EVERYONE: [&str; 2] = ["grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"];

/// A look that is not fresh any more, and a call of the store that fails.
const UNREADY_WITHIN: Duration = Duration::from_millis(1500);

/// The tests of an app that serves exactly these services.
pub fn tests(parts: &Parts, services: &'static [&'static str]) -> Vec<Trial> {
    vec![
        test("reflection_lists_what_is_served_and_nothing_else", parts, move |parts| reflection(parts, services)),
        test("health_over_grpc_is_readiness", parts, move |parts| health(parts, services)),
    ]
}

impl Parts {
    async fn channel(&self) -> Result<Channel> {
        Ok(Endpoint::from_shared(self.app_url(""))?.connect().await?)
    }

    /// A request as the service's sidecar would make it.
    fn as_sidecar<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("dapr-api-token", self.app_api_token().parse()?);
        Ok(request)
    }

    async fn reflect(&self, asked: MessageRequest) -> Result<MessageResponse> {
        let asked = ServerReflectionRequest { host: String::new(), message_request: Some(asked) };
        let request = self.as_sidecar(stream::iter([asked]))?;
        let mut client = ServerReflectionClient::new(self.channel().await?);
        let answer = client.server_reflection_info(request).await?.into_inner().message().await?;
        answer.and_then(|answer| answer.message_response).context("no answer")
    }

    async fn grpc_health(&self, service: &str) -> Result<Result<ServingStatus, Code>> {
        let request = self.as_sidecar(HealthCheckRequest { service: service.to_owned() })?;
        let answer = HealthClient::new(self.channel().await?).check(request).await;
        Ok(answer.map(|answer| answer.into_inner().status()).map_err(|status| status.code()))
    }
}

async fn reflection(parts: Parts, services: &[&str]) -> Result<()> {
    let MessageResponse::ListServicesResponse(listed) =
        parts.reflect(MessageRequest::ListServices(String::new())).await?
    else {
        anyhow::bail!("no list")
    };
    let listed: BTreeSet<_> = listed.service.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(listed, services.iter().chain(&OF_EVERYONE).copied().collect());
    for service in listed {
        let described = parts.reflect(MessageRequest::FileContainingSymbol(service.to_owned())).await?;
        let MessageResponse::FileDescriptorResponse(described) = described else { anyhow::bail!("no descriptor") };
        ensure!(described.file_descriptor_proto.iter().any(|file| !file.is_empty()), "{service} is not described");
    }
    let asked = ServerReflectionRequest { host: String::new(), message_request: None };
    let stranger =
        ServerReflectionClient::new(parts.channel().await?).server_reflection_info(stream::iter([asked])).await;
    assert_eq!(stranger.err().map(|status| status.code()), Some(Code::Unauthenticated));
    Ok(())
}

async fn health(parts: Parts, services: &[&str]) -> Result<()> {
    let whole = "";
    for service in services.iter().chain(&OF_EVERYONE).chain([&whole]) {
        assert_eq!(parts.grpc_health(service).await?, Ok(ServingStatus::Serving), "{service:?}");
    }
    assert_eq!(parts.grpc_health("a.v1.Unheard").await?, Err(Code::NotFound));
    let request = HealthCheckRequest { service: services[0].to_owned() };
    let mut client = HealthClient::new(parts.channel().await?);
    let stranger = client.check(request.clone()).await;
    assert_eq!(stranger.err().map(|status| status.code()), Some(Code::Unauthenticated));

    let mut watch = client.watch(parts.as_sidecar(request)?).await?.into_inner();
    let first = watch.message().await?.context("no status")?;
    assert_eq!(first.status(), ServingStatus::Serving);
    parts.stop_postgres().await?;
    let told = tokio::time::timeout(UNREADY_WITHIN, watch.message()).await;
    let asked = async {
        let begun = Instant::now();
        let status = parts.grpc_health(services[0]).await?;
        ensure!(begun.elapsed() < UNREADY_WITHIN, "{:?}", begun.elapsed());
        anyhow::Ok((
            status,
            parts.grpc_health(whole).await?,
            parts.request(Method::GET, "/readyz").send().await?.status(),
        ))
    };
    let asked = asked.await;
    parts.start_postgres().await?;
    let told = told.context("the watch tells nothing")??.context("the watch is over")?;
    assert_eq!(told.status(), ServingStatus::NotServing);
    let (of_service, of_whole, readyz) = asked?;
    assert_eq!((of_service, of_whole), (Ok(ServingStatus::NotServing), Ok(ServingStatus::NotServing)));
    assert_eq!(readyz, 503);
    let again = async { anyhow::Ok(watch.message().await?.context("the watch is over")?.status()) };
    assert_eq!(again.await?, ServingStatus::Serving);
    parts.ready().await
}

//! The sidecars' gRPC APIs, as a service would use them, or somebody who has stolen its token.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use dapr::dapr::proto::{
    common::v1::{HttpExtension, InvokeRequest, http_extension},
    runtime::v1::{
        BulkPublishRequest, BulkPublishRequestEntry, InvokeServiceRequest, SubscribeTopicEventsRequestAlpha1,
        SubscribeTopicEventsRequestInitialAlpha1, dapr_client::DaprClient,
        subscribe_topic_events_request_alpha1::SubscribeTopicEventsRequestType,
    },
};
use local::App;
use tonic::{
    Code, Request, Status,
    client::Grpc,
    metadata::MetadataMap,
    transport::{Channel, Endpoint},
};
use tonic_prost::ProstCodec;

use crate::stage::Stage;

const METADATA: &str = "metadata holds ASCII";

/// The gRPC API of one app's sidecar, which its token opens.
#[derive(Clone)]
pub(crate) struct SidecarApi {
    channel: Channel,
    metadata: MetadataMap,
}

impl SidecarApi {
    pub(crate) async fn of(stage: &Stage, app: App) -> Result<Self> {
        let grpc = stage.ports().app(app).grpc;
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{grpc}"))?.connect().await?;
        let api = Self { channel, metadata: MetadataMap::new() };
        api.with("dapr-api-token", &stage.tokens.dapr_api_token)
    }

    /// The same API for a caller that says this, too.
    pub(crate) fn with(&self, name: &'static str, value: &str) -> Result<Self> {
        let mut api = self.clone();
        api.metadata.insert(name, value.parse().context(METADATA)?);
        Ok(api)
    }

    fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        *request.metadata_mut() = self.metadata.clone();
        request
    }

    /// Calls a gRPC method of another app, with an empty message; answers how it ended, or of a stream that it has begun.
    pub(crate) async fn call(&self, callee: App, path: &str) -> Result<Status> {
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await?;
        let request = self.with("dapr-app-id", callee.id())?.request(());
        // An answer that comes alone is a stream of one.
        let answers = client.server_streaming(request, path.parse()?, ProstCodec::<(), ()>::default()).await;
        let first = match answers {
            Ok(answers) => answers.into_inner().message().await,
            Err(status) => Err(status),
        };
        Ok(first.map_or_else(|status| status, |_| Status::ok("")))
    }

    /// Asks a route of another app by the gRPC way to it; answers how it ended.
    pub(crate) async fn invoke(&self, callee: App, verb: http_extension::Verb, path: &str) -> Status {
        let message = InvokeRequest {
            method: path.trim_start_matches('/').to_owned(),
            content_type: "application/json".to_owned(),
            http_extension: Some(HttpExtension { verb: verb.into(), querystring: String::new() }),
            ..InvokeRequest::default()
        };
        let request = InvokeServiceRequest { id: callee.id().to_owned(), message: Some(message) };
        let answer = DaprClient::new(self.channel.clone()).invoke_service(self.request(request)).await;
        answer.map_or_else(|status| status, |_| Status::ok(""))
    }

    /// Publishes messages byte for byte.
    pub(crate) async fn publish(&self, topic: &str, messages: &[Vec<u8>]) -> Result<(), Status> {
        let entries = messages.iter().enumerate().map(|(n, event)| BulkPublishRequestEntry {
            entry_id: n.to_string(),
            event: event.clone(),
            content_type: "application/cloudevents+json".to_owned(),
            metadata: HashMap::from([("partitionKey".to_owned(), n.to_string())]),
        });
        let request = BulkPublishRequest {
            pubsub_name: "pubsub".to_owned(),
            topic: topic.to_owned(),
            entries: entries.collect(),
            metadata: HashMap::from([("rawPayload".to_owned(), "true".to_owned())]),
        };
        let answer =
            DaprClient::new(self.channel.clone()).bulk_publish_event(self.request(request)).await?.into_inner();
        match answer.failed_entries.first() {
            None => Ok(()),
            Some(failed) => Err(Status::unknown(failed.error.clone())),
        }
    }

    /// Asks for a topic's events; answers the code.
    pub(crate) async fn subscribe(&self, topic: &str) -> Code {
        let initial = SubscribeTopicEventsRequestInitialAlpha1 {
            pubsub_name: "pubsub".to_owned(),
            topic: topic.to_owned(),
            ..SubscribeTopicEventsRequestInitialAlpha1::default()
        };
        let initial = SubscribeTopicEventsRequestType::InitialRequest(initial);
        let asked = SubscribeTopicEventsRequestAlpha1 { subscribe_topic_events_request_type: Some(initial) };
        let request = self.request(futures::stream::iter([asked]));
        match DaprClient::new(self.channel.clone()).subscribe_topic_events_alpha1(request).await {
            Ok(events) => code(&events.into_inner().message().await),
            refused => code(&refused),
        }
    }
}

fn code<T>(answer: &Result<T, Status>) -> Code {
    answer.as_ref().map_or_else(Status::code, |_| Code::Ok)
}

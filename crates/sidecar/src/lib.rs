#![doc = include_str!("../README.md")]

pub mod batch;
pub mod commit;
pub mod documents;
pub mod event;
pub mod failure;
pub mod functions;
pub mod invoke;
pub mod origin;
pub mod outbox;
mod output;
pub mod replay;
pub mod secrets;
pub mod subscription;
pub mod trace;

use std::{sync::Arc, time::Duration};

use dapr::dapr::proto::runtime::v1::dapr_client::DaprClient;
use secrecy::{ExposeSecret as _, SecretString};
use tonic::{
    metadata::{Ascii, MetadataValue},
    service::interceptor::InterceptedService,
    transport::{Channel, Endpoint},
};

use self::{invoke::HttpClient, trace::Outgoing};

/// The names of the components, by role; `components/` says what each is made of.
pub mod component {
    /// Documents.
    pub const STATESTORE: &str = "statestore";
    /// SQL functions of schema `api`.
    pub const FUNCTIONS: &str = "functions";
    /// Events.
    pub const PUBSUB: &str = "pubsub";
    /// Secrets.
    pub const SECRETSTORE: &str = "secretstore";
}

/// A call of the store that takes longer is answered as unavailable: a caller is told within a second.
pub(crate) const STORE_DEADLINE: Duration = Duration::from_millis(900);

/// What a sweeper claims comes in one answer, a thousand events.
const LARGEST_ANSWER: usize = 16 << 20;

/// Where the sidecar is and what it wants to see.
#[derive(Clone, Debug)]
pub struct Config {
    /// `DAPR_HTTP_PORT` on loopback.
    pub http_port: u16,
    /// `DAPR_GRPC_PORT` on loopback.
    pub grpc_port: u16,
    /// `DAPR_API_TOKEN`, which the sidecar asks of the app.
    pub api_token: SecretString,
}

/// The service's own sidecar; clones share its connections, and cost next to nothing: a router makes several of each
/// handler for every request.
#[derive(Clone, Debug)]
pub struct Sidecar(Arc<Connections>);

/// How it is reached.
#[derive(Debug)]
struct Connections {
    grpc: DaprClient<InterceptedService<Channel, Outgoing>>,
    channel: Channel,
    http: HttpClient,
    http_port: u16,
    token: MetadataValue<Ascii>,
    api_token: http::HeaderValue,
}

/// The configuration cannot describe a sidecar.
#[derive(Debug, thiserror::Error)]
#[error("DAPR_API_TOKEN holds characters that no header may hold")]
pub struct BadToken;

impl Sidecar {
    /// Describes the sidecar; connections are made when first used, since a sidecar may start after its app.
    pub fn new(config: &Config) -> Result<Self, BadToken> {
        let token: MetadataValue<Ascii> = config.api_token.expose_secret().parse().map_err(|_| BadToken)?;
        let api_token = config.api_token.expose_secret().parse().map_err(|_| BadToken)?;
        let channel = Endpoint::from(loopback(config.grpc_port))
            .connect_timeout(Duration::from_millis(500))
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(20))
            .keep_alive_while_idle(true)
            .connect_lazy();
        let interceptor = Outgoing { token: token.clone(), app: None };
        Ok(Self(Arc::new(Connections {
            grpc: DaprClient::with_interceptor(channel.clone(), interceptor).max_decoding_message_size(LARGEST_ANSWER),
            channel,
            http: invoke::http_client(),
            http_port: config.http_port,
            token,
            api_token,
        })))
    }

    /// Whether the sidecar and the components that it needs to send answer.
    pub async fn healthy(&self) -> bool {
        self.get_health("/v1.0/healthz/outbound").await
    }

    pub(crate) fn grpc(&self) -> DaprClient<InterceptedService<Channel, Outgoing>> {
        self.0.grpc.clone()
    }
}

fn loopback(port: u16) -> http::Uri {
    http::Uri::builder()
        .scheme("http")
        .authority(format!("127.0.0.1:{port}"))
        .path_and_query("/")
        .build()
        .unwrap_or_default()
}

//! What a test asks of the service, its database and the broker.

use std::{collections::HashMap, future::Future, time::Duration};

use access::Role;
use anyhow::{Result, bail};
use axum::{Router, routing::get};
use dapr::{
    client::ApiTokenInterceptor,
    dapr::proto::runtime::v1::{BulkPublishRequest, BulkPublishRequestEntry, dapr_client::DaprClient},
};
use local::App;
use reqwest::{Method, RequestBuilder};
use tokio::{net::TcpListener, time::Instant};
use tonic::transport::Endpoint;

use crate::{Parts, issuer::Issuer};

const PATIENCE: Duration = Duration::from_secs(30);

impl Parts {
    /// An access token of a user with this role; the same role is the same user.
    pub fn token(&self, role: Role) -> Result<String> {
        self.0.issuer.token(&role.to_string(), role)
    }

    /// An access token of another user.
    pub fn token_of(&self, name: &str, role: Role) -> Result<String> {
        self.0.issuer.token(name, role)
    }

    /// Who signs the tokens, for those that are out of the ordinary.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The service's own port, where only the sidecar is let in.
    pub fn app_url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.0.sidecars.ports.app(self.0.app).app)
    }

    /// What the sidecar shows the service, for calls that are no plain HTTP.
    pub fn app_api_token(&self) -> &str {
        &self.0.sidecars.tokens.app_api_token
    }

    /// A request to the service as its sidecar would make it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let tokens = &self.0.sidecars.tokens;
        self.0.client.request(method, self.app_url(path)).header("dapr-api-token", &tokens.app_api_token)
    }

    /// Publishes messages as `publisher` would, byte for byte; the key decides the partition.
    pub async fn publish(&self, publisher: App, topic: &str, messages: &[(String, Vec<u8>)]) -> Result<()> {
        let ports = self.0.sidecars.ports.app(publisher);
        if publisher != self.0.app && self.0.sidecars.ready(publisher).await.is_err() {
            bail!("start the publisher's sidecar by `start_publisher` first");
        }
        let channel = Endpoint::from_shared(format!("http://127.0.0.1:{}", ports.grpc))?.connect().await?;
        let token = ApiTokenInterceptor::new(Some(self.0.sidecars.tokens.dapr_api_token.clone()));
        let entries = messages.iter().enumerate().map(|(n, (key, event))| BulkPublishRequestEntry {
            entry_id: n.to_string(),
            event: event.clone(),
            content_type: "application/cloudevents+json".to_owned(),
            metadata: HashMap::from([("partitionKey".to_owned(), key.clone())]),
        });
        let request = BulkPublishRequest {
            pubsub_name: "pubsub".to_owned(),
            topic: topic.to_owned(),
            entries: entries.collect(),
            metadata: HashMap::from([("rawPayload".to_owned(), "true".to_owned())]),
        };
        let answer = DaprClient::with_interceptor(channel, token).bulk_publish_event(request).await?.into_inner();
        anyhow::ensure!(answer.failed_entries.is_empty(), "not published: {:?}", answer.failed_entries);
        Ok(())
    }

    /// Starts the sidecar of an app that publishes, without the app.
    pub async fn start_publisher(&self, publisher: App) -> Result<()> {
        self.0.sidecars.start(publisher, false)?;
        self.0.sidecars.ready(publisher).await
    }

    /// Starts an app that the service asks, in place of the real one: these routes, behind a sidecar of its own.
    pub async fn start_neighbour(&self, neighbour: App, routes: Router) -> Result<()> {
        let listener = TcpListener::bind(("127.0.0.1", self.0.sidecars.ports.app(neighbour).app)).await?;
        let routes = routes.route("/livez", get(|| async {}));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        self.0.sidecars.start(neighbour, true)?;
        self.0.sidecars.ready(neighbour).await
    }

    /// Waits until something is so, within half a minute.
    pub async fn eventually<C, F>(&self, what: &str, condition: C) -> Result<()>
    where
        C: Fn() -> F,
        F: Future<Output = Result<bool>>,
    {
        let until = Instant::now() + PATIENCE;
        while !condition().await? {
            if Instant::now() > until {
                bail!("within {PATIENCE:?} it did not come true that {what}");
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

//! What a test asks of the service, its database and the broker.

use std::{collections::HashMap, future::Future, time::Duration};

use access::Role;
use anyhow::{Context as _, Result, bail};
use dapr::{
    client::ApiTokenInterceptor,
    dapr::proto::runtime::v1::{BulkPublishRequest, BulkPublishRequestEntry, dapr_client::DaprClient},
};
use local::App;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::time::Instant;
use tonic::transport::Endpoint;

use crate::Parts;

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

    /// The rows that a query of the service's database answers, each as a JSON object.
    pub async fn sql(&self, query: &str) -> Result<Vec<Value>> {
        let mut connection = self.database().await?;
        let query = AssertSqlSafe(format!("select to_jsonb(answer) from ({query}) as answer"));
        let rows = sqlx::query_scalar(query).fetch_all(&mut connection).await?;
        connection.close().await?;
        Ok(rows)
    }

    /// Has a statement take effect, for what no request brings about.
    pub async fn execute(&self, statement: &str) -> Result<()> {
        let mut connection = self.database().await?;
        sqlx::query(AssertSqlSafe(statement.to_owned())).execute(&mut connection).await?;
        connection.close().await?;
        Ok(())
    }

    async fn database(&self) -> Result<PgConnection> {
        let database = self.0.app.database().context("the app has no database")?;
        let postgres = local::Postgres::new(&self.0.home, self.0.reservation.ports.postgres());
        let url = postgres.admin_url(&self.0.secrets.superuser_password);
        let url = format!("{}/{database}", url.rsplit_once('/').context("a URL")?.0);
        Ok(PgConnection::connect(&url).await?)
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

//! Another instance of the service, beside the same sidecar.

use std::net::TcpListener;

use auth::{app::App, config::Config};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::json;
use testkit::{Parts, Result};

use crate::{administrator, answered, credentials, header};

const TOKEN: &str = "what-its-sidecar-would-show";

pub(crate) struct Instance {
    port: u16,
    client: Client,
}

impl Instance {
    pub(crate) fn start(parts: &Parts) -> Result<Self> {
        Self::start_with(parts, &[("MFA_REQUIRED", "false")])
    }

    pub(crate) fn start_with(parts: &Parts, settings: &[(&str, &str)]) -> Result<Self> {
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let own = port.to_string();
        let environment: Vec<_> = [("APP_PORT", own.as_str()), ("APP_API_TOKEN", TOKEN)]
            .into_iter()
            .chain(settings.iter().copied())
            .collect();
        let environment = parts.environment(&environment);
        tokio::spawn(App::build(&Config::read(environment)?)?.run());
        Ok(Self { port, client: Client::builder().no_proxy().build()? })
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://127.0.0.1:{}{path}", self.port)).header("dapr-api-token", TOKEN)
    }

    async fn answers(&self, path: &str) -> bool {
        self.request(Method::GET, path).send().await.is_ok_and(|answer| answer.status().is_success())
    }

    pub(crate) async fn ready(&self, parts: &Parts) -> Result<()> {
        parts.eventually("the other instance is ready", || async { Ok(self.answers("/readyz").await) }).await
    }
}

/// It listens and says what it waits for; when the sidecar comes, it goes on by itself.
pub(crate) async fn before_its_sidecar(parts: Parts) -> Result<()> {
    const KEYS: &str = "/auth/.well-known/jwks.json";
    parts.kill_sidecar().await;
    let instance = Instance::start(&parts)?;
    parts.eventually("the other instance listens", || async { Ok(instance.answers("/livez").await) }).await?;

    let (status, problem) = answered(instance.request(Method::GET, "/readyz").send().await?).await?;
    assert_eq!(
        (status, &problem["missing"]),
        (503, &json!(["sidecar", "store", "signing key", "sealing key", "administrator"]))
    );
    let (email, password) = administrator(&parts);
    let login = || instance.request(Method::POST, "/auth/login").json(&credentials(email, password)).send();
    let refused = login().await?;
    assert_eq!((refused.status().as_u16(), header(&refused, "retry-after")), (503, "1"));
    assert_eq!(instance.request(Method::GET, KEYS).send().await?.status(), 503);

    parts.start_sidecar().await?;
    instance.ready(&parts).await?;
    assert_eq!(login().await?.status(), 200);
    let keys = instance.request(Method::GET, KEYS).send().await?.bytes().await?;
    let others = parts.request(Method::GET, KEYS).send().await?.bytes().await?;
    assert_eq!(keys, others, "two instances have the same key under the same id");
    Ok(())
}

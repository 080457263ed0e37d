//! Where requests go in, and what comes back.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{Client, Method, RequestBuilder, header::HeaderMap};
use serde_json::Value;
use uuid::Uuid;

/// The gateway's routes: at its public port, or at its own sidecar.
#[derive(Clone)]
pub(crate) struct Door {
    client: Client,
    base: String,
    /// What the sidecar wants to see; a client of the public port has none.
    api_token: Option<String>,
    access_token: Option<String>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) took: Duration,
}

impl Door {
    pub(crate) fn new(client: &Client, base: String, api_token: Option<&str>) -> Self {
        Self { client: client.clone(), base, api_token: api_token.map(str::to_owned), access_token: None }
    }

    /// The same door for the holder of this access token.
    pub(crate) fn with_token(&self, access_token: &str) -> Self {
        Self { access_token: Some(access_token.to_owned()), ..self.clone() }
    }

    /// The same door for somebody without an access token.
    pub(crate) fn without_token(&self) -> Self {
        Self { access_token: None, ..self.clone() }
    }

    /// The same door for somebody who does not know the sidecar's token.
    pub(crate) fn without_api_token(&self) -> Self {
        Self { api_token: None, ..self.clone() }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        if let Some(token) = &self.api_token {
            request = request.header("dapr-api-token", token);
        }
        if let Some(token) = &self.access_token {
            request = request.bearer_auth(token);
        }
        request
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Answer> {
        Answer::of(self.request(Method::GET, path)).await
    }

    /// Asks for a registration.
    pub(crate) async fn register(&self, key: &str, person: &Value) -> Result<Answer> {
        Answer::of(self.request(Method::POST, "/api/patients").header("idempotency-key", key).json(person)).await
    }

    /// Registers somebody.
    pub(crate) async fn registered(&self, person: &Value) -> Result<Answer> {
        self.register(&key(), person).await?.expect(201)
    }

    /// A patient's account; none while there is none.
    pub(crate) async fn account(&self, patient: &str) -> Result<Option<Value>> {
        let answer = self.get(&format!("/api/billing/accounts/{patient}")).await?;
        match answer.status {
            200 => Ok(Some(answer.body)),
            404 | 503 => Ok(None),
            status => bail!("the account was answered {status}: {}", answer.body),
        }
    }

    /// How many registrations analytics has counted.
    pub(crate) async fn counted(&self) -> Result<u64> {
        let answer = self.get("/api/analytics/metrics/registrations?group=day").await?.expect(200)?;
        let total = answer.body["series"][0]["total"]["value"].as_f64();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count")]
        total.map(|total| total as u64).with_context(|| format!("no total in {}", answer.body))
    }
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Result<Self> {
        let begun = Instant::now();
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        // A stream has no end to wait for.
        let streams = headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        let text = if streams { String::new() } else { response.text().await? };
        let took = begun.elapsed();
        // What is not JSON is shown as it is.
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Self { status, headers, body, took })
    }

    pub(crate) fn expect(self, status: u16) -> Result<Self> {
        ensure!(self.status == status, "answered {} instead of {status}: {}", self.status, self.body);
        Ok(self)
    }

    /// Expects a problem of this status in the shape of RFC 9457.
    pub(crate) fn expect_problem(self, status: u16) -> Result<Self> {
        let answer = self.expect(status)?;
        let kind = answer.header("content-type");
        ensure!(kind == "application/problem+json", "a problem came as {kind:?}: {}", answer.body);
        ensure!(answer.body["status"] == status && answer.body["title"].is_string(), "no problem: {}", answer.body);
        Ok(answer)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(crate) fn id(&self) -> &str {
        self.text("/id")
    }

    pub(crate) fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether a registration was answered with an open account.
    pub(crate) fn has_account(&self) -> bool {
        self.text("/billingAccount/status") == "active"
    }
}

/// An idempotency key that nobody has used.
pub(crate) fn key() -> String {
    Uuid::now_v7().to_string()
}

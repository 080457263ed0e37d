//! What was answered, and how long it took.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use reqwest::{RequestBuilder, StatusCode, header::HeaderMap};
use serde_json::Value;

/// An answer, and how long it took.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    headers: HeaderMap,
    pub(super) body: Value,
    took: Duration,
}

impl Answer {
    pub(super) fn expect(&self, status: StatusCode, what: &str) -> Result<()> {
        if self.status != status {
            bail!("{what} was answered {} instead of {status}: {}", self.status, self.body);
        }
        Ok(())
    }

    pub(super) fn summary(&self) -> String {
        format!("{} {:>4} ms", self.status.as_u16(), self.took.as_millis())
    }

    pub(super) fn at(&self, pointer: &str) -> Result<&Value> {
        self.body.pointer(pointer).with_context(|| format!("no {pointer} in {}", self.body))
    }

    pub(super) fn text(&self, pointer: &str) -> Result<&str> {
        self.at(pointer)?.as_str().with_context(|| format!("{pointer} is no text in {}", self.body))
    }

    pub(super) fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).with_context(|| format!("no header {name}"))?;
        Ok(value.to_str()?)
    }
}

pub(super) async fn send(request: RequestBuilder) -> Result<Answer> {
    let begun = Instant::now();
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.text().await?;
    let took = begun.elapsed();
    // A body that is not JSON is shown as it is.
    let body = serde_json::from_str(&body).unwrap_or(Value::String(body));
    Ok(Answer { status, headers, body, took })
}

//! The clinic, as a company outside of it sees it: its public REST door.

use std::time::Duration;

use anyhow::Result;
use reqwest::{Client, Response, StatusCode, header::RETRY_AFTER};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    sync::{Mutex, watch},
    time::{Instant, sleep},
};

const ANSWER: Duration = Duration::from_secs(15);
/// The clinic closes a connection that is idle for 5 s.
const REUSED: Duration = Duration::from_secs(4);
/// Before it is tried again, when nobody says how long.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// A token that is over sooner than this is not used any more.
const EARLY: Duration = Duration::from_mins(1);
/// Nothing is known by these: it may have happened, and will not have happened twice.
const UNDECIDED: [StatusCode; 4] = [
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::BAD_GATEWAY,
    StatusCode::SERVICE_UNAVAILABLE,
    StatusCode::GATEWAY_TIMEOUT,
];

/// Who signs in.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Credentials {
    pub(crate) email: String,
    pub(crate) password: String,
}

/// What came of something that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) status: u16,
    pub(crate) attempts: u32,
    pub(crate) body: Value,
}

pub(crate) struct Clinic {
    http: Client,
    url: String,
    credentials: watch::Sender<Option<Credentials>>,
    token: Mutex<Option<Token>>,
}

struct Token {
    text: String,
    until: Instant,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Clinic {
    pub(crate) fn new(url: String, credentials: Option<Credentials>) -> Result<Self> {
        let http = Client::builder().no_proxy().timeout(ANSWER).pool_idle_timeout(REUSED).build()?;
        Ok(Self { http, url, credentials: watch::Sender::new(credentials), token: Mutex::default() })
    }

    /// Becomes another user.
    pub(crate) async fn introduce(&self, credentials: Credentials) {
        let mut token = self.token.lock().await;
        *token = None;
        self.credentials.send_replace(Some(credentials));
    }

    /// Sends something once, however often that has to be tried.
    pub(crate) async fn deliver(&self, path: &str, key: &str, body: &Value) -> Outcome {
        let mut refused = false;
        for attempts in 1.. {
            let request = self.http.post(format!("{}{path}", self.url)).bearer_auth(self.token().await);
            // A structured field string, as the header's specification wants it.
            let sent = request.header("idempotency-key", format!("\"{key}\"")).json(body).send().await;
            let Some(answer) = decided(sent).await else { continue };
            let status = answer.status();
            // A session can be ended at any time; who signs in again is told whether it was that.
            if status == StatusCode::UNAUTHORIZED && !refused {
                refused = true;
                *self.token.lock().await = None;
                continue;
            }
            let body = answer.json().await.unwrap_or_default();
            return Outcome { status: status.as_u16(), attempts, body };
        }
        unreachable!("it goes on until something is decided")
    }

    /// An access token that is good for a while; waits for somebody to say who signs in.
    async fn token(&self) -> String {
        loop {
            let mut token = self.token.lock().await;
            if let Some(good) = token.as_ref().filter(|token| Instant::now() + EARLY < token.until) {
                return good.text.clone();
            }
            let credentials = self.credentials.borrow().clone();
            let Some(credentials) = credentials else {
                drop(token);
                // The sender is this object's own: it lives at least as long.
                let _ = self.credentials.subscribe().wait_for(Option::is_some).await;
                continue;
            };
            if let Some(granted) = self.sign_in(&credentials).await {
                let until = Instant::now() + Duration::from_secs(granted.expires_in);
                *token = Some(Token { text: granted.access_token.clone(), until });
                // Also one that is over soon is good now.
                return granted.access_token;
            }
            drop(token);
            sleep(PAUSE).await;
        }
    }

    async fn sign_in(&self, credentials: &Credentials) -> Option<Granted> {
        let sent = self.http.post(format!("{}/auth/login", self.url)).json(credentials).send().await;
        let answer = decided(sent).await?;
        let status = answer.status();
        if status != StatusCode::OK {
            tracing::warn!(status = status.as_u16(), "the clinic does not let the clearing house sign in");
            return None;
        }
        answer.json().await.ok()
    }
}

/// A definite answer; without one, the time is over after which one may ask again.
async fn decided(sent: reqwest::Result<Response>) -> Option<Response> {
    let pause = match sent {
        Ok(answer) if !UNDECIDED.contains(&answer.status()) => return Some(answer),
        Ok(answer) => asked_for(&answer).unwrap_or(PAUSE),
        Err(_) => PAUSE,
    };
    sleep(pause.min(LONGEST_PAUSE)).await;
    None
}

/// How long the clinic wants to be left alone.
fn asked_for(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

//! The client of the load: a pool of HTTP/1 connections and nothing that costs more.
//!
//! It runs on the same cores as the system and its CPU is in every figure, so it must be cheap.

use anyhow::{Result, ensure};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::{
    client::legacy::{Client as Pool, connect::HttpConnector},
    rt::TokioExecutor,
};

/// A client of one address; clones share its connections.
#[derive(Clone, Debug)]
pub struct Client {
    pool: Pool<HttpConnector, Full<Bytes>>,
    url: String,
    bearer: Option<HeaderValue>,
    /// What a sidecar wants to see.
    api_token: Option<HeaderValue>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// What `Location` says, when it says something.
    pub location: Option<HeaderValue>,
    /// Its body.
    pub body: Bytes,
}

impl Client {
    /// A client of `url` that shows `token` with each request.
    pub fn new(url: &str, token: Option<&str>) -> Result<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let bearer = token.map(|token| HeaderValue::from_str(&format!("Bearer {token}"))).transpose()?;
        let pool = Pool::builder(TokioExecutor::new()).build(connector);
        Ok(Self { pool, url: url.to_owned(), bearer, api_token: None })
    }

    /// The same for a sidecar, which wants to see its own token, too.
    pub fn with_api_token(self, token: &str) -> Result<Self> {
        Ok(Self { api_token: Some(HeaderValue::from_str(token)?), ..self })
    }

    /// A request without a body.
    pub fn get(&self, path: &str) -> Result<Request<Full<Bytes>>> {
        self.request(Method::GET, path, Full::default())
    }

    /// A request with JSON.
    pub fn post(&self, path: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>> {
        let mut request = self.request(Method::POST, path, Full::from(body))?;
        request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    fn request(&self, method: Method, path: &str, body: Full<Bytes>) -> Result<Request<Full<Bytes>>> {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url)).body(body)?;
        if let Some(bearer) = &self.bearer {
            request.headers_mut().insert(header::AUTHORIZATION, bearer.clone());
        }
        if let Some(token) = &self.api_token {
            request.headers_mut().insert("dapr-api-token", token.clone());
        }
        Ok(request)
    }

    /// Asks for a stream of events, on a connection of its own; answers its body as it comes.
    pub async fn listen(&self, path: &str) -> Result<Incoming> {
        let mut request = self.get(path)?;
        request.headers_mut().insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        let answer = self.pool.request(request).await?;
        ensure!(answer.status() == StatusCode::OK, "{path} is answered {}", answer.status());
        Ok(answer.into_body())
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<Answer> {
        let (parts, body) = self.pool.request(request).await?.into_parts();
        let location = parts.headers.get(header::LOCATION).cloned();
        Ok(Answer { status: parts.status, location, body: body.collect().await?.to_bytes() })
    }
}

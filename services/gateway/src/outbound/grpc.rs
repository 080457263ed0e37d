//! A method of a service that speaks gRPC, of whatever contract.

use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::uri::PathAndQuery;
use problem::{Kind, Problem};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MethodDescriptor};
use sidecar::{Sidecar, invoke::AppChannel};
use tokio::time::timeout;
use tonic::{
    Request, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    metadata::{Ascii, MetadataValue},
};

use super::again::{DEADLINE, Failure, at_most_twice};

/// A method of an app.
#[derive(Clone, Debug)]
pub(crate) struct Remote {
    app: &'static str,
    channel: AppChannel,
    path: String,
}

/// A request of it.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// What is asked.
    pub(crate) message: DynamicMessage,
    /// The header with the access token, as it was sent.
    pub(crate) authorization: Option<&'a str>,
    /// With it, the same request twice is the same as once.
    pub(crate) idempotency_key: Option<&'a str>,
    /// Whether it changes nothing.
    pub(crate) reads: bool,
}

impl Remote {
    /// The method of the app behind this sidecar.
    pub(crate) fn new(app: &'static str, sidecar: &Sidecar, method: &MethodDescriptor) -> Self {
        let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
        Self { app, channel: sidecar.app(app), path }
    }

    /// Asks, a second time when the outcome is unknown and the request is safe to repeat. Answers the encoded message.
    pub(crate) async fn ask(&self, call: Call<'_>) -> Result<Bytes, Problem> {
        let path: PathAndQuery = self.path.parse().map_err(Problem::internal)?;
        let metadata = metadata(call.authorization, call.idempotency_key)?;
        let once = |limit| self.once(&path, &metadata, &call.message, limit);
        if call.reads || call.idempotency_key.is_some() {
            return at_most_twice(self.app, once).await;
        }
        Ok(once(DEADLINE).await?)
    }

    /// Asks once, and answers what comes for as long as the caller listens; the first of it within the time that a
    /// request has.
    pub(crate) async fn listen(&self, call: Call<'_>) -> Result<Streaming<Bytes>, Problem> {
        let path: PathAndQuery = self.path.parse().map_err(Problem::internal)?;
        let mut request = Request::new(call.message);
        for (name, value) in metadata(call.authorization, call.idempotency_key)? {
            request.metadata_mut().insert(name, value);
        }
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.map_err(Problem::unavailable)?;
        let listening = client.server_streaming(request, path, Undecoded);
        let answer = timeout(DEADLINE, listening).await.map_err(Problem::unavailable)?;
        Ok(answer.map_err(Problem::from)?.into_inner())
    }

    async fn once(
        &self,
        path: &PathAndQuery,
        metadata: &[(&'static str, MetadataValue<Ascii>)],
        message: &DynamicMessage,
        limit: Duration,
    ) -> Result<Bytes, Failure> {
        let mut request = Request::new(message.clone());
        request.set_timeout(limit);
        for (name, value) in metadata {
            request.metadata_mut().insert(*name, value.clone());
        }
        let mut client = Grpc::new(self.channel.clone());
        client.ready().await.map_err(|error| Failure::Unknown(Problem::unavailable(error)))?;
        let answer = client.unary(request, path.clone(), Undecoded).await;
        answer.map(tonic::Response::into_inner).map_err(failure)
    }
}

type Metadata = Vec<(&'static str, MetadataValue<Ascii>)>;

fn metadata(authorization: Option<&str>, idempotency_key: Option<&str>) -> Result<Metadata, Problem> {
    let given = [("authorization", authorization), ("idempotency-key", idempotency_key)].into_iter();
    let given = given.filter_map(|(name, text)| Some((name, text?)));
    given.map(|(name, text)| Ok((name, MetadataValue::try_from(text).map_err(Problem::internal)?))).collect()
}

fn failure(status: Status) -> Failure {
    let answered = problem::is_answer(&status);
    let problem = Problem::from(status);
    if problem.kind == Kind::Unavailable && !answered { Failure::Unknown(problem) } else { Failure::Refused(problem) }
}

/// Answers are passed on as they were encoded.
#[derive(Clone, Copy, Debug)]
struct Undecoded;

impl Codec for Undecoded {
    type Encode = DynamicMessage;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Undecoded {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|error| Status::internal(error.to_string()))
    }
}

impl Decoder for Undecoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_answered_is_unknown() {
        for status in [Status::unavailable("no route"), Status::unknown("no app"), Status::deadline_exceeded("late")] {
            assert!(matches!(failure(status), Failure::Unknown(_)));
        }
        for status in [Problem::unavailable("its database is away").into(), Status::not_found("no such account")] {
            assert!(matches!(failure(status), Failure::Refused(_)));
        }
    }
}

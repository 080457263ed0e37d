//! A stream of answers as server-sent events; <https://html.spec.whatwg.org/multipage/server-sent-events.html>

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::response::{
    IntoResponse as _, Response,
    sse::{Event, KeepAlive, Sse},
};
use bytes::Bytes;
use contracts::rest::Method;
use futures::Stream;
use http::{HeaderName, HeaderValue, header};
use prost_reflect::Kind;
use tonic::Streaming;

use super::write::{Message, Shape};

/// The field that the id of an event is made of.
const EVENT_ID: &str = "event_id";
/// Proxies close a connection on which nothing is said for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// What keeps nginx from holding events back.
const BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// The answers as they come. What ends them ends the events: a browser asks again by itself.
pub(super) fn of(method: &Method, answers: Streaming<Bytes>) -> Response {
    let name = method.descriptor.name();
    let shape = Shape::of(&method.descriptor.output());
    let events = Events { name: called(name), shape, answers };
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT)).into_response();
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(BUFFERING, HeaderValue::from_static("no"));
    response
}

/// `WatchOverview` sends events called `overview`.
fn called(method: &str) -> String {
    let what = method.strip_prefix("Watch").unwrap_or(method);
    let mut name = String::new();
    for letter in what.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}

struct Events {
    name: String,
    shape: Shape,
    answers: Streaming<Bytes>,
}

impl Stream for Events {
    type Item = Result<Event, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Poll::Ready(answer) = Pin::new(&mut self.answers).poll_next(context) else { return Poll::Pending };
        Poll::Ready(match answer {
            None => None,
            Some(Ok(wire)) => event(&self.name, &Message::new(&self.shape, &wire)).map(Ok),
            Some(Err(status)) => {
                tracing::warn!(code = ?status.code(), "a stream has ended before its time");
                None
            }
        })
    }
}

/// An answer as an event; none of one that has no JSON, which is the service's fault and ends the stream.
fn event(name: &str, message: &Message<'_>) -> Option<Event> {
    let told = message.json().and_then(|json| Ok((json, id(message)?)));
    let (json, id) = told.inspect_err(|error| tracing::error!(%error, "an answer has no JSON")).ok()?;
    let event = Event::default().event(name).data(json);
    // An id with such characters would be no id to a browser.
    Some(match id.filter(|id| !id.is_empty() && !id.contains(['\r', '\n', '\0'])) {
        Some(id) => event.id(id),
        None => event,
    })
}

fn id(message: &Message<'_>) -> serde_json::Result<Option<String>> {
    let field = message.descriptor().get_field_by_name(EVENT_ID).filter(|field| field.kind() == Kind::String);
    let json = field.map_or(Ok(None), |field| message.field(field.number()))?;
    json.map(|json| serde_json::from_str(&json)).transpose()
}

#[cfg(test)]
mod tests {
    use axum::body::HttpBody as _;
    use http_body_util::BodyExt as _;
    use prost::Message as _;
    use serde_json::json;

    use super::{super::sample, *};

    #[test]
    fn events_are_called_for_what_is_watched() {
        assert_eq!(called("WatchOverview"), "overview");
        assert_eq!(called("WatchDoorBells"), "door-bells");
        assert_eq!(called("Listen"), "listen");
    }

    #[tokio::test]
    async fn an_answer_is_an_event_with_its_id() {
        let method = sample::method("WatchPaints");
        let message = sample::standard(method.descriptor.output(), json!({ "eventId": "7", "paint": {"shop": "s"} }));
        let (shape, wire) = (Shape::of(&method.descriptor.output()), message.encode_to_vec());
        let event = event("paints", &Message::new(&shape, &wire)).unwrap();
        let events = futures::stream::iter([Ok::<_, Infallible>(event)]);
        let body = Sse::new(events).into_response().into_body();
        assert!(body.size_hint().exact().is_none(), "its end is not known, so it has no tag");
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert!(text.starts_with("event: paints\ndata: {") && text.contains("\"shop\":\"s\""), "{text}");
        assert!(text.ends_with("\nid: 7\n\n"), "{text}");
    }
}

//! One who listens to server-sent events, as a page does.

use std::collections::VecDeque;

use anyhow::{Context as _, Result};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use crate::client::Client;

/// An open stream.
#[derive(Debug)]
pub struct Listener {
    body: Incoming,
    text: Events,
}

impl Listener {
    /// Begins to listen.
    pub async fn begin(client: &Client, path: &str) -> Result<Self> {
        Ok(Self { body: client.listen(path).await?, text: Events::default() })
    }

    /// The data of the next event; none when the stream has ended.
    pub async fn next(&mut self) -> Result<Option<Value>> {
        loop {
            if let Some(data) = self.text.next() {
                return serde_json::from_str(&data).map(Some).context("an event that is no JSON");
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            if let Some(bytes) = frame?.data_ref() {
                self.text.add(bytes);
            }
        }
    }
}

/// What has come of a stream, cut into events; <https://html.spec.whatwg.org/multipage/server-sent-events.html>
#[derive(Debug, Default)]
struct Events {
    rest: Vec<u8>,
    data: VecDeque<String>,
}

impl Events {
    fn add(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        while let Some(end) = self.rest.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = self.rest.drain(..end + 2).collect();
            let event = String::from_utf8_lossy(&event);
            let lines: Vec<_> = event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
            // A comment keeps the connection and says nothing.
            if !lines.is_empty() {
                self.data.push_back(lines.join("\n"));
            }
        }
    }

    fn next(&mut self) -> Option<String> {
        self.data.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_wherever_they_are_cut() {
        let text = b"event: overview\nid: 7\ndata: {\"a\":1}\n\n:\n\ndata: {\"b\":2}\n\ndata: {";
        for cut in 0..text.len() {
            let mut events = Events::default();
            events.add(&text[..cut]);
            events.add(&text[cut..]);
            assert_eq!(events.data, [r#"{"a":1}"#, r#"{"b":2}"#], "{cut}");
        }
    }
}

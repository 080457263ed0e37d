//! The CloudEvent that a change sends, and the one that a consumer receives.
//!
//! <https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md>

use jiff::Timestamp;
use prost::Name;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::origin::{Origin, RequestId};

/// An event on its way out: written with the document that it tells of, published as it stands.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The topic that it is published to.
    pub topic: String,
    /// The aggregate's id: one aggregate's events stay in order.
    pub partition_key: String,
    /// What is published.
    pub event: CloudEvent,
}

/// CloudEvents 1.0 in its JSON format.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// Unique; a redelivery has the same.
    pub id: String,
    /// The app id of the publisher.
    pub source: String,
    /// The full name of the message in `data`.
    pub r#type: String,
    /// The aggregate's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// Always `application/json`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// The trace of the request that caused it, whichever way the event leaves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The id of that request, for logs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requestid: Option<String>,
    /// The message as proto JSON.
    pub data: Box<RawValue>,
}

/// Why an event's data is no message that the consumer knows: another delivery would not mend it.
#[derive(Debug, thiserror::Error)]
pub enum Undecodable {
    /// The type is another one.
    #[error("the event is of type {0}")]
    Type(String),
    /// The data is not that type's proto JSON.
    #[error("the data is no {0}")]
    Data(String),
}

impl Event {
    /// An event of `source` about the aggregate `subject`, caused by `origin`.
    pub fn new<M: Name + Serialize>(
        topic: &str,
        source: &str,
        subject: Uuid,
        id: Uuid,
        time: Timestamp,
        origin: Option<Origin>,
        message: &M,
    ) -> Result<Self, serde_json::Error> {
        let Origin { traceparent, request_id } = origin.unwrap_or_default();
        Ok(Self {
            topic: topic.to_owned(),
            partition_key: subject.to_string(),
            event: CloudEvent {
                specversion: "1.0".to_owned(),
                id: id.to_string(),
                source: source.to_owned(),
                r#type: M::full_name(),
                subject: Some(subject.to_string()),
                time: Some(time.to_string()),
                datacontenttype: Some("application/json".to_owned()),
                traceparent,
                requestid: request_id,
                data: serde_json::value::to_raw_value(message)?,
            },
        })
    }
}

impl CloudEvent {
    /// What caused the event, as far as it tells in a form that is safe to repeat.
    pub fn origin(&self) -> Origin {
        let request_id = self.requestid.clone().filter(|id| id.parse::<RequestId>().is_ok());
        Origin { traceparent: self.traceparent.clone(), request_id }
    }

    /// The message that the event carries.
    pub fn message<M: Name + DeserializeOwned>(&self) -> Result<M, Undecodable> {
        let expected = M::full_name();
        if self.r#type != expected {
            return Err(Undecodable::Type(self.r#type.clone()));
        }
        serde_json::from_str(self.data.get()).map_err(|_| Undecodable::Data(expected))
    }
}

//! Documents: an aggregate's truth, one JSON value in the state store, with the events of its latest change.
//!
//! A change is one transaction; the document's trigger keeps projections, outbox and history inside it.

use std::collections::HashMap;

use dapr::dapr::proto::runtime::v1::{GetBulkStateRequest, GetStateRequest};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::{RawValue, to_raw_value};
use tonic::Request;
use uuid::Uuid;

use crate::{
    STORE_DEADLINE, Sidecar,
    commit::{Change, Committer, Groups},
    component,
    event::Event,
    failure::Failure,
    outbox::Relay,
};

/// What a kind of document is.
pub trait Kind: Serialize + DeserializeOwned {
    /// The first part of its keys, `patient` in `patient/<id>`.
    const NAME: &'static str;
    /// The shape that this release writes.
    const SCHEMA: u32;

    /// Brings the data of an earlier schema to [`SCHEMA`](Self::SCHEMA).
    fn upcast(data: serde_json::Value, _schema: u32) -> serde_json::Value {
        data
    }

    /// The key of one document.
    fn key(id: Uuid) -> String {
        format!("{}/{id}", Self::NAME)
    }
}

/// A document as it is stored.
#[derive(Clone, Debug, Serialize)]
pub struct Document<T> {
    schema: u32,
    /// Counts from 1 without gap; the public ETag.
    pub version: u64,
    /// What the latest change tells others.
    pub events: Vec<Event>,
    /// What the latest change leaves in the audit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    audit: Vec<Box<RawValue>>,
    /// The latest requests with an idempotency key, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<KeyedRequest>,
    /// The aggregate.
    pub data: T,
}

/// A request that came with an `Idempotency-Key` and took effect.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct KeyedRequest {
    /// Who asked, what and with which key, in one UUIDv5.
    pub key: Uuid,
    /// Hash of what was asked: another body under the key is refused.
    pub hash: Uuid,
    /// The version that it made.
    pub version: u64,
}

/// How many keyed requests a document remembers.
pub const REMEMBERED_REQUESTS: usize = 16;

#[derive(Deserialize)]
struct Envelope<'a> {
    schema: u32,
    version: u64,
    #[serde(default)]
    requests: Vec<KeyedRequest>,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl<T: Kind> Document<T> {
    /// The first version.
    pub fn first(data: T, events: Vec<Event>) -> Self {
        Self { schema: T::SCHEMA, version: 1, events, audit: Vec::new(), requests: Vec::new(), data }
    }

    /// The version after this one, of the same document.
    #[must_use]
    pub fn next(&self, data: T, events: Vec<Event>) -> Self {
        let (version, requests) = (self.version + 1, self.requests.clone());
        Self { schema: T::SCHEMA, version, events, audit: Vec::new(), requests, data }
    }

    /// Adds an entry of the audit (`audit::Entry`) that is there if and only if this version is.
    pub fn audited(mut self, entry: &impl Serialize) -> Result<Self, Failure> {
        self.audit.push(to_raw_value(entry).map_err(|error| Failure::Bug(error.to_string()))?);
        Ok(self)
    }

    /// Remembers a keyed request, forgetting the oldest beyond [`REMEMBERED_REQUESTS`].
    pub fn remember(&mut self, request: KeyedRequest) {
        let surplus = (self.requests.len() + 1).saturating_sub(REMEMBERED_REQUESTS);
        self.requests.drain(..surplus);
        self.requests.push(request);
    }

    /// Reads a stored document; an earlier schema is brought up to date.
    pub fn parse(json: &[u8]) -> Result<Self, Failure> {
        let unreadable = |error: serde_json::Error| {
            // The place in the text, without the text.
            Failure::Bug(format!(
                "a {} document cannot be read: {:?} at column {}",
                T::NAME,
                error.classify(),
                error.column()
            ))
        };
        let envelope: Envelope<'_> = serde_json::from_slice(json).map_err(unreadable)?;
        let data = if envelope.schema == T::SCHEMA {
            serde_json::from_str(envelope.data.get())
        } else {
            serde_json::from_str(envelope.data.get())
                .and_then(|data| serde_json::from_value(T::upcast(data, envelope.schema)))
        };
        Ok(Self {
            schema: T::SCHEMA,
            version: envelope.version,
            events: Vec::new(),
            audit: Vec::new(),
            requests: envelope.requests,
            data: data.map_err(unreadable)?,
        })
    }
}

/// A document that was loaded, with what the store needs to replace it.
#[derive(Clone, Debug)]
pub struct Stored<T> {
    /// What is stored.
    pub document: Document<T>,
    etag: String,
}

/// A document that a function of the database answers with the store's own tag.
#[derive(Debug, Deserialize)]
pub struct Answered {
    /// Which.
    pub id: Uuid,
    etag: String,
    document: Box<RawValue>,
}

impl Answered {
    /// The document, as if it had been loaded by its key.
    pub fn stored<T: Kind>(&self) -> Result<Stored<T>, Failure> {
        Ok(Stored { document: Document::parse(self.document.get().as_bytes())?, etag: self.etag.clone() })
    }
}

/// One document's part of a transaction.
#[derive(Clone, Debug)]
pub struct Write {
    pub(crate) key: String,
    pub(crate) value: Vec<u8>,
    pub(crate) etag: Option<String>,
    pub(crate) events: Vec<Event>,
}

impl Write {
    /// Writes a document that must not be there yet.
    pub fn create<T: Kind>(id: Uuid, document: Document<T>) -> Result<Self, Failure> {
        Self::new(id, document, None)
    }

    /// Replaces what was loaded, if it is still that.
    pub fn replace<T: Kind>(id: Uuid, loaded: &Stored<T>, document: Document<T>) -> Result<Self, Failure> {
        Self::new(id, document, Some(loaded.etag.clone()))
    }

    /// The document's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    fn new<T: Kind>(id: Uuid, document: Document<T>, etag: Option<String>) -> Result<Self, Failure> {
        let value = serde_json::to_vec(&document).map_err(|error| Failure::Bug(error.to_string()))?;
        Ok(Self { key: T::key(id), value, etag, events: document.events })
    }
}

/// The service's documents.
#[derive(Clone, Debug)]
pub struct Documents {
    sidecar: Sidecar,
    committer: Committer,
    groups: Option<Groups<Vec<Write>>>,
}

impl Documents {
    /// Documents whose events leave by `relay`; what is saved at the same time is saved together.
    pub fn new(sidecar: Sidecar, relay: Relay) -> Self {
        let committer = Committer::new(sidecar.clone(), Some(relay));
        Self { sidecar, groups: Some(Groups::spawn(committer.clone())), committer }
    }

    /// Documents of a service that publishes nothing.
    pub fn silent(sidecar: Sidecar) -> Self {
        let committer = Committer::new(sidecar.clone(), None);
        Self { sidecar, groups: None, committer }
    }

    /// Saves each change in a transaction of its own.
    #[must_use]
    pub fn one_by_one(self) -> Self {
        Self { groups: None, ..self }
    }

    /// Loads one document.
    pub async fn get<T: Kind>(&self, id: Uuid) -> Result<Option<Stored<T>>, Failure> {
        let mut request = Request::new(GetStateRequest {
            store_name: component::STATESTORE.to_owned(),
            key: T::key(id),
            ..GetStateRequest::default()
        });
        request.set_timeout(STORE_DEADLINE);
        let answer = self.sidecar.grpc().get_state(request).await?.into_inner();
        stored(&answer.data, answer.etag)
    }

    /// Loads several documents of a kind in one call, in the order of the ids.
    pub async fn get_many<T: Kind>(&self, ids: &[Uuid]) -> Result<Vec<Option<Stored<T>>>, Failure> {
        let mut request = Request::new(GetBulkStateRequest {
            store_name: component::STATESTORE.to_owned(),
            keys: ids.iter().map(|&id| T::key(id)).collect(),
            ..GetBulkStateRequest::default()
        });
        request.set_timeout(STORE_DEADLINE);
        let items = self.sidecar.grpc().get_bulk_state(request).await?.into_inner().items;
        let mut found = HashMap::with_capacity(items.len());
        for item in items {
            if !item.error.is_empty() {
                return Err(Failure::of(tonic::Status::unknown(item.error)));
            }
            found.insert(item.key, (item.data, item.etag));
        }
        ids.iter()
            .map(|&id| found.get(&T::key(id)).map_or(Ok(None), |(data, etag)| stored(data, etag.clone())))
            .collect()
    }

    /// Saves a change: all of it or nothing. Its events leave at once when the broker is there, later when it is not.
    pub async fn save(&self, writes: Vec<Write>) -> Result<(), Failure> {
        match &self.groups {
            Some(groups) => groups.commit(writes).await,
            None => self.committer.commit(vec![writes]).await,
        }
    }

    /// For changes that have an order of their own: what is saved at the same time is saved together.
    pub fn groups<C: Change>(&self) -> Groups<C> {
        Groups::spawn(self.committer.clone())
    }

    /// Saves a change as [`save`](Self::save) does, in a transaction of its own and in this order: for documents that make
    /// room for each other. Who uses it sees to it that two such changes do not wait for each other.
    pub async fn save_in_order(&self, writes: Vec<Write>) -> Result<(), Failure> {
        self.committer.commit_in_order(writes).await
    }
}

fn stored<T: Kind>(data: &[u8], etag: String) -> Result<Option<Stored<T>>, Failure> {
    if data.is_empty() {
        return Ok(None);
    }
    Ok(Some(Stored { document: Document::parse(data)?, etag }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Serialize)]
    struct Thing {
        size: u32,
    }

    impl Kind for Thing {
        const NAME: &'static str = "thing";
        const SCHEMA: u32 = 2;

        fn upcast(data: serde_json::Value, _schema: u32) -> serde_json::Value {
            json!({ "size": data["length"] })
        }
    }

    #[test]
    fn an_earlier_schema_is_brought_up_to_date() {
        let now =
            Document::<Thing>::parse(br#"{"schema":2,"version":3,"events":[{"old":1}],"data":{"size":5}}"#).unwrap();
        assert_eq!((now.version, now.data, now.events.len()), (3, Thing { size: 5 }, 0));
        let old = Document::<Thing>::parse(br#"{"schema":1,"version":1,"data":{"length":4}}"#).unwrap();
        assert_eq!(old.data, Thing { size: 4 });
        assert!(matches!(Document::<Thing>::parse(br#"{"schema":2,"version":1,"data":{}}"#), Err(Failure::Bug(_))));
    }

    #[test]
    fn each_version_has_entries_of_its_own() {
        let first = Document::first(Thing { size: 1 }, Vec::new());
        assert!(serde_json::to_value(&first).unwrap().get("audit").is_none());
        let first = first.audited(&json!({ "subtype": "create" })).unwrap();
        assert_eq!(serde_json::to_value(&first).unwrap()["audit"], json!([{ "subtype": "create" }]));
        assert!(first.next(Thing { size: 2 }, Vec::new()).audit.is_empty());
        let stored = serde_json::to_vec(&first).unwrap();
        assert!(Document::<Thing>::parse(&stored).unwrap().audit.is_empty());
    }

    #[test]
    fn the_oldest_requests_are_forgotten() {
        let mut document = Document::first(Thing { size: 1 }, Vec::new());
        for version in 1..=40 {
            document.remember(KeyedRequest { key: Uuid::nil(), hash: Uuid::nil(), version });
        }
        let versions: Vec<_> = document.requests.iter().map(|r| r.version).collect();
        assert_eq!(versions, (25..=40).collect::<Vec<_>>());
        assert_eq!(document.next(Thing { size: 2 }, Vec::new()).requests.len(), REMEMBERED_REQUESTS);
    }
}

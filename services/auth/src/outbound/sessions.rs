//! Sessions in the state store.

use audit::Entry;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidecar::{
    Sidecar,
    documents::{Document, Documents, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use crate::domain::{
    access_token,
    sealing_key::BlindAddress,
    session::{Attended, EndReason, Ended, Session, TokenHash},
};

/// How much longer than it lasts an access token is taken for alive: a verifier allows a minute, clocks differ, and a
/// browser's session notes its use half a minute late.
const MARGIN: i64 = 180;

/// `data` of a `session/<id>` document.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionData {
    user: Uuid,
    epoch: u64,
    created_at: Timestamp,
    used_at: Timestamp,
    token_hash: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    browser: Option<AttendedData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ended: Option<EndedData>,
}

#[derive(Clone, Deserialize, Serialize)]
struct AttendedData {
    at: Timestamp,
    locked: bool,
}

#[derive(Clone, Deserialize, Serialize)]
struct EndedData {
    at: Timestamp,
    reason: Reason,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Reason {
    SignedOut,
    Reused,
}

impl Kind for SessionData {
    const NAME: &'static str = "session";
    const SCHEMA: u32 = 1;
}

/// A session that was loaded to be changed.
pub struct Loaded {
    /// The session.
    pub session: Session,
    stored: Stored<SessionData>,
}

/// The sessions.
#[derive(Clone, Debug)]
pub struct Sessions {
    sidecar: Sidecar,
    documents: Documents,
}

impl Sessions {
    /// Sessions in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// Stores a session that has just begun, with its entry in the audit.
    pub async fn create(&self, session: &Session, entry: &Entry) -> Result<(), Failure> {
        self.documents.save(vec![beginning(session, entry)?]).await
    }

    /// A session by id.
    pub async fn get(&self, id: Uuid) -> Result<Option<Loaded>, Failure> {
        let Some(stored) = self.documents.get::<SessionData>(id).await? else { return Ok(None) };
        Ok(Some(Loaded { session: session(id, &stored.document.data)?, stored }))
    }

    /// Stores what became of a session, with what that leaves in the audit.
    pub async fn replace(&self, loaded: &Loaded, session: &Session, entries: &[Entry]) -> Result<(), Failure> {
        let document = loaded.stored.document.next(SessionData::of(session), Vec::new());
        let document = entries.iter().try_fold(document, Document::audited)?;
        self.documents.save(vec![Write::replace(session.id, &loaded.stored, document)?]).await
    }

    /// The sessions that are over although an access token of theirs may be alive `now`.
    pub async fn revoked(&self, now: Timestamp) -> Result<Vec<Uuid>, Failure> {
        let alive = SignedDuration::from_secs(access_token::LIFETIME + MARGIN);
        let since = now.saturating_sub(alive).unwrap_or(Timestamp::MIN);
        self.sidecar.query("revoked_sessions", &json!({ "since": since })).await
    }
}

/// The write that stores a session that has just begun and its entry in the audit, for a transaction with others.
pub fn beginning(session: &Session, entry: &Entry) -> Result<Write, Failure> {
    Write::create(session.id, Document::first(SessionData::of(session), Vec::new()).audited(entry)?)
}

impl Loaded {
    /// The write that makes this of the session, for a transaction with others.
    pub fn becoming(&self, session: &Session) -> Result<Write, Failure> {
        let document = self.stored.document.next(SessionData::of(session), Vec::new());
        Write::replace(session.id, &self.stored, document)
    }
}

impl SessionData {
    fn of(session: &Session) -> Self {
        let ended = session.ended.map(|Ended { at, reason }| EndedData { at, reason: reason.into() });
        Self {
            user: session.user,
            epoch: session.epoch,
            created_at: session.created_at,
            used_at: session.used_at,
            token_hash: session.token.to_string(),
            browser: session.browser.map(|Attended { at, locked }| AttendedData { at, locked }),
            address: session.address.as_ref().map(|address| address.as_str().to_owned()),
            ended,
        }
    }
}

impl From<EndReason> for Reason {
    fn from(reason: EndReason) -> Self {
        match reason {
            EndReason::SignedOut => Self::SignedOut,
            EndReason::Reused => Self::Reused,
        }
    }
}

impl From<Reason> for EndReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::SignedOut => Self::SignedOut,
            Reason::Reused => Self::Reused,
        }
    }
}

fn session(id: Uuid, data: &SessionData) -> Result<Session, Failure> {
    let token = TokenHash::parse(&data.token_hash);
    let token =
        token.ok_or_else(|| Failure::Bug(format!("the hash of session/{id} does not read as it was written")))?;
    Ok(Session {
        id,
        user: data.user,
        epoch: data.epoch,
        created_at: data.created_at,
        used_at: data.used_at,
        token,
        browser: data.browser.as_ref().map(|&AttendedData { at, locked }| Attended { at, locked }),
        address: data.address.clone().map(BlindAddress::kept),
        ended: data.ended.as_ref().map(|&EndedData { at, reason }| Ended { at, reason: reason.into() }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::session::{SECRET, SessionToken};

    #[test]
    fn a_session_reads_as_it_was_written_and_holds_no_token() {
        let token = SessionToken::new(Uuid::from_u128(5), [9; SECRET]);
        let begun = Session {
            id: token.session,
            user: Uuid::from_u128(6),
            epoch: 2,
            created_at: Timestamp::UNIX_EPOCH,
            used_at: Timestamp::UNIX_EPOCH,
            token: token.hash(),
            browser: None,
            address: Some(BlindAddress::kept("x".to_owned())),
            ended: None,
        };
        let browser = Some(Attended { at: Timestamp::UNIX_EPOCH, locked: true });
        let in_browser = Session { browser, ..begun.clone() };
        for one in [begun.clone(), begun.end(EndReason::Reused, Timestamp::UNIX_EPOCH), in_browser] {
            let stored = serde_json::to_string(&SessionData::of(&one)).unwrap();
            assert_eq!(stored.contains("ended"), one.ended.is_some(), "the projection asks for the member");
            assert!(!stored.contains(token.reveal().split_once('.').unwrap().1));
            let data: SessionData = serde_json::from_str(&stored).unwrap();
            assert_eq!(session(one.id, &data).unwrap(), one);
        }
    }
}

//! Users in the state store.

use access::Role;
use audit::Entry;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sidecar::{
    Sidecar,
    documents::{Document, Documents, KeyedRequest, Kind, Stored, Write},
    failure::Failure,
};
use uuid::Uuid;

use crate::domain::{email_address::EmailAddress, password::PasswordHash, second_factor::SecondFactor, user::User};

/// `data` of a `user/<id>` document.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct UserData {
    email: String,
    role: Role,
    password_hash: String,
    active: bool,
    #[serde(default)]
    epoch: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    one_time_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    short_password: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    totp: Option<TotpData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending_totp: Option<String>,
    created_at: Timestamp,
}

#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
struct TotpData {
    sealed: String,
    last_step: u64,
    recovery: Vec<String>,
}

impl Kind for UserData {
    const NAME: &'static str = "user";
    const SCHEMA: u32 = 1;
}

/// A user who was loaded to be changed.
pub struct Loaded {
    /// The user.
    pub user: User,
    stored: Stored<UserData>,
}

/// A stored user with their version.
#[derive(Debug)]
pub struct Versioned {
    /// The user.
    pub user: User,
    /// Their version.
    pub version: u64,
}

/// A request that carries an idempotency key.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    /// Caller, route and key in one.
    pub key: Uuid,
    /// Hash of what is asked.
    pub hash: Uuid,
}

/// A page of users.
#[derive(Debug, Deserialize)]
pub struct Page {
    /// In the order of their addresses.
    pub users: Vec<Listed>,
    /// The last of them, when there are more.
    pub next: Option<Uuid>,
}

/// A user in a page.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    id: Uuid,
    email: String,
    role: Role,
    active: bool,
    created_at: Timestamp,
    one_time_password: bool,
    second_factor: bool,
}

/// The users.
#[derive(Clone, Debug)]
pub struct Users {
    sidecar: Sidecar,
    documents: Documents,
}

impl Users {
    /// Users in this sidecar's store.
    pub fn new(sidecar: Sidecar, documents: Documents) -> Self {
        Self { sidecar, documents }
    }

    /// A user by id.
    pub async fn get(&self, id: Uuid) -> Result<Option<Loaded>, Failure> {
        let Some(stored) = self.documents.get::<UserData>(id).await? else { return Ok(None) };
        Ok(Some(Loaded { user: user(id, &stored.document.data)?, stored }))
    }

    /// Stores a user who is not there yet, with the entry in the audit.
    pub async fn create(&self, user: &User, entry: &Entry) -> Result<(), Failure> {
        let document = Document::first(UserData::of(user), Vec::new()).audited(entry)?;
        self.documents.save(vec![Write::create(user.id, document)?]).await
    }

    /// Stores a user who is not there yet, with the request that asked for them and the entry in the audit.
    pub async fn create_keyed(&self, user: &User, Keyed { key, hash }: Keyed, entry: &Entry) -> Result<(), Failure> {
        let mut document = Document::first(UserData::of(user), Vec::new()).audited(entry)?;
        document.remember(KeyedRequest { key, hash, version: 1 });
        self.documents.save(vec![Write::create(user.id, document)?]).await
    }

    /// A page of users in the order of their addresses, from the one after `after`.
    pub async fn page(&self, after: Option<Uuid>, limit: u16) -> Result<Page, Failure> {
        self.sidecar.query("users_page", &json!({ "after": after, "limit": limit })).await
    }

    /// Stores what became of a user with what that leaves in the audit, and `others` in the same transaction; answers
    /// the user's version.
    pub async fn replace(
        &self,
        loaded: &Loaded,
        user: &User,
        others: Vec<Write>,
        entries: &[Entry],
    ) -> Result<u64, Failure> {
        let document = loaded.stored.document.next(UserData::of(user), Vec::new());
        let document = entries.iter().try_fold(document, Document::audited)?;
        let version = document.version;
        let mut writes = vec![Write::replace(user.id, &loaded.stored, document)?];
        writes.extend(others);
        self.documents.save(writes).await?;
        Ok(version)
    }
}

impl Loaded {
    /// Their version.
    pub fn version(&self) -> u64 {
        self.stored.document.version
    }

    /// The user with their version.
    pub fn versioned(&self) -> Versioned {
        Versioned { user: self.user.clone(), version: self.version() }
    }

    /// The hash of what was asked by the request with this key, if it made the user.
    pub fn made_by(&self, key: Uuid) -> Option<Uuid> {
        let requests = &self.stored.document.requests;
        requests.iter().find(|request| request.key == key && request.version == 1).map(|request| request.hash)
    }
}

impl UserData {
    fn of(user: &User) -> Self {
        Self {
            email: user.email.as_str().to_owned(),
            role: user.role,
            password_hash: user.password.to_phc(),
            active: user.active,
            epoch: user.epoch,
            one_time_until: user.one_time_until,
            short_password: user.short_password,
            totp: user.second_factor.clone().map(|SecondFactor { sealed, last_step, recovery }| TotpData {
                sealed,
                last_step,
                recovery,
            }),
            pending_totp: user.pending_factor.clone(),
            created_at: user.created_at,
        }
    }
}

/// What is stored goes through the same door as a request; what does not fit is our mistake and not the caller's.
fn user(id: Uuid, data: &UserData) -> Result<User, Failure> {
    let unreadable = |part| Failure::Bug(format!("{part} of user/{id} does not read as it was written"));
    Ok(User {
        id,
        email: EmailAddress::parse(&data.email).map_err(|_| unreadable("the address"))?,
        role: data.role,
        password: PasswordHash::parse(&data.password_hash).ok_or_else(|| unreadable("the hash"))?,
        active: data.active,
        epoch: data.epoch,
        one_time_until: data.one_time_until,
        short_password: data.short_password,
        second_factor: data.totp.clone().map(|TotpData { sealed, last_step, recovery }| SecondFactor {
            sealed,
            last_step,
            recovery,
        }),
        pending_factor: data.pending_totp.clone(),
        created_at: data.created_at,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::password::{Password, SALT};

    #[test]
    fn a_user_reads_as_they_were_written() {
        let email = EmailAddress::parse("Ada@Clinic.example").unwrap();
        let password = Password::parse("correct horse battery").unwrap().hash(&[7; SALT]).unwrap();
        let ada = User::administrator(email, password, Timestamp::UNIX_EPOCH);
        let stored = serde_json::to_value(UserData::of(&ada)).unwrap();
        assert_eq!(
            stored,
            json!({ "email": "ada@clinic.example", "role": "admin", "passwordHash": ada.password.to_phc(),
                    "active": true, "epoch": 0, "createdAt": "1970-01-01T00:00:00Z" })
        );
        let mut earlier = stored.clone();
        earlier.as_object_mut().unwrap().remove("epoch");
        let earlier: UserData = serde_json::from_value(earlier).unwrap();
        assert_eq!(user(ada.id, &earlier).unwrap(), ada, "who was stored before there were sessions");

        let data: UserData = serde_json::from_value(stored).unwrap();
        assert_eq!(user(ada.id, &data).unwrap(), ada);

        let damaged = UserData { password_hash: "hunter2".to_owned(), ..data };
        let failure = user(ada.id, &damaged).unwrap_err().to_string();
        assert!(failure.contains(&ada.id.to_string()) && !failure.contains("hunter2"), "{failure}");
    }
}

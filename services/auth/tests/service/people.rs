//! People for tests, stored as the service stores them.

use access::Role;
use anyhow::Context as _;
use argon2::{Argon2, Params, password_hash::PasswordHasher as _};
use auth::{
    config::Config,
    domain::{
        email_address::EmailAddress,
        password::{Password, PasswordHash, SALT},
        user::User,
    },
    outbound::{sessions::Sessions, users::Users},
};
use jiff::Timestamp;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use sidecar::{Sidecar, documents::Documents};
use testkit::{Parts, Result};

use crate::sign_in;

pub(crate) const PASSWORD: &str = "gravel sonnet oblique teapot";

/// Somebody who can sign in with [`PASSWORD`].
pub(crate) struct Person {
    pub(crate) email: String,
    pub(crate) user: User,
}

/// What a sign-in or a refresh gave.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

pub(crate) fn users(parts: &Parts) -> Result<Users> {
    let sidecar = Sidecar::new(&Config::read(parts.environment(&[]))?.app.sidecar)?;
    Ok(Users::new(sidecar.clone(), Documents::silent(sidecar)))
}

pub(crate) fn sessions(parts: &Parts) -> Result<Sessions> {
    let sidecar = Sidecar::new(&Config::read(parts.environment(&[]))?.app.sidecar)?;
    Ok(Sessions::new(sidecar.clone(), Documents::silent(sidecar)))
}

/// Stores somebody new.
pub(crate) async fn person(parts: &Parts, name: &str, role: Role) -> Result<Person> {
    let password = Password::parse(PASSWORD).map_err(anyhow::Error::msg)?.hash(&[7; SALT])?;
    person_with(parts, name, role, password).await
}

/// Stores somebody whose password was hashed when hashes were cheaper.
pub(crate) async fn person_of_old(parts: &Parts, name: &str) -> Result<Person> {
    let cheap = Argon2::from(Params::new(4096, 1, 1, None).map_err(|error| anyhow::anyhow!("{error}"))?);
    let hash = cheap.hash_password_with_salt(PASSWORD.as_bytes(), &[7; SALT]);
    let hash = hash.map_err(|error| anyhow::anyhow!("{error}"))?.to_string();
    person_with(parts, name, Role::Nurse, PasswordHash::parse(&hash).context("a hash")?).await
}

/// What a session begins with.
pub(crate) fn login() -> audit::Entry {
    audit::Entry::new(audit::Action::Execute, "login")
}

async fn person_with(parts: &Parts, name: &str, role: Role, password: PasswordHash) -> Result<Person> {
    let email = format!("{name}@clinic.example");
    let address = EmailAddress::parse(&email).map_err(anyhow::Error::msg)?;
    let user = User { role, ..User::administrator(address, password, Timestamp::now()) };
    let made = audit::Entry::new(audit::Action::Create, "user-made");
    users(parts)?.create(&user, &made).await?;
    Ok(Person { email, user })
}

impl Person {
    /// Signs in, which has to succeed.
    pub(crate) async fn sign_in(&self, parts: &Parts) -> Result<Tokens> {
        self.sign_in_with(parts, PASSWORD).await
    }

    /// Signs in with another password, which has to succeed.
    pub(crate) async fn sign_in_with(&self, parts: &Parts, password: &str) -> Result<Tokens> {
        let (status, granted) = sign_in(parts, &self.email, password).await?;
        anyhow::ensure!(status == 200, "{status}: {granted}");
        Tokens::of(&granted)
    }
}

impl Tokens {
    pub(crate) fn of(granted: &Value) -> Result<Self> {
        let text = |name: &str| granted[name].as_str().map(str::to_owned).context("a token");
        Ok(Self { access: text("access_token")?, refresh: text("refresh_token")? })
    }

    /// The session, which both tokens name.
    pub(crate) fn session(&self) -> &str {
        self.refresh.split('.').next().unwrap_or_default()
    }

    /// A request of whoever holds the access token.
    pub(crate) fn request(&self, parts: &Parts, method: Method, path: &str) -> RequestBuilder {
        parts.request(method, path).bearer_auth(&self.access)
    }
}

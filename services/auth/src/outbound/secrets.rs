//! The secrets that this service needs.

use secrecy::ExposeSecret as _;
use sidecar::{Sidecar, failure::Failure};

use crate::domain::{
    email_address::EmailAddress,
    password::Password,
    sealing_key::SealingKey,
    signing_keys::{BadKeys, SigningKeys},
};

const SIGNING_KEY: &str = "signing-key";
const SEALING_KEY: &str = "sealing-key";
const ADMINISTRATOR_EMAIL: &str = "administrator-email";
const ADMINISTRATOR_PASSWORD: &str = "administrator-password";

/// Why a secret cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The signing keys are none.
    #[error("the secret signing-key cannot be used")]
    SigningKeys(#[source] BadKeys),
    /// The sealing key is none.
    #[error("the secret sealing-key is not 32 bytes in base64url")]
    SealingKey,
    /// One of the administrator's secrets is missing or breaks a rule.
    #[error("the secret {name} cannot be used: {fault}")]
    Administrator {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        fault: String,
    },
    /// The store.
    #[error("the secret store does not answer")]
    Store(#[from] Failure),
}

/// The secret store.
#[derive(Clone, Debug)]
pub struct Secrets {
    sidecar: Sidecar,
}

impl Secrets {
    /// Secrets in this sidecar's store.
    pub fn new(sidecar: Sidecar) -> Self {
        Self { sidecar }
    }

    /// The keys that access tokens are signed with.
    pub async fn signing_keys(&self) -> Result<Option<SigningKeys>, SecretError> {
        let Some(text) = self.sidecar.secret(SIGNING_KEY).await? else { return Ok(None) };
        SigningKeys::parse(text.expose_secret()).map(Some).map_err(SecretError::SigningKeys)
    }

    /// The key that hides what is kept.
    pub async fn sealing_key(&self) -> Result<Option<SealingKey>, SecretError> {
        let Some(text) = self.sidecar.secret(SEALING_KEY).await? else { return Ok(None) };
        SealingKey::parse(text.expose_secret()).map(Some).ok_or(SecretError::SealingKey)
    }

    /// Whom to make the administrator; none when nobody is wanted.
    pub async fn administrator(&self) -> Result<Option<(EmailAddress, Password)>, SecretError> {
        let email = self.sidecar.secret(ADMINISTRATOR_EMAIL).await?;
        let password = self.sidecar.secret(ADMINISTRATOR_PASSWORD).await?;
        let unusable = |name, fault: &str| SecretError::Administrator { name, fault: fault.to_owned() };
        match (email, password) {
            (None, None) => Ok(None),
            (None, Some(_)) => Err(unusable(ADMINISTRATOR_EMAIL, "it is missing")),
            (Some(_), None) => Err(unusable(ADMINISTRATOR_PASSWORD, "it is missing")),
            (Some(email), Some(password)) => {
                let email = EmailAddress::parse(email.expose_secret());
                let email = email.map_err(|fault| unusable(ADMINISTRATOR_EMAIL, fault))?;
                let password = Password::parse(password.expose_secret());
                let password = password.map_err(|fault| unusable(ADMINISTRATOR_PASSWORD, fault))?;
                Ok(Some((email, password)))
            }
        }
    }
}

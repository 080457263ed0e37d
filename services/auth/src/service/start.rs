//! What has to happen before anybody can sign in. The service listens meanwhile, and its readiness says what is missing.

use std::{
    error::Error,
    iter,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use access::AccessTokens;
use jiff::Timestamp;

use super::{
    Directory,
    administrator::{Administrator, AdministratorError},
    chance::{self, NoChance},
    signing,
};
use crate::outbound::secrets::{SecretError, Secrets};

/// A sidecar starts after its service, and a store may be away for a while.
pub(super) const SOON: Duration = Duration::from_millis(250);

/// Fetches the keys and makes the administrator, however long it takes; then looks after the signing keys for ever.
pub async fn prepare(directory: Arc<Directory>, tokens: Arc<AccessTokens>, secrets: Secrets) {
    tokio::join!(
        signing::keep(&directory, &tokens, &secrets),
        fetch_sealing_key(&directory, &secrets),
        settle_administrator(&directory, &secrets)
    );
}

async fn fetch_sealing_key(directory: &Directory, secrets: &Secrets) {
    let mut said = Said::default();
    loop {
        match secrets.sealing_key().await {
            Ok(Some(key)) => {
                let _ = directory.sealing.set(key);
                return;
            }
            Ok(None) => said.once(&StartError::NoSealingKey),
            Err(error) => said.once(&error),
        }
        tokio::time::sleep(SOON).await;
    }
}

async fn settle_administrator(directory: &Directory, secrets: &Secrets) {
    let mut said = Said::default();
    loop {
        match make_administrator(directory, secrets).await {
            Ok(Some(Administrator::Made(user_id))) => tracing::info!(%user_id, "the administrator was made"),
            Ok(Some(Administrator::AlreadyThere(user_id))) => tracing::debug!(%user_id, "the administrator is there"),
            Ok(None) => tracing::warn!(
                "no secrets administrator-email and administrator-password: unless there are users, nobody can sign in"
            ),
            Err(error) if error.may_pass() => {
                said.once(&error);
                tokio::time::sleep(SOON).await;
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "no administrator was made: unless there are users, nobody can sign in");
            }
        }
        directory.administrator_settled.store(true, Ordering::Relaxed);
        return;
    }
}

async fn make_administrator(directory: &Directory, secrets: &Secrets) -> Result<Option<Administrator>, StartError> {
    let Some((email, password)) = secrets.administrator().await? else { return Ok(None) };
    let salt = chance::bytes()?;
    Ok(Some(directory.make_administrator(email, password, salt, Timestamp::now()).await?))
}

#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error(transparent)]
    Administrator(#[from] AdministratorError),
    #[error("the secret sealing-key is missing")]
    NoSealingKey,
    #[error(transparent)]
    Chance(#[from] NoChance),
}

impl StartError {
    /// Whether another try may end otherwise.
    fn may_pass(&self) -> bool {
        match self {
            Self::Secret(error) => matches!(error, SecretError::Store(_)),
            Self::Administrator(AdministratorError::Weak(_)) => false,
            Self::Administrator(_) | Self::NoSealingKey | Self::Chance(_) => true,
        }
    }
}

/// What was logged last: a sidecar that is away is worth a line, not four a second.
#[derive(Default)]
pub(super) struct Said(String);

impl Said {
    fn once(&mut self, error: &dyn Error) {
        self.that(error, "nobody can sign in yet");
    }

    /// Says what is wrong and what follows from it, unless that was the last that was said.
    pub(super) fn that(&mut self, error: &dyn Error, consequence: &str) {
        let causes: Vec<_> = iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
        let causes = causes.join(": ");
        if causes != self.0 {
            tracing::warn!(error = causes, "{consequence}");
            self.0 = causes;
        }
    }
}

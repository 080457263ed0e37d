//! Second factors: enrolling, confirming, taking away.

use access::Caller;
use jiff::Timestamp;
use sidecar::failure::Failure;
use uuid::Uuid;

use super::{
    AttemptError, Directory,
    chance::{self, NoChance},
    deeds::{self, Deed},
    proof::ProofError,
    sessions::TRIES,
};
use crate::domain::{
    password::Password,
    second_factor::{Otp, SECRET, SecondFactor, provisioning},
    user::User,
};

/// What an application shows beside the codes.
const ISSUER: &str = "Patient Management";

/// What its owner needs to set a second factor up.
#[derive(Debug)]
pub struct Enrolment {
    /// The secret, in base32.
    pub secret: String,
    /// The same as an address that applications read.
    pub uri: String,
}

/// Why a second factor is not set up or taken away.
#[derive(Debug, thiserror::Error)]
pub enum FactorError {
    /// There is no such user.
    #[error("there is no such user")]
    Unknown,
    /// The password does not prove who they are.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// There is one already.
    #[error("there is a second factor already")]
    Enrolled,
    /// There is none, or none to confirm.
    #[error("there is no second factor")]
    NotEnrolled,
    /// The code is another one.
    #[error("wrong code")]
    WrongCode,
    /// The password is too short to stand alone.
    #[error("the password is too short to stand alone")]
    ShortPassword,
    /// Too many have failed before.
    #[error(transparent)]
    Attempt(#[from] AttemptError),
    /// Random numbers.
    #[error(transparent)]
    Chance(#[from] NoChance),
    /// A secret does not open or seal.
    #[error("the second factor of user {0} cannot be sealed or opened")]
    Sealed(Uuid),
    /// The store.
    #[error(transparent)]
    Store(#[from] Failure),
}

impl Directory {
    /// Draws a secret for the caller, who has to prove with a code that they have it.
    pub async fn enrol(
        &self,
        caller: &Caller,
        password: Password,
        address: Option<&str>,
    ) -> Result<Enrolment, FactorError> {
        self.prove_again(caller, password, address).await?;
        let secret: [u8; SECRET] = chance::bytes()?;
        let nonce = chance::bytes()?;
        let sealing = self.sealing_key().ok_or(AttemptError::NotReady)?;
        let sealed = sealing.seal(&secret, caller.subject, nonce).ok_or(FactorError::Sealed(caller.subject))?;
        let user = self
            .alter(caller.subject, None, None, |user| {
                if user.second_factor.is_some() {
                    return Err(FactorError::Enrolled);
                }
                Ok(User { pending_factor: Some(sealed.clone()), ..user.clone() })
            })
            .await?;
        let (secret, uri) = provisioning(&secret, ISSUER, user.email.as_str());
        Ok(Enrolment { secret, uri })
    }

    /// Makes the drawn secret the caller's second factor; answers the recovery codes, which nobody is told again.
    pub async fn confirm_factor(
        &self,
        caller: &Caller,
        otp: &Otp,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<Vec<String>, FactorError> {
        let attempt = self.attempt(caller.subject, address).await?;
        let mut random = [[0; _]; _];
        for random in &mut random {
            *random = chance::bytes()?;
        }
        let mut codes = Vec::new();
        let deed = Deed::FactorSet { user: caller.subject };
        let confirmed = self.alter(caller.subject, Some(caller.session), Some(deed), |user| {
            let sealed = user.pending_factor.clone().ok_or(FactorError::NotEnrolled)?;
            let secret = self.open(user.id, &sealed)?;
            let (factor, shown) =
                SecondFactor::confirm(sealed, &secret, otp, &random, now).ok_or(FactorError::WrongCode)?;
            codes = shown;
            Ok(User { pending_factor: None, second_factor: Some(factor), ..user.end_sessions() })
        });
        let confirmed = confirmed.await;
        if let Err(FactorError::WrongCode) = confirmed {
            self.note(Deed::FactorRefused { user: caller.subject });
        } else {
            self.throttle.forgive(&attempt).await?;
        }
        confirmed.map(|_| codes)
    }

    /// Takes the caller's second factor away.
    pub async fn remove_factor(
        &self,
        caller: &Caller,
        password: Password,
        address: Option<&str>,
        now: Timestamp,
    ) -> Result<(), FactorError> {
        self.prove_again(caller, password, address).await?;
        let deed = Deed::FactorRemoved { by: caller.subject, user: caller.subject };
        self.alter(caller.subject, Some(caller.session), Some(deed), |user| {
            if user.second_factor.is_none() {
                return Err(FactorError::NotEnrolled);
            }
            if user.short_password {
                return Err(FactorError::ShortPassword);
            }
            Ok(user.without_factor(now))
        })
        .await?;
        Ok(())
    }

    /// Takes a user's second factor away, who has lost it, on behalf of `by`.
    pub async fn reset_factor(&self, by: Uuid, id: Uuid, now: Timestamp) -> Result<(), FactorError> {
        let deed = Deed::FactorRemoved { by, user: id };
        let removed = self.alter(id, None, Some(deed), |user| {
            if user.second_factor.is_none() && user.pending_factor.is_none() {
                return Err(FactorError::NotEnrolled);
            }
            Ok(user.without_factor(now))
        });
        match removed.await {
            // Gone is gone, and the user's sessions need not end once more.
            Ok(_) | Err(FactorError::NotEnrolled) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Opens a sealed secret.
    pub(super) fn open(&self, user: Uuid, sealed: &str) -> Result<Vec<u8>, FactorError> {
        let sealing = self.sealing_key().ok_or(AttemptError::NotReady)?;
        sealing.open(sealed, user).ok_or(FactorError::Sealed(user))
    }

    /// Has the caller prove once more who they are.
    async fn prove_again(&self, caller: &Caller, password: Password, address: Option<&str>) -> Result<(), FactorError> {
        let user = self.users.get(caller.subject).await?.ok_or(FactorError::Unknown)?.user;
        Ok(self.prove(&user, password, address, Deed::PasswordRefused { user: user.id }).await?)
    }

    /// Alters a user, whatever others do meanwhile, and says so by `deed`; the session goes on in the user's new epoch.
    async fn alter(
        &self,
        id: Uuid,
        session: Option<Uuid>,
        deed: Option<Deed>,
        mut change: impl FnMut(&User) -> Result<User, FactorError>,
    ) -> Result<User, FactorError> {
        let entries: Vec<_> = deed.into_iter().map(deeds::entry).collect();
        let mut tried = 0;
        loop {
            tried += 1;
            let loaded = self.users.get(id).await?.ok_or(FactorError::Unknown)?;
            let changed = change(&loaded.user)?;
            let own = match session {
                Some(session) => self.carry(session, &loaded.user, &changed).await?,
                None => None,
            };
            match self.users.replace(&loaded, &changed, own.into_iter().collect(), &entries).await {
                Ok(_) => {
                    deed.into_iter().for_each(deeds::done);
                    return Ok(changed);
                }
                Err(Failure::Changed | Failure::Again) if tried < TRIES => {}
                Err(failure) => return Err(failure.into()),
            }
        }
    }
}

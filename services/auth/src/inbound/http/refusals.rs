//! What the caller is told when a use case refuses: one exhaustive match each.

use std::time::Duration;

use problem::{Kind, Problem};

use sidecar::failure::Failure;

use super::request::not_found;
use crate::domain::{session, user::Refusal};
use crate::outbound::throttle::Throttled;
use crate::service::{
    AttemptError,
    browser::BrowserError,
    factors::FactorError,
    hashing::Busy,
    login::{GrantError, LoginError},
    passwords::PasswordError,
    proof::ProofError,
    sessions::RefreshError,
    users::UserError,
};

/// Most of the queue is gone by then.
const COME_BACK: Duration = Duration::from_secs(1);

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            // Only who knows the password learns that a code is missing.
            LoginError::Refused(refusal @ Refusal::NoCode(_)) => {
                Self::new(Kind::Unauthenticated, "Send the code of the second factor, too, as `otp`.")
                    .with_slug("otp-required")
                    .with_cause(refusal)
            }
            // The same words for each refusal: they must not tell who exists.
            LoginError::Refused(refusal) => {
                Self::new(Kind::Unauthenticated, "The e-mail address or the password is wrong.")
                    .with_slug("invalid-credentials")
                    .with_cause(refusal)
            }
            LoginError::Attempt(error) => error.into(),
            LoginError::Busy(busy) => busy.into(),
            LoginError::Hash(_) => Self::internal(error),
            LoginError::Factor(error) => error.into(),
            LoginError::Grant(error) => error.into(),
            LoginError::Store(failure) => failure.into(),
            LoginError::Unrecorded(problem) => problem,
        }
    }
}

impl From<AttemptError> for Problem {
    fn from(error: AttemptError) -> Self {
        match error {
            // Whether there is such a user is not told: those who are none are counted, too.
            AttemptError::Throttled(Throttled::Wait(wait)) => {
                let mut problem = Self::new(Kind::RateLimited, "Too many tries have failed; wait before the next.");
                problem.retry_after = Some(wait);
                problem.with_slug("too-many-tries").with_cause(error)
            }
            AttemptError::Throttled(Throttled::Store(failure)) => failure.into(),
            AttemptError::NotReady => Self::unavailable(error),
        }
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Self {
        let mut problem = Self::new(Kind::RateLimited, "Too many are signing in at once; try again in a moment.");
        problem.retry_after = Some(COME_BACK);
        problem.with_cause(busy)
    }
}

impl From<GrantError> for Problem {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::NotReady => Self::unavailable(error),
            GrantError::Chance(_) | GrantError::Signature(_) => Self::internal(error),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            // The same words for each refusal: whoever has a stolen token learns nothing of its session.
            RefreshError::Refused(refusal) => Self::new(Kind::Unauthenticated, "The session is over; sign in again.")
                .with_slug("session-over")
                .with_cause(refusal),
            RefreshError::Grant(error) => error.into(),
            RefreshError::Store(failure) => failure.into(),
        }
    }
}

impl From<ProofError> for Problem {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Wrong => Self::invalid_field("/password", "is not the present password")
                .with_slug("invalid-credentials")
                .with_cause(error),
            ProofError::Attempt(error) => error.into(),
            ProofError::Busy(busy) => busy.into(),
            ProofError::Hash(_) => Self::internal(error),
            ProofError::Store(failure) => failure.into(),
            ProofError::Unrecorded(problem) => problem,
        }
    }
}

impl From<BrowserError> for Problem {
    fn from(error: BrowserError) -> Self {
        match error {
            BrowserError::Refused(session::Refusal::Locked(_)) => {
                Self::new(Kind::Unauthenticated, "The session is locked; unlock it by POST /auth/session/unlock.")
                    .with_slug("session-locked")
                    .with_cause(error)
            }
            BrowserError::Refused(refusal) => RefreshError::Refused(refusal).into(),
            BrowserError::Proof(error) => error.into(),
            BrowserError::Grant(error) => error.into(),
            BrowserError::Store(failure) => failure.into(),
        }
    }
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Unknown => not_found(),
            FactorError::Proof(error) => error.into(),
            FactorError::WrongCode => {
                Self::invalid_field("/otp", "is not a code of the drawn secret").with_slug("wrong-code")
            }
            FactorError::Enrolled => Self::new(Kind::Conflict, "There is a second factor already; take it away first.")
                .with_slug("already-enrolled"),
            FactorError::NotEnrolled => {
                Self::new(Kind::Conflict, "There is no second factor; POST /auth/mfa/totp begins one.")
                    .with_slug("not-enrolled")
            }
            FactorError::ShortPassword => {
                Self::new(Kind::Conflict, "The password is too short to stand alone; choose a longer one first.")
                    .with_slug("short-password")
            }
            FactorError::Attempt(error) => error.into(),
            FactorError::Chance(_) | FactorError::Sealed(_) => Self::internal(error),
            FactorError::Store(failure) => failure.into(),
        }
    }
}

impl From<UserError> for Problem {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Unknown => not_found(),
            UserError::Taken => Self::new(Kind::Conflict, "Somebody has this e-mail address already.")
                .with_slug("address-taken")
                .with_error("/email", "belongs to another user"),
            UserError::KeyReused => {
                Self::invalid_field("Idempotency-Key", "was used with another body").with_slug("idempotency-key-reused")
            }
            UserError::Stale { current } => Self::new(
                Kind::PreconditionFailed,
                "Somebody has changed the user since; read it again and decide anew.",
            )
            .with("version", current),
            UserError::LastAdministrator => {
                Self::new(Kind::Conflict, "It is the last active administrator; make another one first.")
                    .with_slug("last-administrator")
            }
            UserError::Weak(weak) => Self::invalid_field("/password", weak.to_string()).with_slug("weak-password"),
            UserError::Busy(busy) => busy.into(),
            UserError::Hash(_) | UserError::Chance(_) => Self::internal(error),
            UserError::Store(Failure::Changed) => {
                Self::new(Kind::PreconditionFailed, "The user is being changed by others; read it again.")
            }
            UserError::Store(failure) => failure.into(),
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Unknown => {
                Self::new(Kind::Unauthenticated, "The access token is not valid; sign in again.").with_cause(error)
            }
            PasswordError::Wrong => Self::invalid_field("/current", "is not the present password")
                .with_slug("invalid-credentials")
                .with_cause(error),
            PasswordError::Same => Self::invalid_field("/new", "must be another than the present one"),
            PasswordError::Weak(weak) => Self::invalid_field("/new", weak.to_string()).with_slug("weak-password"),
            PasswordError::Attempt(error) => error.into(),
            PasswordError::Busy(busy) => busy.into(),
            PasswordError::Hash(_) | PasswordError::Chance(_) => Self::internal(error),
            PasswordError::Store(failure) => failure.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[test]
    fn every_refusal_has_the_same_words() {
        let id = Uuid::from_u128(7);
        let told = [
            Refusal::Unknown,
            Refusal::WrongPassword(id),
            Refusal::Inactive(id),
            Refusal::RanOut(id),
            Refusal::WrongCode(id),
        ]
        .map(|refusal| Problem::from(LoginError::Refused(refusal)).to_json());
        assert_eq!(told[0]["status"], 401);
        assert_eq!(told[0]["type"], "urn:patient-management:problem:invalid-credentials");
        assert!(told.iter().all(|other| other == &told[0]), "{told:?}");
    }

    #[test]
    fn a_session_that_is_not_renewed_does_not_say_why() {
        use session::Refusal::{Ended, Expired, Idle, Inactive, Outdated, Reused, Unknown, Unreadable};
        let id = Uuid::from_u128(7);
        let told = [Unreadable, Unknown, Ended(id), Outdated(id), Inactive(id), Idle(id), Expired(id), Reused(id)]
            .map(|refusal| Problem::from(RefreshError::Refused(refusal)).to_json());
        assert_eq!(told[0]["status"], 401);
        assert!(told.iter().all(|other| other == &told[0]), "{told:?}");
    }

    #[test]
    fn who_is_too_many_is_told_when_to_come_back() {
        let problem = Problem::from(LoginError::Busy(Busy));
        assert_eq!((problem.kind, problem.retry_after), (Kind::RateLimited, Some(COME_BACK)));
    }
}

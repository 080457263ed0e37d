//! What the caller is told when a use case refuses: one exhaustive match each.

use std::time::Duration;

use problem::{Kind, Problem};

use crate::service::login::LoginError;

/// Most of the queue is gone by then.
const COME_BACK: Duration = Duration::from_secs(1);

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            // The same words for each refusal: they must not tell who exists.
            LoginError::Refused(refusal) => {
                Self::new(Kind::Unauthenticated, "The e-mail address or the password is wrong.")
                    .with_slug("invalid-credentials")
                    .with_cause(refusal)
            }
            LoginError::Busy(busy) => {
                let mut problem =
                    Self::new(Kind::RateLimited, "Too many are signing in at once; try again in a moment.");
                problem.retry_after = Some(COME_BACK);
                problem.with_cause(busy)
            }
            LoginError::NotReady => Self::unavailable(error),
            LoginError::Hash(_) | LoginError::Signature(_) => Self::internal(error),
            LoginError::Store(failure) => failure.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{domain::user::Refusal, service::hashing::Busy};

    #[test]
    fn every_refusal_has_the_same_words() {
        let id = Uuid::from_u128(7);
        let told = [Refusal::Unknown, Refusal::WrongPassword(id), Refusal::Inactive(id)]
            .map(|refusal| Problem::from(LoginError::Refused(refusal)).to_json());
        assert_eq!(told[0]["status"], 401);
        assert_eq!(told[0]["type"], "urn:patient-management:problem:invalid-credentials");
        assert!(told.iter().all(|other| other == &told[0]), "{told:?}");
    }

    #[test]
    fn who_is_too_many_is_told_when_to_come_back() {
        let problem = Problem::from(LoginError::Busy(Busy));
        assert_eq!((problem.kind, problem.retry_after), (Kind::RateLimited, Some(COME_BACK)));
    }
}

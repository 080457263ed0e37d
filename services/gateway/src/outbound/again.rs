//! A second attempt at what is safe to ask twice.
//!
//! A service may run as several instances, and one that is killed takes the requests under way with it.
//! The sidecar sends the next attempt to another one, so a single repetition at once is all that it takes to keep that
//! from the public.

use std::{
    error::Error as _,
    sync::OnceLock,
    time::{Duration, Instant},
};

use opentelemetry::{KeyValue, global, metrics::Counter};
use problem::Problem;

/// A service answers within this, or the public is told to come back.
pub(crate) const DEADLINE: Duration = Duration::from_secs(5);

/// How much of it the first of two attempts has: more than any answer takes, less than leaves nothing for the second.
const FIRST: Duration = Duration::from_secs(3);

/// Why there is no success.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The service was not reached or fell silent: whether it did what it was asked to is unknown.
    Unknown(Problem),
    /// It, or the sidecar on its behalf, has said no.
    Refused(Problem),
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unknown(problem) | Failure::Refused(problem) => problem,
        }
    }
}

/// Asks `app` within the time that it is given, and when the outcome is unknown once more, at once and never again.
///
/// Both attempts together keep the one deadline.
pub(crate) async fn at_most_twice<T, F>(app: &'static str, ask: impl Fn(Duration) -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Failure>>,
{
    let begun = Instant::now();
    match ask(FIRST).await {
        Ok(answer) => Ok(answer),
        Err(Failure::Refused(problem)) => Err(problem),
        Err(Failure::Unknown(problem)) => {
            let cause = problem.source().map(ToString::to_string);
            tracing::info!(app, cause, "the outcome is unknown; asking once more");
            repeated().add(1, &[KeyValue::new("app", app)]);
            Ok(ask(DEADLINE.saturating_sub(begun.elapsed())).await?)
        }
    }
}

fn repeated() -> &'static Counter<u64> {
    static REPEATED: OnceLock<Counter<u64>> = OnceLock::new();
    REPEATED.get_or_init(|| {
        global::meter("gateway")
            .u64_counter("gateway.requests.repeated")
            .with_description("requests that were sent once more because the outcome was unknown")
            .build()
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use problem::Kind;

    use super::*;

    /// Answers with what is given, one after the other; also the time that each attempt was given.
    async fn asked(answers: Vec<Result<(), Failure>>) -> (Result<(), Problem>, Vec<Duration>) {
        let (answers, limits) = (Mutex::new(answers.into_iter()), Mutex::default());
        let outcome = at_most_twice("x", |limit: Duration| {
            let (answers, limits): (_, &Mutex<Vec<Duration>>) = (&answers, &limits);
            async move {
                limits.lock().unwrap().push(limit);
                answers.lock().unwrap().next().unwrap()
            }
        })
        .await;
        (outcome, limits.into_inner().unwrap())
    }

    fn unknown() -> Result<(), Failure> {
        Err(Failure::Unknown(Problem::unavailable("gone")))
    }

    #[tokio::test]
    async fn an_unknown_outcome_is_asked_for_once_more_within_the_one_deadline() {
        let (outcome, limits) = asked(vec![unknown(), Ok(())]).await;
        assert!(outcome.is_ok());
        assert_eq!(limits[0], FIRST);
        assert!(limits[1] <= DEADLINE && limits[1] > DEADLINE.saturating_sub(FIRST), "{limits:?}");
    }

    #[tokio::test]
    async fn nothing_is_asked_a_third_time() {
        let (outcome, limits) = asked(vec![unknown(), unknown(), Ok(())]).await;
        assert_eq!((outcome.unwrap_err().kind, limits.len()), (Kind::Unavailable, 2));
    }

    #[tokio::test]
    async fn an_answer_is_an_answer_whatever_it_says() {
        let refused = || Err(Failure::Refused(Problem::unavailable("its database is away")));
        let (outcome, limits) = asked(vec![refused(), Ok(())]).await;
        assert_eq!((outcome.unwrap_err().kind, limits.len()), (Kind::Unavailable, 1));
        let (outcome, limits) = asked(vec![unknown(), refused(), Ok(())]).await;
        assert_eq!((outcome.unwrap_err().kind, limits.len()), (Kind::Unavailable, 2));
        assert_eq!(asked(vec![Ok(()), Ok(())]).await.1.len(), 1);
    }
}

//! What a request passes on its way to its handler, and its answer on the way back.
//!
//! `axum::middleware::from_fn` puts a box around each function and copies all that comes after it, for each request.
//! Steps are functions in functions: however many there are, one layer of them is one box.

use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use tower::{Layer, Service, ServiceExt as _};

/// A step on the way. Several are one, the outermost first: `(first, second)`; and `()` is none.
pub trait Step: Send + Sync + 'static {
    /// Takes a request, on to what comes next or not.
    fn take(&self, request: Request, next: impl Next) -> impl Future<Output = Response> + Send;
}

/// What comes after a step.
pub trait Next: Send {
    /// Answers the request.
    fn run(self, request: Request) -> impl Future<Output = Response> + Send;
}

/// A layer of steps around routes.
#[derive(Debug)]
pub struct Steps<S>(Arc<S>);

/// Routes behind steps.
#[derive(Debug)]
pub struct Behind<S, I> {
    steps: Arc<S>,
    inner: I,
}

/// A step with all that comes after it.
struct Then<'a, S, N> {
    step: &'a S,
    next: N,
}

/// The end of the way.
pub(crate) struct End<I>(pub(crate) I);

impl<S: Step> Steps<S> {
    /// A layer of this step.
    pub fn of(step: S) -> Self {
        Self(Arc::new(step))
    }
}

impl<S> Clone for Steps<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S, I: Clone> Clone for Behind<S, I> {
    fn clone(&self) -> Self {
        Self { steps: Arc::clone(&self.steps), inner: self.inner.clone() }
    }
}

impl<S, I> Layer<I> for Steps<S> {
    type Service = Behind<S, I>;

    fn layer(&self, inner: I) -> Behind<S, I> {
        Behind { steps: Arc::clone(&self.0), inner }
    }
}

impl<S, I> Service<Request> for Behind<S, I>
where
    S: Step,
    I: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Clone + Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        // The end of the way waits until what is there is ready.
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Self { steps, inner } = self.clone();
        Box::pin(async move { Ok(steps.take(request, End(inner)).await) })
    }
}

impl<I> Next for End<I>
where
    I: Service<Request, Response: IntoResponse, Error = Infallible, Future: Send> + Send,
{
    async fn run(self, request: Request) -> Response {
        match self.0.oneshot(request).await {
            Ok(answer) => answer.into_response(),
            Err(never) => match never {},
        }
    }
}

impl<S: Step, N: Next> Next for Then<'_, S, N> {
    fn run(self, request: Request) -> impl Future<Output = Response> + Send {
        self.step.take(request, self.next)
    }
}

impl Step for () {
    fn take(&self, request: Request, next: impl Next) -> impl Future<Output = Response> + Send {
        next.run(request)
    }
}

impl<S: Step> Step for Arc<S> {
    fn take(&self, request: Request, next: impl Next) -> impl Future<Output = Response> + Send {
        S::take(self, request, next)
    }
}

impl<A: Step, B: Step> Step for (A, B) {
    fn take(&self, request: Request, next: impl Next) -> impl Future<Output = Response> + Send {
        self.0.take(request, Then { step: &self.1, next })
    }
}

impl<A: Step, B: Step, C: Step> Step for (A, B, C) {
    fn take(&self, request: Request, next: impl Next) -> impl Future<Output = Response> + Send {
        self.0.take(request, Then { step: &self.1, next: Then { step: &self.2, next } })
    }
}

impl<A: Step, B: Step, C: Step, D: Step> Step for (A, B, C, D) {
    fn take(&self, request: Request, next: impl Next) -> impl Future<Output = Response> + Send {
        let next = Then { step: &self.2, next: Then { step: &self.3, next } };
        self.0.take(request, Then { step: &self.1, next })
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, routing::get};
    use http_body_util::BodyExt as _;

    use super::*;

    /// Adds its letter to the path on the way in, and to the answer on the way back.
    struct Letter(char);

    impl Step for Letter {
        async fn take(&self, mut request: Request, next: impl Next) -> Response {
            let seen = request.extensions_mut().get_or_insert_default::<String>();
            seen.push(self.0);
            let mut answer = next.run(request).await;
            answer.extensions_mut().get_or_insert_default::<String>().push(self.0);
            answer
        }
    }

    /// Lets nobody on.
    struct Closed;

    impl Step for Closed {
        async fn take(&self, _: Request, _: impl Next) -> Response {
            "closed".into_response()
        }
    }

    async fn passed(steps: impl Step) -> (String, String) {
        let seen = |request: Request| async move { request.extensions().get::<String>().cloned().unwrap_or_default() };
        let app = Router::new().route("/", get(seen)).layer(Steps::of(steps));
        let answer = app.oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap();
        let back = answer.extensions().get::<String>().cloned().unwrap_or_default();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (String::from_utf8(body.to_vec()).unwrap(), back)
    }

    #[tokio::test]
    async fn the_first_is_the_outermost() {
        let told = |there: &str, back: &str| (there.to_owned(), back.to_owned());
        assert_eq!(passed(()).await, told("", ""));
        assert_eq!(passed((Letter('a'), Letter('b'))).await, told("ab", "ba"));
        assert_eq!(passed((Letter('a'), Letter('b'), Letter('c'))).await, told("abc", "cba"));
        let nested = (Letter('a'), Arc::new((Letter('b'), ())), Letter('c'), Letter('d'));
        assert_eq!(passed(nested).await, told("abcd", "dcba"));
    }

    #[tokio::test]
    async fn a_step_need_not_lead_on() {
        assert_eq!(passed((Letter('a'), Closed, Letter('b'))).await, ("closed".to_owned(), "a".to_owned()));
    }
}

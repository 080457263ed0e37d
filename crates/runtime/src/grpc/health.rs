//! `grpc.health.v1.Health`: what `/readyz` says, of the app and so of each of its services.
//!
//! <https://github.com/grpc/grpc/blob/master/doc/health-checking.md>

use std::sync::Arc;

use futures::{
    StreamExt as _,
    stream::{BoxStream, unfold},
};
use tonic::{Request, Response, Status};
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse, health_check_response::ServingStatus, health_server};

use crate::readiness::{FRESH, Readiness};

/// The name of the app as a whole.
const WHOLE: &str = "";

/// The service `grpc.health.v1.Health`.
#[derive(Clone)]
pub(super) struct Health {
    readiness: Arc<Readiness>,
    names: Arc<[&'static str]>,
}

impl Health {
    /// The health of these services.
    pub(super) fn new(readiness: Arc<Readiness>, names: Vec<&'static str>) -> Self {
        Self { readiness, names: names.into() }
    }

    fn knows(&self, service: &str) -> bool {
        service == WHOLE || self.names.contains(&service)
    }

    async fn status(&self, service: &str) -> ServingStatus {
        match self.knows(service) {
            false => ServingStatus::ServiceUnknown,
            true if self.readiness.missing().await.is_empty() => ServingStatus::Serving,
            true => ServingStatus::NotServing,
        }
    }
}

#[tonic::async_trait]
impl health_server::Health for Health {
    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        if !self.knows(&service) {
            return Err(Status::not_found("there is no such service"));
        }
        Ok(Response::new(told(self.status(&service).await)))
    }

    type WatchStream = BoxStream<'static, Result<HealthCheckResponse, Status>>;

    /// Whoever watches looks as often as a look is a fresh one, and shares it with all others; the end of the service
    /// is the end of the watch, so that nobody is waited for.
    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Self::WatchStream>, Status> {
        let (health, service) = (self.clone(), request.into_inner().service);
        let watched = unfold((health, service, None), |(health, service, last)| async move {
            loop {
                let status = health.status(&service).await;
                if last != Some(status) {
                    return Some((Ok(told(status)), (health, service, Some(status))));
                }
                if health.readiness.is_draining() {
                    return None;
                }
                tokio::time::sleep(FRESH).await;
            }
        });
        Ok(Response::new(watched.boxed()))
    }
}

fn told(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use tonic_health::pb::health_server::Health as _;

    use super::*;

    const SERVED: &str = "a.v1.Things";

    /// The health of an app with one part, and the part's switch.
    fn health() -> (Health, Arc<AtomicBool>) {
        let there = Arc::new(AtomicBool::new(true));
        let part = Arc::clone(&there);
        let readiness =
            Readiness::default().needs("part", move || Box::pin(std::future::ready(part.load(Ordering::Relaxed))));
        (Health::new(Arc::new(readiness), vec![SERVED]), there)
    }

    fn request(service: &str) -> Request<HealthCheckRequest> {
        Request::new(HealthCheckRequest { service: service.to_owned() })
    }

    async fn next(watch: &mut BoxStream<'static, Result<HealthCheckResponse, Status>>) -> Option<ServingStatus> {
        let next = tokio::time::timeout(4 * FRESH, watch.next()).await;
        next.expect("a change is told at the next look").map(|told| told.unwrap().status())
    }

    #[tokio::test]
    async fn a_service_is_as_ready_as_its_app() {
        for there in [true, false] {
            let (health, part) = health();
            part.store(there, Ordering::Relaxed);
            let expected = if there { ServingStatus::Serving } else { ServingStatus::NotServing };
            for service in [WHOLE, SERVED] {
                let told = health.check(request(service)).await.unwrap().into_inner();
                assert_eq!(told.status(), expected, "{service:?}");
            }
            let unknown = health.check(request("a.v1.Others")).await.unwrap_err();
            assert_eq!(unknown.code(), tonic::Code::NotFound);
        }
    }

    #[tokio::test]
    async fn a_watch_tells_each_change_and_ends_with_the_service() {
        let (health, part) = health();
        let mut watch = health.watch(request(SERVED)).await.unwrap().into_inner();
        let mut unknown = health.watch(request("a.v1.Others")).await.unwrap().into_inner();
        assert_eq!(next(&mut watch).await, Some(ServingStatus::Serving));
        assert_eq!(next(&mut unknown).await, Some(ServingStatus::ServiceUnknown));
        part.store(false, Ordering::Relaxed);
        assert_eq!(next(&mut watch).await, Some(ServingStatus::NotServing));
        part.store(true, Ordering::Relaxed);
        assert_eq!(next(&mut watch).await, Some(ServingStatus::Serving));
        health.readiness.draining().store(true, Ordering::Relaxed);
        assert_eq!(next(&mut watch).await, Some(ServingStatus::NotServing));
        assert_eq!((next(&mut watch).await, next(&mut unknown).await), (None, None));
    }
}

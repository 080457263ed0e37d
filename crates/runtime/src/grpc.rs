//! The gRPC services of an app, and what tells of them: `grpc.reflection.v1` which there are, `grpc.health.v1` whether
//! they can serve.

mod health;

use std::{collections::BTreeSet, convert::Infallible, sync::Arc};

use ::http::Request;
use axum::response::IntoResponse;
use tonic::{body::Body, server::NamedService, service::Routes};
use tonic_health::pb::health_server::HealthServer;
use tower::Service;

use self::health::Health;
use crate::readiness::Readiness;

const HEALTH: &str = "grpc.health.v1.Health";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";

/// The gRPC services of an app, before they are complete.
#[derive(Debug)]
pub struct Services {
    descriptors: &'static [u8],
    routes: Routes,
    names: Vec<&'static str>,
}

/// The gRPC services of an app, for [`Server::new`](crate::server::Server::new).
#[derive(Debug)]
pub struct Served {
    routes: Routes,
    names: Vec<&'static str>,
}

/// The contracts are not those of the services.
#[derive(Debug, thiserror::Error)]
pub enum Undescribed {
    /// They do not read.
    #[error("the descriptors of the contracts do not read")]
    Unreadable(#[from] tonic_reflection::server::Error),
    /// A service is not in them.
    #[error("the contracts do not describe {0}, which is served")]
    Missing(&'static str),
}

impl Services {
    /// No service yet; `descriptors` are the contracts of those to come: an encoded `FileDescriptorSet` with all that it
    /// imports.
    pub fn described_by(descriptors: &'static [u8]) -> Self {
        Self { descriptors, routes: Routes::default(), names: Vec::new() }
    }

    /// Serves one more.
    #[must_use]
    pub fn serve<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes = self.routes.add_service(service);
        self
    }

    /// All of them, and reflection.
    pub fn finish(self) -> Result<Served, Undescribed> {
        let Self { descriptors, routes, mut names } = self;
        let described = services_in(descriptors).map_err(tonic_reflection::server::Error::from)?;
        if let Some(missing) = names.iter().find(|name| !described.contains(**name)) {
            return Err(Undescribed::Missing(missing));
        }
        names.extend([HEALTH, REFLECTION]);
        // The contracts have the services of other apps, too.
        let reflection = names.iter().fold(tonic_reflection::server::Builder::configure(), |reflection, name| {
            reflection.with_service_name(*name)
        });
        let reflection = reflection
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .build_v1()?;
        Ok(Served { routes: routes.add_service(reflection), names })
    }
}

impl Served {
    /// The routes of all of them, with a health that is the app's readiness.
    pub(crate) fn routes(self, readiness: &Arc<Readiness>) -> Routes {
        let health = Health::new(Arc::clone(readiness), self.names);
        self.routes.add_service(HealthServer::new(health))
    }
}

fn services_in(descriptors: &[u8]) -> Result<BTreeSet<String>, prost::DecodeError> {
    let files: prost_types::FileDescriptorSet = prost::Message::decode(descriptors)?;
    let of_file = |file: prost_types::FileDescriptorProto| {
        let package = file.package().to_owned();
        file.service.into_iter().map(move |service| format!("{package}.{}", service.name()))
    };
    Ok(files.file.into_iter().flat_map(of_file).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_the_contracts_do_not_have_is_not_served() {
        let health = || HealthServer::new(Health::new(Arc::default(), Vec::new()));
        let services = Services::described_by(tonic_health::pb::FILE_DESCRIPTOR_SET).serve(health());
        assert_eq!(services.finish().unwrap().names, [HEALTH, HEALTH, REFLECTION]);
        let services = Services::described_by(&[]).serve(health());
        assert!(matches!(services.finish(), Err(Undescribed::Missing(HEALTH))));
        assert!(matches!(Services::described_by(&[1]).finish(), Err(Undescribed::Unreadable(_))));
    }
}

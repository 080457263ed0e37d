//! The gRPC services.

mod figures;
pub mod read;
mod told;

use std::sync::Arc;

use access::AccessTokens;
use contracts::{DESCRIPTORS, analytics::v1::figures_server::FiguresServer};
use runtime::grpc::{Served, Services};

pub(crate) use self::figures::sees_no_person;
use crate::{inbound::reconciliation::Reconciler, service::Figures};

/// Every method of the service.
pub fn routes(figures: &Figures, reconciler: &Reconciler, tokens: &Arc<AccessTokens>) -> anyhow::Result<Served> {
    let figures = figures::FiguresService::new(figures.clone(), reconciler.clone(), Arc::clone(tokens))?;
    Ok(Services::described_by(DESCRIPTORS).serve(FiguresServer::new(figures)).finish()?)
}

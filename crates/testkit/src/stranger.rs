//! The app that is no part of the system and that its apps ask: whoever runs the system brings a clearing house along,
//! and a test one of its own.

use anyhow::Result;
use axum::{Router, routing::get};
use local::ports::Block;
use tokio::net::TcpListener;

use crate::{Parts, sidecar::Sidecars};

/// The app that payers are asked by.
const CLEARING_HOUSE: &str = "clearinghouse";
/// How its sidecar is set up.
const CONFIGURATION: &str = "../dapr/config/clearinghouse.yaml";
/// Where its block of ports begins, counted from the base, as dapr/access.yaml says.
const OFFSET: u16 = 80;

impl Sidecars {
    fn stranger_block(&self) -> Block {
        let app = self.ports.base() + OFFSET;
        Block { app, http: app + 1, grpc: app + 2, internal: app + 3, metrics: app + 4 }
    }
}

impl Parts {
    /// Starts the clearing house: these routes, behind a sidecar of its own.
    pub async fn start_clearing_house(&self, routes: Router) -> Result<()> {
        let sidecars = &self.0.sidecars;
        let block = sidecars.stranger_block();
        let listener = TcpListener::bind(("127.0.0.1", block.app)).await?;
        let routes = routes.route("/livez", get(|| async {}));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        let configuration = sidecars.in_repo(CONFIGURATION);
        sidecars.start_daprd(CLEARING_HOUSE, block, &configuration, &["../dapr".to_owned()], true)?;
        sidecars.ready_at(CLEARING_HOUSE, block).await
    }
}

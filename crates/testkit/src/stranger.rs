//! Apps that are no part of the system and that its apps ask: whoever runs the system brings them along, and a test the
//! one that it needs.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use axum::{Router, routing::get};
use local::{App, ports::Block};
use tokio::net::TcpListener;

use crate::{Parts, sidecar::Sidecars};

/// The app that payers are asked by.
const CLEARING_HOUSE: &str = "clearinghouse";

/// Where its block of ports begins, counted from the base; the system's own end before.
const OFFSET: u16 = 80;

/// Where a sidecar's configuration says which apps there are.
const APPS: &str = "      apps:\n";

impl Sidecars {
    /// The configuration of an app's sidecar, with the stranger among those that it finds.
    pub(crate) fn configuration(&self, app: App, path: &str) -> Result<PathBuf> {
        self.write_configuration(app.id(), &fs::read_to_string(self.in_repo(path))?)
    }

    /// The stranger's: as of an app without components, and whoever is there may ask it.
    fn configuration_of_stranger(&self) -> Result<PathBuf> {
        let gateway = fs::read_to_string(self.in_repo("../dapr/config/gateway.yaml"))?;
        let open = gateway.replacen("name: gateway", &format!("name: {CLEARING_HOUSE}"), 1);
        self.write_configuration(CLEARING_HOUSE, &open.replacen("defaultAction: deny", "defaultAction: allow", 1))
    }

    fn write_configuration(&self, id: &str, text: &str) -> Result<PathBuf> {
        let (before, after) = text.split_once(APPS).with_context(|| format!("{id} finds no apps"))?;
        let path = self.home.root().join(format!("{id}-configuration.yaml"));
        fs::write(&path, format!("{before}{APPS}        {CLEARING_HOUSE}: [{OFFSET}]\n{after}"))?;
        Ok(path)
    }

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
        let configuration = sidecars.configuration_of_stranger()?;
        sidecars.start_daprd(CLEARING_HOUSE, block, &configuration, &["../dapr".to_owned()], true)?;
        sidecars.ready_at(CLEARING_HOUSE, block).await
    }
}

//! The floor: one trivial program in the place of all five services.
//!
//! It makes the sidecar calls of a registration (`ARCHITECTURE.md`, "One registration"), and the transaction of a
//! payment, and does nothing else: no
//! token is verified, no body is read, nothing is traced or logged. What it stores is the least that the databases'
//! triggers take. So it is what the calls alone cost, in the same wiring: the same `dapr.yaml`, components, mTLS,
//! databases, triggers and topics.

mod consumers;
mod payment;
mod registration;

use std::{env, net::Ipv4Addr, path::Path};

use anyhow::{Context as _, Result};
use axum::{Router, routing::get};
use local::App;
use sidecar::Sidecar;
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> Result<()> {
    let program = env::args().next().unwrap_or_default();
    let name = Path::new(&program).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let app = App::parse(&name).with_context(|| format!("{name} is no app; this program is named after one"))?;
    let sidecar = Sidecar::new(&sidecar::Config {
        http_port: variable("DAPR_HTTP_PORT")?.parse()?,
        grpc_port: variable("DAPR_GRPC_PORT")?.parse()?,
        api_token: variable("DAPR_API_TOKEN")?.into(),
    })?;
    let routes = match app {
        // Neither has a part in what is measured.
        App::Auth | App::Clearinghouse => Router::new(),
        App::Gateway => registration::gateway(&sidecar).merge(payment::gateway(&sidecar)),
        App::Patient => registration::patient(&sidecar),
        App::Billing => payment::billing(&sidecar).merge(consumers::billing(&sidecar)),
        App::Analytics => consumers::analytics(&sidecar),
    };
    let routes = routes.route("/livez", get(|| async {})).route("/readyz", get(|| async {}));
    let own = serve(format!("{}:{}", Ipv4Addr::LOCALHOST, variable("APP_PORT")?), routes.clone());
    let public = async {
        match variable("PUBLIC_ADDRESS") {
            Ok(address) => serve(address, routes.clone()).await,
            Err(_) => Ok(()),
        }
    };
    tokio::try_join!(own, public).map(drop)
}

async fn serve(address: String, routes: Router) -> Result<()> {
    use axum::serve::ListenerExt as _;
    let listener = TcpListener::bind(address).await?.tap_io(|connection| {
        let _ = connection.set_nodelay(true);
    });
    Ok(axum::serve(listener, routes).await?)
}

#[expect(clippy::disallowed_methods, reason = "four variables are no configuration")]
fn variable(name: &str) -> Result<String> {
    env::var(name).with_context(|| format!("{name} is not set"))
}

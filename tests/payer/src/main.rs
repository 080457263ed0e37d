//! Plays a clearing house with the payers behind it, and answers wrongly on purpose.
//!
//! It is another company's program: it shares no code with the clinic's, is called by it through Dapr, and comes in at
//! the clinic's public door like anybody else.

mod claim;
mod clinic;
mod desk;
mod plan;
mod record;
#[cfg(test)]
mod sample;

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use clap::Parser;
use tokio::net::TcpListener;

use crate::{
    clinic::{Clinic, Credentials},
    desk::Desk,
};

/// A clearing house for tests and the demonstration.
#[derive(Parser)]
struct Arguments {
    /// Where its sidecar finds it.
    #[arg(long, env = "APP_PORT")]
    port: u16,
    /// What its sidecar shows it; without, anybody may ask.
    #[arg(long, env = "APP_API_TOKEN", hide_env_values = true)]
    api_token: Option<String>,
    /// The clinic's public door.
    #[arg(long, env = "PMS_URL")]
    url: String,
    /// The user that it is at the clinic's; may be told later by `PUT /credentials`.
    #[arg(long, env = "PMS_EMAIL", requires = "password")]
    email: Option<String>,
    #[arg(long, env = "PMS_PASSWORD", hide_env_values = true, requires = "email")]
    password: Option<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    tracing_subscriber::fmt().json().init();
    let arguments = Arguments::parse();
    let credentials = arguments.email.zip(arguments.password).map(|(email, password)| Credentials { email, password });
    let desk = Desk::new(Clinic::new(arguments.url, credentials)?, arguments.api_token);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, arguments.port));
    tracing::info!(%address, "the clearing house is open");
    Ok(axum::serve(TcpListener::bind(address).await?, desk.routes()).await?)
}

//! Settings; the README's table describes them.

use std::net::{Ipv4Addr, SocketAddr};

use runtime::{AppConfig, Environment, environment::BadEnvironment};

/// Where the public is served.
pub const ENV_PUBLIC_ADDRESS: &str = "PUBLIC_ADDRESS";
const DEFAULT_PUBLIC_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7400);

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
    /// Where the public is served; loopback unless told otherwise.
    pub public_address: SocketAddr,
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        let public_address = environment.optional(ENV_PUBLIC_ADDRESS).unwrap_or(DEFAULT_PUBLIC_ADDRESS);
        environment.finish(app.map(|app| Self { app, public_address }))
    }
}

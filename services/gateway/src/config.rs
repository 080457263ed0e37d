//! Settings; the README's table describes them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

use runtime::{AppConfig, Environment, environment::BadEnvironment, server::Public};

use crate::inbound::http::{
    headers::Origins,
    limits::{Settings, rate::Rate},
};

/// Where the public is served.
pub const ENV_PUBLIC_ADDRESS: &str = "PUBLIC_ADDRESS";
/// How many proxies of our own stand before it.
pub const ENV_TRUSTED_PROXIES: &str = "TRUSTED_PROXIES";
/// How much one address may ask.
pub const ENV_RATE_PER_ADDRESS: &str = "RATE_PER_ADDRESS";
/// How much of that may go to `/auth`.
pub const ENV_AUTH_RATE_PER_ADDRESS: &str = "AUTH_RATE_PER_ADDRESS";
/// How much one user may ask.
pub const ENV_RATE_PER_USER: &str = "RATE_PER_USER";
/// How many requests to one service may be under way.
pub const ENV_CONCURRENCY_PER_SERVICE: &str = "CONCURRENCY_PER_SERVICE";
/// How many may be signing in at once.
pub const ENV_SIGN_INS_AT_ONCE: &str = "SIGN_INS_AT_ONCE";
/// Whose pages may ask.
pub const ENV_CORS_ORIGINS: &str = "CORS_ORIGINS";
/// Where the page of the staff is.
pub const ENV_WEB_DIRECTORY: &str = "WEB_DIRECTORY";

const DEFAULT_PUBLIC_ADDRESS: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7400);
/// A whole clinic may come from one address.
const DEFAULT_RATE_PER_ADDRESS: Rate = Rate::new(1500, 30);
/// Its people sign in at the same hour.
const DEFAULT_AUTH_RATE_PER_ADDRESS: Rate = Rate::new(60, 60);
/// Ten a second, and what a page asks for at once.
const DEFAULT_RATE_PER_USER: Rate = Rate::new(300, 30);
/// More than any service has use for, few enough to hold when one hangs.
const DEFAULT_CONCURRENCY_PER_SERVICE: usize = 256;
/// Enough to keep some cores of `auth` busy, few enough for whoever else wants something at that moment.
const DEFAULT_SIGN_INS_AT_ONCE: usize = 4;

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
    /// Where the public is served; loopback unless told otherwise.
    pub public: Public,
    /// How much anybody may ask.
    pub limits: Settings,
    /// Whose pages may ask; nobody's unless told otherwise.
    pub cors_origins: Origins,
    /// Where the page of the staff is; none is served unless told otherwise.
    pub web_directory: Option<PathBuf>,
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        let public = Public {
            address: environment.optional(ENV_PUBLIC_ADDRESS).unwrap_or(DEFAULT_PUBLIC_ADDRESS),
            trusted_proxies: environment.optional(ENV_TRUSTED_PROXIES).unwrap_or_default(),
        };
        let limits = Settings {
            per_address: environment.optional(ENV_RATE_PER_ADDRESS).unwrap_or(DEFAULT_RATE_PER_ADDRESS),
            auth_per_address: environment.optional(ENV_AUTH_RATE_PER_ADDRESS).unwrap_or(DEFAULT_AUTH_RATE_PER_ADDRESS),
            per_user: environment.optional(ENV_RATE_PER_USER).unwrap_or(DEFAULT_RATE_PER_USER),
            per_service: environment.optional(ENV_CONCURRENCY_PER_SERVICE).unwrap_or(DEFAULT_CONCURRENCY_PER_SERVICE),
            sign_ins: environment.optional(ENV_SIGN_INS_AT_ONCE).unwrap_or(DEFAULT_SIGN_INS_AT_ONCE),
        };
        let cors_origins = environment.optional(ENV_CORS_ORIGINS).unwrap_or_default();
        let web_directory = environment.optional(ENV_WEB_DIRECTORY);
        environment.finish(app.map(|app| Self { app, public, limits, cors_origins, web_directory }))
    }
}

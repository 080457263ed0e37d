//! Settings; the README's table describes them.

use runtime::{AppConfig, Environment, environment::BadEnvironment};

/// Whether administrators and privacy officers need a second factor; only a set-up for trying things out says no.
const MFA_REQUIRED: &str = "MFA_REQUIRED";

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
    /// Whether some roles need a second factor.
    pub factor_required: bool,
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        let factor_required = environment.optional(MFA_REQUIRED).unwrap_or(true);
        environment.finish(app.map(|app| Self { app, factor_required }))
    }
}

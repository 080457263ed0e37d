//! Settings; the README's table describes them.

use runtime::{AppConfig, Environment, environment::BadEnvironment};

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        environment.finish(app.map(|app| Self { app }))
    }
}

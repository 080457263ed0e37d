//! Settings; the README's table describes them.

use runtime::{AppConfig, Environment, environment::BadEnvironment};

/// Every attempt is a new request; a test of the tests has to see what comes of it. No release program has it.
#[cfg(debug_assertions)]
pub const ENV_IGNORE_IDEMPOTENCY_KEYS: &str = "IGNORE_IDEMPOTENCY_KEYS";

/// The output binding that reminders are handed to; nobody is reminded without one.
pub const ENV_REMINDER_BINDING: &str = "REMINDER_BINDING";

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
    /// The output binding that reminders are handed to.
    pub reminder_binding: Option<String>,
    /// Whether an idempotency key is taken for a new one each time.
    #[cfg(debug_assertions)]
    pub ignore_idempotency_keys: bool,
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        let reminder_binding = environment.optional(ENV_REMINDER_BINDING);
        #[cfg(debug_assertions)]
        let ignore_idempotency_keys = environment.optional(ENV_IGNORE_IDEMPOTENCY_KEYS).unwrap_or(false);
        environment.finish(app.map(|app| Self {
            app,
            reminder_binding,
            #[cfg(debug_assertions)]
            ignore_idempotency_keys,
        }))
    }
}

//! Settings; the README's table describes them.

use std::{num::NonZeroU32, time::Duration};

use runtime::{AppConfig, Environment, environment::BadEnvironment};

use crate::domain::zone::ClinicZone;

/// Whose hours and days are counted, by its IANA name.
pub const ENV_CLINIC_TIME_ZONE: &str = "CLINIC_TIME_ZONE";
/// How long to wait before facts are compared again with what the producers have told.
pub const ENV_RECONCILE_EVERY_SECONDS: &str = "RECONCILE_EVERY_SECONDS";

const DEFAULT_RECONCILE_EVERY_SECONDS: NonZeroU32 = NonZeroU32::new(3_600).unwrap();

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
    /// Where the clinic is.
    pub zone: ClinicZone,
    /// How long after one time facts are compared again.
    pub reconcile_every: Duration,
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        let zone = environment.required(ENV_CLINIC_TIME_ZONE);
        let pause = environment.optional::<NonZeroU32>(ENV_RECONCILE_EVERY_SECONDS);
        let reconcile_every = Duration::from_secs(pause.unwrap_or(DEFAULT_RECONCILE_EVERY_SECONDS).get().into());
        environment.finish(app.zip(zone).map(|(app, zone)| Self { app, zone, reconcile_every }))
    }
}

#[cfg(test)]
mod tests {
    use runtime::environment::{
        ENV_APP_API_TOKEN, ENV_APP_PORT, ENV_DAPR_API_TOKEN, ENV_DAPR_GRPC_PORT, ENV_DAPR_HTTP_PORT,
    };

    use super::*;

    fn read(zone: &str) -> Result<Config, String> {
        let common = [ENV_APP_PORT, ENV_DAPR_HTTP_PORT, ENV_DAPR_GRPC_PORT, ENV_DAPR_API_TOKEN, ENV_APP_API_TOKEN];
        let variables = common.map(|name| (name, "1")).into_iter().chain([(ENV_CLINIC_TIME_ZONE, zone)]);
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Config::read(Environment::of(variables)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_clinic_is_in_a_zone_that_exists() {
        assert_eq!(read("America/New_York").unwrap().zone.name(), "America/New_York");
        for bad in ["", "America/Nowhere", "EST5EDT,M3.2.0,M11.1.0", "+05:00", "CET", "Etc/Unknown"] {
            assert!(read(bad).unwrap_err().contains(ENV_CLINIC_TIME_ZONE), "{bad}");
        }
    }
}

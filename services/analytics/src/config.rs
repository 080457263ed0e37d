//! Settings; the README's table describes them.

use runtime::{AppConfig, Environment, environment::BadEnvironment};

use crate::domain::zone::ClinicZone;

/// Whose hours and days are counted, by its IANA name.
pub const ENV_CLINIC_TIME_ZONE: &str = "CLINIC_TIME_ZONE";

/// The settings of this service.
#[derive(Clone, Debug)]
pub struct Config {
    /// What every service has.
    pub app: AppConfig,
    /// Where the clinic is.
    pub zone: ClinicZone,
}

impl Config {
    /// Reads the environment.
    pub fn read(mut environment: Environment) -> Result<Self, BadEnvironment> {
        let app = AppConfig::read(&mut environment);
        let zone = environment.required(ENV_CLINIC_TIME_ZONE);
        environment.finish(app.zip(zone).map(|(app, zone)| Self { app, zone }))
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

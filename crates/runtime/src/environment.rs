//! Settings from environment variables; nothing else in a service reads the environment.

use std::{collections::HashMap, fmt::Display, str::FromStr};

use secrecy::SecretString;

/// The port on loopback that the sidecar calls.
pub const ENV_APP_PORT: &str = "APP_PORT";
/// The sidecar's HTTP API on loopback.
pub const ENV_DAPR_HTTP_PORT: &str = "DAPR_HTTP_PORT";
/// The sidecar's gRPC API on loopback.
pub const ENV_DAPR_GRPC_PORT: &str = "DAPR_GRPC_PORT";
/// What the sidecar asks of the service.
pub const ENV_DAPR_API_TOKEN: &str = "DAPR_API_TOKEN";
/// What the service asks of the sidecar.
pub const ENV_APP_API_TOKEN: &str = "APP_API_TOKEN";
/// A filter of the `tracing` kind.
pub const ENV_LOG_LEVEL: &str = "LOG_LEVEL";
/// An OTLP collector; without it nothing is exported.
pub const ENV_OTLP_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";

const DEFAULT_LOG_LEVEL: &str = "info";

/// The environment, read once, with what is wrong with it.
#[derive(Debug)]
pub struct Environment {
    variables: HashMap<String, String>,
    wrong: Vec<String>,
}

/// Everything that is wrong with the environment.
#[derive(Debug, thiserror::Error)]
#[error("the environment is not complete: {}", .0.join("; "))]
pub struct BadEnvironment(Vec<String>);

impl Environment {
    /// The environment of the process.
    pub fn of_process() -> Self {
        Self::of(
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
        )
    }

    /// An environment made of these variables.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        Self { variables: variables.into_iter().collect(), wrong: Vec::new() }
    }

    /// A variable that may be absent.
    pub fn optional<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        let value = self.variables.get(name).filter(|value| !value.is_empty())?;
        match value.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                // The value may be a secret, so only its fault is named.
                self.wrong.push(format!("{name}: {error}"));
                None
            }
        }
    }

    /// A variable that has to be there.
    pub fn required<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        if self.variables.get(name).is_none_or(String::is_empty) {
            self.wrong.push(format!("{name} is not set"));
            return None;
        }
        self.optional(name)
    }

    /// What was read, unless something is wrong.
    pub fn finish<T>(self, read: Option<T>) -> Result<T, BadEnvironment> {
        match read {
            Some(read) if self.wrong.is_empty() => Ok(read),
            _ => Err(BadEnvironment(self.wrong)),
        }
    }
}

/// What every service needs to know.
#[derive(Clone, Debug)]
pub struct AppConfig {
    /// The port on loopback that the sidecar calls.
    pub port: u16,
    /// The sidecar.
    pub sidecar: sidecar::Config,
    /// What the sidecar shows with each call.
    pub api_token: SecretString,
    /// A filter of the `tracing` kind.
    pub log_level: String,
    /// Whether spans and metrics are exported.
    pub export: bool,
}

impl AppConfig {
    /// Reads the variables that every service has.
    pub fn read(environment: &mut Environment) -> Option<Self> {
        let port = environment.required(ENV_APP_PORT);
        let http_port = environment.required(ENV_DAPR_HTTP_PORT);
        let grpc_port = environment.required(ENV_DAPR_GRPC_PORT);
        let to_sidecar = environment.required::<String>(ENV_DAPR_API_TOKEN);
        let to_app = environment.required::<String>(ENV_APP_API_TOKEN);
        let log_level = environment.optional(ENV_LOG_LEVEL).unwrap_or_else(|| DEFAULT_LOG_LEVEL.to_owned());
        let export = environment.optional::<String>(ENV_OTLP_ENDPOINT).is_some();
        Some(Self {
            port: port?,
            sidecar: sidecar::Config { http_port: http_port?, grpc_port: grpc_port?, api_token: to_sidecar?.into() },
            api_token: to_app?.into(),
            log_level,
            export,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let variables = [("APP_PORT", "many"), ("DAPR_HTTP_PORT", "3500"), ("DAPR_API_TOKEN", "t")];
        let mut environment = Environment::of(variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let read = AppConfig::read(&mut environment);
        let said = environment.finish(read).unwrap_err().to_string();
        for part in ["APP_PORT: invalid digit", "DAPR_GRPC_PORT is not set", "APP_API_TOKEN is not set"] {
            assert!(said.contains(part), "{said}");
        }
        assert!(!said.contains("many"), "values are not repeated: {said}");
    }
}

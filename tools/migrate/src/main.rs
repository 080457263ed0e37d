//! `pms-migrate`: prepares the databases, rebuilds a projection, tells what is applied.

#![expect(clippy::print_stdout, reason = "a command that answers on its standard output")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use migrate::{Service, Target};
use secrecy::SecretString;
use serde::Deserialize;

/// Prepares the services' databases.
#[derive(Parser)]
#[command(name = "pms-migrate")]
struct Command {
    /// The server's administrator: postgres://user:password@host:port/postgres; what it leaves out is taken from PGHOST,
    /// PGPORT, PGUSER, PGPASSWORD, PGSSLMODE and PGSSLROOTCERT
    #[arg(long, env = "PMS_DATABASE_ADMIN_URL", hide_env_values = true)]
    admin_url: String,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Makes roles and databases and applies the migrations that are missing.
    Up {
        #[command(flatten)]
        secrets: Secrets,
        #[command(flatten)]
        own: OwnPasswords,
    },
    /// Makes a service's projection anew from its documents.
    Rebuild {
        /// auth, patient, billing or analytics
        service: Service,
    },
    /// Lists applied and pending versions.
    Status,
}

/// `{"auth": {"state": "..", "functions": ".."}, ..}`; services that are not named are left alone.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Secrets {
    /// A JSON file with the passwords of each service's roles.
    #[arg(long = "secrets", value_name = "FILE")]
    file: Option<PathBuf>,
    /// The same JSON as text, for platforms that hand secrets over in the environment.
    #[arg(long = "secrets-json", env = "PMS_DATABASE_SECRETS", hide_env_values = true, value_name = "JSON")]
    json: Option<SecretString>,
    /// This service alone, whose passwords are given one by one.
    #[arg(long, requires_all = ["state_password", "functions_password"])]
    service: Option<Service>,
}

/// The passwords of one service's roles, for platforms that keep each in a secret of its own.
#[derive(Args)]
struct OwnPasswords {
    /// Of the role behind `statestore`.
    #[arg(long, env = "PMS_STATE_PASSWORD", hide_env_values = true, requires = "service")]
    state_password: Option<SecretString>,
    /// Of the role behind `functions`.
    #[arg(long, env = "PMS_FUNCTIONS_PASSWORD", hide_env_values = true, requires = "service")]
    functions_password: Option<SecretString>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passwords {
    state: SecretString,
    functions: SecretString,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let Command { admin_url, action } = Command::parse();
    match action {
        Action::Up { secrets, own } => {
            let targets = secrets.targets(own)?;
            migrate::prepare(&admin_url, &targets).await?;
            print_status(&admin_url).await
        }
        Action::Rebuild { service } => {
            for (kind, count) in migrate::rebuild(&admin_url, service).await? {
                println!("{count} {kind}");
            }
            Ok(())
        }
        Action::Status => print_status(&admin_url).await,
    }
}

impl Secrets {
    fn targets(self, own: OwnPasswords) -> anyhow::Result<Vec<Target>> {
        use secrecy::ExposeSecret;

        if let (Some(service), Some(state_password), Some(functions_password)) =
            (self.service, own.state_password, own.functions_password)
        {
            return Ok(vec![Target { service, state_password, functions_password }]);
        }
        let passwords: BTreeMap<Service, Passwords> = match (self.file, self.json) {
            (Some(file), _) => {
                let text = std::fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
                serde_json::from_slice(&text)
                    .with_context(|| format!("{} does not hold the passwords", file.display()))?
            }
            (None, text) => serde_json::from_str(text.unwrap_or_default().expose_secret())
                .context("PMS_DATABASE_SECRETS does not hold the passwords")?,
        };
        let target = |(service, Passwords { state, functions })| Target {
            service,
            state_password: state,
            functions_password: functions,
        };
        Ok(passwords.into_iter().map(target).collect())
    }
}

async fn print_status(admin_url: &str) -> anyhow::Result<()> {
    for database in migrate::status(admin_url).await? {
        println!("{database}");
    }
    Ok(())
}

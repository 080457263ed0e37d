//! `pms-audit`: verifies the audit of one service, or of all on this machine.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command that answers on its standard output")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr as _,
};

use anyhow::{Context as _, Result, ensure};
use audit::checkpoint::PublicKey;
use audit_verifier::{read_checkpoints, table, verify};
use clap::{Parser, Subcommand};
use sqlx::{
    ConnectOptions as _,
    postgres::{PgConnectOptions, PgSslMode},
};

/// What a database's name has after its service's.
const DATABASE: &str = "-service-db";
/// The services that have one.
const SERVICES: [&str; 4] = ["auth", "patient", "billing", "analytics"];

/// Verifies the services' audit.
#[derive(Parser)]
#[command(name = "pms-audit")]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// Finds whatever was flipped, dropped, reordered or cut off; ends with 1 if there is any, with 2 if it cannot tell.
    Verify(Arguments),
}

#[derive(clap::Args)]
struct Arguments {
    /// A service's database: postgres://user:password@host:port/auth-service-db
    #[arg(long, env = "PMS_AUDIT_DATABASE_URL", hide_env_values = true, required_unless_present = "home")]
    url: Option<String>,
    /// A public key (PEM) that checkpoints may be signed with; once for each.
    #[arg(long, value_name = "FILE")]
    public_key: Vec<PathBuf>,
    /// All services of a local set-up: its `PMS_HOME`, which has their keys.
    #[arg(long, conflicts_with_all = ["url", "public_key"], value_name = "FOLDER")]
    home: Option<PathBuf>,
    /// Where PostgreSQL of that set-up listens.
    #[arg(long, default_value_t = 7401, requires = "home")]
    port: u16,
    /// Checkpoints that were kept elsewhere: what an earlier run printed, or a service's log.
    #[arg(long, value_name = "FILE")]
    since: Vec<PathBuf>,
}

/// A chain to verify.
struct Chain {
    service: String,
    database: PgConnectOptions,
    keys: Vec<PublicKey>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command { action: Action::Verify(arguments) } = Command::parse();
    match run(&arguments).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("cannot verify: {error:#}");
            ExitCode::from(2)
        }
    }
}

async fn run(arguments: &Arguments) -> Result<bool> {
    let chains = match (&arguments.home, &arguments.url) {
        (Some(home), _) => of_home(home, arguments.port)?,
        (None, Some(url)) => vec![of_url(url, &arguments.public_key)?],
        (None, None) => Vec::new(),
    };
    let mut since = Vec::new();
    for path in &arguments.since {
        let kept = read_checkpoints(&text(path)?);
        ensure!(!kept.is_empty(), "{} has no checkpoint", path.display());
        since.extend(kept);
    }
    let mut reports = Vec::new();
    for Chain { service, database, keys } in chains {
        let mut connection =
            database.connect().await.with_context(|| format!("connect to the database of {service}"))?;
        reports.push(
            verify(&mut connection, &service, &keys, &since).await.with_context(|| format!("audit of {service}"))?,
        );
    }
    print!("{}", table(&reports));
    Ok(reports.iter().all(audit_verifier::Report::is_intact))
}

fn of_url(url: &str, keys: &[PathBuf]) -> Result<Chain> {
    let database = PgConnectOptions::from_str(url).context("the URL is not one of PostgreSQL")?;
    let name = database.get_database().unwrap_or_default();
    let service = name.strip_suffix(DATABASE).with_context(|| format!("{name:?} is not the database of a service"))?;
    let keys = keys.iter().map(|path| key(&text(path)?).with_context(|| path.display().to_string()));
    Ok(Chain {
        service: service.to_owned(),
        keys: keys.collect::<Result<_>>()?,
        database: database.disable_statement_logging(),
    })
}

fn of_home(home: &Path, port: u16) -> Result<Vec<Chain>> {
    let secrets = |name: &str| -> Result<BTreeMap<String, serde_json::Value>> {
        let path = home.join("secrets").join(format!("{name}.json"));
        serde_json::from_str(&text(&path)?).with_context(|| format!("{} is damaged", path.display()))
    };
    let local = secrets("local")?;
    let password = local.get("superuser-password").and_then(serde_json::Value::as_str).context("no password")?;
    let chain = |service: &str| {
        let pem = secrets(service)?;
        let pem = pem.get("audit-key").and_then(serde_json::Value::as_str);
        let pem = pem.with_context(|| format!("{service} has no audit-key: start the system once"))?;
        let database = PgConnectOptions::new_without_pgpass()
            .host("127.0.0.1")
            .port(port)
            .username("postgres")
            .password(password)
            .ssl_mode(PgSslMode::Disable)
            .database(&format!("{service}{DATABASE}"))
            .disable_statement_logging();
        Ok(Chain { service: service.to_owned(), database, keys: vec![key(pem)?] })
    };
    SERVICES.into_iter().map(chain).collect()
}

fn key(pem: &str) -> Result<PublicKey> {
    Ok(PublicKey::from_pem(pem)?)
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("read {}", path.display()))
}

//! Arguments and environment variables.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use local::{broker, ports::DEFAULT_BASE};

/// The system on this machine, without Docker.
#[derive(Debug, Parser)]
pub(crate) struct CommandLine {
    /// Where the system keeps its state.
    #[arg(long, env = "PMS_HOME", default_value = ".pms", global = true)]
    pub(crate) home: PathBuf,

    /// The first of the system's ports.
    #[arg(long, env = "PMS_PORT_BASE", default_value_t = DEFAULT_BASE, global = true)]
    pub(crate) port_base: u16,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start what does not run, wait until it is ready, and show a visit.
    Up(Up),
    /// Stop everything; the data stays.
    Down,
    /// Show every part with its process, port, health and memory.
    Status,
    /// Follow the logs.
    Logs {
        /// An app (its service and sidecar), or `postgres`, `kafka`, `redis`, `rabbitmq`, `sentry`, `dapr`; else every service.
        part: Option<String>,
    },
    /// Stop everything and delete all data.
    Reset {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Print where the system is and who may sign in, for `eval`.
    Env,
    /// Show a visit on the running system.
    Journey,
    /// Give `auth` another key to sign access tokens with.
    RotateKeys(RotateKeys),
    /// Start the database alone and prepare it.
    Migrate,
    /// What a system of containers needs once; `docker-compose.yml` calls it.
    #[command(subcommand)]
    Containers(Containers),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Containers {
    /// Make the secrets that are missing, each in the volume of those who may know it.
    Secrets {
        /// The folder in which the volumes are mounted.
        #[arg(long)]
        volumes: PathBuf,
    },
    /// Hand sentry's root certificate on, without its keys.
    TrustAnchors {
        /// Sentry's volume.
        #[arg(long)]
        authority: PathBuf,
        /// The volume that every sidecar reads.
        #[arg(long)]
        to: PathBuf,
    },
    /// Give `auth` another key to sign access tokens with; its sidecar takes it up when it starts.
    RotateKeys {
        /// The folder in which the volumes are mounted.
        #[arg(long)]
        volumes: PathBuf,
        /// Somebody else may have the key: put the new one in the place of all others, at once.
        #[arg(long)]
        compromised: bool,
    },
    /// Print where the system is and who may sign in, for `eval`.
    Env {
        /// The folder in which the volumes are mounted.
        #[arg(long)]
        volumes: PathBuf,
        /// Where clients reach the gateway.
        #[arg(long)]
        url: String,
    },
}

#[derive(Args, Debug)]
pub(crate) struct RotateKeys {
    /// Somebody else may have the key: put the new one in the place of all others, at once.
    #[arg(long)]
    pub(crate) compromised: bool,

    /// Read the secret `signing-key` from standard input and write it to standard output, for a store elsewhere.
    #[arg(long)]
    pub(crate) filter: bool,
}

#[derive(Args, Debug)]
pub(crate) struct Up {
    /// The repository.
    #[arg(long, default_value = ".")]
    pub(crate) repo: PathBuf,

    /// The services' programs.
    #[arg(long, env = "PMS_BIN_DIR")]
    pub(crate) bin_dir: PathBuf,

    /// What `dapr/runtime/build.sh` prints.
    #[arg(long, env = "PMS_RUNTIME_DIR")]
    pub(crate) runtime_dir: PathBuf,

    /// What `tools/local/kafka/fetch.sh` prints.
    #[arg(long, env = "PMS_KAFKA_JARS")]
    pub(crate) kafka: PathBuf,

    /// The broker: `kafka`, `redis` or `rabbitmq`.
    #[arg(long, env = "BROKER", default_value_t)]
    pub(crate) broker: broker::Kind,

    /// How many instances of `patient` and `billing` there are.
    #[arg(long, env = "PMS_INSTANCES", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) instances: u8,

    /// Start what plays the clearing house and its payers beside the system, and make its user.
    #[arg(long, env = "PMS_PAYER_SIMULATOR", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) payer_simulator: bool,

    /// How much the services and sidecars log.
    #[arg(long, env = "LOG_LEVEL", default_value = "info")]
    pub(crate) log_level: String,

    /// Leave the demonstration out.
    #[arg(long)]
    pub(crate) no_journey: bool,
}

//! What a system is started from.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{home::Home, ports::Ports};

/// The broker unless another is asked for; a folder of `components/`.
pub const DEFAULT_BROKER: &str = "kafka";

/// Everything that [`crate::System::up`] has to be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The repository: `dapr/dapr.yaml`, `dapr/access.yaml`, `components/`.
    pub repo: PathBuf,
    /// Where the system keeps its state.
    pub home: Home,
    /// Where it listens.
    pub ports: Ports,
    /// Which folder of `components/` holds the broker.
    pub broker: String,
    /// The services' programs.
    pub bin_dir: PathBuf,
    /// What `dapr/runtime/build.sh` prints.
    pub runtime_dir: PathBuf,
    /// What `tools/local/kafka/fetch.sh` prints.
    pub kafka_files: PathBuf,
    /// How much the services and sidecars log.
    pub log_level: String,
    /// Variables for every service and sidecar, over those of `dapr.yaml`.
    pub extra_env: BTreeMap<String, String>,
    /// Say nothing.
    pub quiet: bool,
}

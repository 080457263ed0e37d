//! What a system is started from.

use std::{collections::BTreeMap, path::PathBuf};

use crate::{broker, home::Home, part::Part, ports::Ports};

/// Who starts the services and sidecars.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Launcher {
    /// `dapr run -f`, as people do; it restarts nothing.
    #[default]
    Cli,
    /// A [`crate::Supervisor`] in this process, which brings back whatever ends, as an orchestrator does.
    Supervisor,
}

/// Everything that [`crate::System::up`] has to be told.
#[derive(Clone, Debug)]
pub struct Options {
    /// The repository: `dapr/dapr.yaml`, `dapr/access.yaml`, `components/`.
    pub repo: PathBuf,
    /// Where the system keeps its state.
    pub home: Home,
    /// Where it listens.
    pub ports: Ports,
    /// Which broker it has.
    pub broker: broker::Kind,
    /// Who starts the services and sidecars.
    pub launcher: Launcher,
    /// How many instances there are of the apps that may have several: 1 is `dapr/dapr.yaml`, 2 is
    /// `dapr/two-instances.yaml`.
    pub instances: u8,
    /// Whether what plays the clearing house is started beside the system.
    pub payer_simulator: bool,
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

/// Variables that set the gateway's limits as wide as they go: whoever loads a system comes from one address.
pub fn unlimited() -> BTreeMap<String, String> {
    ["RATE_PER_ADDRESS", "AUTH_RATE_PER_ADDRESS", "RATE_PER_USER"]
        .map(|name| (name.to_owned(), "1000000/1".to_owned()))
        .into()
}

impl Options {
    /// The services and sidecars that these options ask for.
    pub fn parts(&self) -> impl Iterator<Item = Part> {
        parts(self.instances, self.payer_simulator)
    }
}

/// The parts of a system with this many instances, and those beside it.
pub(crate) fn parts(instances: u8, payer_simulator: bool) -> impl Iterator<Item = Part> {
    Part::all(instances).chain(Part::BESIDE.into_iter().filter(move |_| payer_simulator))
}

//! Services and sidecars among the running processes.

use std::fmt;

use crate::{app::App, home::Home, process::Process};

/// What `dapr run` starts for an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Our program.
    Service(App),
    /// Its daprd.
    Sidecar(App),
}

impl Part {
    /// All ten, service before sidecar.
    pub fn all() -> impl Iterator<Item = Self> {
        App::ALL.into_iter().flat_map(|app| [Self::Service(app), Self::Sidecar(app)])
    }

    /// Whose part it is.
    pub fn app(self) -> App {
        match self {
            Self::Service(app) | Self::Sidecar(app) => app,
        }
    }

    /// What this process is, if it is one of them.
    fn of(process: &Process) -> Option<Self> {
        let name = process.name()?;
        if name != "daprd" {
            return App::parse(&name).map(Self::Service);
        }
        let arguments = process.arguments();
        let flag = arguments.iter().position(|argument| argument == "--app-id")?;
        App::parse(arguments.get(flag + 1)?.to_str()?).map(Self::Sidecar)
    }

    /// Those that run in this home, respawned ones too.
    pub fn running(home: &Home) -> Vec<(Self, Process)> {
        Process::all_of(home).into_iter().filter_map(|process| Some((Self::of(&process)?, process))).collect()
    }

    /// The process of this part, if it runs.
    pub fn process(self, home: &Home) -> Option<Process> {
        Self::running(home).into_iter().find(|(part, _)| *part == self).map(|(_, process)| process)
    }
}

/// The name of its log.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Service(app) => write!(f, "{app}"),
            Self::Sidecar(app) => write!(f, "{app}-sidecar"),
        }
    }
}

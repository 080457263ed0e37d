//! Services and sidecars among the running processes.

use std::{ffi::OsString, fmt};

use crate::{
    app::App,
    home::Home,
    ports::{Ports, base_of},
    process::Process,
};

/// One of the two processes of an instance of an application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Part {
    /// Whose part it is.
    pub app: App,
    /// Which of the application's instances, counted from 1.
    pub instance: u8,
    /// Which of the two.
    pub role: Role,
}

/// What a process is to its application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Our program.
    Service,
    /// Its daprd.
    Sidecar,
}

impl Part {
    /// The service of an application's first instance, which is the only one unless more are asked for.
    pub const fn service(app: App) -> Self {
        Self { app, instance: 1, role: Role::Service }
    }

    /// The sidecar beside it.
    pub const fn sidecar(app: App) -> Self {
        Self { app, instance: 1, role: Role::Sidecar }
    }

    /// The same part of another instance.
    #[must_use]
    pub const fn of_instance(self, instance: u8) -> Self {
        Self { instance, ..self }
    }

    /// Every part of a system with this many instances of those applications that may have several: service before
    /// sidecar, and second instances behind all first ones.
    pub fn all(instances: u8) -> impl Iterator<Item = Self> {
        (1..=instances)
            .flat_map(|instance| App::ALL.map(|app| (app, instance)))
            .filter(|(app, instance)| Ports::has_instance(*app, *instance))
            .flat_map(|(app, instance)| [Self::service(app), Self::sidecar(app)].map(|part| part.of_instance(instance)))
    }

    /// Both parts of what plays the clearing house.
    pub const BESIDE: [Self; 2] = [Self::service(App::Clearinghouse), Self::sidecar(App::Clearinghouse)];

    /// Whether it is our program.
    pub fn is_service(self) -> bool {
        self.role == Role::Service
    }

    /// What this process is, if it is one of them.
    fn of(process: &Process) -> Option<Self> {
        let name = process.name()?;
        if name != "daprd" {
            let app = App::of_program(&name)?;
            return Some(Self::service(app).of_instance(instance(app, process, process.variable("APP_PORT"))));
        }
        let arguments = process.arguments();
        let value = |flag: &str| {
            let at = arguments.iter().position(|argument| argument == flag)?;
            arguments.get(at + 1).cloned()
        };
        let app = App::parse(value("--app-id")?.to_str()?)?;
        Some(Self::sidecar(app).of_instance(instance(app, process, value("--app-port"))))
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

/// The instances of an app differ in nothing but their ports.
fn instance(app: App, process: &Process, app_port: Option<OsString>) -> u8 {
    let number = |text: Option<OsString>| text?.to_str()?.parse().ok();
    let known = || Ports::new(base_of(process)?).ok()?.instance_at(app, number(app_port)?);
    known().unwrap_or(1)
}

/// The name of its log.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.app)?;
        if self.instance > 1 {
            write!(f, "-{}", self.instance)?;
        }
        match self.role {
            Role::Service => Ok(()),
            Role::Sidecar => f.write_str("-sidecar"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_instance_is_named_after_its_app_alone() {
        let names: Vec<String> = Part::all(1).map(|part| part.to_string()).collect();
        assert_eq!(names.len(), 10);
        assert_eq!(names[..4], ["auth", "auth-sidecar", "patient", "patient-sidecar"]);
    }

    #[test]
    fn second_instances_come_last_and_only_where_there_are_ports_for_them() {
        let names: Vec<String> = Part::all(2).skip(10).map(|part| part.to_string()).collect();
        assert_eq!(names, ["patient-2", "patient-2-sidecar", "billing-2", "billing-2-sidecar"]);
    }
}

//! `dapr/access.yaml` after its parse: every name known, every rule that is not Dapr's own kept.

mod file;

use std::collections::BTreeSet;

use crate::{
    operation::Operation,
    policy::{Inexpressible, Policy},
};

pub use file::Error;

/// Who may do what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matrix {
    /// In the order of the file.
    pub apps: Vec<App>,
    /// Every allowed call between two apps, in the order of the file.
    pub calls: Vec<Grant>,
    /// In the order of the file.
    pub topics: Vec<Topic>,
}

/// An application, which is a service and its sidecar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its Dapr app id.
    pub id: String,
    /// Where the port blocks of its instances begin, counted from `PMS_PORT_BASE`.
    pub blocks: Vec<u16>,
    /// The components of `components/base/<app>` that it works with; the secret store is not one.
    pub components: BTreeSet<String>,
    /// The secrets that its code may ask for.
    pub secrets: BTreeSet<String>,
    /// Whether its code may ask its sidecar what that is made of, which some SDKs do to see whether it is up.
    pub metadata: bool,
    /// Whether it is somebody else's: the system's run files do not start it, nor are its operations for users.
    pub outside: bool,
}

impl App {
    /// Whether its sidecar has a secret store.
    pub fn has_secret_store(&self) -> bool {
        !self.components.is_empty() || !self.secrets.is_empty()
    }
}

/// An operation of one app, and who may ask for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The app that has it.
    pub callee: String,
    /// What is asked for.
    pub operation: Operation,
    /// The apps that may ask.
    pub callers: BTreeSet<String>,
}

/// A topic of the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// The apps that publish to it.
    pub publishers: BTreeSet<String>,
    /// The apps that subscribe to it.
    pub subscribers: BTreeSet<String>,
}

impl Topic {
    /// Whether it holds what an app dropped.
    pub fn is_dead_letter(&self) -> bool {
        self.name.ends_with(DEAD_LETTER)
    }
}

const DEAD_LETTER: &str = ".dead-letter";

impl Matrix {
    /// Reads the text of `dapr/access.yaml`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        file::parse(text)
    }

    /// The app of this id.
    pub fn app(&self, id: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.id == id)
    }

    /// Whether the app's sidecar has the `pubsub` component.
    pub fn uses_pubsub(&self, app: &str) -> bool {
        self.topics.iter().any(|topic| topic.publishers.contains(app) || topic.subscribers.contains(app))
    }

    /// The topic to which the app's sidecar sends what the app drops, if it has one.
    pub fn dead_letter_topic(&self, app: &str) -> Option<&str> {
        let names = self.topics.iter().map(|topic| topic.name.as_str());
        names.into_iter().find(|name| name.strip_suffix(DEAD_LETTER) == Some(app))
    }

    /// What `caller` may ask of `callee`.
    pub fn operations(&self, caller: &str, callee: &str) -> Vec<&Operation> {
        self.calls
            .iter()
            .filter(|grant| grant.callee == callee && grant.callers.contains(caller))
            .map(|grant| &grant.operation)
            .collect()
    }

    /// The policy for `caller` that the sidecar of `callee` is given.
    pub fn policy(&self, caller: &str, callee: &str) -> Result<Policy, Inexpressible> {
        Policy::of(self.operations(caller, callee))
    }
}

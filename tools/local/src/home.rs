//! Where a system keeps everything that it makes: data, secrets, logs, and what is running.

use std::{
    fs::{self, Permissions},
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};

use crate::app::App;

/// A directory that belongs to one system.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    root: PathBuf,
}

impl Home {
    /// Makes the directory and its folders, closed to others, if they are not there yet.
    pub fn create(root: &Path) -> Result<Self> {
        let make = |path: &Path, mode: u32| {
            fs::create_dir_all(path)
                .and_then(|()| fs::set_permissions(path, Permissions::from_mode(mode)))
                .with_context(|| format!("making {}", path.display()))
        };
        // PostgreSQL refuses to run as root: then its user has to pass through to its data.
        let mode = if rustix::process::getuid().is_root() { 0o711 } else { 0o700 };
        make(root, mode)?;
        let home = Self::open(root)?;
        for folder in [".dapr", "kafka", "rabbitmq", "redis", "sentry", "secrets", "logs", "run"] {
            make(&home.root.join(folder), 0o700)?;
        }
        Ok(home)
    }

    /// The directory of a system that was created before.
    pub fn open(root: &Path) -> Result<Self> {
        let root = fs::canonicalize(root).with_context(|| format!("opening {}", root.display()))?;
        if !root.is_dir() {
            bail!("{} is not a directory", root.display());
        }
        Ok(Self { root })
    }

    /// The directory itself, absolute and free of links: it identifies the system.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// PostgreSQL's data, or a link to it (see [`crate::postgres`]).
    pub fn postgres(&self) -> PathBuf {
        self.root.join("postgres")
    }

    /// Kafka's data.
    pub fn kafka(&self) -> PathBuf {
        self.root.join("kafka")
    }

    /// RabbitMQ's data.
    pub fn rabbitmq(&self) -> PathBuf {
        self.root.join("rabbitmq")
    }

    /// Redis's data.
    pub fn redis(&self) -> PathBuf {
        self.root.join("redis")
    }

    /// Sentry's keys and certificates.
    pub fn sentry(&self) -> PathBuf {
        self.root.join("sentry")
    }

    /// What an application's sidecar reads as its secret store.
    pub fn app_secrets(&self, app: App) -> PathBuf {
        self.root.join("secrets").join(format!("{app}.json"))
    }

    /// What only the local set-up knows.
    pub fn local_secrets(&self) -> PathBuf {
        self.root.join("secrets/local.json")
    }

    /// The log of a part.
    pub fn log(&self, part: &str) -> PathBuf {
        self.root.join("logs").join(format!("{part}.log"))
    }

    /// Keeps everybody else from changing secrets for as long as what it answers is held.
    pub(crate) fn lock_secrets(&self) -> Result<fs::File> {
        let folder = fs::File::open(self.root.join("secrets"))?;
        folder.lock().context("locking the secrets")?;
        Ok(folder)
    }

    /// A file that means something only while the system runs.
    pub fn run(&self, file: &str) -> PathBuf {
        self.root.join("run").join(file)
    }
}

/// Replaces a file at once, readable by its owner alone.
pub(crate) fn write_private(path: &Path, content: &str) -> Result<()> {
    let part = path.with_added_extension("part");
    fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&part)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .and_then(|()| fs::rename(&part, path))
        .with_context(|| format!("writing {}", path.display()))
}

/// The content of a file, or nothing when there is none.
pub(crate) fn read_optional(path: &Path) -> Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(content) => Ok(Some(content)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(&folder.path().join("home")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&home.root().join("secrets")), 0o700);
        assert_eq!(mode(home.root()) & 0o066, 0, "nobody else may list or write");

        write_private(&home.local_secrets(), "{}").unwrap();
        assert_eq!(mode(&home.local_secrets()), 0o600);
    }

    #[test]
    fn making_it_again_keeps_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        write_private(&home.run("x"), "kept").unwrap();
        Home::create(folder.path()).unwrap();
        assert_eq!(read_optional(&home.run("x")).unwrap().as_deref(), Some("kept"));
        assert_eq!(read_optional(&home.run("y")).unwrap(), None);
    }
}

//! Where the cluster's data lies, and as whom PostgreSQL runs.
//!
//! PostgreSQL refuses to run as root.
//! Started by root it runs as the user that the distribution's package made, which must be able to reach the data:
//! where the home lies behind a closed directory, the data goes to `/var/tmp`, and the home keeps a link to it.

use std::{
    fs::{self, Permissions},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, PermissionsExt as _, symlink},
    },
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::{home::Home, process::output};

const USER: &str = "postgres";
const ELSEWHERE: &str = "/var/tmp";

/// As whom PostgreSQL runs.
pub(super) enum Account {
    /// As whoever runs this.
    Own,
    /// As the distribution's user, because this is root.
    Distribution,
}

impl Account {
    pub(super) async fn current() -> Result<Self> {
        if !rustix::process::getuid().is_root() {
            return Ok(Self::Own);
        }
        output(Command::new("id").args(["-u", USER])).await.with_context(|| {
            format!(
                "PostgreSQL refuses to run as root, and there is no user `{USER}` to run it as; \
                 the distribution's package makes one"
            )
        })?;
        Ok(Self::Distribution)
    }

    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = match self {
            Self::Own => Command::new(program),
            Self::Distribution => {
                let mut command = Command::new("setpriv");
                command.args([format!("--reuid={USER}"), format!("--regid={USER}")]).arg("--init-groups").arg(program);
                command
            }
        };
        // The caller's directory may be closed to that user.
        command.current_dir("/");
        command
    }

    pub(super) async fn own(&self, path: &Path) -> Result<()> {
        if matches!(self, Self::Distribution) {
            output(Command::new("chown").arg(format!("{USER}:{USER}")).arg(path)).await?;
        }
        Ok(())
    }
}

/// The directory around the data.
pub(super) struct Place(PathBuf);

impl Place {
    /// Finds it, or chooses and makes it.
    pub(super) async fn of(home: &Home, account: &Account) -> Result<Self> {
        let link = home.postgres();
        if !link.exists() {
            if matches!(account, Account::Own) || reachable(home.root(), account).await {
                fs::create_dir_all(&link)?;
            } else {
                let elsewhere = elsewhere(home);
                make_elsewhere(&elsewhere)?;
                // A link to a place that has been cleared is made again.
                fs::remove_file(&link).ok();
                symlink(&elsewhere, &link)?;
            }
            fs::set_permissions(&link, Permissions::from_mode(0o700))?;
            account.own(&link).await?;
        }
        Ok(Self(fs::canonicalize(&link)?))
    }

    pub(super) fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.0.join("password")
    }

    /// Removes the data, wherever it lies.
    pub(super) fn remove(home: &Home) -> Result<()> {
        let link = home.postgres();
        let Ok(found) = fs::symlink_metadata(&link) else {
            return Ok(());
        };
        let removed = if found.is_symlink() {
            let elsewhere = elsewhere(home);
            if fs::read_link(&link)? == elsewhere && elsewhere.exists() {
                fs::remove_dir_all(&elsewhere)?;
            }
            fs::remove_file(&link)
        } else {
            fs::remove_dir_all(&link)
        };
        removed.with_context(|| format!("removing {}", link.display()))
    }
}

async fn reachable(root: &Path, account: &Account) -> bool {
    let mut test = account.command(Path::new("test"));
    output(test.arg("-x").arg(root)).await.is_ok()
}

fn elsewhere(home: &Home) -> PathBuf {
    let hash = Sha256::digest(home.root().as_os_str().as_bytes());
    let short = BASE64_URL_SAFE_NO_PAD.encode(&hash[..9]);
    Path::new(ELSEWHERE).join(format!("pms-{short}"))
}

fn make_elsewhere(path: &Path) -> Result<()> {
    if let Err(error) = fs::create_dir(path) {
        // Anybody can make a directory there; one of somebody else is not to be trusted.
        let found = fs::symlink_metadata(path).with_context(|| format!("{error}"))?;
        let owner = user_id(USER)?;
        if !found.is_dir() || (found.uid() != 0 && Some(found.uid()) != owner) {
            bail!("{} is there already and belongs to somebody else", path.display());
        }
    }
    Ok(())
}

fn user_id(name: &str) -> Result<Option<u32>> {
    let users = fs::read_to_string("/etc/passwd")?;
    Ok(users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next()? == name).then(|| fields.nth(1)?.parse().ok())?
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_homes_have_two_places() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let place = |folder: &tempfile::TempDir| elsewhere(&Home::create(folder.path()).unwrap());
        assert_ne!(place(&one), place(&other));
        assert_eq!(place(&one), place(&one));
    }

    #[test]
    fn removing_follows_the_link_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let foreign = tempfile::tempdir().unwrap();
        symlink(foreign.path(), home.postgres()).unwrap();
        Place::remove(&home).unwrap();
        assert!(foreign.path().exists());
        assert!(!home.postgres().exists());
    }
}

//! Which PostgreSQL of this machine to use.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail};
use tokio::process::Command;

use crate::{home::read_optional, process::output};

const OLDEST: u32 = 15;

/// Where Debian and Ubuntu keep one directory per major version.
const DISTRIBUTION: &str = "/usr/lib/postgresql";

/// The directory of `initdb` and `postgres`: the newest, or the version that `data` was made by.
pub(super) async fn find(data: &Path) -> Result<PathBuf> {
    let mut found = from_distribution(Path::new(DISTRIBUTION));
    found.extend(from_path().await);
    let made_by = read_optional(&data.join("PG_VERSION"))?;
    let made_by = made_by.as_deref().map(str::trim).and_then(|version| version.parse().ok());
    choose(&found, made_by)
}

fn choose(found: &[(u32, PathBuf)], made_by: Option<u32>) -> Result<PathBuf> {
    if let Some(version) = made_by {
        return found.iter().find(|(found, _)| *found == version).map(|(_, path)| path.clone()).with_context(|| {
            format!(
                "the data was made by PostgreSQL {version}, which is not installed any more; \
                     install postgresql-{version}, or give the data up by `make reset`"
            )
        });
    }
    match found.iter().max_by_key(|(version, _)| version) {
        Some((version, path)) if *version >= OLDEST => Ok(path.clone()),
        Some((version, _)) => bail!("PostgreSQL {version} is too old; at least {OLDEST} is needed"),
        None => bail!("PostgreSQL is not installed; `apt-get install postgresql` does it"),
    }
}

fn from_distribution(root: &Path) -> Vec<(u32, PathBuf)> {
    let Ok(entries) = fs::read_dir(root) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let programs = entry.path().join("bin");
            let version = entry.file_name().to_str()?.parse().ok()?;
            (programs.join("initdb").exists() && programs.join("postgres").exists()).then_some((version, programs))
        })
        .collect()
}

async fn from_path() -> Option<(u32, PathBuf)> {
    let said = output(Command::new("pg_config").args(["--bindir", "--version"])).await.ok()?;
    let (programs, version) = said.trim().split_once('\n')?;
    let programs = PathBuf::from(programs);
    let major = version.split(|c: char| !c.is_ascii_digit()).find(|part| !part.is_empty())?;
    programs.join("initdb").exists().then_some((major.parse().ok()?, programs))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn installed(versions: &[u32]) -> Vec<(u32, PathBuf)> {
        versions.iter().map(|version| (*version, version.to_string().into())).collect()
    }

    #[test]
    fn new_data_gets_the_newest_version() {
        assert_eq!(choose(&installed(&[15, 17, 16]), None).unwrap(), Path::new("17"));
    }

    #[test]
    fn data_stays_with_the_version_that_made_it() {
        assert_eq!(choose(&installed(&[15, 17]), Some(15)).unwrap(), Path::new("15"));
        assert!(choose(&installed(&[17]), Some(15)).is_err());
    }

    #[test]
    fn too_old_or_missing_is_said() {
        assert!(choose(&installed(&[13]), None).unwrap_err().to_string().contains("too old"));
        assert!(choose(&[], None).unwrap_err().to_string().contains("not installed"));
    }
}

//! Variables whose values lie in files: `DAPR_API_TOKEN_FROM_FILE=/tokens/dapr-api-token` becomes `DAPR_API_TOKEN`.
//!
//! A daprd takes its tokens and trust anchors from its environment alone, and a value in a container's description is
//! there to read for everybody who may ask the engine. A file is not.
//! The ending is longer than the usual `_FILE`, which also names files that programs want to read themselves, such as
//! `SSL_CERT_FILE`.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
};

use anyhow::{Context as _, Result, bail};

const ENDING: &[u8] = b"_FROM_FILE";

/// The environment with what its files hold in place of their paths.
pub(crate) fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<BTreeMap<OsString, OsString>> {
    let (files, mut environment): (BTreeMap<_, _>, BTreeMap<_, _>) =
        variables.partition(|(name, _)| target(name).is_some());
    for (name, path) in &files {
        let Some(target) = target(name) else { continue };
        let mut value = fs::read(path).with_context(|| format!("{} names {}", name.display(), path.display()))?;
        // An editor ends a file with one; no secret of ours does.
        while value.last() == Some(&b'\n') {
            value.pop();
        }
        if value.is_empty() || value.contains(&0) {
            bail!("{} names {}, which holds no text", name.display(), path.display());
        }
        if environment.insert(target.to_owned(), OsString::from_vec(value)).is_some() {
            bail!("{} is set, and so is {}", target.display(), name.display());
        }
    }
    Ok(environment)
}

fn target(name: &OsStr) -> Option<&OsStr> {
    name.as_bytes().strip_suffix(ENDING).filter(|target| !target.is_empty()).map(OsStr::from_bytes)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn variables(list: &[(&str, &OsStr)]) -> std::vec::IntoIter<(OsString, OsString)> {
        list.iter().map(|(name, value)| (OsString::from(name), (*value).to_owned())).collect::<Vec<_>>().into_iter()
    }

    fn file(folder: &Path, content: &[u8]) -> OsString {
        let path = folder.join("secret");
        fs::write(&path, content).unwrap();
        path.into_os_string()
    }

    #[test]
    fn a_file_becomes_the_value_and_its_path_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = file(folder.path(), b"-----BEGIN-----\nabc\n-----END-----\n");
        let given = [("TRUST_FROM_FILE", path.as_os_str()), ("SSL_CERT_FILE", OsStr::new("/etc/ca"))];
        let environment = read(variables(&given)).unwrap();
        let found: Vec<_> = environment.iter().map(|(name, value)| (name.to_str(), value.to_str())).collect();
        let trust = Some("-----BEGIN-----\nabc\n-----END-----");
        assert_eq!(found, [(Some("SSL_CERT_FILE"), Some("/etc/ca")), (Some("TRUST"), trust)]);
    }

    #[test]
    fn a_secret_that_is_not_there_or_there_twice_is_an_error_that_does_not_tell_it() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing").into_os_string();
        assert!(read(variables(&[("TOKEN_FROM_FILE", &missing)])).is_err());
        let path = file(folder.path(), b"the-secret");
        let twice = read(variables(&[("TOKEN_FROM_FILE", &path), ("TOKEN", OsStr::new("x"))])).unwrap_err();
        assert!(!format!("{twice:#}").contains("the-secret"), "{twice:#}");
        let path = file(folder.path(), b"\n");
        assert!(read(variables(&[("TOKEN_FROM_FILE", &path)])).is_err());
    }
}

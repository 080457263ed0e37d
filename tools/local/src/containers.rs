//! What the parts of a system need once when each of them is a container: `docker-compose.yml` calls it, at every `up`.
//!
//! Each container mounts only the volumes that are its own, so what lies in one is a secret of nobody else:
//!
//! | volume | holds | for |
//! | --- | --- | --- |
//! | `<app>-tokens` | what service and sidecar show each other | both |
//! | `<app>-secrets` | what the sidecar serves as `secretstore` | the sidecar |
//! | `<app>-database-secrets` | the superuser's password, and those of the sidecar's roles | the database and its migrations |
//!
//! What is there stays: containers come back one by one, and have to find what they were made with.

use std::{
    collections::BTreeMap,
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde_json::json;

use crate::{
    app::App,
    home::{read_optional, write_private},
    postgres::SUPERUSER,
    secrets::{ADMINISTRATOR, add_keys, connection, random, readable},
    signing_keys::{Rotated, SECRET as SIGNING_KEY},
};

/// Where a container listens for the databases' clients.
const DATABASE_PORT: u16 = 5432;

/// Where the broker's clients find it.
const BROKER: &str = "kafka:9092";

/// The volumes of a system, each mounted under its name in one folder.
#[derive(Clone, Debug)]
pub struct Volumes {
    root: PathBuf,
}

/// Who may sign in at first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Administrator {
    /// What they are known by.
    pub email: String,
    /// Made with the system, and known nowhere else.
    pub password: String,
}

impl Volumes {
    /// The volumes that are mounted in this folder.
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Makes every secret that is missing.
    pub fn prepare(&self) -> Result<()> {
        for app in App::ALL {
            for token in ["dapr-api-token", "app-api-token"] {
                keep_or_make(&self.of(app, "tokens").join(token))?;
            }
            if let Some(database) = app.database() {
                self.prepare_database(app, &database)?;
            }
        }
        Ok(())
    }

    /// Who may sign in at first, once there are secrets.
    pub fn administrator(&self) -> Result<Administrator> {
        let file = self.secrets_of(App::Auth)?;
        let value = |key: &str| file.get(key).cloned().with_context(|| format!("there is no {key} yet"));
        Ok(Administrator { email: value("administrator-email")?, password: value("administrator-password")? })
    }

    /// Changes the secret that `auth` signs access tokens with; its sidecar takes it up when it starts.
    pub fn change_signing_key(&self, change: impl FnOnce(&str) -> Result<Rotated>) -> Result<Rotated> {
        let mut file = self.secrets_of(App::Auth)?;
        let secret = file.get_mut(SIGNING_KEY).context("there is no signing key yet")?;
        let rotated = change(secret)?;
        secret.clone_from(&rotated.text);
        write_private(&self.secret_file(App::Auth), &serde_json::to_string_pretty(&file)?)?;
        Ok(rotated)
    }

    fn prepare_database(&self, app: App, database: &str) -> Result<()> {
        let folder = self.of(app, "database-secrets");
        let superuser = folder.join("superuser-password");
        let password = keep_or_make(&superuser)?;
        // PostgreSQL is another user than we; nobody else has this volume.
        fs::set_permissions(&superuser, Permissions::from_mode(0o444))?;
        let host = format!("{app}-database");
        let admin_url = format!("postgres://{SUPERUSER}:{password}@{host}:{DATABASE_PORT}/postgres");
        write_private(&folder.join("admin-url"), &admin_url)?;

        let state = keep_or_make(&folder.join("state-password"))?;
        let functions = keep_or_make(&folder.join("functions-password"))?;
        let roles = json!({ app.id(): { "state": state, "functions": functions } });
        write_private(&folder.join("roles.json"), &serde_json::to_string_pretty(&roles)?)?;

        let mut file = self.secrets_of(app)?;
        for (key, role, password) in [
            ("statestore-connection", app.state_role(), &state),
            ("functions-connection", app.functions_role(), &functions),
        ] {
            file.insert(key.to_owned(), connection(&host, DATABASE_PORT, &role, password, database));
        }
        file.insert("pubsub-brokers".to_owned(), BROKER.to_owned());
        if app == App::Auth {
            file.entry("administrator-email".to_owned()).or_insert_with(|| ADMINISTRATOR.to_owned());
            if !file.contains_key("administrator-password") {
                file.insert("administrator-password".to_owned(), readable()?);
            }
        }
        add_keys(&mut file, app)?;
        write_private(&self.secret_file(app), &serde_json::to_string_pretty(&file)?)
    }

    fn secrets_of(&self, app: App) -> Result<BTreeMap<String, String>> {
        let path = self.secret_file(app);
        match read_optional(&path)? {
            Some(text) => serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display())),
            None => Ok(BTreeMap::new()),
        }
    }

    fn secret_file(&self, app: App) -> PathBuf {
        self.of(app, "secrets").join(format!("{app}.json"))
    }

    fn of(&self, app: App, kind: &str) -> PathBuf {
        self.root.join(format!("{app}-{kind}"))
    }
}

/// Hands sentry's root certificate to whoever has to know it, without the keys that lie beside it.
pub fn publish_trust_anchors(authority: &Path, to: &Path) -> Result<()> {
    let root = authority.join("ca.crt");
    let certificate = fs::read_to_string(&root).with_context(|| format!("reading {}", root.display()))?;
    write_private(&to.join("ca.crt"), &certificate)
}

fn keep_or_make(path: &Path) -> Result<String> {
    if let Some(secret) = read_optional(path)? {
        return Ok(secret);
    }
    let secret = random()?;
    write_private(path, &secret)?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use serde_json::Value;

    use super::*;

    fn volumes() -> (tempfile::TempDir, Volumes) {
        let folder = tempfile::tempdir().unwrap();
        for app in App::ALL {
            let kinds: &[&str] =
                if app.database().is_some() { &["tokens", "secrets", "database-secrets"] } else { &["tokens"] };
            for kind in kinds {
                fs::create_dir(folder.path().join(format!("{app}-{kind}"))).unwrap();
            }
        }
        let volumes = Volumes::new(folder.path());
        (folder, volumes)
    }

    /// Every file by its path in the volumes.
    fn everything(root: &Path) -> BTreeMap<PathBuf, String> {
        let mut files = BTreeMap::new();
        for volume in fs::read_dir(root).unwrap() {
            for file in fs::read_dir(volume.unwrap().path()).unwrap() {
                let path = file.unwrap().path();
                files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
            }
        }
        files
    }

    #[test]
    fn what_was_made_once_stays_and_what_somebody_added_does_too() {
        let (folder, volumes) = volumes();
        volumes.prepare().unwrap();
        let reminders = folder.path().join("patient-secrets/patient.json");
        let mut file: Value = serde_json::from_str(&fs::read_to_string(&reminders).unwrap()).unwrap();
        file["reminders-url"] = "x".into();
        fs::write(&reminders, serde_json::to_string_pretty(&file).unwrap()).unwrap();
        let first = everything(folder.path());
        volumes.prepare().unwrap();
        assert!(first == everything(folder.path()), "a secret is another one now, or is gone");
    }

    #[test]
    fn a_role_signs_in_with_the_password_that_its_migration_sets() {
        let (folder, volumes) = volumes();
        volumes.prepare().unwrap();
        let files = everything(folder.path());
        let of = |path: &str| -> Value { serde_json::from_str(&files[Path::new(path)]).unwrap() };
        let (roles, secrets) = (of("billing-database-secrets/roles.json"), of("billing-secrets/billing.json"));
        let password = roles["billing"]["state"].as_str().unwrap();
        assert_eq!(
            secrets["statestore-connection"],
            format!(
                "host=billing-database port=5432 user='billing-service-state' password='{password}' \
                 dbname='billing-service-db' sslmode=disable pool_max_conns=16"
            )
        );
        assert_eq!(secrets["pubsub-brokers"], "kafka:9092");
        let superuser = &files[Path::new("billing-database-secrets/superuser-password")];
        let admin_url = &files[Path::new("billing-database-secrets/admin-url")];
        assert_eq!(*admin_url, format!("postgres://postgres:{superuser}@billing-database:5432/postgres"));
    }

    #[test]
    fn a_rotation_changes_the_signing_key_and_nothing_else() {
        let (folder, volumes) = volumes();
        assert!(volumes.change_signing_key(crate::signing_keys::replace).is_err(), "there is none yet");
        volumes.prepare().unwrap();
        let before = everything(folder.path());
        let rotated = volumes.change_signing_key(crate::signing_keys::replace).unwrap();
        let mut after = everything(folder.path());
        let path = Path::new("auth-secrets/auth.json");
        let mut file: Value = serde_json::from_str(&after[path]).unwrap();
        assert_eq!(file["signing-key"], rotated.text.as_str());
        let old: Value = serde_json::from_str(&before[path]).unwrap();
        assert!(file["signing-key"] != old["signing-key"], "it is the key of before");
        file["signing-key"] = old["signing-key"].clone();
        after.insert(path.to_owned(), serde_json::to_string_pretty(&file).unwrap());
        assert!(after == before, "something else is another one now");
    }

    #[test]
    fn no_two_apps_share_a_secret_and_only_auth_knows_the_administrator() {
        let (folder, volumes) = volumes();
        volumes.prepare().unwrap();
        let files = everything(folder.path());
        let single: Vec<_> =
            files.iter().filter(|(path, _)| path.extension().is_none()).map(|(_, text)| text).collect();
        let distinct: std::collections::BTreeSet<_> = single.iter().collect();
        assert_eq!((single.len(), distinct.len()), (5 * 2 + 4 * 4, 5 * 2 + 4 * 4));
        let password = volumes.administrator().unwrap().password;
        let knowing: Vec<_> = files.iter().filter(|(_, text)| text.contains(&password)).map(|(path, _)| path).collect();
        assert_eq!(knowing, [Path::new("auth-secrets/auth.json")]);
    }

    #[test]
    fn only_the_database_reads_what_another_user_has_written() {
        let (folder, volumes) = volumes();
        volumes.prepare().unwrap();
        for path in everything(folder.path()).keys() {
            let mode = fs::metadata(folder.path().join(path)).unwrap().mode() & 0o777;
            let wanted = if path.ends_with("superuser-password") { 0o444 } else { 0o600 };
            assert_eq!(mode, wanted, "{}", path.display());
        }
    }

    #[test]
    fn trust_anchors_come_without_keys() {
        let (authority, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        assert!(publish_trust_anchors(authority.path(), to.path()).is_err(), "sentry has made none yet");
        for file in ["ca.crt", "issuer.crt", "issuer.key"] {
            fs::write(authority.path().join(file), file).unwrap();
        }
        publish_trust_anchors(authority.path(), to.path()).unwrap();
        let files: Vec<_> = fs::read_dir(to.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
        assert_eq!(files, ["ca.crt"]);
    }
}

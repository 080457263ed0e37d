//! Passwords and keys: made once for a home, never again, and written where each sidecar looks for its own.
//!
//! `secrets/local.json` holds the passwords.
//! `secrets/<app>.json` is what the app's sidecar serves as `secretstore`; it is written anew at each start,
//! because the connections in it name ports, but the values of keys that are not ours are kept.

use std::{collections::BTreeMap, path::Path};

use anyhow::{Context as _, Result};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{
    SigningKey,
    pkcs8::{EncodePrivateKey as _, KeypairBytes, spki::der::pem::LineEnding},
};
use rand::{TryRngCore as _, rngs::OsRng};
use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    broker,
    home::{Home, read_optional, write_private},
    ports::Ports,
};

pub(crate) const ADMINISTRATOR: &str = "admin@clinic.example";

/// Who may look after the broker, and read nothing in it.
pub(crate) const BROKER_OPERATOR: &str = "operator";

/// Connections of each pool: two pools of four applications stay below PostgreSQL's limit.
const POOL: u16 = 16;

/// No letter or digit that is mistaken for another; 32 of them, so that none is likelier.
const READABLE: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What only the local set-up knows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Secrets {
    /// The password of PostgreSQL's superuser.
    pub superuser_password: String,
    /// Who may sign in at first.
    pub administrator_email: String,
    /// The password of that person.
    pub administrator_password: String,
    /// The passwords of the sidecars' roles.
    roles: BTreeMap<String, String>,
    /// The passwords of the broker's users, for those brokers that know users; made when one is first needed.
    #[serde(default)]
    broker_users: BTreeMap<String, String>,
}

/// What sidecar and service prove themselves with to each other; made anew at every start.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Tokens {
    /// What a service shows its sidecar (`DAPR_API_TOKEN`).
    pub dapr_api_token: String,
    /// What a sidecar shows its service (`APP_API_TOKEN`).
    pub app_api_token: String,
}

impl Secrets {
    /// Reads the home's secrets, makes those that are missing, and writes every app's file for these ports and this
    /// broker.
    pub fn prepare(home: &Home, ports: Ports, broker: broker::Kind) -> Result<Self> {
        let _lock = home.lock_secrets()?;
        let path = home.local_secrets();
        let mut secrets = match Self::read(home)? {
            Some(secrets) => secrets,
            None => Self::make()?,
        };
        secrets.add_broker_users()?;
        write_private(&path, &serde_json::to_string_pretty(&secrets)?)?;
        for app in App::ALL {
            secrets.write_app(&home.app_secrets(app), app, ports, broker)?;
        }
        Ok(secrets)
    }

    /// The home's secrets, if they were made before.
    pub fn read(home: &Home) -> Result<Option<Self>> {
        let path = home.local_secrets();
        read_optional(&path)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .with_context(|| format!("{} is damaged", path.display()))
    }

    /// The password of a sidecar's role, such as `patient-service-state`.
    pub fn role_password(&self, role: &str) -> Option<&str> {
        self.roles.get(role).map(String::as_str)
    }

    /// The password of a user of the broker.
    pub fn broker_password(&self, user: &str) -> Option<&str> {
        self.broker_users.get(user).map(String::as_str)
    }

    fn add_broker_users(&mut self) -> Result<()> {
        for user in App::ALL.map(App::id).into_iter().chain([BROKER_OPERATOR]) {
            if !self.broker_users.contains_key(user) {
                self.broker_users.insert(user.to_owned(), random()?);
            }
        }
        Ok(())
    }

    fn make() -> Result<Self> {
        let mut roles = BTreeMap::new();
        for app in App::ALL.into_iter().filter(|app| app.database().is_some()) {
            roles.insert(app.state_role(), random()?);
            roles.insert(app.functions_role(), random()?);
        }
        Ok(Self {
            superuser_password: random()?,
            administrator_email: ADMINISTRATOR.to_owned(),
            administrator_password: readable()?,
            roles,
            broker_users: BTreeMap::new(),
        })
    }

    fn write_app(&self, path: &Path, app: App, ports: Ports, broker: broker::Kind) -> Result<()> {
        let mut file: BTreeMap<String, String> = match read_optional(path)? {
            Some(text) => serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))?,
            None => BTreeMap::new(),
        };
        // What another broker needed is of no use to this one.
        file.retain(|key, _| !key.starts_with("pubsub-"));
        file.extend(broker.secrets(app, ports, self)?.into_iter().map(|(key, value)| (key.to_owned(), value)));
        if let Some(database) = app.database() {
            for (key, role) in
                [("statestore-connection", app.state_role()), ("functions-connection", app.functions_role())]
            {
                let password = self
                    .role_password(&role)
                    .with_context(|| format!("secrets/local.json has no password of {role}"))?;
                file.insert(key.to_owned(), connection("127.0.0.1", ports.postgres(), &role, password, &database));
            }
        }
        if app == App::Auth {
            file.insert("administrator-email".to_owned(), self.administrator_email.clone());
            file.insert("administrator-password".to_owned(), self.administrator_password.clone());
        }
        add_keys(&mut file, app)?;
        write_private(path, &serde_json::to_string_pretty(&file)?)
    }
}

/// How a component of a sidecar connects to a database, as which role.
pub(crate) fn connection(host: &str, port: u16, role: &str, password: &str, database: &str) -> String {
    format!(
        "host={host} port={port} user='{role}' password='{password}' dbname='{database}' \
         sslmode=disable pool_max_conns={POOL}"
    )
}

/// Makes those keys that the app works with and that are not in its file yet.
pub(crate) fn add_keys(file: &mut BTreeMap<String, String>, app: App) -> Result<()> {
    // Of each chain its own: who has one signs no other's checkpoints.
    if app.database().is_some() && !file.contains_key("audit-key") {
        file.insert("audit-key".to_owned(), private_key()?);
    }
    if app == App::Auth {
        if !file.contains_key("signing-key") {
            file.insert("signing-key".to_owned(), private_key()?);
        }
        if !file.contains_key("sealing-key") {
            file.insert("sealing-key".to_owned(), random()?);
        }
    }
    Ok(())
}

impl Tokens {
    /// Makes new ones, and keeps them for whoever asks while the system runs.
    pub fn renew(home: &Home) -> Result<Self> {
        let tokens = Self { dapr_api_token: random()?, app_api_token: random()? };
        write_private(&home.run("tokens.json"), &serde_json::to_string(&tokens)?)?;
        Ok(tokens)
    }

    /// Those of the running system.
    pub fn read(home: &Home) -> Result<Self> {
        let text = read_optional(&home.run("tokens.json"))?.context("the system is not running")?;
        Ok(serde_json::from_str(&text)?)
    }
}

fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).context("the machine has no random numbers")?;
    Ok(bytes)
}

pub(crate) fn random() -> Result<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>()?))
}

/// Five groups of five: 125 bits that a person can copy.
pub(crate) fn readable() -> Result<String> {
    let letters: Vec<u8> = bytes::<25>()?.iter().map(|byte| READABLE[usize::from(byte % 32)]).collect();
    Ok(String::from_utf8(letters.chunks(5).collect::<Vec<_>>().join(&b'-'))?)
}

/// In the older form of PKCS#8, without the public key, which every reader takes.
pub(crate) fn private_key() -> Result<String> {
    let key = SigningKey::from_bytes(&bytes()?);
    let pair = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
    let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(|error| anyhow::anyhow!("writing a private key: {error}"))?;
    Ok(pem.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn home() -> (tempfile::TempDir, Home) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        (folder, home)
    }

    fn app(home: &Home, app: App) -> BTreeMap<String, String> {
        serde_json::from_str(&fs::read_to_string(home.app_secrets(app)).unwrap()).unwrap()
    }

    #[test]
    fn another_port_base_moves_connections_and_keeps_every_secret() {
        let (_folder, home) = home();
        let first = Secrets::prepare(&home, Ports::new(9000).unwrap(), broker::Kind::Kafka).unwrap();
        let key = app(&home, App::Auth)["signing-key"].clone();
        let second = Secrets::prepare(&home, Ports::new(9100).unwrap(), broker::Kind::Kafka).unwrap();
        assert!(first == second);

        let patient = app(&home, App::Patient);
        let password = first.role_password("patient-service-state").unwrap();
        assert_eq!(
            patient["statestore-connection"],
            format!(
                "host=127.0.0.1 port=9101 user='patient-service-state' password='{password}' \
                 dbname='patient-service-db' sslmode=disable pool_max_conns=16"
            )
        );
        assert_eq!(patient["pubsub-brokers"], "127.0.0.1:9102");
        assert_eq!(app(&home, App::Auth)["signing-key"], key);
    }

    #[test]
    fn the_gateway_gets_no_database_and_only_auth_a_key_for_tokens() {
        let (_folder, home) = home();
        Secrets::prepare(&home, Ports::new(9000).unwrap(), broker::Kind::Kafka).unwrap();
        let keys: Vec<_> = app(&home, App::Gateway).into_keys().collect();
        assert_eq!(keys, ["pubsub-brokers"]);
        assert!(app(&home, App::Auth).contains_key("administrator-password"));
        assert!(!app(&home, App::Billing).contains_key("signing-key"));
        assert_ne!(app(&home, App::Billing)["audit-key"], app(&home, App::Auth)["audit-key"]);
    }

    #[test]
    fn a_key_that_somebody_added_stays() {
        let (_folder, home) = home();
        fs::write(home.app_secrets(App::Billing), r#"{"clearing-house": "x"}"#).unwrap();
        Secrets::prepare(&home, Ports::new(9000).unwrap(), broker::Kind::Kafka).unwrap();
        assert_eq!(app(&home, App::Billing)["clearing-house"], "x");
    }

    #[test]
    fn a_private_key_is_in_pem() {
        let pem = private_key().unwrap();
        assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
        let read = <SigningKey as ed25519_dalek::pkcs8::DecodePrivateKey>::from_pkcs8_pem(&pem);
        assert!(read.is_ok());
    }

    #[test]
    fn the_password_of_a_person_can_be_read_aloud() {
        let password = readable().unwrap();
        assert_eq!(password.len(), 29);
        assert!(password.bytes().all(|byte| byte == b'-' || READABLE.contains(&byte)));
        assert_ne!(password, readable().unwrap());
    }
}

//! Redis of the home's own: on loopback, every write on the disk before it is answered, a user for each app.
//!
//! A user can do with the streams of its app what `dapr/access.yaml` says, and nothing else; there is no other.

use std::{fmt::Write as _, net::Ipv4Addr, path::PathBuf, time::Duration};

use anyhow::{Context as _, Result, bail, ensure};
use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    process::Command,
    time::timeout,
};

use crate::{
    access::Topic,
    app::App,
    home::{Home, read_optional, write_private},
    launch::launch,
    ports::{Ports, expect_free},
    process::{Process, Signal, wait_ready},
    secrets::{BROKER_OPERATOR, Secrets},
};

const PART: &str = "redis";
const START: Duration = Duration::from_mins(1);
const STOP: Duration = Duration::from_secs(15);
const ANSWER: Duration = Duration::from_secs(2);

/// The server under its own name, and under the other name that Debian and Ubuntu give the same program.
///
/// There the package `redis-server` is but a link to it and a system service at the standard port, which nobody here
/// wants; the program comes with `redis-tools`.
const PROGRAMS: [&str; 2] = ["redis-server", "redis-check-rdb"];

/// What anybody does before all else, and what daprd tells the server's version by.
const EVERYBODY: &str = "resetchannels -@all +auth +hello +ping +info";
const PUBLISH: &str = "+xadd";
const SUBSCRIBE: &str = "+xgroup|create +xreadgroup +xack +xpending +xclaim";

/// The broker of a home.
#[derive(Clone, Debug)]
pub struct Redis {
    home: Home,
    ports: Ports,
}

/// Stops the home's broker, if it runs.
pub async fn stop(home: &Home) -> Result<()> {
    if let Some(process) = Process::recorded(home, PART) {
        process.end(Signal::TERM, STOP).await;
        if process.is_running() {
            bail!("Redis (process {}) cannot be stopped", process.pid());
        }
    }
    Ok(())
}

/// The server's program, or nothing when it is not installed.
pub fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    PROGRAMS.into_iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|file| file.exists())
}

impl Redis {
    /// The broker of this home.
    pub fn new(home: &Home, ports: Ports) -> Self {
        Self { home: home.clone(), ports }
    }

    /// The running process.
    pub fn process(&self) -> Option<Process> {
        Process::recorded(&self.home, PART)
    }

    /// Where clients connect.
    pub fn address(&self) -> String {
        format!("{}:{}", Ipv4Addr::LOCALHOST, self.ports.redis())
    }

    /// Starts the broker unless it runs, and waits until it has read what it held before.
    pub async fn start(&self) -> Result<Process> {
        let secrets = self.secrets()?;
        if let Some(running) = self.process() {
            if self.is_ready(&secrets).await {
                return Ok(running);
            }
            stop(&self.home).await?;
        }
        expect_free(self.ports.redis())?;
        if !self.users_file().exists() {
            write_private(&self.users_file(), &users(&secrets, &[])?)?;
        }
        let configuration = self.home.redis().join("redis.conf");
        write_private(&configuration, &self.configuration())?;
        let program = program().context("Redis is missing: sudo apt-get install redis-tools")?;
        let mut command = Command::new(program);
        // By this name the program knows that it is to be the server.
        command.arg0(PROGRAMS[0]).arg(&configuration).current_dir(self.home.redis());
        let process = launch(&self.home, PART, &mut command)?;
        wait_ready(&process, &self.home.log(PART), START, async || self.is_ready(&secrets).await).await?;
        Ok(process)
    }

    /// Lets each app publish and read the topics that are its own. A stream begins with its first event or reader.
    pub async fn admit(&self, topics: &[Topic]) -> Result<()> {
        let secrets = self.secrets()?;
        let wanted = users(&secrets, topics)?;
        if read_optional(&self.users_file())?.as_ref() == Some(&wanted) {
            return Ok(());
        }
        write_private(&self.users_file(), &wanted)?;
        let answer = self.ask(&secrets, "ACL LOAD").await.context("telling Redis about its users")?;
        ensure!(answer == "+OK", "Redis does not take its users: {answer}");
        Ok(())
    }

    fn secrets(&self) -> Result<Secrets> {
        Secrets::read(&self.home)?.context("there are no secrets")
    }

    fn users_file(&self) -> PathBuf {
        self.home.redis().join("users.acl")
    }

    /// A server that still reads its files takes connections and answers that it is loading.
    async fn is_ready(&self, secrets: &Secrets) -> bool {
        self.ask(secrets, "PING").await.is_ok_and(|answer| answer == "+PONG")
    }

    /// What the server answers its operator.
    async fn ask(&self, secrets: &Secrets, command: &str) -> Result<String> {
        let password = secrets.broker_password(BROKER_OPERATOR).context("there is no operator of the broker")?;
        let conversation = async {
            let mut stream = BufReader::new(TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.redis())).await?);
            let question = format!("AUTH {BROKER_OPERATOR} {password}\r\n{command}\r\n");
            stream.write_all(question.as_bytes()).await?;
            let mut lines = stream.lines();
            let admitted = lines.next_line().await?.context("Redis hung up")?;
            ensure!(admitted == "+OK", "Redis does not know its operator: {admitted}");
            lines.next_line().await?.context("Redis hung up")
        };
        timeout(ANSWER, conversation).await.context("Redis does not answer")?
    }

    fn configuration(&self) -> String {
        format!(
            "bind {address}\n\
             port {port}\n\
             dir {data}\n\
             aclfile {users}\n\
             # An event that was answered is on the disk.\n\
             appendonly yes\n\
             appendfsync always\n\
             save \"\"\n\
             # An event that does not fit is refused, and waits in its sender's outbox.\n\
             maxmemory-policy noeviction\n\
             # It would write over the environment by which the process is found again.\n\
             set-proc-title no\n",
            address = Ipv4Addr::LOCALHOST,
            port = self.ports.redis(),
            data = self.home.redis().display(),
            users = self.users_file().display(),
        )
    }
}

/// The user that nobody can be: it is off, and so are connections that name no user. Redis itself is that user when it
/// reads its log after a crash, and asks for its rights at each EXEC: with fewer than all it would leave out what
/// consumers had read, and events with it, and start as if nothing had happened.
const NOBODY: &str = "user default off allkeys allchannels +@all";

/// Redis's file of users: who has no line is nobody.
fn users(secrets: &Secrets, topics: &[Topic]) -> Result<String> {
    let mut file = format!(
        "{NOBODY}\nuser {BROKER_OPERATOR} on #{} resetchannels -@all +auth +ping +acl|load\n",
        hash(secrets, BROKER_OPERATOR)?
    );
    for app in App::ALL {
        let own = |apps: fn(&Topic) -> &[String], commands: &str| {
            let keys: Vec<String> = topics
                .iter()
                .filter(|topic| apps(topic).iter().any(|id| id == app.id()))
                .map(|topic| format!("~{}", topic.name))
                .collect();
            if keys.is_empty() { String::new() } else { format!(" ({} {commands})", keys.join(" ")) }
        };
        let rights = [own(|topic| &topic.publish, PUBLISH), own(|topic| &topic.subscribe, SUBSCRIBE)].concat();
        if !rights.is_empty() {
            writeln!(file, "user {app} on #{} {EVERYBODY}{rights}", hash(secrets, app.id())?)?;
        }
    }
    Ok(file)
}

/// The form in which Redis keeps a password.
fn hash(secrets: &Secrets, user: &str) -> Result<String> {
    let password = secrets.broker_password(user).with_context(|| format!("{user} has no password for the broker"))?;
    Ok(Sha256::digest(password).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Kind;

    #[test]
    fn a_user_has_its_own_streams_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::create(folder.path()).unwrap();
        let secrets = Secrets::prepare(&home, Ports::new(9000).unwrap(), Kind::Redis).unwrap();
        let topic = |name: &str, publish: &str, subscribe: &[&str]| Topic {
            publish: vec![publish.to_owned()],
            subscribe: subscribe.iter().map(|&app| app.to_owned()).collect(),
            ..Topic::new(name)
        };
        let topics =
            [topic("a.made", "patient", &["billing", "analytics"]), topic("b.made", "billing", &["analytics"])];
        let file = users(&secrets, &topics).unwrap();
        let rights: Vec<_> = file.lines().filter_map(|line| Some(line.split_once(EVERYBODY)?.1)).collect();
        assert_eq!(
            rights,
            [
                " (~a.made +xadd)".to_owned(),
                format!(" (~b.made +xadd) (~a.made {SUBSCRIBE})"),
                format!(" (~a.made ~b.made {SUBSCRIBE})")
            ]
        );
        assert!(!file.contains(secrets.broker_password("patient").unwrap()), "a password in the open");
        assert!(file.starts_with("user default off allkeys allchannels +@all\n"));
    }
}

//! A database server of these tests' own, in a fresh folder, reachable by its socket file alone.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use migrate::{Service, Target};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions};
use tempfile::TempDir;

const PASSWORD: &str = "of-the-cluster";
/// Has what a managed server gives its administrator: CREATEDB and CREATEROLE, and is no superuser.
const ADMINISTRATOR: &str = "administrator";

pub(crate) struct Cluster {
    folder: TempDir,
    server: Mutex<Child>,
    /// Held by tests that change what `prepare` meets in the database of analytics.
    pub(crate) analytics: tokio::sync::Mutex<()>,
    /// Held by tests that rebuild the projection of auth.
    pub(crate) auth: tokio::sync::Mutex<()>,
}

impl Cluster {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pms-migrate-").tempdir_in("/var/tmp")?;
        let password_file = folder.path().join("password");
        std::fs::write(&password_file, PASSWORD)?;
        if is_root()? {
            let owned = Command::new("chown").args(["-R", "postgres:postgres"]).arg(folder.path()).status()?;
            ensure!(owned.success(), "cannot give the folder to postgres");
        }
        let initdb = program("initdb")?
            .arg("-D")
            .arg(folder.path().join("data"))
            .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"])
            .arg(format!("--pwfile={}", password_file.display()))
            .output()?;
        ensure!(initdb.status.success(), "initdb: {}", String::from_utf8_lossy(&initdb.stderr));

        let log = std::fs::File::create(folder.path().join("log"))?;
        let server = program("postgres")?
            .arg("-D")
            .arg(folder.path().join("data"))
            .args(["-c", "listen_addresses=", "-c", "log_statement=ddl"])
            // Few, so that a test can show who takes too many.
            .args(["-c", "max_locks_per_transaction=10"])
            .arg("-c")
            .arg(format!("unix_socket_directories={}", folder.path().display()))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        let cluster = Self {
            folder,
            server: Mutex::new(server),
            analytics: tokio::sync::Mutex::default(),
            auth: tokio::sync::Mutex::default(),
        };
        cluster.wait_until_ready()?;
        Ok(cluster)
    }

    fn wait_until_ready(&self) -> anyhow::Result<()> {
        let started = Instant::now();
        let status = self.folder.path().join("data/postmaster.pid");
        while !std::fs::read_to_string(&status).is_ok_and(|text| text.contains("ready")) {
            ensure!(started.elapsed() < Duration::from_secs(30), "the server does not start: {}", self.log()?);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Ends the server; the folder goes too.
    pub(crate) fn stop(&self) -> anyhow::Result<()> {
        let stopped = program("pg_ctl")?
            .args(["stop", "--mode=immediate", "--silent", "-D"])
            .arg(self.folder.path().join("data"))
            .status()?;
        ensure!(stopped.success(), "the server does not stop");
        self.server.lock().map_err(|_| anyhow::anyhow!("a test panicked while it held the server"))?.wait()?;
        std::fs::remove_dir_all(self.folder.path())?;
        Ok(())
    }

    pub(crate) fn log(&self) -> anyhow::Result<String> {
        Ok(std::fs::read_to_string(self.folder.path().join("log"))?)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn make_administrator(&self) -> anyhow::Result<()> {
        let mut server = self.superuser("postgres").await?;
        execute(&mut server, format!("create role {ADMINISTRATOR} login createdb createrole password '{PASSWORD}'"))
            .await?;
        Ok(())
    }

    pub(crate) fn admin_url(&self) -> String {
        self.url(ADMINISTRATOR)
    }

    pub(crate) fn superuser_url(&self) -> String {
        self.url("postgres")
    }

    fn url(&self, user: &str) -> String {
        format!("postgres://{user}:{PASSWORD}@localhost/postgres?host={}", self.folder.path().display())
    }

    pub(crate) async fn superuser(&self, database: &str) -> sqlx::Result<PgConnection> {
        self.connect("postgres", PASSWORD, database).await
    }

    pub(crate) async fn state(&self, service: Service) -> sqlx::Result<PgConnection> {
        self.connect(&service.state_role(), &state_password(service), &service.database()).await
    }

    pub(crate) async fn functions(&self, service: Service) -> sqlx::Result<PgConnection> {
        self.connect(&service.functions_role(), &functions_password(service), &service.database()).await
    }

    pub(crate) async fn connect(&self, user: &str, password: &str, database: &str) -> sqlx::Result<PgConnection> {
        PgConnectOptions::new_without_pgpass()
            .socket(self.folder.path())
            .ssl_mode(PgSslMode::Disable)
            .username(user)
            .password(password)
            .database(database)
            .connect()
            .await
    }

    /// The schema as text; equal texts are equal schemas, owners and privileges included.
    pub(crate) fn dump_schema(&self, service: Service) -> anyhow::Result<String> {
        let dump = program("pg_dump")?
            .args(["--schema-only", "--create", "--username=postgres", "--host"])
            .arg(self.folder.path())
            .arg(service.database())
            .env("PGPASSWORD", PASSWORD)
            .output()?;
        ensure!(dump.status.success(), "pg_dump: {}", String::from_utf8_lossy(&dump.stderr));
        let text = String::from_utf8(dump.stdout)?;
        // Newer releases put a random token on these lines.
        let is_token = |line: &&str| line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
        Ok(text.lines().filter(|line| !is_token(line)).collect::<Vec<_>>().join("\n"))
    }
}

/// In every password, and nowhere else.
pub(crate) const MARK: &str = "s3cret-of-";

/// Passwords that a careless quotation would break.
pub(crate) fn state_password(service: Service) -> String {
    format!("state's $$ \\ {MARK}{service}")
}

pub(crate) fn functions_password(service: Service) -> String {
    format!("functions' \"%L\" {MARK}{service}")
}

pub(crate) fn target(service: Service) -> Target {
    Target {
        service,
        state_password: state_password(service).into(),
        functions_password: functions_password(service).into(),
    }
}

pub(crate) fn targets() -> Vec<Target> {
    Service::ALL.map(target).into()
}

pub(crate) async fn execute(connection: &mut PgConnection, sql: impl Into<String>) -> sqlx::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.into())).execute(connection).await?;
    Ok(())
}

/// The SQLSTATE that a statement was refused with.
pub(crate) fn refusal<T>(result: sqlx::Result<T>) -> anyhow::Result<String> {
    match result {
        Ok(_) => anyhow::bail!("was not refused"),
        Err(sqlx::Error::Database(error)) => Ok(error.code().context("no SQLSTATE")?.into_owned()),
        Err(other) => Err(other.into()),
    }
}

/// The server refuses to run as root. It ends with these tests, however they end.
fn program(name: &str) -> anyhow::Result<Command> {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "QUIT"]);
    if is_root()? {
        command.args(["--reuid=postgres", "--regid=postgres", "--init-groups"]);
    }
    command.arg(folder_of_programs()?.join(name)).current_dir("/");
    Ok(command)
}

fn is_root() -> anyhow::Result<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

fn folder_of_programs() -> anyhow::Result<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").context("PostgreSQL is not installed")?;
    versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .max()
        .map(|version| PathBuf::from(format!("/usr/lib/postgresql/{version}/bin")))
        .context("PostgreSQL is not installed")
}

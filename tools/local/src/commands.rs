//! What each subcommand does.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a command for people")]

mod containers;
mod rotation;

use std::{
    collections::BTreeMap,
    fs,
    io::{IsTerminal as _, Write as _, stdin, stdout},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result, bail};
use local::{
    App, Home, Launcher, Options, Part, Ports, Postgres, Secrets, System, broker, clearinghouse, journey::journey,
    postgres, report::Report, status::status, system,
};
use tokio::signal::{
    ctrl_c,
    unix::{SignalKind, signal},
};

use crate::command_line::{Command, CommandLine, Up};

const INTERRUPTED: u8 = 130;

/// Where a newcomer goes on.
const SHELL: &str = r#"  eval "$(make env)"
  TOKEN=$(curl -s $PMS_URL/auth/login -H 'content-type: application/json' \
    -d "{\"email\":\"$PMS_ADMIN_EMAIL\",\"password\":\"$PMS_ADMIN_PASSWORD\"}" | sed 's/.*"access_token":"//; s/".*//')
  curl -s "$PMS_URL/api/patients?family=Okafor&limit=3" -H "authorization: Bearer $TOKEN"
"#;

pub(crate) async fn run(line: CommandLine) -> Result<ExitCode> {
    match line.command {
        Command::Up(up) => return start(&line.home, line.port_base, up).await,
        Command::Down => stop(&line.home).await?,
        Command::Status => show(&line.home).await?,
        Command::Logs { part } => follow(&line.home, part.as_deref())?,
        Command::Reset { yes } => reset(&line.home, yes).await?,
        Command::Env => print_env(&line.home, line.port_base)?,
        Command::Journey => walk(&line.home).await?,
        Command::RotateKeys(options) => rotation::rotate(&line.home, options).await?,
        Command::Migrate => migrate(&line.home, line.port_base).await?,
        Command::Containers(command) => containers::obey(command)?,
    }
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("\npms-local: {error:#}");
}

async fn start(home: &Path, port_base: u16, up: Up) -> Result<ExitCode> {
    let home = Home::create(home)?;
    let options = Options {
        repo: fs::canonicalize(&up.repo)?,
        home: home.clone(),
        ports: Ports::new(port_base)?,
        broker: up.broker,
        launcher: Launcher::Cli,
        instances: up.instances,
        payer_simulator: up.payer_simulator,
        bin_dir: fs::canonicalize(&up.bin_dir)
            .with_context(|| format!("{} is missing; `make build` makes it", up.bin_dir.display()))?,
        runtime_dir: fs::canonicalize(&up.runtime_dir)?,
        kafka_files: fs::canonicalize(&up.kafka)?,
        log_level: up.log_level,
        extra_env: BTreeMap::new(),
        quiet: false,
    };
    let system = tokio::select! {
        started = System::up(&options) => {
            started.inspect_err(|_| {
                eprintln!("\nThe system did not start; what did goes on until `make stop`.");
            })?
        }
        interrupted = interrupted() => {
            interrupted?;
            eprintln!("\ninterrupted; stopping what has been started");
            system::down(&home).await?;
            return Ok(INTERRUPTED.into());
        }
    };
    if system.has_payer_simulator() {
        clearinghouse::introduce(&system, &secrets(&home)?).await.context("introducing the clearing house")?;
    }
    if !up.no_journey {
        walk(home.root()).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Waits until somebody loses patience, at the keyboard or by `kill`.
async fn interrupted() -> Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = ctrl_c() => Ok(interrupted?),
        _ = terminated.recv() => Ok(()),
    }
}

async fn stop(home: &Path) -> Result<()> {
    if !home.exists() {
        println!("nothing was ever started in {}", home.display());
        return Ok(());
    }
    system::down(&Home::open(home)?).await?;
    println!("stopped; the data stays in {}", home.display());
    Ok(())
}

async fn show(home: &Path) -> Result<()> {
    let Ok(system) = running(home) else {
        println!("the system is not running");
        return Ok(());
    };
    println!("{}\n", system.url());
    println!("{:<18} {:>8} {:>6}  {:<9} {:>12} {:>10}", "part", "pid", "port", "health", "resident MiB", "share MiB");
    let rows = status(&system).await?;
    for row in &rows {
        println!("{row}");
    }
    println!("{:>68}", rows.iter().map(|row| row.share_mib).sum::<u64>());
    println!("A share counts pages that several processes hold in parts, so shares add up.");
    Ok(())
}

fn follow(home: &Path, part: Option<&str>) -> Result<()> {
    let home = Home::open(home).context("nothing was ever started here")?;
    let names: Vec<String> = match part {
        None => App::ALL.map(|app| Part::service(app).to_string()).into(),
        Some(name) => match App::parse(name) {
            Some(app) => [Part::service(app), Part::sidecar(app)].map(|part| part.to_string()).into(),
            None => vec![name.to_owned()],
        },
    };
    let logs: Vec<PathBuf> = names.iter().map(|name| home.log(name)).filter(|log| log.exists()).collect();
    if logs.is_empty() {
        bail!("there is no log of {}", names.join(", "));
    }
    // By name, so that it goes on with the new file after a restart; in this process's place.
    Err(std::process::Command::new("tail").args(["-n", "30", "-F"]).args(logs).exec().into())
}

async fn reset(home: &Path, yes: bool) -> Result<()> {
    if !home.exists() {
        println!("there is nothing in {}", home.display());
        return Ok(());
    }
    let home = Home::open(home)?;
    // A mistyped PMS_HOME must not cost somebody a directory.
    if !home.local_secrets().exists() {
        bail!("{} was not made by this tool", home.root().display());
    }
    if !yes && !agreed(&format!("stop the system and delete all data in {}?", home.root().display()))? {
        bail!("nothing was deleted");
    }
    system::down(&home).await?;
    postgres::remove_data(&home)?;
    fs::remove_dir_all(home.root())?;
    println!("deleted {}", home.root().display());
    Ok(())
}

fn agreed(question: &str) -> Result<bool> {
    if !stdin().is_terminal() {
        bail!("{question} There is no terminal to ask; say --yes (`make reset YES=1`)");
    }
    print!("{question} [y/N] ");
    stdout().flush()?;
    let mut answer = String::new();
    stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn print_env(home: &Path, port_base: u16) -> Result<()> {
    let home = Home::open(home).context("nothing was ever started here; `make run` does it")?;
    let secrets = secrets(&home)?;
    let ports = match System::running(&home)? {
        Some(system) => system.ports(),
        None => Ports::new(port_base)?,
    };
    println!("PMS_URL='http://127.0.0.1:{}'", ports.gateway());
    println!("PMS_ADMIN_EMAIL='{}'", secrets.administrator_email);
    println!("PMS_ADMIN_PASSWORD='{}'", secrets.administrator_password);
    Ok(())
}

async fn walk(home: &Path) -> Result<()> {
    let system = running(home)?;
    let secrets = secrets(system.home())?;
    println!("\nA patient is registered, through every part:\n");
    let insured = system.has_payer_simulator();
    let walked = journey(&system.url(), system.broker(), insured, &secrets, &Report::new(false)).await;
    walked.context("the journey ended early")?;
    println!(
        "\nThe system is at {url}, and its page at http://localhost:{port}.\n\
         `make env` prints who may sign in; in a shell:\n\n{SHELL}\n\
         Then: make status, make logs, make stop.",
        url = system.url(),
        port = system.ports().gateway()
    );
    Ok(())
}

async fn migrate(home: &Path, port_base: u16) -> Result<()> {
    let home = Home::create(home)?;
    let (ports, broker) = match System::running(&home)? {
        Some(system) => (system.ports(), system.broker()),
        None => (Ports::new(port_base)?, broker::Kind::default()),
    };
    let secrets = Secrets::prepare(&home, ports, broker)?;
    let cluster = Postgres::new(&home, ports.postgres());
    cluster.start(&secrets.superuser_password).await?;
    system::migrate(&cluster, &secrets).await?;
    println!("the databases at 127.0.0.1:{} are prepared", ports.postgres());
    Ok(())
}

fn running(home: &Path) -> Result<System> {
    let not_running = "the system is not running; `make run` starts it";
    System::running(&Home::open(home).context(not_running)?)?.context(not_running)
}

fn secrets(home: &Home) -> Result<Secrets> {
    Secrets::read(home)?.context("there are no secrets yet; `make run` makes them")
}

//! A cluster through its whole life: made, used, killed, moved, stopped.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{net::TcpStream, path::Path, time::Duration};

use local::{
    Home, Postgres, Reservation, Secrets, Signal, broker,
    postgres::{Shutdown, remove_data, stop},
};
use tokio::process::Command;

async fn ask(url: &str, sql: &str) -> String {
    let answer = Command::new("psql").args([url, "-Atc", sql]).output().await.unwrap();
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{sql}: {complaint}");
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn a_cluster_survives_what_may_happen_to_it() {
    let folder = tempfile::tempdir().unwrap();
    // As a folder below root's home would be: nobody else gets through.
    let home = Home::create(&folder.path().join("home")).unwrap();
    let reservation = Reservation::take().unwrap();
    let ports = reservation.ports;
    let secrets = Secrets::prepare(&home, ports, broker::Kind::Kafka).unwrap();
    let password = &secrets.superuser_password;
    let cluster = Postgres::new(&home, ports.postgres());

    let first = cluster.start(password).await.unwrap();
    let url = cluster.admin_url(password);
    let settings = "select current_setting('fsync') || current_setting('synchronous_commit') \
                    || current_setting('server_encoding') || current_setting('listen_addresses') \
                    || current_setting('unix_socket_directories')";
    assert_eq!(ask(&url, settings).await, "ononUTF8127.0.0.1");
    ask(&url, "create table t as select 7 as n").await;
    assert_eq!(cluster.start(password).await.unwrap(), first, "it ran already");

    // A crash leaves the lock file, and its number may belong to another program by now.
    first.end(Signal::KILL, Duration::from_secs(5)).await;
    let second = cluster.start(password).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(ask(&url, "select n from t").await, "7");

    stop(&home, Shutdown::Immediate).await.unwrap();
    assert!(cluster.process().is_none());
    let moved = Postgres::new(&home, ports.postgres() + 1);
    moved.start(password).await.unwrap();
    assert_eq!(ask(&moved.admin_url(password), "select n from t").await, "7");

    stop(&home, Shutdown::Fast).await.unwrap();
    assert!(TcpStream::connect(("127.0.0.1", ports.postgres() + 1)).is_err());
    let data = std::fs::canonicalize(home.postgres()).unwrap();
    remove_data(&home).unwrap();
    assert!(!data.exists() && !Path::new(&home.postgres()).exists());
}

//! Redis through its whole life: what it was told, it keeps, and each app sees its own streams alone.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Stdio;

use local::{Broker, Home, Reservation, Secrets, access::Topic, broker, redis::program};
use tokio::process::Command;

async fn ask(port: u16, secrets: &Secrets, user: &str, command: &[&str]) -> String {
    let port = port.to_string();
    let mut client = Command::new("redis-cli");
    client.args(["-p", &port, "--user", user, "--no-auth-warning"]).args(command).stdin(Stdio::null());
    let answer = client.env("REDISCLI_AUTH", secrets.broker_password(user).unwrap()).output().await.unwrap();
    String::from_utf8(answer.stdout).unwrap().trim().to_owned()
}

#[tokio::test]
async fn an_event_survives_a_kill_and_a_stranger_does_not_see_it() {
    if program().is_none() {
        eprintln!("skipped: Redis is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let reservation = Reservation::take().unwrap();
    let (ports, kind) = (reservation.ports, broker::Kind::Redis);
    let secrets = Secrets::prepare(&home, ports, kind).unwrap();
    let redis = Broker::new(kind, &home, ports, folder.path());
    let topic = Topic {
        publish: vec!["patient".to_owned()],
        subscribe: vec!["analytics".to_owned()],
        ..Topic::new("patient.registered")
    };
    let port = ports.redis();

    let first = redis.start().await.unwrap();
    redis.prepare(std::slice::from_ref(&topic)).await.unwrap();
    assert_eq!(redis.start().await.unwrap(), first, "it ran already");
    let publish = ["XADD", "patient.registered", "1-1", "data", "x"];
    assert_eq!(ask(port, &secrets, "patient", &publish).await, "1-1");

    redis.kill().await.unwrap();
    assert!(redis.process().is_none());
    assert_ne!(redis.start().await.unwrap(), first);
    let group = ["XGROUP", "CREATE", "patient.registered", "analytics", "0"];
    assert_eq!(ask(port, &secrets, "analytics", &group).await, "OK", "its users are there as before");
    let read = ["XREADGROUP", "GROUP", "analytics", "analytics", "STREAMS", "patient.registered", ">"];
    assert!(ask(port, &secrets, "analytics", &read).await.contains("1-1"), "the event is there");

    let publish = ["XADD", "patient.registered", "*", "data", "x"];
    assert!(ask(port, &secrets, "analytics", &publish).await.starts_with("NOPERM"));
    assert!(ask(port, &secrets, "patient", &read).await.starts_with("NOPERM"));
    assert!(ask(port, &secrets, "operator", &["XLEN", "patient.registered"]).await.starts_with("NOPERM"));
    let unknown = Command::new("redis-cli").args(["-p", &port.to_string(), "PING"]).output().await.unwrap();
    assert!(String::from_utf8(unknown.stdout).unwrap().starts_with("NOAUTH"));

    broker::stop(&home).await.unwrap();
    assert!(redis.process().is_none());
}

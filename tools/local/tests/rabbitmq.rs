//! RabbitMQ through its whole life: it has its queues before anybody comes, survives a kill, and leaves nothing behind.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use local::{Broker, Home, Reservation, Secrets, access::Topic, broker, process::Process, rabbitmq::program};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// What a server of AMQP 0-9-1 says to who asks to sign in: the frame's type, and the class and method of what is in it.
async fn answer(port: u16, user: &str, password: &str) -> Option<(u16, u16)> {
    async fn frame(stream: &mut TcpStream) -> Option<Vec<u8>> {
        let mut head = [0; 7];
        stream.read_exact(&mut head).await.ok()?;
        let size = u32::from_be_bytes(head[3..].try_into().ok()?);
        let mut body = vec![0; usize::try_from(size).ok()? + 1];
        stream.read_exact(&mut body).await.ok()?;
        Some(body)
    }
    fn short(text: &[u8]) -> Vec<u8> {
        [&[u8::try_from(text.len()).unwrap()], text].concat()
    }
    fn long(text: &[u8]) -> Vec<u8> {
        [&u32::try_from(text.len()).unwrap().to_be_bytes(), text].concat()
    }
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    stream.write_all(b"AMQP\0\0\x09\x01").await.ok()?;
    frame(&mut stream).await?;
    // connection.start-ok with no properties.
    let plain = format!("\0{user}\0{password}");
    let method =
        [&[0, 10, 0, 11][..], &long(b""), &short(b"PLAIN"), &long(plain.as_bytes()), &short(b"en_US")].concat();
    let frame_out = [&[1, 0, 0][..], &long(&method), &[0xce]].concat();
    stream.write_all(&frame_out).await.ok()?;
    let body = frame(&mut stream).await?;
    Some((u16::from_be_bytes([body[0], body[1]]), u16::from_be_bytes([body[2], body[3]])))
}

const TUNE: (u16, u16) = (10, 30);

#[tokio::test]
async fn a_broker_knows_its_users_after_a_kill_and_leaves_nothing_behind() {
    if program().is_none() {
        eprintln!("skipped: RabbitMQ is not installed");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let home = Home::create(folder.path()).unwrap();
    let reservation = Reservation::take().unwrap();
    let (ports, kind) = (reservation.ports, broker::Kind::RabbitMq);
    let secrets = Secrets::prepare(&home, ports, kind).unwrap();
    let rabbitmq = Broker::new(kind, &home, ports, folder.path());
    let topic = Topic {
        publish: vec!["patient".to_owned()],
        subscribe: vec!["analytics".to_owned()],
        ..Topic::new("patient.registered")
    };
    let password = |user: &str| secrets.broker_password(user).unwrap().to_owned();

    rabbitmq.start().await.unwrap();
    assert_ne!(answer(ports.rabbitmq(), "patient", &password("patient")).await, Some(TUNE), "there are no topics yet");
    rabbitmq.prepare(std::slice::from_ref(&topic)).await.unwrap();
    let running = rabbitmq.process().unwrap();
    rabbitmq.prepare(std::slice::from_ref(&topic)).await.unwrap();
    assert_eq!(rabbitmq.start().await.unwrap(), running, "it ran already, and has nothing to learn");

    rabbitmq.kill().await.unwrap();
    assert!(rabbitmq.process().is_none());
    assert_ne!(rabbitmq.start().await.unwrap(), running);
    for (user, password, known) in [
        ("patient", password("patient"), true),
        ("analytics", password("analytics"), true),
        ("patient", password("analytics"), false),
        ("billing", password("billing"), false),
        ("guest", "guest".to_owned(), false),
    ] {
        assert_eq!(answer(ports.rabbitmq(), user, &password).await == Some(TUNE), known, "{user}");
    }

    broker::stop(&home).await.unwrap();
    assert_eq!(Process::all_of(&home), []);
}

//! The public port, byte by byte.

use axum::body::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout},
};

use super::*;

/// A client of a connection that is served for as long as the other is held.
async fn connected() -> (TcpStream, GracefulShutdown) {
    connected_by(0).await
}

async fn connected_by(trusted_proxies: u8) -> (TcpStream, GracefulShutdown) {
    let app = Router::new().fallback(|body: Bytes| async move { format!("got {}", body.len()) });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, peer) = listener.accept().await.unwrap();
    let connections = GracefulShutdown::new();
    let open = Open { app, step: Arc::new(()), peers: Peers { trusted_proxies } };
    serve_one(stream, peer, &open, &connections, None);
    (client, connections)
}

/// What is answered, and whether that was the end of the connection.
async fn exchange(request: &str) -> (String, bool) {
    let (client, _connections) = connected().await;
    let (mut receives, mut sends) = client.into_split();
    let request = request.to_owned();
    // Who is refused early does not read all of it.
    let sent = tokio::spawn(async move {
        let _ = sends.write_all(request.as_bytes()).await;
        sends
    });
    let (mut answered, mut buffer) = (Vec::new(), [0; 4096]);
    let ended = loop {
        match timeout(Duration::from_millis(300), receives.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(read)) => answered.extend_from_slice(&buffer[..read]),
            Err(_) => break false,
        }
    };
    drop(sent.await);
    (String::from_utf8_lossy(&answered).to_lowercase(), ended)
}

fn status(answered: &str) -> &str {
    answered.split(' ').nth(1).unwrap_or_default()
}

#[tokio::test]
async fn a_head_has_a_hundred_headers_and_64_kib_at_most() {
    let many = |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(count));
    let large = |size: usize| format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(size));
    for (request, wanted) in
        [(many(100), "200"), (many(101), "431"), (large(BUFFER - 100), "200"), (large(2 * BUFFER), "431")]
    {
        let (answered, _) = exchange(&request).await;
        assert_eq!(status(&answered), wanted, "{} bytes", request.len());
    }
}

#[tokio::test]
async fn nothing_comes_after_a_request_whose_length_could_be_doubted() {
    let second = "GET /second HTTP/1.1\r\n\r\n";
    let (answered, ended) = exchange(&format!("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\n1{second}")).await;
    assert_eq!((answered.matches("http/1.1 200").count(), ended), (2, false), "{answered}");
    let chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n1\r\n0\r\n\r\n";
    let (answered, ended) = exchange(&format!("{chunked}{second}")).await;
    assert_eq!((answered.matches("http/1.1 ").count(), ended), (1, true), "{answered}");
    assert!(answered.contains("\r\nconnection: close\r\n") && answered.ends_with("got 1"), "{answered}");
}

#[tokio::test]
async fn another_protocol_is_not_spoken() {
    for request in ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"]
    {
        let (answered, _) = exchange(request).await;
        assert!(!answered.contains("101 ") && !answered.starts_with("http/2"), "{answered}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_come_is_not_waited_for() {
    for begin in ["", "GET / HTTP/1.1\r\nx: "] {
        let (mut client, _connections) = connected().await;
        client.write_all(begin.as_bytes()).await.unwrap();
        let (begun, mut rest) = (Instant::now(), Vec::new());
        let _ = timeout(2 * HEAD, client.read_to_end(&mut rest)).await.expect("the connection ends");
        assert_eq!(begun.elapsed().as_secs(), HEAD.as_secs(), "{begin:?}");
    }
}

#[tokio::test]
async fn a_proxy_that_keeps_a_connection_for_a_minute_is_not_cut_off() {
    let (mut proxy, _connections) = connected_by(1).await;
    proxy.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut buffer = [0; 4096];
    assert!(proxy.read(&mut buffer).await.unwrap() > 0);
    // Long after anybody else's end, and before that of a proxy's own patience.
    tokio::time::pause();
    tokio::time::sleep(Duration::from_secs(61)).await;
    tokio::time::resume();
    proxy.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    assert!(proxy.read(&mut buffer).await.unwrap() > 0, "the connection was closed while it was idle");
}

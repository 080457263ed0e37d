//! Requests written by hand at the public port: what hides a second one, what is no HTTP, what never ends.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::stage::Stage;

/// The limit of a head and something for a busy machine.
const HEAD_ENDS: Duration = Duration::from_secs(8);

/// The same of a body.
const BODY_ENDS: Duration = Duration::from_secs(8);

/// A request that gets one answer whatever else it hides; `#` stands for the hidden one.
const HIDING: [(&str, &str); 14] = [
    (
        "CL before TE",
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n#",
    ),
    (
        "TE before CL",
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n#",
    ),
    ("two lengths", "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: 44\r\n\r\n#"),
    ("a list of lengths", "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 0, 44\r\n\r\n#"),
    ("a signed length", "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n#"),
    (
        "a space before the colon",
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n#",
    ),
    ("a coding that is none", "POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n#"),
    (
        "chunked, but not last",
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n#",
    ),
    (
        "TE twice",
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n#",
    ),
    ("TE in HTTP/1.0", "POST /auth/login HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n#"),
    ("a folded header", "POST /auth/login HTTP/1.1\r\nHost: x\r\nX: a\r\n Content-Length: 44\r\n\r\n#"),
    ("a bare CR in a value", "POST /auth/login HTTP/1.1\r\nHost: x\r\nX: a\rContent-Length: 0\r\n\r\n#"),
    ("a NUL in a value", "POST /auth/login HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n#"),
    (
        "a chunk size that is none",
        "POST /auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n#",
    ),
];

const HIDDEN: &str = "GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: hidden\r\n\r\n";

pub(crate) async fn nothing_passes(stage: &Stage) -> Result<()> {
    // The check can see what it looks for: a second request that is none of a first one's body has its answer.
    let plain = format!("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n{HIDDEN}");
    let answered = exchange(stage, &plain).await?;
    ensure!(answered.to_lowercase().contains("x-request-id: hidden"), "{answered}");
    for (what, request) in HIDING {
        let answered = exchange(stage, &request.replace('#', HIDDEN)).await?;
        ensure!(
            !answered.to_lowercase().contains("x-request-id: hidden"),
            "{what}: the hidden one was served: {answered}"
        );
        let status = answered.split(' ').nth(1).unwrap_or_default();
        ensure!(answered.is_empty() || status.starts_with('4'), "{what}: {answered}");
    }
    Ok(())
}

/// All that is answered until the connection ends or nothing more comes.
async fn exchange(stage: &Stage, request: &str) -> Result<String> {
    let mut connection = connect(stage).await?;
    connection.write_all(request.as_bytes()).await?;
    let mut answered = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(Ok(read)) = tokio::time::timeout(Duration::from_millis(700), connection.read(&mut buffer)).await {
        if read == 0 {
            break;
        }
        answered.extend_from_slice(&buffer[..read]);
    }
    Ok(String::from_utf8_lossy(&answered).into_owned())
}

async fn connect(stage: &Stage) -> Result<TcpStream> {
    let url = stage.system.url();
    let address = url.strip_prefix("http://").context("the URL is one of HTTP")?;
    Ok(TcpStream::connect(address).await?)
}

/// Also who says nothing at all, and who never ends a head.
pub(crate) async fn slow_heads_end(stage: &Stage) -> Result<()> {
    for begin in ["", "GET /livez HTTP/1.1\r\n"] {
        let (mut receives, mut sends) = connect(stage).await?.into_split();
        sends.write_all(begin.as_bytes()).await?;
        let drip = async {
            // Each byte by itself is quick; the head is not.
            while begin.is_empty() || sends.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        };
        let begun = Instant::now();
        let mut rest = Vec::new();
        let ended = async { tokio::time::timeout(HEAD_ENDS, receives.read_to_end(&mut rest)).await.is_ok() };
        let ended = tokio::select! {
            ended = ended => ended,
            () = drip => true,
        };
        ensure!(ended, "{begin:?}: the connection is still there after {:?}", begun.elapsed());
        ensure!(begun.elapsed() > Duration::from_secs(3), "{begin:?}: it ended at once");
    }
    Ok(())
}

/// Bytes of a body that come, but not in time, are answered all the same, and the connection is over then.
pub(crate) async fn slow_bodies_end(stage: &Stage) -> Result<()> {
    let head = "POST /auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n";
    let (mut receives, mut sends) = connect(stage).await?.into_split();
    sends.write_all(head.as_bytes()).await?;
    let drip = async {
        while sends.write_all(b" ").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    };
    let begun = Instant::now();
    let mut answered = Vec::new();
    let ended = async { tokio::time::timeout(BODY_ENDS, receives.read_to_end(&mut answered)).await };
    let ended = tokio::select! {
        ended = ended => ended,
        // The connection is gone for what is sent, and what was answered can still be read.
        () = drip => tokio::time::timeout(BODY_ENDS, receives.read_to_end(&mut answered)).await,
    };
    let answered = String::from_utf8_lossy(&answered).to_lowercase();
    ensure!(ended.is_ok(), "the connection is still there after {:?}: {answered}", begun.elapsed());
    ensure!(begun.elapsed() > Duration::from_secs(3), "it ended at once: {answered}");
    ensure!(answered.starts_with("http/1.1 408 "), "{answered}");
    ensure!(answered.contains("\r\nconnection: close\r\n"), "{answered}");
    ensure!(answered.contains("\r\ncontent-type: application/problem+json\r\n"), "{answered}");
    Ok(())
}

//! Asks an HTTP server on this machine whether it is well, as a health check does.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};

/// Far above what an answer takes, and below the time that a container's health check has.
const PATIENCE: Duration = Duration::from_secs(2);

/// Ends well if `url`, such as `http://127.0.0.1:7410/readyz`, answers with a success.
///
/// The host is an address and never a name: there is nothing to look a name up with in a program without a C library.
pub(crate) fn ask(url: &str) -> Result<()> {
    let rest = url.strip_prefix("http://").context("a URL begins with http://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let address: SocketAddr = host.parse().with_context(|| format!("{host} is no address with a port"))?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).with_context(|| format!("connecting to {host}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    // In one piece: who answers the first one may be gone before the last.
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    // `HTTP/1.1 200`: the status is what matters, and all that is waited for.
    let mut line = [0; 12];
    stream.read_exact(&mut line).with_context(|| format!("waiting for {host}"))?;
    match line.get(8..) {
        Some([b' ', b'2', ..]) => Ok(()),
        _ => bail!("{url} answered {}", String::from_utf8_lossy(&line)),
    }
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// Asks a server that answers this, once; answers what it was asked, too.
    fn answered(answer: &'static str) -> (Result<()>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 256];
            let length = stream.read(&mut request).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..length]).into_owned()
        });
        (ask(&format!("http://{address}/readyz")), server.join().unwrap())
    }

    #[test]
    fn only_a_success_is_well() {
        let (well, asked) = answered("HTTP/1.1 204 No Content\r\n\r\n");
        assert!(well.is_ok() && asked.starts_with("GET /readyz HTTP/1.1\r\n"), "{well:?} {asked}");
        for answer in ["HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP/1.1 302 Found\r\n\r\n", "nonsense at all", ""]
        {
            assert!(answered(answer).0.is_err(), "{answer}");
        }
    }

    #[test]
    fn nobody_there_and_no_address_are_errors() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(ask(&format!("http://{free}/readyz")).is_err());
        assert!(ask("http://localhost:80/").is_err() && ask("127.0.0.1:80").is_err());
    }
}

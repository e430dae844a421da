//! The endpoint: as much of HTTP/1.1 as a scraper needs, within limits.

use std::net::TcpListener as StdListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::Page;

/// So many scrapers are answered at one time; the connections of more are closed.
const SCRAPES_MAX: usize = 8;
/// The longest head of a request.
const HEAD_BYTES_MAX: usize = 8 * 1024;
/// How long nobody is accepted after that has failed.
const PAUSE: Duration = Duration::from_millis(100);
const FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Answers scrapers without end.
pub(super) async fn serve(listener: StdListener, page: Arc<Page>, scrape_timeout: Duration) {
    let listener = match TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the endpoint for metrics cannot listen"),
    };
    let places = Arc::new(Semaphore::new(SCRAPES_MAX));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a scraper could not be accepted; trying again");
                sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = places.clone().try_acquire_owned() else { continue };
        let page = page.clone();
        tokio::spawn(async move {
            let _place = place;
            // A scraper that hangs up or takes too long gets no answer; there is nobody to tell.
            let _ = timeout(scrape_timeout, answer(stream, &page)).await;
        });
    }
}

async fn answer(mut stream: TcpStream, page: &Page) -> std::io::Result<()> {
    let mut head = Vec::new();
    let request = loop {
        if let Some(request) = Request::parse(&head) {
            break request;
        }
        if head.len() > HEAD_BYTES_MAX {
            break Request::TooLong;
        }
        let room = HEAD_BYTES_MAX.saturating_add(1).saturating_sub(head.len()) as u64;
        if (&mut stream).take(room).read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let response = request.response(page);
    stream.write_all(response.as_bytes()).await?;
    stream.shutdown().await?;
    // What was sent and nobody has read would make the system drop the answer.
    let mut rest = [0; 1024];
    for _ in 0..64 {
        if stream.read(&mut rest).await? == 0 {
            break;
        }
    }
    Ok(())
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Metrics,
    /// As before, but the head alone.
    MetricsHead,
    OtherPath,
    OtherMethod,
    OtherVersion,
    Malformed,
    TooLong,
}

impl Request {
    /// Reads a head; none until all of it is there.
    fn parse(head: &[u8]) -> Option<Self> {
        let is_whole =
            head.windows(4).any(|end| end == b"\r\n\r\n") || head.windows(2).any(|end| end == b"\n\n");
        let line = head.split(|byte| *byte == b'\n').next().filter(|_| is_whole)?;
        let Ok(line) = std::str::from_utf8(line) else { return Some(Self::Malformed) };
        let mut words = line.trim_end_matches('\r').split(' ');
        let (Some(method), Some(target), Some(version), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Some(Self::Malformed);
        };
        if !version.starts_with("HTTP/") {
            return Some(Self::Malformed);
        }
        let path = target.split('?').next().unwrap_or_default();
        Some(match (method, path) {
            _ if !version.starts_with("HTTP/1.") => Self::OtherVersion,
            (_, path) if path != "/metrics" => Self::OtherPath,
            ("GET", _) => Self::Metrics,
            ("HEAD", _) => Self::MetricsHead,
            _ => Self::OtherMethod,
        })
    }

    fn response(self, page: &Page) -> String {
        const PLAIN: &str = "text/plain; charset=utf-8";
        let (status, format, body) = match self {
            Self::Metrics | Self::MetricsHead => ("200 OK", FORMAT, page.render()),
            Self::OtherPath => ("404 Not Found", PLAIN, "The metrics are at /metrics.\n".to_owned()),
            Self::OtherMethod => {
                ("405 Method Not Allowed\r\nallow: GET, HEAD", PLAIN, "Use GET.\n".to_owned())
            }
            Self::OtherVersion => ("505 HTTP Version Not Supported", PLAIN, "Use HTTP/1.1.\n".to_owned()),
            Self::Malformed => ("400 Bad Request", PLAIN, "This is not HTTP/1.1.\n".to_owned()),
            Self::TooLong => {
                ("431 Request Header Fields Too Large", PLAIN, "The limit is 8 KiB.\n".to_owned())
            }
        };
        let length = body.len();
        let body = if self == Self::MetricsHead { String::new() } else { body };
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: {format}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_when_all_of_it_is_there() {
        let cases = [
            ("", None),
            ("GET /metrics HTTP/1.1\r\n", None),
            ("GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n", Some(Request::Metrics)),
            ("GET /metrics?name[]=up HTTP/1.0\n\n", Some(Request::Metrics)),
            ("HEAD /metrics HTTP/1.1\r\n\r\n", Some(Request::MetricsHead)),
            ("POST /metrics HTTP/1.1\r\n\r\n", Some(Request::OtherMethod)),
            ("GET / HTTP/1.1\r\n\r\n", Some(Request::OtherPath)),
            ("PRI * HTTP/2.0\r\n\r\n", Some(Request::OtherVersion)),
            ("GET /metrics\r\n\r\n", Some(Request::Malformed)),
            ("GET  /metrics HTTP/1.1\r\n\r\n", Some(Request::Malformed)),
            ("FCL\u{0}\u{1}\n\n", Some(Request::Malformed)),
        ];
        for (head, request) in cases {
            assert_eq!(Request::parse(head.as_bytes()), request, "{head:?}");
        }
        assert_eq!(Request::parse(b"\xff\n\n"), Some(Request::Malformed));
    }
}

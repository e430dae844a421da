//! Links over WebSockets (RFC 6455): the way in for browsers, and through proxies that pass HTTP only.
//!
//! The handshake is read here, so that its size is bounded and each refusal says what listens; framing and masking are tungstenite's.

mod head;
mod stream;

use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use rpc_core::{Error, ErrorKind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{ByteStream, Link};
use crate::connection::FAREWELL_MAX;
#[cfg(feature = "tls")]
use crate::tls;
use crate::uri::WebUri;
use head::{Answer, HeadError, Request, read_head};
use stream::WsStream;

/// The name of the protocol in a WebSocket's handshake (rule W1).
const SUBPROTOCOL: &str = "farcall";
/// So much of what a server says instead of opening a WebSocket is shown.
const BODY_BYTES_MAX: u64 = 512;

/// Opens a WebSocket over a link that is secured already where it is to be.
pub(crate) async fn open(link: Link, uri: &WebUri) -> Result<Link, Error> {
    let Link { mut stream, peer } = link;
    let key = generate_key();
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: {key}\r\nsec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n",
        uri.target(),
        uri.host
    );
    let exchanged = async {
        stream.write_all(request.as_bytes()).await?;
        stream.flush().await?;
        let (head, rest) = read_head(&mut stream).await?;
        Ok((Answer::parse(&head)?, rest))
    };
    let (answer, rest) = exchanged.await.map_err(|error| failed(&in_words(&error)))?;
    if answer.code != 101 {
        let body = read_body(&mut stream, &rest).await;
        return Err(failed(&format!("the server answered {} {}: {body}", answer.code, answer.reason)));
    }
    let accepted = answer.headers.get("sec-websocket-accept") == Some(&*derive_accept_key(key.as_bytes()));
    if !accepted || !answer.headers.lists("upgrade", "websocket") {
        return Err(failed("the server's answer is to another request: a cache may stand between"));
    }
    if answer.headers.get("sec-websocket-protocol") != Some(SUBPROTOCOL) {
        return Err(failed("the server speaks another protocol than farcall in it: check the address"));
    }
    let stream = WsStream::new(stream, rest.to_vec(), Role::Client).await;
    Ok(Link { stream: Box::new(stream), peer })
}

fn failed(why: &str) -> Error {
    Error::new(ErrorKind::Connect, format!("no WebSocket could be opened: {why}"))
}

fn in_words(error: &HeadError) -> String {
    match error {
        HeadError::Io(error) => error.to_string(),
        HeadError::Foreign(_) => "the peer does not speak HTTP: check the address".to_owned(),
        HeadError::TooLong => "the head of the HTTP message is longer than 8 KiB".to_owned(),
        HeadError::Malformed(error) => format!("the peer does not speak HTTP/1.1: {error}"),
    }
}

/// Reads the start of what the server has to say, in one line.
async fn read_body(stream: &mut Box<dyn ByteStream>, rest: &[u8]) -> String {
    let mut body = rest.to_vec();
    // Where it says no more than its head, or not in time, that is shown.
    let _ = timeout(FAREWELL_MAX, stream.take(BODY_BYTES_MAX).read_to_end(&mut body)).await;
    let text = String::from_utf8_lossy(&body);
    text.trim().chars().map(|char| if char.is_control() { ' ' } else { char }).take(256).collect()
}

/// Where a server listens for WebSockets, and for whom.
#[derive(Clone)]
pub(crate) struct Door {
    pub(crate) path: String,
    /// The origins of pages that may call, beside those of the same host.
    pub(crate) origins: Vec<String>,
}

/// A link that a client has made, on which no WebSocket was opened yet.
pub(crate) struct Handshake {
    pub(crate) lower: Lower,
    pub(crate) door: Door,
}

/// What a WebSocket is opened over.
pub(crate) enum Lower {
    Plain(Link),
    #[cfg(feature = "tls")]
    Tls(tls::Handshake),
}

impl Lower {
    #[cfg_attr(not(feature = "tls"), expect(unused_variables, reason = "nothing is to be waited for"))]
    async fn secured(self, limit: Duration) -> Option<Link> {
        match self {
            Self::Plain(link) => Some(link),
            #[cfg(feature = "tls")]
            Self::Tls(handshake) => handshake.run(limit).await,
        }
    }
}

impl Handshake {
    /// Opens the WebSocket, or tells the client why not; none where it comes to nothing in this time.
    pub(crate) async fn run(self, limit: Duration) -> Option<Link> {
        let Self { lower, door } = self;
        let done = timeout(limit, async {
            let mut link = lower.secured(limit).await?;
            match door.let_in(&mut link).await {
                Ok(rest) => {
                    let stream = WsStream::new(link.stream, rest, Role::Server).await;
                    Some(Link { stream: Box::new(stream), peer: link.peer })
                }
                Err(refusal) => {
                    tracing::debug!(peer = %link.peer, why = refusal.text, "a WebSocket was refused");
                    // It is a courtesy: a client that does not take it is closed all the same.
                    let _ = timeout(FAREWELL_MAX, refusal.say(&mut link.stream)).await;
                    None
                }
            }
        });
        done.await.ok().flatten()
    }
}

/// Why a client is turned away, in HTTP.
struct Refusal {
    status: &'static str,
    text: String,
}

impl Refusal {
    fn new(status: &'static str, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    async fn say(&self, stream: &mut Box<dyn ByteStream>) -> io::Result<()> {
        let Self { status, text } = self;
        match *status {
            SILENT => return Ok(()),
            // An alert record of TLS 1.2: fatal, protocol_version.
            TLS => stream.write_all(&[0x15, 3, 3, 0, 2, 2, 70]).await?,
            _ => {
                let mut answer =
                    format!("HTTP/1.1 {status}\r\ncontent-type: text/plain\r\nconnection: close\r\n");
                if *status == UPGRADE {
                    answer.push_str("upgrade: websocket\r\nsec-websocket-version: 13\r\n");
                }
                // Writing to a string does not fail.
                let _ = write!(answer, "content-length: {}\r\n\r\n{text}\n", text.len().saturating_add(1));
                stream.write_all(answer.as_bytes()).await?;
            }
        }
        stream.shutdown().await?;
        // What the client has sent and nobody read would make the system drop the answer: read some of it.
        let mut rest = [0; 4096];
        for _ in 0..16 {
            if stream.read(&mut rest).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}

const SILENT: &str = "";
const TLS: &str = "TLS";
const UPGRADE: &str = "426 Upgrade Required";
const BAD: &str = "400 Bad Request";

impl From<HeadError> for Refusal {
    fn from(error: HeadError) -> Self {
        match &error {
            HeadError::Io(_) => Self::new(SILENT, in_words(&error)),
            HeadError::Foreign(0x16) => Self::new(TLS, "the client speaks TLS: use ws:// for this port"),
            HeadError::Foreign(_) => {
                Self::new(BAD, "This port speaks farcall in WebSockets: use ws:// for it.")
            }
            HeadError::TooLong => Self::new("431 Request Header Fields Too Large", in_words(&error)),
            HeadError::Malformed(_) => Self::new(BAD, in_words(&error)),
        }
    }
}

impl Door {
    /// Answers a client's request for a WebSocket; gives what it has sent after it.
    async fn let_in(&self, link: &mut Link) -> Result<Vec<u8>, Refusal> {
        let (head, rest) = read_head(&mut link.stream).await?;
        let accept = self.check(&Request::parse(&head)?)?;
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n\
             sec-websocket-accept: {accept}\r\nsec-websocket-protocol: {SUBPROTOCOL}\r\n\r\n"
        );
        let said = async {
            link.stream.write_all(answer.as_bytes()).await?;
            link.stream.flush().await
        };
        said.await.map_err(HeadError::Io)?;
        Ok(rest.to_vec())
    }

    /// Holds a request against the rules, and gives the answer to its key.
    fn check(&self, request: &Request) -> Result<String, Refusal> {
        let Request { method, path, headers } = request;
        if path != &self.path {
            let text = format!("Nothing is here: farcall listens for WebSockets at {}.", self.path);
            return Err(Refusal::new("404 Not Found", text));
        }
        let upgrades = headers.lists("connection", "upgrade") && headers.lists("upgrade", "websocket");
        if method != "GET" || !upgrades {
            let text =
                "This port speaks farcall in WebSockets, not plain HTTP. Call it with a farcall client.";
            return Err(Refusal::new(UPGRADE, text));
        }
        if headers.get("sec-websocket-version") != Some("13") {
            return Err(Refusal::new(UPGRADE, "This port speaks version 13 of WebSockets."));
        }
        if !headers.lists("sec-websocket-protocol", SUBPROTOCOL) {
            let text =
                "The request does not offer the subprotocol \"farcall\", the only one that is spoken here.";
            return Err(Refusal::new(BAD, text));
        }
        if let Some(origin) = headers.get("origin").filter(|origin| !self.admits(origin, headers.get("host")))
        {
            let text = format!("Pages of {origin:?} may not call: name it with ServerBuilder::web_origins.");
            return Err(Refusal::new("403 Forbidden", text));
        }
        let key = headers.get("sec-websocket-key").filter(|key| key.len() == 24);
        let key = key.ok_or_else(|| Refusal::new(BAD, "The request has no valid Sec-WebSocket-Key."))?;
        Ok(derive_accept_key(key.as_bytes()))
    }

    /// Tells whether pages of an origin may call (rule W6): those of this host, and those that are named.
    fn admits(&self, origin: &str, host: Option<&str>) -> bool {
        let own = origin.split_once("://").map(|(_, host)| host);
        let is_same = own.zip(host).is_some_and(|(own, host)| own.eq_ignore_ascii_case(host));
        is_same || self.origins.iter().any(|named| named == "*" || named.eq_ignore_ascii_case(origin))
    }
}

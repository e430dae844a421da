//! Where a service is.

use std::fmt;
use std::path::PathBuf;

use rpc_core::{Error, ErrorKind};

/// An address in its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Uri {
    /// `tcp://HOST:PORT`; an IPv6 address stands in brackets.
    Tcp(String),
    /// `tls://HOST:PORT`: TLS over TCP.
    #[cfg(feature = "tls")]
    Tls(String),
    /// `ws://HOST:PORT/PATH`, and `wss://` for the same over TLS.
    #[cfg(feature = "websocket")]
    Ws(WebUri),
    /// `quic://HOST:PORT`.
    #[cfg(feature = "quic")]
    Quic(String),
    /// `unix:///PATH`, or `unix://PATH` for a relative one.
    Unix(PathBuf),
    /// `mem://NAME`, within the process.
    Mem(String),
}

/// An address of a WebSocket.
#[cfg(feature = "websocket")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WebUri {
    /// Over TLS.
    pub(crate) secure: bool,
    /// `HOST:PORT`.
    pub(crate) host: String,
    /// What follows it, from its `/` on, if anything does.
    pub(crate) path: String,
}

#[cfg(feature = "websocket")]
impl WebUri {
    fn parse(text: &str, scheme: &str, rest: &str) -> Result<Self, Error> {
        let secure = scheme == "wss";
        if secure && cfg!(not(feature = "tls")) {
            return Err(unusable(text, "this build speaks no TLS: turn on the feature `tls`"));
        }
        let (host, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        // It becomes a line of HTTP.
        if !rest.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return Err(unusable(text, "a character in it cannot be a part of an address: write it as %XX"));
        }
        let host = match has_port(host) {
            true => host.to_owned(),
            false => format!("{host}:{}", if secure { 443 } else { 80 }),
        };
        if host.starts_with(':') || !has_port(&host) {
            return Err(unusable(text, "a host is missing, as in ws://127.0.0.1:7080/rpc"));
        }
        Ok(Self { secure, host, path: path.to_owned() })
    }

    /// What a client asks for at the host.
    pub(crate) fn target(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }
}

impl Uri {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        match text.split_once("://") {
            Some(("tcp", host)) if has_port(host) => Ok(Self::Tcp(host.to_owned())),
            #[cfg(feature = "tls")]
            Some(("tls", host)) if has_port(host) => Ok(Self::Tls(host.to_owned())),
            #[cfg(not(feature = "tls"))]
            Some(("tls", _)) => Err(unusable(text, "this build speaks no TLS: turn on the feature `tls`")),
            #[cfg(feature = "tls")]
            Some(("tls", _)) => Err(unusable(text, "a port is missing, as in tls://127.0.0.1:7443")),
            #[cfg(feature = "websocket")]
            Some((scheme @ ("ws" | "wss"), rest)) => WebUri::parse(text, scheme, rest).map(Self::Ws),
            #[cfg(not(feature = "websocket"))]
            Some(("ws" | "wss", _)) => {
                Err(unusable(text, "this build speaks no WebSockets: turn on the feature `websocket`"))
            }
            #[cfg(feature = "quic")]
            Some(("quic", host)) if has_port(host) => Ok(Self::Quic(host.to_owned())),
            #[cfg(feature = "quic")]
            Some(("quic", _)) => Err(unusable(text, "a port is missing, as in quic://127.0.0.1:7443")),
            #[cfg(not(feature = "quic"))]
            Some(("quic", _)) => Err(unusable(text, "this build speaks no QUIC: turn on the feature `quic`")),
            Some(("tcp", _)) => Err(unusable(text, "a port is missing, as in tcp://127.0.0.1:7000")),
            Some(("unix", "")) => Err(unusable(text, "a path is missing, as in unix:///run/app.sock")),
            Some(("unix", path)) => Ok(Self::Unix(path.into())),
            Some(("mem", name)) => Ok(Self::Mem(name.to_owned())),
            Some(_) => Err(unusable(text, "the scheme is not one of tcp, tls, quic, unix, mem, ws and wss")),
            None => Err(unusable(text, "a scheme is missing, as in tcp://127.0.0.1:7000")),
        }
    }

    /// `HOST:PORT`, where TLS is spoken at it.
    #[cfg(feature = "tls")]
    pub(crate) fn secure_host(&self) -> Option<&str> {
        match self {
            Self::Tls(host) => Some(host),
            #[cfg(feature = "quic")]
            Self::Quic(host) => Some(host),
            #[cfg(feature = "websocket")]
            Self::Ws(uri) if uri.secure => Some(&uri.host),
            _ => None,
        }
    }

    /// What a link to the address needs before the connection is opened on it, if anything.
    #[cfg(any(feature = "tls", feature = "websocket"))]
    pub(crate) fn handshake(&self) -> Option<&'static str> {
        match self {
            #[cfg(feature = "tls")]
            Self::Tls(_) => Some("TLS"),
            #[cfg(feature = "websocket")]
            Self::Ws(_) => Some("WebSocket"),
            _ => None,
        }
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(name, port)| {
        let is_name = !name.contains(':') || (name.starts_with('[') && name.ends_with(']'));
        is_name && port.parse::<u16>().is_ok()
    })
}

fn unusable(text: &str, why: &str) -> Error {
    Error::new(ErrorKind::Config, format!("the address \"{text}\" cannot be used: {why}"))
}

impl fmt::Display for Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host) => write!(f, "tcp://{host}"),
            #[cfg(feature = "tls")]
            Self::Tls(host) => write!(f, "tls://{host}"),
            #[cfg(feature = "quic")]
            Self::Quic(host) => write!(f, "quic://{host}"),
            #[cfg(feature = "websocket")]
            Self::Ws(WebUri { secure, host, path }) => {
                write!(f, "{}://{host}{path}", if *secure { "wss" } else { "ws" })
            }
            Self::Unix(path) => write!(f, "unix://{}", path.display()),
            Self::Mem(name) => write!(f, "mem://{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_as_they_are_written() {
        for text in
            ["tcp://127.0.0.1:0", "tcp://[::1]:7000", "tcp://db.local:1", "unix:///run/a.sock", "mem://a"]
        {
            assert_eq!(Uri::parse(text).unwrap().to_string(), text);
        }
    }

    #[cfg(feature = "websocket")]
    #[test]
    fn addresses_of_websockets_have_a_path_and_the_ports_of_the_web() {
        for (text, host, target) in [
            ("ws://127.0.0.1:0/rpc", "127.0.0.1:0", "/rpc"),
            ("ws://[::1]:7080", "[::1]:7080", "/"),
            ("ws://api.example/a/b?c=d", "api.example:80", "/a/b?c=d"),
        ] {
            let Uri::Ws(uri) = Uri::parse(text).unwrap() else { panic!("{text}") };
            assert_eq!((&*uri.host, uri.target()), (host, target));
        }
        assert_eq!(Uri::parse("ws://a:1/rpc").unwrap().to_string(), "ws://a:1/rpc");
        let injected = Uri::parse("ws://a:1/rpc HTTP/1.1\r\nhost: b").unwrap_err().to_string();
        assert!(injected.contains("cannot be a part of an address"), "{injected}");
        #[cfg(feature = "tls")]
        assert_eq!(Uri::parse("wss://api.example").unwrap().to_string(), "wss://api.example:443");
    }

    #[test]
    fn an_address_that_cannot_be_used_says_why() {
        let why = |text: &str| Uri::parse(text).unwrap_err().to_string();
        assert!(why("127.0.0.1:7000").contains("scheme is missing"));
        assert!(why("http://a:1").contains("not one of tcp, tls, quic, unix, mem, ws and wss"));
        #[cfg(feature = "tls")]
        assert!(why("tls://localhost").contains("port is missing"));
        #[cfg(not(feature = "tls"))]
        assert!(why("tls://localhost:1").contains("feature `tls`"));
        #[cfg(feature = "websocket")]
        assert!(why("ws://").contains("host is missing"));
        #[cfg(not(feature = "websocket"))]
        assert!(why("ws://localhost:1").contains("feature `websocket`"));
        #[cfg(feature = "quic")]
        assert!(why("quic://localhost").contains("port is missing"));
        #[cfg(not(feature = "quic"))]
        assert!(why("quic://localhost:1").contains("feature `quic`"));
        assert!(why("tcp://localhost").contains("port is missing"));
        assert!(why("tcp://::1:7000").contains("port is missing"));
        assert!(why("unix://").contains("path is missing"));
    }
}

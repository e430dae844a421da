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
    /// `unix:///PATH`, or `unix://PATH` for a relative one.
    Unix(PathBuf),
    /// `mem://NAME`, within the process.
    Mem(String),
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
            Some(("tcp", _)) => Err(unusable(text, "a port is missing, as in tcp://127.0.0.1:7000")),
            Some(("unix", "")) => Err(unusable(text, "a path is missing, as in unix:///run/app.sock")),
            Some(("unix", path)) => Ok(Self::Unix(path.into())),
            Some(("mem", name)) => Ok(Self::Mem(name.to_owned())),
            Some(_) => Err(unusable(text, "the scheme is not one of tcp, tls, unix and mem")),
            None => Err(unusable(text, "a scheme is missing, as in tcp://127.0.0.1:7000")),
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

    #[test]
    fn an_address_that_cannot_be_used_says_why() {
        let why = |text: &str| Uri::parse(text).unwrap_err().to_string();
        assert!(why("127.0.0.1:7000").contains("scheme is missing"));
        assert!(why("http://a:1").contains("not one of tcp, tls, unix and mem"));
        #[cfg(feature = "tls")]
        assert!(why("tls://localhost").contains("port is missing"));
        #[cfg(not(feature = "tls"))]
        assert!(why("tls://localhost:1").contains("feature `tls`"));
        assert!(why("tcp://localhost").contains("port is missing"));
        assert!(why("tcp://::1:7000").contains("port is missing"));
        assert!(why("unix://").contains("path is missing"));
    }
}

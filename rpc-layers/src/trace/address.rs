//! The parts of a URI that spans name.

use std::net::IpAddr;

/// Where a peer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// A host, a path, or a name within the process.
    pub(super) name: String,
    pub(super) port: Option<u16>,
    /// It names one end of a connection: an IP address or a socket's path, and nothing that has to be looked up.
    pub(super) is_of_network: bool,
}

impl Address {
    /// Takes a URI apart; what is none is a name as a whole.
    pub(super) fn parse(uri: &str) -> Self {
        let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
        if matches!(scheme, "unix" | "mem") {
            return Self { name: rest.to_owned(), port: None, is_of_network: scheme == "unix" };
        }
        let (host, port) = match rest.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => (host, Some(port)),
            _ => (rest, None),
        };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        Self { name: host.to_owned(), port, is_of_network: host.parse::<IpAddr>().is_ok() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_taken_apart() {
        for (uri, name, port, is_of_network) in [
            ("tcp://10.0.0.7:7000", "10.0.0.7", Some(7000), true),
            ("tls://[::1]:7443", "::1", Some(7443), true),
            ("tcp://weather.example:7000", "weather.example", Some(7000), false),
            ("unix:///run/app.sock", "/run/app.sock", None, true),
            ("mem://shop", "shop", None, false),
            ("weather.example", "weather.example", None, false),
            ("tcp://weather.example:http", "weather.example:http", None, false),
            ("", "", None, false),
        ] {
            let expected = Address { name: name.to_owned(), port, is_of_network };
            assert_eq!(Address::parse(uri), expected, "{uri}");
        }
    }
}

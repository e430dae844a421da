//! What a client knows of servers that it may send early data to.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use rpc_core::wire::Settings;

/// As many as rustls keeps sessions of.
const SERVERS_MAX: usize = 256;

/// How servers have opened their last connection: early data keeps to that (rule Q10).
#[derive(Default)]
pub(crate) struct KnownServers {
    /// Those that were heard of last stand last.
    servers: Mutex<VecDeque<Known>>,
}

struct Known {
    host: String,
    address: SocketAddr,
    settings: Settings,
}

impl KnownServers {
    /// Notes how the server at `HOST:PORT` has opened a connection to one of its addresses.
    pub(crate) fn note(&self, host: &str, address: SocketAddr, settings: Settings) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.retain(|known| known.host != host);
        if servers.len() >= SERVERS_MAX {
            servers.pop_front();
        }
        servers.push_back(Known { host: host.to_owned(), address, settings });
    }

    /// Takes out what is known of a server: it is noted again once that has proved true.
    pub(crate) fn take(&self, host: &str) -> Option<(SocketAddr, Settings)> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let index = servers.iter().position(|known| known.host == host)?;
        servers.remove(index).map(|known| (known.address, known.settings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_servers_are_known_by_what_they_said_last() {
        let (servers, address) = (KnownServers::default(), SocketAddr::from(([127, 0, 0, 1], 7)));
        let settings = |calls_max| {
            let mut settings = Settings::default();
            settings.calls_max = calls_max;
            settings
        };
        for number in 0..300 {
            servers.note(&format!("host-{number}:7"), address, settings(number));
        }
        servers.note("host-299:7", address, settings(7));
        assert_eq!(servers.take("host-43:7"), None);
        assert_eq!(servers.take("host-44:7"), Some((address, settings(44))));
        assert_eq!(servers.take("host-44:7"), None, "it was taken out");
        assert_eq!(servers.take("host-299:7"), Some((address, settings(7))));
    }
}

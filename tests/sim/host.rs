//! A server that can be shut down, killed and started again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use farcall::{Limits, Server};

use crate::ledger::Ledger;
use crate::net::{Route, Way};
use crate::plan::Restart;
use crate::service::{Clerk, DeskServer};
use crate::shared::Shared;
use crate::time::{ms, pass};

/// Long enough for what a server that was dropped still has to say, and for its tasks to end.
const GONE_MS: u64 = 10;

/// A machine that runs a server.
pub struct Host {
    pub path: PathBuf,
    pub routes: Vec<Arc<Route>>,
    pub limits: Limits,
    pub connections_max: usize,
    pub calls_max: u32,
    pub ledger: Ledger,
    /// None while it is down.
    pub server: Mutex<Option<Server>>,
}

impl Host {
    /// Starts a server, which knows nothing of one before it.
    pub async fn start(&self, grace_ms: u64) {
        let clerk = Clerk { ledger: self.ledger.clone(), met: Shared::default(), calls_max: self.calls_max };
        let server = Server::builder()
            .service(DeskServer::new(clerk))
            .limits(self.limits.clone())
            .max_connections(self.connections_max)
            .shutdown_grace(ms(grace_ms))
            .bind(format!("unix://{}", self.path.display()))
            .await;
        match server {
            Ok(server) => drop(self.server.lock().unwrap().replace(server)),
            Err(error) => {
                self.ledger.log.wrong(format_args!("a server does not start again: {:?}", error.kind()))
            }
        }
    }

    /// Takes the server down and starts it again, unless it is down already.
    pub async fn restart(&self, how: Restart, down_ms: u64) {
        let Some(server) = self.server.lock().unwrap().take() else { return };
        self.ledger.log.note(format_args!("a server goes down: {how:?}"));
        let both = &[Way::Up, Way::Down];
        match how {
            Restart::Graceful { .. } => server.shutdown().await,
            Restart::Killed => {
                self.routes.iter().for_each(|route| route.reset());
                drop(server);
            }
            Restart::PowerLost => {
                self.routes.iter().for_each(|route| route.block(both, true));
                drop(server);
            }
        }
        pass(GONE_MS + down_ms).await;
        let grace_ms = match how {
            Restart::Graceful { grace_ms } => grace_ms,
            _ => 1_000,
        };
        self.start(grace_ms).await;
        if how == Restart::PowerLost {
            self.routes.iter().for_each(|route| route.reset());
            self.routes.iter().for_each(|route| route.block(both, false));
        }
        self.ledger.log.note(format_args!("a server is back"));
    }
}

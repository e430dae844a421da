//! Who takes part: one sound server with its client, and servers, links and clients to which everything happens.

use std::sync::Arc;

use farcall::{Channel, Server};
use fastrand::Rng;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::control;
use crate::histogram::Histogram;
use crate::lab::LabClient;
use crate::ledger::Ledger;
use crate::load::Worker;
use crate::proxy::{self, Faults};
use crate::servers::{keep_restarting, limits, serve, sound_limits};
use crate::stop::Stop;

/// Where no client's socket gets a port by chance: a port that is free for a moment must not be taken while its server starts anew.
const SERVERS_HOST: &str = "127.0.0.2:0";
/// Clients of each address, which differ in how long they keep their channels.
const CALLS_MAX: [u32; 5] = [5, 50, 50, 500, 5_000];

/// Clients that are there and do nothing until the end: their connections must live, and most of any server's are such.
const IDLE_CLIENTS: usize = 200;

/// All that runs.
pub(crate) struct World {
    pub(crate) latency: Arc<Histogram>,
    pub(crate) faults: Arc<Faults>,
    /// Clients end first, then what they call.
    clients: (watch::Sender<()>, JoinSet<()>),
    surroundings: (watch::Sender<()>, JoinSet<()>),
    sound: Server,
    _sockets: TempDir,
}

impl World {
    pub(crate) async fn start(seed: u64, ledger: &Arc<Ledger>) -> anyhow::Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let sockets = tempfile::tempdir()?;
        let faults = Arc::new(Faults::default());
        let (stop_surroundings, stop) = Stop::pair();
        let mut surroundings = JoinSet::new();
        let path = sockets.path().join("soak").display().to_string();
        let tcp = format!("tcp://{SERVERS_HOST}");
        let mut uris = Vec::new();
        for uri in [&tcp, &tcp, &format!("unix://{path}"), "mem://soak"] {
            let server = serve(uri, limits(), ledger).await?;
            uris.push(server.uri().to_owned());
            let keeper = keep_restarting(server, ledger.clone(), faults.clone(), rng.fork(), stop.clone());
            surroundings.spawn(keeper);
        }
        for index in [0, 1] {
            let listener = TcpListener::bind(SERVERS_HOST).await?;
            let to = uris[index].trim_start_matches("tcp://").to_owned();
            uris.push(format!("tcp://{}", listener.local_addr()?));
            surroundings.spawn(proxy::run(listener, to, faults.clone(), rng.fork(), stop.clone()));
        }
        let sound = serve(&tcp, sound_limits(), ledger).await?;
        let latency = Arc::new(Histogram::new());
        let (stop_clients, stop) = Stop::pair();
        let mut clients = JoinSet::new();
        let channel = Channel::builder(sound.uri()).limits(sound_limits()).connect().await?;
        let control = control::run(LabClient::new(channel), ledger.clone(), latency.clone(), stop.clone());
        clients.spawn(control);
        for _ in 0..IDLE_CLIENTS {
            let channel = Channel::builder(sound.uri()).limits(sound_limits()).connect().await?;
            clients.spawn(control::idle(LabClient::new(channel), ledger.clone(), stop.clone()));
        }
        for (uri, calls_max) in uris.iter().flat_map(|uri| CALLS_MAX.map(|calls_max| (uri, calls_max))) {
            let (uri, ledger, rng) = (uri.clone(), ledger.clone(), rng.fork());
            clients.spawn(Worker { uri, calls_max, ledger, rng, stop: stop.clone() }.run());
        }
        let (clients, surroundings) = ((stop_clients, clients), (stop_surroundings, surroundings));
        Ok(Self { latency, faults, clients, surroundings, sound, _sockets: sockets })
    }

    /// Ends all of it, in order.
    pub(crate) async fn end(self) {
        for (stop, mut tasks) in [self.clients, self.surroundings] {
            drop(stop);
            while tasks.join_next().await.is_some() {}
        }
        self.sound.shutdown().await;
    }
}

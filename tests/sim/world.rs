//! A run: clients, servers and the network between them, from the first call until nothing is left.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use farcall::{Backoff, Channel, ChannelStats};
use fastrand::Rng;
use futures::FutureExt;
use futures::future::join_all;
use tokio::runtime::Handle;

use crate::caller;
use crate::crowd::Crowd;
use crate::host::Host;
use crate::ledger::Ledger;
use crate::log::{Lines, Log};
use crate::net::Route;
use crate::plan::{Fault, FaultPlan, Plan, SILENCE_MS};
use crate::rest;
use crate::service::DeskClient;
use crate::time::{self, Stillness, ms, pass};

/// Longer than any call takes once all faults are over.
const BOUND: Duration = Duration::from_secs(600);
/// What a shutdown may take beside its grace: farewells, and writes to a peer that does not read.
const SHUTDOWN_BOUND: Duration = Duration::from_secs(20);

/// Runs a seed; the folder takes its sockets, and is empty.
pub fn run(seed: u64, folder: &Path) -> Lines {
    // What the library itself draws.
    fastrand::seed(seed);
    let mut rng = Rng::with_seed(seed);
    let plan = Plan::draw(&mut rng);
    let (runtime, stillness) = time::runtime();
    runtime.block_on(async {
        let log = Log::new();
        let tasks = Handle::current().metrics().num_alive_tasks();
        let world = World::start(&plan, rng, folder, log.clone(), stillness).await;
        world.work(&plan).await;
        world.rest(&plan).await;
        world.end().await;
        let left = Handle::current().metrics().num_alive_tasks() - tasks;
        if left > 0 {
            log.wrong(format_args!("{left} tasks are left"));
        }
        log.take()
    })
}

struct World {
    /// By client and server.
    channels: Vec<Vec<Channel>>,
    routes: Vec<Vec<Arc<Route>>>,
    hosts: Vec<Arc<Host>>,
    ledger: Ledger,
    log: Log,
}

impl World {
    async fn start(plan: &Plan, mut rng: Rng, folder: &Path, log: Log, stillness: Arc<Stillness>) -> Self {
        let ledger = Ledger::new(log.clone());
        let near = |client, server| folder.join(format!("{client}-{server}"));
        let far = |server| folder.join(format!("{server}"));
        let mut route = |client, server| {
            let sockets = (near(client, server), far(server));
            Route::open(format!("{client}-{server}"), sockets, log.clone(), stillness.clone(), rng.fork())
        };
        let routes: Vec<Vec<_>> = (0..plan.clients)
            .map(|client| (0..plan.servers).map(|server| route(client, server)).collect())
            .collect();
        let host = |server: usize| Host {
            path: far(server),
            routes: routes.iter().map(|routes| routes[server].clone()).collect(),
            limits: plan.sizes.limits(),
            connections_max: plan.connections_max() + rest::SPARE_CONNECTIONS,
            calls_max: plan.sizes.calls_max,
            ledger: ledger.clone(),
            server: Mutex::default(),
        };
        let hosts: Vec<_> = (0..plan.servers).map(|server| Arc::new(host(server))).collect();
        join_all(hosts.iter().map(|host| host.start(1_000))).await;
        let channel = |client, server| {
            let backoff = Backoff::default().first(ms(50)).cap(ms(2_000));
            let uri = format!("unix://{}", near(client, server).display());
            let channel =
                Channel::builder(uri).limits(plan.sizes.limits()).backoff(backoff).pool(plan.pool());
            channel.connect_timeout(ms(3_000)).lazy().expect("the address can be used")
        };
        let channels = (0..plan.clients)
            .map(|client| (0..plan.servers).map(|server| channel(client, server)).collect())
            .collect();
        Self { channels, routes, hosts, ledger, log }
    }

    /// Makes all calls, through all faults; returns once all have ended and nothing more can come of them.
    async fn work(&self, plan: &Plan) {
        let callers = plan.calls.iter().map(|call| {
            let client = DeskClient::new(self.channels[call.client][call.server].clone());
            caller::run(call.clone(), client, self.ledger.clone()).boxed()
        });
        let callers = tokio::spawn(Crowd::new(callers));
        join_all(plan.faults.iter().map(|fault| self.fault(*fault))).await;
        self.log.note(format_args!("all faults are over"));
        match tokio::time::timeout(BOUND, callers).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => self.log.wrong(format_args!("a caller panicked")),
            Err(_) => self.log.wrong(format_args!("a call never ends")),
        }
        pass(2 * SILENCE_MS).await;
        self.ledger.check();
        let inside = self.ledger.inside();
        if inside > 0 {
            self.log.wrong(format_args!("{inside} handlers run, and all calls have ended"));
        }
    }

    async fn fault(&self, FaultPlan { client, server, at_ms, for_ms, fault }: FaultPlan) {
        let route = &self.routes[client][server];
        pass(at_ms).await;
        match fault {
            Fault::Block(ways) => {
                route.block(ways, true);
                pass(for_ms).await;
                route.block(ways, false);
            }
            Fault::Slow(way) => {
                route.slow(way, true);
                pass(for_ms).await;
                route.slow(way, false);
            }
            Fault::End(way) => route.end(way),
            Fault::Reset => route.reset(),
            Fault::Forget => route.forget(),
            Fault::Restart(how) => self.hosts[server].restart(how, for_ms).await,
        }
    }

    /// Sees whether everything is back at its start.
    async fn rest(&self, plan: &Plan) {
        if plan.pooled {
            return self.rest_of_pools().await;
        }
        for (client, channels) in self.channels.iter().enumerate() {
            for (server, channel) in channels.iter().enumerate() {
                let route = &self.routes[client][server];
                rest::check(channel, route, plan.sizes, &self.log).await;
            }
        }
        for server in 0..plan.servers {
            rest::check_permits(&self.channels[0][server], plan, &self.log).await;
        }
    }

    /// Which connection of a pool takes what is left to load; but one is left of each, and nothing else.
    async fn rest_of_pools(&self) {
        let is_at_rest = |stats: &ChannelStats| {
            stats.open <= 1 && stats.calls == 0 && stats.draining <= 1 && stats.leaked == 0
        };
        for channel in self.channels.iter().flatten() {
            let mut stats = channel.stats();
            // One that takes the place of an old one stands beside it for a moment.
            for _ in 0..10 {
                if is_at_rest(&stats) {
                    break;
                }
                pass(70).await;
                stats = channel.stats();
            }
            if !is_at_rest(&stats) {
                self.log.wrong(format_args!("a pool at rest has {stats:?}"));
            }
        }
    }

    /// Takes all down.
    async fn end(self) {
        let Self { channels, routes, hosts, log, .. } = self;
        drop(channels);
        for host in &hosts {
            let server = host.server.lock().unwrap().take();
            let Some(server) = server else { continue };
            if tokio::time::timeout(SHUTDOWN_BOUND, server.shutdown()).await.is_err() {
                log.wrong(format_args!("a server does not end"));
            }
        }
        // What the clients have to say takes its time.
        pass(2_000).await;
        routes.iter().flatten().for_each(|route| route.close());
        pass(1).await;
    }
}

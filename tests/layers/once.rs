//! A method that is not marked `idempotent` never runs twice, whatever is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use farcall::layers::{Budget, Retry};
use farcall::{Backoff, Channel, ErrorKind, Fate, Layer, Server, Service, service};
use tokio::runtime::{Builder, Runtime};

use crate::shop::{Fails, ShopClient, fate, stand_in};

const CALLS: usize = 100_000;
const WORKERS: usize = 20;

fn eager() -> Retry {
    let wait = Duration::from_micros(10);
    Retry::new().attempts(5).backoff(wait, wait).budget(Budget::new(1_000, 1_000_000))
}

/// Counts the runs of each call, and how many ran more than once.
struct Runs(Vec<AtomicU8>);

impl Runs {
    fn new() -> Self {
        Self((0..CALLS).map(|_| AtomicU8::new(0)).collect())
    }

    fn run(&self, call: usize) {
        self.0[call].fetch_add(1, Ordering::Relaxed);
    }

    fn more_than_once(&self) -> usize {
        self.0.iter().filter(|runs| runs.load(Ordering::Relaxed) > 1).count()
    }
}

/// Fails each attempt by chance before, while or after the call runs, and says of it what can be known.
async fn runs_under_faults(is_marked: bool) -> usize {
    let runs = Arc::new(Runs::new());
    let counted = runs.clone();
    let service = stand_in(move |request| {
        let call: String = request.codec().decode(request.body().message()).unwrap();
        let (does_run, fails) = match fastrand::u8(..7) {
            0 => (false, Fails::NeverSent),
            1 => (false, Fails::Refused),
            2 => (false, Fails::Lost),
            3 => (true, Fails::Lost),
            4 => (true, Fails::TimedOut),
            5 => (true, Fails::code(farcall::Code::Unavailable)),
            _ => (true, Fails::Not),
        };
        if does_run {
            counted.run(call.parse().unwrap());
        }
        async move { fails.result(&request) }
    });
    let client = ShopClient::new(eager().layer(service));
    for call in 0..CALLS {
        let item = call.to_string();
        let _ = if is_marked { client.price(item).await } else { client.buy(item).await };
    }
    runs.more_than_once()
}

#[tokio::test(start_paused = true)]
async fn in_100_000_calls_with_seeded_faults_none_runs_twice_that_is_not_marked() {
    fastrand::seed(7);
    assert_eq!(runs_under_faults(false).await, 0);
    let marked = runs_under_faults(true).await;
    assert!(marked > CALLS / 10, "of those that are marked, only {marked} ran again: the faults are too few");
}

#[service]
trait Till {
    async fn buy(&self, call: u64);
    #[rpc(idempotent)]
    async fn look(&self, call: u64);
}

#[derive(Clone)]
struct Counting {
    bought: Arc<Runs>,
    looked: Arc<Runs>,
}

impl Till for Counting {
    async fn buy(&self, call: u64) {
        self.bought.run(call as usize);
        linger().await;
    }

    async fn look(&self, call: u64) {
        self.looked.run(call as usize);
        linger().await;
    }
}

/// Leaves time for the connection to be lost between a run and its answer.
async fn linger() {
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
}

/// A server with a runtime of its own, whose end leaves no time for farewells.
struct Doomed(Option<Runtime>);

impl Doomed {
    async fn serve(till: &Counting) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        loop {
            let server = Server::builder().service(TillServer::new(till.clone())).bind("mem://a-till");
            // The name is free once the server before is gone.
            match runtime.spawn(server).await.unwrap() {
                Ok(server) => {
                    runtime.spawn(server.wait());
                    return Self(Some(runtime));
                }
                Err(_) => tokio::task::yield_now().await,
            }
        }
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        self.0.take().expect("it is dropped once").shutdown_background();
    }
}

#[derive(Default)]
struct Progress {
    next: AtomicU64,
    lost: AtomicU64,
}

impl Progress {
    fn made(&self) -> u64 {
        self.next.load(Ordering::Relaxed).min(CALLS as u64)
    }

    async fn make_calls(self: Arc<Self>, client: TillClient<impl Service>) {
        loop {
            let call = self.next.fetch_add(1, Ordering::Relaxed);
            if call >= CALLS as u64 {
                return;
            }
            // One in ten is marked, to show that connections are lost at the worst moment.
            let result =
                if call.is_multiple_of(10) { client.look(call).await } else { client.buy(call).await };
            if result.is_err_and(|error| (ErrorKind::ConnectionLost, Fate::MaybeExecuted) == fate(&error)) {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[tokio::test]
async fn in_100_000_calls_on_connections_that_are_lost_none_runs_twice_that_is_not_marked() {
    let till = Counting { bought: Arc::new(Runs::new()), looked: Arc::new(Runs::new()) };
    let mut server = Doomed::serve(&till).await;
    let soon = Backoff::default().first(Duration::from_micros(50)).cap(Duration::from_millis(1));
    let channel = Channel::builder("mem://a-till").backoff(soon).connect().await.unwrap();
    let client = TillClient::new(eager().layer(channel));
    let progress = Arc::new(Progress::default());
    let workers: Vec<_> =
        (0..WORKERS).map(|_| tokio::spawn(progress.clone().make_calls(client.clone()))).collect();
    while progress.made() < CALLS as u64 {
        let cut_at = (progress.made() + fastrand::u64(100..500)).min(CALLS as u64);
        while progress.made() < cut_at {
            tokio::task::yield_now().await;
        }
        drop(server);
        server = Doomed::serve(&till).await;
    }
    for worker in workers {
        crate::kit::soon(worker).await.unwrap();
    }
    let (lost, again) = (progress.lost.load(Ordering::Relaxed), till.looked.more_than_once());
    println!("{lost} calls were lost for good, {again} marked ones ran again");
    assert_eq!(till.bought.more_than_once(), 0);
    assert!(lost > 100, "only {lost} calls were lost under way");
    assert!(again > 10, "only {again} marked calls ran again");
}

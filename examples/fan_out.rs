//! Many calls at once: all of them, a few at a time, with a callback, and the first of several.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use farcall::{Error, Server, service};
use futures::future::join_all;
use futures::stream::{FuturesUnordered, StreamExt, TryStreamExt, iter};
use tokio::sync::{Barrier, mpsc, oneshot};

/// Calculates.
#[service]
pub trait Squares {
    /// Squares a number.
    async fn square(&self, number: u64) -> u64;
    /// Squares a number once four calls of this are there at the same time.
    async fn square_of_four(&self, number: u64) -> u64;
    /// Answers with the name of the server, unless it is slow: then never.
    async fn race(&self) -> String;
}

struct Replica {
    name: &'static str,
    is_slow: bool,
    start: Arc<Barrier>,
    four: Barrier,
    in_flight: AtomicUsize,
    in_flight_max: Arc<AtomicUsize>,
    cancelled: mpsc::UnboundedSender<&'static str>,
}

impl Squares for Replica {
    async fn square(&self, number: u64) -> u64 {
        number * number
    }

    async fn square_of_four(&self, number: u64) -> u64 {
        let in_flight = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.in_flight_max.fetch_max(in_flight, Ordering::Relaxed);
        self.four.wait().await;
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        number * number
    }

    async fn race(&self) -> String {
        let _dropped = self.is_slow.then(|| OnDrop(self.name, self.cancelled.clone()));
        // All are off before one arrives.
        self.start.wait().await;
        if self.is_slow {
            std::future::pending::<()>().await;
        }
        self.name.to_owned()
    }
}

/// Tells that a handler was dropped.
struct OnDrop(&'static str, mpsc::UnboundedSender<&'static str>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        // Nobody listens once the example is over.
        let _ = self.1.send(self.0);
    }
}

/// Calls back once a call is done, for code that cannot await: a call is `'static`, so it can be a task of its own.
fn then<T, E>(
    call: impl Future<Output = Result<T, E>> + Send + 'static,
    callback: impl FnOnce(Result<T, E>) + Send + 'static,
) where
    T: Send,
    E: Send,
{
    tokio::spawn(async move { callback(call.await) });
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let (cancelled, mut losers) = mpsc::unbounded_channel();
    let (start, in_flight_max) = (Arc::new(Barrier::new(3)), Arc::new(AtomicUsize::new(0)));
    let mut servers = Vec::new();
    let mut clients = Vec::new();
    for name in ["north", "south", "west"] {
        let replica = Replica {
            name,
            is_slow: name != "south",
            start: start.clone(),
            four: Barrier::new(4),
            in_flight: AtomicUsize::new(0),
            in_flight_max: in_flight_max.clone(),
            cancelled: cancelled.clone(),
        };
        let server = Server::builder().service(SquaresServer::new(replica)).bind("tcp://127.0.0.1:0").await?;
        clients.push(SquaresClient::connect(server.uri()).await?);
        servers.push(server);
    }
    let squares = &clients[0];

    // All at once, over one connection; the results are in the order of the calls.
    let all: Result<Vec<u64>, Error> =
        join_all((1..=8).map(|number| squares.square(number))).await.into_iter().collect();
    println!("all at once: {:?}", all?);

    // Four at a time, whichever is done first.
    let calls = iter((1..=12).map(|number| squares.square_of_four(number)));
    let mut some: Vec<u64> = calls.buffer_unordered(4).try_collect().await?;
    some.sort_unstable();
    println!("four at a time: {some:?}, at most {} in flight", in_flight_max.load(Ordering::Relaxed));

    // A callback.
    let (done, is_done) = oneshot::channel();
    then(squares.square(12), move |square| {
        println!("called back: {square:?}");
        let _ = done.send(());
    });
    is_done.await?;

    // The first of several servers; dropping the other calls cancels their handlers.
    let mut race: FuturesUnordered<_> = clients.iter().map(|client| client.race()).collect();
    println!("first: {:?}", race.next().await.transpose()?);
    drop(race);
    let mut names: Vec<_> = [losers.recv().await, losers.recv().await].into_iter().flatten().collect();
    names.sort_unstable();
    println!("cancelled: {names:?}");

    join_all(servers.into_iter().map(Server::shutdown)).await;
    Ok(())
}

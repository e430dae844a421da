//! A network between clients and servers, with seeded delays and faults.
//!
//! Each client has a route to each server: a Unix socket that the client connects to, behind which the bytes travel to the server's own.
//! Connections are apart from each other, so what is sent on two of them arrives in any order.

mod direction;
mod frames;

use std::path::PathBuf;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use fastrand::Rng;
use futures::future::{Either, select, try_join};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::AbortHandle;

use crate::log::Log;
use crate::shared::Shared;
use crate::time::Stillness;
use direction::Pipe;

/// Which way bytes travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// From the client to the server.
    Up,
    Down,
}

/// What is wrong with a route, one entry for each way.
#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How many faults hold up what is sent: it arrives when the last of them is over.
    blocks: [u32; 2],
    slows: [u32; 2],
    /// How often all its connections were ended that way; what was under way arrives before the end.
    ends: [u32; 2],
    /// How often all its connections were reset; what was under way is lost.
    resets: u32,
    /// How often all its connections were forgotten: nothing gets through for ever, and nobody is told.
    forgets: u32,
}

/// The way from a client to a server.
pub struct Route {
    name: String,
    latency_ms: u64,
    jitter_ms: u64,
    state: Shared<State>,
    /// The content of the DATA frames that have arrived.
    data_bytes: [AtomicU64; 2],
    log: Log,
    stillness: Arc<Stillness>,
    tasks: Mutex<Vec<AbortHandle>>,
}

impl Route {
    /// Opens a route between two sockets; the second is there while its server is.
    pub fn open(
        name: String,
        (near, far): (PathBuf, PathBuf),
        log: Log,
        stillness: Arc<Stillness>,
        mut rng: Rng,
    ) -> Arc<Self> {
        let listener = UnixListener::bind(near).expect("the folder of the sockets is there");
        let route = Arc::new(Self {
            name,
            latency_ms: rng.u64(0..40),
            jitter_ms: [0, 3, 40][rng.usize(..3)],
            state: Shared::default(),
            data_bytes: [const { AtomicU64::new(0) }; 2],
            log,
            stillness,
            tasks: Mutex::default(),
        });
        route.spawn(route.clone().accept(listener, far, rng));
        route
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(task).abort_handle();
        let mut tasks = self.tasks.lock().unwrap();
        tasks.retain(|task| !task.is_finished());
        tasks.push(task);
    }

    async fn accept(self: Arc<Self>, listener: UnixListener, far: PathBuf, mut rng: Rng) {
        for number in 1.. {
            let (near, _) = listener.accept().await.expect("a socket that listens accepts");
            self.stillness.disturb();
            self.spawn(self.clone().connection(number, near, far.clone(), rng.fork()));
        }
    }

    async fn connection(self: Arc<Self>, number: u32, near: UnixStream, far: PathBuf, mut rng: Rng) {
        let name = format!("{}#{number}", self.name);
        let start = self.state.get();
        let carry = async {
            // The way there and back, for as long as it takes.
            self.state.until(|state| state.blocks == [0, 0]).await;
            crate::time::pass(self.latency_ms).await;
            let far = UnixStream::connect(far).await?;
            self.log.note(format_args!("{name} connected"));
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            let mut pipe =
                |way| Pipe { way, name: name.clone(), route: self.clone(), start, rng: rng.fork() };
            try_join(pipe(Way::Up).carry(near_in, far_out), pipe(Way::Down).carry(far_in, near_out)).await
        };
        let reset = self.state.until(|state| state.resets != start.resets);
        match select(pin!(carry), pin!(reset)).await {
            Either::Left((Ok(_), _)) => self.log.note(format_args!("{name} ended")),
            Either::Left((Err(error), _)) => self.log.note(format_args!("{name} broke: {:?}", error.kind())),
            Either::Right(_) => self.log.note(format_args!("{name} was reset")),
        }
    }

    /// Holds up what is sent, or lets it go on.
    pub fn block(&self, ways: &[Way], is_on: bool) {
        self.log.note(format_args!("{} {ways:?} blocked: {is_on}", self.name));
        self.state.change(|state| {
            ways.iter().for_each(|way| count(&mut state.blocks[*way as usize], is_on));
        });
    }

    /// Lets bytes drip, as to a reader that is slow, or flow again.
    pub fn slow(&self, way: Way, is_on: bool) {
        self.log.note(format_args!("{} {way:?} slow: {is_on}", self.name));
        self.state.change(|state| count(&mut state.slows[way as usize], is_on));
    }

    /// Ends its connections one way.
    pub fn end(&self, way: Way) {
        self.log.note(format_args!("{} {way:?} is ended", self.name));
        self.state.change(|state| state.ends[way as usize] += 1);
    }

    /// Resets its connections: what is under way is lost.
    pub fn reset(&self) {
        self.log.note(format_args!("{} is reset", self.name));
        self.state.change(|state| state.resets += 1);
    }

    /// Lets its connections come to nothing without a word, as a router does that has lost its state.
    pub fn forget(&self) {
        self.log.note(format_args!("{} is forgotten", self.name));
        self.state.change(|state| state.forgets += 1);
    }

    /// Returns how much content of DATA frames has arrived so far.
    pub fn data_bytes(&self, way: Way) -> u64 {
        self.data_bytes[way as usize].load(Ordering::Relaxed)
    }

    /// Takes the route away.
    pub fn close(&self) {
        self.tasks.lock().unwrap().drain(..).for_each(|task| task.abort());
    }
}

fn count(faults: &mut u32, is_on: bool) {
    *faults = if is_on { *faults + 1 } else { *faults - 1 };
}

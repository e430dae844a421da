//! A link between client and server that breaks in all the ways in which links break.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastrand::Rng;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::stop::Stop;

/// No link lives longer than this: one that has closed a direction may have nobody left who ends it.
const LIFE_MAX: Duration = Duration::from_secs(20);
/// How long most links stand still that do.
const STALL_MILLIS_MAX: u64 = 1_500;
/// How long the others do: the peers may give them up, as they wait for six seconds for a sign of life.
const LONG_STALL_MILLIS_MAX: u64 = 9_000;
const CHUNK_BYTES_MAX: usize = 16 << 10;
/// A link that is cut into odd bits is so for its first bytes only, or large bodies would never get through.
const BITS_UNTIL_BYTES: usize = 2_000;

/// How many links were broken in which way.
#[derive(Default)]
pub(crate) struct Faults {
    links: AtomicU64,
    resets: AtomicU64,
    cuts: AtomicU64,
    half_closes: AtomicU64,
    stalls: AtomicU64,
    pub(crate) restarts: AtomicU64,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [links, resets, cuts, half_closes, stalls, restarts] =
            [&self.links, &self.resets, &self.cuts, &self.half_closes, &self.stalls, &self.restarts]
                .map(|count| count.load(Ordering::Relaxed));
        write!(
            f,
            "{links} links through the proxy: {resets} reset, {cuts} cut, {half_closes} half closed, {stalls} \
             stalled; {restarts} servers started anew"
        )
    }
}

/// What happens to one direction of a link.
#[derive(Clone, Copy)]
enum Fault {
    Reset,
    Cut,
    HalfClose,
    Stall,
}

/// When and how one direction breaks, and in what bits its bytes come.
struct Plan {
    fault: Option<(usize, Fault)>,
    is_in_bits: bool,
    rng: Rng,
}

/// Why both directions end at once.
enum Broken {
    Reset,
    Closed,
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        Self::Closed
    }
}

/// Passes links on until the end comes.
pub(crate) async fn run(
    listener: TcpListener,
    to: String,
    faults: Arc<Faults>,
    mut rng: Rng,
    mut stop: Stop,
) {
    let mut links = JoinSet::new();
    loop {
        tokio::select! {
            Ok((link, _)) = listener.accept() => {
                links.spawn(pass(link, to.clone(), faults.clone(), rng.fork()));
            }
            Some(_) = links.join_next() => {}
            () = stop.come() => return links.shutdown().await,
        }
    }
}

async fn pass(mut near: TcpStream, to: String, faults: Arc<Faults>, mut rng: Rng) {
    // A server that is not there: the client's link is closed without a word.
    let Ok(mut far) = TcpStream::connect(to).await else { return };
    faults.links.fetch_add(1, Ordering::Relaxed);
    let is_set = near.set_nodelay(true).and_then(|()| far.set_nodelay(true));
    if is_set.is_err() {
        return;
    }
    let mut plans = [Plan::draw(&mut rng), Plan::draw(&mut rng)];
    let [there, back] = &mut plans;
    let (near_reader, near_writer) = near.split();
    let (far_reader, far_writer) = far.split();
    let both = async {
        tokio::try_join!(
            there.follow(near_reader, far_writer, &faults),
            back.follow(far_reader, near_writer, &faults)
        )
    };
    if let Ok(Err(Broken::Reset)) = timeout(LIFE_MAX, both).await {
        // Closing then sends a reset; on a link that is gone already there is nothing to send.
        let _ = near.set_zero_linger().and_then(|()| far.set_zero_linger());
    }
}

impl Plan {
    fn draw(rng: &mut Rng) -> Self {
        // From the opening of a connection up to some megabytes, small as often as large.
        let after = 1 << rng.u32(3..22);
        let fault = match rng.u32(0..8) {
            0 => Some(Fault::Reset),
            1 => Some(Fault::Cut),
            2 => Some(Fault::HalfClose),
            3 => Some(Fault::Stall),
            _ => None,
        };
        let fault = fault.map(|fault| (rng.usize(after / 2..after), fault));
        Self { fault, is_in_bits: rng.u32(0..4) == 0, rng: rng.fork() }
    }

    /// Passes one direction on until it ends or breaks.
    async fn follow(
        &mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        faults: &Faults,
    ) -> Result<(), Broken> {
        let mut buffer = vec![0; CHUNK_BYTES_MAX];
        let mut passed = 0;
        loop {
            let max = if self.is_in_bits && passed < BITS_UNTIL_BYTES { 8 } else { CHUNK_BYTES_MAX };
            let chunk = self.rng.usize(1..=max);
            let bytes = from.read(&mut buffer[..chunk]).await?;
            if bytes == 0 {
                return Ok(to.shutdown().await?);
            }
            if self.rng.u32(0..20) == 0 {
                sleep(Duration::from_micros(self.rng.u64(0..5_000))).await;
            }
            let due = self.fault.filter(|(after, _)| *after < passed + bytes);
            let Some((after, fault)) = due else {
                to.write_all(&buffer[..bytes]).await?;
                passed += bytes;
                continue;
            };
            to.write_all(&buffer[..after.saturating_sub(passed)]).await?;
            match fault {
                Fault::Reset => {
                    faults.resets.fetch_add(1, Ordering::Relaxed);
                    return Err(Broken::Reset);
                }
                Fault::Cut => {
                    faults.cuts.fetch_add(1, Ordering::Relaxed);
                    return Err(Broken::Closed);
                }
                Fault::HalfClose => {
                    faults.half_closes.fetch_add(1, Ordering::Relaxed);
                    return Ok(to.shutdown().await?);
                }
                Fault::Stall => {
                    faults.stalls.fetch_add(1, Ordering::Relaxed);
                    let max = if self.rng.u32(0..8) == 0 { LONG_STALL_MILLIS_MAX } else { STALL_MILLIS_MAX };
                    sleep(Duration::from_millis(self.rng.u64(200..max))).await;
                    self.fault = None;
                    to.write_all(&buffer[after.saturating_sub(passed)..bytes]).await?;
                    passed += bytes;
                }
            }
        }
    }
}

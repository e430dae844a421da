//! The calling process: does one work on one peer.

use std::mem::take;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::task::JoinSet;
use tokio::time::{sleep, sleep_until, timeout};

use crate::measure::{Count, Rate, Sample, Tally, Window, percentile_us, resident_bytes};
use crate::message::{BLOB_BYTES, Echo, NAME, body};
use crate::work::{Shape, Work};

/// A connection of a peer.
pub trait Client: Send + Sync + Sized + 'static {
    fn connect(port: u16) -> impl Future<Output = Result<Self>> + Send;

    /// Makes one call.
    fn echo(&self, message: Echo) -> impl Future<Output = Result<Echo>> + Send;

    /// Fetches a large reply, and returns its size.
    fn blob(&self) -> impl Future<Output = Result<usize>> + Send;

    /// Counts the items of a stream that does not end.
    fn items(&self, count: Count) -> impl Future<Output = Result<()>> + Send;

    /// Starts so many tasks, each of which makes one call after the other.
    fn callers(self: &Arc<Self>, in_flight: usize, payload: &Bytes, tally: &Tally, tasks: &mut Callers) {
        for first in 0..in_flight {
            let (client, payload, count) = (self.clone(), payload.clone(), tally.count());
            tasks.spawn(async move {
                let mut caller = Caller::new(first as u64 * 1_000_000_000, payload);
                loop {
                    let started_at = count.start(caller.id);
                    caller.call(&*client).await?;
                    count.add(1);
                    if let Some(started_at) = started_at {
                        count.took(started_at.elapsed());
                    }
                }
            });
        }
    }
}

/// How often a small call of W10 is due.
const PACE: Duration = Duration::from_millis(1);

type Callers = JoinSet<Result<()>>;

/// Where the work is done.
#[derive(Clone, Copy)]
pub struct Target {
    pub port: u16,
    pub server: i32,
    pub window: Window,
}

/// Makes calls one at a time, and looks at what comes back.
struct Caller {
    id: u64,
    name: String,
    payload: Bytes,
}

impl Caller {
    fn new(first_id: u64, payload: Bytes) -> Self {
        Self { id: first_id, name: NAME.to_owned(), payload }
    }

    async fn call<C: Client>(&mut self, client: &C) -> Result<()> {
        self.id += 1;
        // The name moves from one message to the next: what is allocated per call is the peer's doing.
        let message = Echo { id: self.id, name: take(&mut self.name), payload: self.payload.clone() };
        let reply = client.echo(message).await?;
        ensure!(reply.id == self.id && reply.payload.len() == self.payload.len(), "another call's reply");
        self.name = reply.name;
        Ok(())
    }
}

/// Does the work.
pub async fn run<C: Client>(work: Work, target: Target) -> Result<Vec<Sample>> {
    let sample = |metric: &str, value| Sample { work: work.to_string(), metric: metric.to_owned(), value };
    Ok(match work {
        Work::W1 | Work::W1c => {
            let client = Arc::new(C::connect(target.port).await?);
            let sorted = latencies(client, target.window).await?;
            let percentile = |metric, share| sample(metric, percentile_us(&sorted, share));
            vec![percentile("p50_us", 0.5), percentile("p99_us", 0.99), percentile("p999_us", 0.999)]
        }
        Work::W2 | Work::W9 => {
            let rate = unary::<C>(Shape::new(1, 64, 64), Tally::default(), target).await?;
            let cpu = Sample {
                work: Work::W9.to_string(),
                metric: "cpu_us_per_call".into(),
                value: rate.cpu.as_secs_f64() * 1e6 / rate.count as f64,
            };
            vec![sample("calls_per_s", rate.per_second()), cpu]
        }
        Work::W3 => vec![sample("calls_per_s", calls_per_s::<C>(Shape::new(1, 1024, 64), target).await?)],
        Work::W4 => vec![sample("calls_per_s", calls_per_s::<C>(Shape::new(16, 16, 64), target).await?)],
        Work::W5 => vec![sample("mib_per_s", mib_per_s::<C>(Shape::new(1, 16, 64 << 10), target).await?)],
        Work::W6 => vec![sample("mib_per_s", mib_per_s::<C>(Shape::new(1, 4, 4 << 20), target).await?)],
        Work::W7 => vec![sample("items_per_s", items::<C>(target).await?.per_second())],
        Work::W8 => {
            let [server, client] = idle::<C>(target).await?;
            let of_client =
                Sample { work: "W8-client".into(), metric: "bytes_per_connection".into(), value: client };
            vec![sample("bytes_per_connection", server), of_client]
        }
        Work::W10 => beside_blobs::<C>(target, sample).await?,
        Work::Calls(shape) => {
            let rate = unary::<C>(shape, Tally::timed(), target).await?;
            let mut samples = vec![sample("calls_per_s", rate.per_second())];
            if shape.body_bytes > 0 {
                samples.push(sample("mib_per_s", in_mib(rate.per_second(), shape)));
            }
            if !rate.times_ns.is_empty() {
                samples.push(sample("p50_us", percentile_us(&rate.times_ns, 0.5)));
            }
            samples
        }
    })
}

async fn latencies<C: Client>(client: Arc<C>, window: Window) -> Result<Vec<u64>> {
    let calls = tokio::spawn(async move {
        let mut caller = Caller::new(0, body(64));
        let mut latencies = Vec::with_capacity(1 << 20);
        let warm_at = Instant::now() + window.warm_up;
        let end = warm_at + window.measured;
        let mut now = Instant::now();
        while now < end {
            caller.call(&*client).await?;
            let answered_at = Instant::now();
            if now >= warm_at {
                latencies.push((answered_at - now).as_nanos() as u64);
            }
            now = answered_at;
        }
        latencies.sort_unstable();
        anyhow::Ok(latencies)
    });
    timeout(window.limit(), calls).await.context("hung: a call was not answered")??
}

/// As [`latencies`], but a call is due each millisecond, and waits from then on: one that holds up a hundred counts a hundred times.
async fn paced_latencies<C: Client>(client: Arc<C>, window: Window) -> Result<Vec<u64>> {
    let calls = tokio::spawn(async move {
        let mut caller = Caller::new(0, body(64));
        let mut latencies = Vec::new();
        let mut due = Instant::now() + window.warm_up;
        let end = due + window.measured;
        while due < end && Instant::now() < end {
            let mut since = due;
            if Instant::now() < due {
                sleep_until(due.into()).await;
                // That the timer is late is not the peer's doing.
                since = Instant::now();
            }
            caller.call(&*client).await?;
            latencies.push(since.elapsed().as_nanos() as u64);
            due += PACE;
        }
        while due < end {
            latencies.push((end - due).as_nanos() as u64);
            due += PACE;
        }
        latencies.sort_unstable();
        anyhow::Ok(latencies)
    });
    timeout(window.limit(), calls).await.context("hung: a call was not answered")??
}

async fn unary<C: Client>(shape: Shape, tally: Tally, target: Target) -> Result<Rate> {
    let mut clients = Vec::with_capacity(shape.connections);
    for _ in 0..shape.connections {
        clients.push(Arc::new(C::connect(target.port).await?));
    }
    let (mut tasks, payload) = (JoinSet::new(), body(shape.body_bytes));
    for client in clients {
        client.callers(shape.in_flight, &payload, &tally, &mut tasks);
    }
    watch(&tally, tasks, target).await
}

async fn calls_per_s<C: Client>(shape: Shape, target: Target) -> Result<f64> {
    Ok(unary::<C>(shape, Tally::default(), target).await?.per_second())
}

async fn mib_per_s<C: Client>(shape: Shape, target: Target) -> Result<f64> {
    Ok(in_mib(calls_per_s::<C>(shape, target).await?, shape))
}

/// MiB there, and as many back.
fn in_mib(calls_per_s: f64, shape: Shape) -> f64 {
    calls_per_s * shape.body_bytes as f64 / f64::from(1 << 20)
}

async fn items<C: Client>(target: Target) -> Result<Rate> {
    let (tally, mut tasks) = (Tally::default(), JoinSet::new());
    let (client, count) = (C::connect(target.port).await?, tally.count());
    tasks.spawn(async move { client.items(count).await });
    watch(&tally, tasks, target).await
}

async fn watch(tally: &Tally, mut tasks: Callers, target: Target) -> Result<Rate> {
    tokio::select! {
        rate = tally.rate(target.window, target.server) => rate,
        Some(ended) = tasks.join_next() => {
            ended??;
            bail!("a caller ended early")
        }
    }
}

/// Returns by how much the server grows with each idle connection, and this process.
async fn idle<C: Client>(target: Target) -> Result<[f64; 2]> {
    const CONNECTIONS: usize = 1000;
    let connect = |_| async move {
        let client = Arc::new(C::connect(target.port).await?);
        Caller::new(0, body(64)).call(&*client).await?;
        anyhow::Ok(client)
    };
    // What the first connections cost once and for all is not counted.
    let _warm: Vec<_> = stream::iter(0..16).map(connect).buffer_unordered(4).try_collect().await?;
    sleep(Duration::from_millis(100)).await;
    let resident =
        || anyhow::Ok([resident_bytes(target.server)?, resident_bytes(std::process::id() as i32)?]);
    let before = resident()?;
    let connections = stream::iter(0..CONNECTIONS).map(connect).buffer_unordered(4).try_collect::<Vec<_>>();
    let connections =
        timeout(target.window.patience * 4, connections).await.context("hung while connecting")??;
    sleep(Duration::from_millis(300)).await;
    let after = resident()?;
    drop(connections);
    Ok([0, 1].map(|side| (after[side] as f64 - before[side] as f64) / CONNECTIONS as f64))
}

async fn beside_blobs<C: Client>(
    target: Target,
    sample: impl Fn(&str, f64) -> Sample,
) -> Result<Vec<Sample>> {
    let client = Arc::new(C::connect(target.port).await?);
    let (tally, mut tasks) = (Tally::default(), JoinSet::new());
    let count = tally.count();
    tasks.spawn({
        let (client, count) = (client.clone(), count.clone());
        async move {
            loop {
                let bytes = client.blob().await?;
                ensure!(bytes == BLOB_BYTES, "a reply of {bytes} bytes");
                count.add(1);
            }
        }
    });
    let started_at = Instant::now();
    while count.get() == 0 && started_at.elapsed() < target.window.patience {
        if let Some(ended) = tasks.try_join_next() {
            ended??;
        }
        sleep(Duration::from_millis(5)).await;
    }
    ensure!(count.get() > 0, "hung: no large reply within {:?}", target.window.patience);
    // Shorter than this, too few replies pass by.
    let measured = target.window.measured.max(Duration::from_secs(1));
    let window = Window { measured, ..target.window };
    let target = Target { window, ..target };
    let (rate, sorted) = tokio::join!(watch(&tally, tasks, target), paced_latencies(client, window));
    let (rate, sorted) = (rate?, sorted?);
    Ok(vec![
        sample("p50_us", percentile_us(&sorted, 0.5)),
        sample("p99_us", percentile_us(&sorted, 0.99)),
        sample("mib_per_s", rate.per_second() * (BLOB_BYTES >> 20) as f64),
    ])
}

//! Messages in fewer bytes, where both sides know how.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use farcall::{
    Body, Channel, CodecKind, Compression, Compressor, ErrorKind, Limits, Next, Request, Response, Server,
    layer_fn,
};
use futures::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task;

use crate::kit::{self, LabClient, Probe, soon};

const ANY: Compressor = Compressor::ALL[0];

fn text(bytes: usize) -> String {
    "Hello, Ada! ".chars().cycle().take(bytes).collect()
}

/// A server that compresses, and what goes through a relay in front of it: bytes to it, and bytes back.
struct Watched {
    client: LabClient,
    _server: Server,
    counts: Arc<Mutex<(usize, usize)>>,
}

impl Watched {
    async fn new(to_server: Option<Compression>, to_client: Option<Compression>) -> Self {
        Self::with_limits(to_server, to_client, Limits::default()).await
    }

    async fn with_limits(
        to_server: Option<Compression>,
        to_client: Option<Compression>,
        limits: Limits,
    ) -> Self {
        let mut server = kit::builder(&Probe::new()).limits(limits);
        if let Some(compression) = to_client {
            server = server.compression(compression);
        }
        let server = server.bind("tcp://127.0.0.1:0").await.unwrap();
        let counts = Arc::default();
        let mut channel = Channel::builder(relay(server.uri(), &counts).await);
        if let Some(compression) = to_server {
            channel = channel.compression(compression);
        }
        Self { client: LabClient::new(channel.connect().await.unwrap()), _server: server, counts }
    }

    /// Takes what has gone through since this was asked last.
    fn count(&self) -> (usize, usize) {
        std::mem::take(&mut self.counts.lock().unwrap())
    }
}

/// Passes bytes on, and counts them.
async fn relay(uri: &str, counts: &Arc<Mutex<(usize, usize)>>) -> String {
    let target = uri.strip_prefix("tcp://").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    let (there, back) = (counts.clone(), counts.clone());
    tokio::spawn(async move {
        let (client, _) = listener.accept().await.unwrap();
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = TcpStream::connect(target).await.unwrap().into_split();
        tokio::join!(
            pass(from_client, to_server, |bytes| there.lock().unwrap().0 += bytes),
            pass(from_server, to_client, |bytes| back.lock().unwrap().1 += bytes),
        );
    });
    uri
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    count: impl Fn(usize),
) {
    let mut buffer = vec![0; 64 << 10];
    while let Ok(bytes @ 1..) = from.read(&mut buffer).await {
        count(bytes);
        if to.write_all(&buffer[..bytes]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn requests_and_replies_are_compressed_where_that_is_asked_for() {
    for compressor in Compressor::ALL {
        let compression = || Some(Compression::new(*compressor));
        for (to_server, to_client) in
            [(None, None), (compression(), None), (None, compression()), (compression(), compression())]
        {
            let sides = (to_server.is_some(), to_client.is_some());
            let watched = Watched::new(to_server, to_client).await;
            watched.client.echo("short".into()).await.unwrap();
            watched.count();
            let text = text(100_000);
            assert_eq!(soon(watched.client.echo(text.clone())).await.unwrap(), text);
            let (there, back) = watched.count();
            assert_eq!(sides, (there < 3_000, back < 3_000), "{compressor:?}: {there} and {back} bytes");
        }
    }
}

#[tokio::test]
async fn items_are_compressed_there_and_back() {
    for compressor in Compressor::ALL {
        let compression = Compression::new(*compressor);
        let watched = Watched::new(Some(compression.clone()), Some(compression)).await;
        let texts = || (1..=20).map(|count| text(count * 1_000));
        let shouted = watched.client.shout("!", stream::iter(texts())).await.unwrap();
        let shouted: Vec<_> = soon(shouted.map(Result::unwrap).collect()).await;
        assert!(texts().map(|text| format!("{}!", text.to_uppercase())).eq(shouted));
        let (there, back) = watched.count();
        assert!(there < 20_000 && back < 20_000, "{compressor:?}: {there} and {back} bytes for 210,000");
        assert_eq!(soon(watched.client.sum(1, stream::iter(0..100))).await.unwrap(), 4951);
        assert_eq!(soon(watched.client.count(300).await.unwrap().count()).await, 300);
    }
}

#[tokio::test]
async fn short_messages_go_as_they_are_and_the_least_length_can_be_set() {
    let bytes_of = async |compression: Compression| {
        let watched = Watched::new(Some(compression), None).await;
        watched.count();
        watched.client.echo(text(900)).await.unwrap();
        watched.count().0
    };
    assert!(bytes_of(Compression::new(ANY)).await > 900);
    assert!(bytes_of(Compression::new(ANY).min_bytes(100)).await < 400);
}

#[tokio::test]
async fn a_peer_that_knows_no_compressor_gets_messages_as_they_are() {
    let limits = Limits::default().compressors(&[]);
    let watched = Watched::with_limits(Some(Compression::new(ANY)), None, limits).await;
    let text = text(100_000);
    assert_eq!(soon(watched.client.echo(text.clone())).await.unwrap(), text);
    let texts = stream::iter([text.clone()]);
    let shouted = watched.client.shout("", texts).await.unwrap();
    assert_eq!(soon(shouted.map(Result::unwrap).collect::<Vec<_>>()).await, [text.to_uppercase()]);
    assert!(watched.count().0 > 200_000);
}

#[tokio::test]
async fn a_message_over_the_peers_limit_is_refused_however_short_it_would_be() {
    let limits = Limits::default().message_bytes(10_000);
    let watched = Watched::with_limits(Some(Compression::new(ANY)), None, limits).await;
    let error = watched.client.echo(text(20_000)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("over the peer's limit of 10000"), "{error}");
    assert_eq!(watched.client.echo(text(9_000)).await.unwrap().len(), 9_000);
}

/// Says in which task it is dropped.
struct Dropped {
    message: Bytes,
    tasks: Arc<Mutex<Vec<(task::Id, task::Id)>>>,
    made_by: task::Id,
}

impl AsRef<[u8]> for Dropped {
    fn as_ref(&self) -> &[u8] {
        &self.message
    }
}

impl Drop for Dropped {
    fn drop(&mut self) {
        self.tasks.lock().unwrap().push((self.made_by, task::id()));
    }
}

/// Handlers that prove quick are run in their connection's task. Their answers are dropped where they were compressed.
#[tokio::test]
async fn a_connection_does_not_wait_for_what_is_compressed() {
    let tasks = Arc::<Mutex<Vec<_>>>::default();
    let (seen, is_long) = (tasks.clone(), Arc::new(AtomicBool::new(false)));
    let (long, short) = [50_000, 10].map(|bytes| CodecKind::default().encode(&text(bytes)).unwrap()).into();
    let asked = is_long.clone();
    let answers = layer_fn(move |request: Request, _: Next| {
        let message = if asked.load(Ordering::Relaxed) { long.clone() } else { short.clone() };
        let answer = Dropped { message, tasks: seen.clone(), made_by: task::id() };
        async move { Ok(Response::new(request.codec(), Body::new(Bytes::from_owner(answer)))) }
    });
    let server = kit::builder(&Probe::new()).layer(answers).compression(Compression::new(ANY));
    let server = server.bind("mem://").await.unwrap();
    let client = LabClient::connect(server.uri()).await.unwrap();
    let call = async || {
        let answered = soon(client.echo(String::new())).await.unwrap().len();
        (answered, *tasks.lock().unwrap().last().unwrap())
    };
    // On a busy machine a quick handler looks slow now and then, and its next calls run in tasks of their own.
    for _ in 0..100 {
        is_long.store(false, Ordering::Relaxed);
        let mut in_place = None;
        for _ in 0..20_000 {
            let (_, (made_by, _)) = call().await;
            if in_place.replace(made_by) == Some(made_by) {
                break;
            }
        }
        is_long.store(true, Ordering::Relaxed);
        let (answered, (made_by, compressed_by)) = call().await;
        assert_eq!(answered, 50_000);
        if Some(made_by) == in_place {
            return assert_ne!(made_by, compressed_by, "the answer was compressed in its connection's task");
        }
    }
    panic!("the handler was never run in its connection's task");
}

/// A peer sends some hundred bytes for each of them; the calls that wait are not refused.
#[tokio::test]
async fn arguments_of_few_bytes_are_inflated_together_as_far_as_the_buffer_allows() {
    const LONG: usize = 128 << 10;
    let (started, (release, released)) = (Arc::new(AtomicUsize::new(0)), watch::channel(false));
    let count = started.clone();
    let hold = layer_fn(move |request: Request, next: Next| {
        let (count, mut released) = (count.clone(), released.clone());
        async move {
            if request.body().message().len() > LONG {
                count.fetch_add(1, Ordering::Relaxed);
                released.wait_for(|released| *released).await.unwrap();
            }
            next.call(request).await
        }
    });
    let limits = Limits::default().message_bytes(256 << 10).buffer_bytes(1 << 20);
    let server = kit::builder(&Probe::new()).layer(hold).limits(limits);
    let server = server.bind("tcp://127.0.0.1:0").await.unwrap();
    for compressor in Compressor::ALL {
        release.send_replace(false);
        started.store(0, Ordering::Relaxed);
        let channel = Channel::builder(server.uri()).compression(Compression::new(*compressor));
        let client = LabClient::new(channel.connect().await.unwrap());
        let calls: Vec<_> = (0..12).map(|_| tokio::spawn(client.echo("a".repeat(LONG)))).collect();
        // The limit is 1 MiB, of which the lengths of the texts take some bytes.
        while started.load(Ordering::Relaxed) < 7 {
            soon(client.echo("short".into())).await.unwrap();
        }
        for _ in 0..100 {
            soon(client.echo("b".repeat(10_000))).await.unwrap();
        }
        assert_eq!(started.load(Ordering::Relaxed), 7, "{compressor:?}");
        release.send_replace(true);
        for call in calls {
            assert_eq!(soon(call).await.unwrap().unwrap().len(), LONG);
        }
    }
}

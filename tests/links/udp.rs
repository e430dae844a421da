//! A network between clients and a server: loses packets by chance, from a seed, and moves clients to other addresses.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fastrand::Rng;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// Forwards datagrams until it is dropped.
pub struct Net {
    pub address: String,
    pub lost: watch::Receiver<u64>,
    /// How often a client was asked to prove its address: Retry packets (RFC 9000, section 17.2.5).
    pub retries: watch::Receiver<u64>,
    is_cut: Arc<AtomicBool>,
    is_mute: Arc<AtomicBool>,
    /// What clients have sent.
    sent: watch::Receiver<Vec<Vec<u8>>>,
    moves: watch::Sender<u64>,
    task: JoinHandle<io::Result<()>>,
}

impl Net {
    /// Stands before a server, and loses so many of a thousand datagrams in each direction.
    pub async fn before(server: &str, lost_per_mille: u32, seed: u64) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = near.local_addr().unwrap().to_string();
        let (lost_sender, lost) = watch::channel(0);
        let (moves, moved) = watch::channel(0);
        let (retried, retries) = watch::channel(0);
        let (record, sent) = watch::channel(Vec::new());
        let (is_cut, is_mute) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let chance = Chance {
            is_cut: is_cut.clone(),
            is_mute: is_mute.clone(),
            record,
            rng: Rng::with_seed(seed),
            lost_per_mille,
            lost: lost_sender,
            retried,
        };
        let task = tokio::spawn(forward(near, server.to_owned(), chance, moved));
        Self { address, lost, retries, is_cut, is_mute, sent, moves, task }
    }

    /// Loses all packets, or only those that chance chooses again.
    pub fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::Relaxed);
    }

    /// Loses all that the server sends, or only what chance chooses again.
    pub fn mute(&self, is_mute: bool) {
        self.is_mute.store(is_mute, Ordering::Relaxed);
    }

    /// Returns all datagrams that clients have sent, lost or not, once there are more than so many.
    pub async fn sent(&mut self, more_than: usize) -> Vec<Vec<u8>> {
        self.sent.wait_for(|sent| sent.len() > more_than).await.unwrap().clone()
    }

    /// Returns how many datagrams clients have sent.
    pub fn sent_count(&self) -> usize {
        self.sent.borrow().len()
    }

    /// Sends what clients send from other ports from now on, as a NAT does that has forgotten them.
    pub fn move_client(&self) {
        self.moves.send_modify(|moves| *moves += 1);
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Chance {
    is_cut: Arc<AtomicBool>,
    is_mute: Arc<AtomicBool>,
    record: watch::Sender<Vec<Vec<u8>>>,
    rng: Rng,
    lost_per_mille: u32,
    lost: watch::Sender<u64>,
    retried: watch::Sender<u64>,
}

impl Chance {
    fn loses(&mut self) -> bool {
        let loses = self.rng.u32(0..1000) < self.lost_per_mille || self.is_cut.load(Ordering::Relaxed);
        if loses {
            self.lost.send_modify(|lost| *lost += 1);
        }
        loses
    }
}

async fn forward(
    near: UdpSocket,
    server: String,
    mut chance: Chance,
    mut moved: watch::Receiver<u64>,
) -> io::Result<()> {
    let mut paths = HashMap::new();
    let (answers, mut answered) = mpsc::channel(64);
    let mut there = vec![0; 65_536];
    loop {
        tokio::select! {
            sent = near.recv_from(&mut there) => {
                let (bytes, client) = sent?;
                chance.record.send_modify(|sent| sent.push(there[..bytes].to_vec()));
                let path = match paths.entry(client) {
                    Entry::Occupied(path) => path.into_mut(),
                    Entry::Vacant(path) => path.insert(Path::open(&server, client, answers.clone()).await?),
                };
                if !chance.loses() {
                    // A server that is gone is found out by the client.
                    let _ = path.far.send(&there[..bytes]).await;
                }
            }
            Some((client, answer)) = answered.recv() => {
                if answer[0] & 0xf0 == 0xf0 {
                    chance.retried.send_modify(|retried| *retried += 1);
                }
                if !chance.is_mute.load(Ordering::Relaxed) && !chance.loses() {
                    near.send_to(&answer, client).await?;
                }
            }
            Ok(()) = moved.changed() => paths.clear(),
        }
    }
}

/// The way of one client's datagrams: answers go to the client they are for, whoever else has sent since.
struct Path {
    far: Arc<UdpSocket>,
    back: JoinHandle<()>,
}

impl Path {
    async fn open(
        server: &str,
        client: SocketAddr,
        answers: mpsc::Sender<(SocketAddr, Vec<u8>)>,
    ) -> io::Result<Self> {
        let far = Arc::new(UdpSocket::bind("127.0.0.1:0").await?);
        far.connect(server).await?;
        let from = far.clone();
        let back = tokio::spawn(async move {
            let mut back = vec![0; 65_536];
            loop {
                // Where the server is gone that is an error, and another server may come.
                let Ok(bytes @ 1..) = from.recv(&mut back).await else { continue };
                if answers.send((client, back[..bytes].to_vec())).await.is_err() {
                    return;
                }
            }
        });
        Ok(Self { far, back })
    }
}

impl Drop for Path {
    fn drop(&mut self) {
        self.back.abort();
    }
}

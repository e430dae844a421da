//! Many clients that lose their server at the same moment.

use std::time::Duration;

use farcall::{Channel, Server, service};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::kit::soon;

#[service]
trait Roll {
    async fn arrive(&self, client: u32);
    async fn hang(&self);
}

struct Gate(mpsc::UnboundedSender<(u32, Instant)>);

impl Roll for Gate {
    async fn arrive(&self, client: u32) {
        let _ = self.0.send((client, Instant::now()));
    }

    async fn hang(&self) {
        std::future::pending().await
    }
}

const CLIENTS: u32 = 200;

/// How many of these moments fall into the fullest tenth of a second.
fn peak(moments: &[Duration]) -> usize {
    let from = |start: &Duration| {
        moments.iter().filter(|at| (*start..*start + Duration::from_millis(100)).contains(at)).count()
    };
    moments.iter().map(from).max().unwrap_or(0)
}

#[tokio::test(start_paused = true)]
async fn fault_31_two_hundred_clients_come_back_spread_over_time() {
    let (gate, mut arrived) = mpsc::unbounded_channel();
    let start =
        async || Server::builder().service(RollServer::new(Gate(gate.clone()))).bind("mem://storm").await;
    let server = start().await.unwrap();
    let mut waiting = Vec::new();
    for n in 0..CLIENTS {
        let client = RollClient::new(Channel::connect("mem://storm").await.unwrap());
        waiting.push(tokio::spawn(async move {
            let error = client.hang().await.unwrap_err();
            assert!(error.may_have_run(), "{error}");
            let mut tries = 0;
            while client.arrive(n).await.is_err() {
                tries += 1;
            }
            tries
        }));
    }
    // All are there before the server goes.
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(server);
    tokio::time::sleep(Duration::from_secs(10)).await;
    let (_server, back_at) = (start().await.unwrap(), Instant::now());
    let mut moments = Vec::new();
    for client in waiting {
        let tries = soon(client).await.unwrap();
        assert!((4..20).contains(&tries), "a client tried {tries} times in ten seconds");
        moments.push(soon(arrived.recv()).await.unwrap().1 - back_at);
    }
    let (peak, last) = (peak(&moments), moments.iter().max().unwrap());
    println!("{CLIENTS} clients are back within {last:?}, at most {peak} of them in a tenth of a second");
    assert!(peak <= CLIENTS as usize / 4, "{peak} came within a tenth of a second");
    assert!(*last < Duration::from_secs(12), "the last came after {last:?}");
}

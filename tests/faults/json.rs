//! Text in which a few bytes stand for much.

use farcall::Limits;

use crate::kit::Probe;
use crate::process;
use crate::values::refuses;
use crate::wire::{self, RawPeer};

#[tokio::test]
async fn fault_16_deep_and_endless_json_fails_its_call_and_runs_nothing() {
    let probe = Probe::new();
    let server = process::serve("tcp://127.0.0.1:0", Limits::default(), &probe).await;
    let mut peer = RawPeer::open(server.uri()).await;
    let json = |sequence, method: &str, text: &str| {
        let mut bytes = wire::open_in_parts(sequence, method, text.as_bytes());
        bytes[6] = 2;
        bytes
    };
    let deep = format!("{{\"value\":{}", "{\"More\":".repeat(50_000));
    refuses(&mut peer, &json(1, "Ward/deep", &deep), "Ward/deep").await;
    let lists = format!("{{\"value\":{}", "[".repeat(200_000));
    refuses(&mut peer, &json(2, "Ward/deep", &lists), "Ward/deep").await;
    let many = format!("{{\"all\":[{}null]}}x", "null,".repeat(100_000));
    refuses(&mut peer, &json(3, "Ward/empties", &many), "Ward/empties").await;
    assert_eq!(probe.counts().started, 0);
}

//! Bytes that no client of ours would send.

use std::io;
use std::time::Duration;

use farcall::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::kit::{self, LabClient, Set, soon};

async fn server() -> Set {
    kit::serve_on("tcp://127.0.0.1:0").await
}

async fn connect(set: &Set) -> TcpStream {
    TcpStream::connect(set.server.uri().trim_start_matches("tcp://")).await.unwrap()
}

/// Sends bytes and gives what comes back until the server closes.
async fn answer_to(set: &Set, bytes: &[u8]) -> Vec<u8> {
    let mut stream = connect(set).await;
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    match soon(stream.read_to_end(&mut answer)).await {
        Ok(_) => answer,
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => answer,
        Err(error) => panic!("{error}"),
    }
}

fn contains(answer: &[u8], text: &str) -> bool {
    String::from_utf8_lossy(answer).contains(text)
}

const HELLO: &[u8] = b"farcall/\x01\x00\x00\x00";

fn frame(kind: u8, flags: u8, id: u64, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_le_bytes().to_vec();
    frame.extend([kind, flags, 1, 0]);
    frame.extend(id.to_le_bytes());
    frame.extend(payload);
    frame
}

fn id(sequence: u64, slot: u64) -> u64 {
    sequence << 17 | slot << 1
}

/// An OPEN of `Lab/hang`, which never answers.
fn open_hang(sequence: u64, slot: u64) -> Vec<u8> {
    frame(1, 1, id(sequence, slot), &farcall::MethodId::hash("Lab", "hang").as_u64().to_le_bytes())
}

async fn still_serves(set: &Set) {
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

/// Proves rule H10.
#[tokio::test]
async fn fault_51_http_on_the_port_is_told_so() {
    let set = server().await;
    let answer = answer_to(&set, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.starts_with(b"HTTP/1.1 400"), "{answer:?}");
    assert!(contains(&answer, "speaks farcall, not HTTP"));
    still_serves(&set).await;
}

/// Proves rule H11.
#[tokio::test]
async fn fault_51_tls_on_the_port_gets_an_alert() {
    let set = server().await;
    let answer = answer_to(&set, &[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await;
    assert_eq!(answer, [0x15, 3, 3, 0, 2, 2, 70]);
    still_serves(&set).await;
}

#[tokio::test]
async fn garbage_and_other_versions_are_told_what_is_spoken_here() {
    let set = server().await;
    let answer = answer_to(&set, b"SSH-2.0-OpenSSH_9.2\r\n").await;
    assert!(answer.starts_with(b"farcall/"));
    assert!(contains(&answer, "does not speak farcall"));
    let answer = answer_to(&set, b"farcall/\x09\x00\x00\x00").await;
    assert!(contains(&answer, "speaks version 9"), "{}", String::from_utf8_lossy(&answer));
    still_serves(&set).await;
}

#[tokio::test]
async fn fault_08_a_declared_length_over_the_limit_closes_the_connection() {
    let set = server().await;
    let mut bytes = HELLO.to_vec();
    bytes.extend([0xff, 0xff, 0xff, 0xff, 1, 0, 1, 0]);
    bytes.extend(id(1, 0).to_le_bytes());
    assert!(contains(&answer_to(&set, &bytes).await, "a frame of 4294967295 bytes came"));
    still_serves(&set).await;
}

#[tokio::test]
async fn fault_17_an_id_that_is_in_use_closes_the_connection_and_no_other() {
    let set = server().await;
    let bytes = [HELLO.to_vec(), open_hang(1, 0), open_hang(2, 0)].concat();
    assert!(contains(&answer_to(&set, &bytes).await, "in the slot of one that is under way"));
    let bytes = [HELLO.to_vec(), open_hang(2, 0), open_hang(2, 1)].concat();
    assert!(contains(&answer_to(&set, &bytes).await, "an id that was used before"));
    still_serves(&set).await;
}

#[tokio::test]
async fn fault_05_a_request_that_is_cut_off_runs_no_handler() {
    let set = server().await;
    let whole = [HELLO.to_vec(), open_hang(1, 0)].concat();
    for length in [1, 7, 12, 20, whole.len() - 1] {
        let mut stream = connect(&set).await;
        stream.write_all(&whole[..length]).await.unwrap();
        drop(stream);
    }
    still_serves(&set).await;
    assert_eq!(set.probe.counts().started, 1, "only the echo of this test ran");
}

/// Proves rule G7.
#[tokio::test]
async fn fault_07_a_caller_that_sends_no_more_still_gets_its_answer() {
    let set = server().await;
    let mut stream = connect(&set).await;
    let echo = farcall::MethodId::hash("Lab", "echo").as_u64().to_le_bytes();
    let payload = [&echo[..], b"\x05hello"].concat();
    stream.write_all(&[HELLO.to_vec(), frame(1, 1, id(1, 0), &payload)].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    assert!(contains(&answer, "\u{5}hello"));
}

/// Nothing can be heard of it any more, and that is no reason to take it for dead.
#[tokio::test]
async fn fault_07_a_caller_that_sends_no_more_may_wait_longer_than_a_ping_may_take() {
    let limits =
        Limits::default().ping_interval(Duration::from_secs(5)).ping_timeout(Duration::from_millis(50));
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits), Limits::default()).await;
    let mut stream = connect(&set).await;
    stream.write_all(&[HELLO.to_vec(), open_hang(1, 0)].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut hello = [0; 12];
    soon(stream.read_exact(&mut hello)).await.unwrap();
    let mut settings = vec![0; usize::from(u16::from_le_bytes([hello[10], hello[11]]))];
    soon(stream.read_exact(&mut settings)).await.unwrap();
    // One comes each tenth of a second.
    for _ in 0..60 {
        let mut pong = [0; 24];
        soon(stream.read_exact(&mut pong)).await.unwrap();
        assert_eq!(pong[4], 8, "a probe, and no farewell");
    }
    assert_eq!(set.probe.counts().dropped, 0);
}

/// Its bytes keep the connection busy, but not so busy that nobody looks at the clock.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_sends_without_end_and_reads_nothing_is_given_up() {
    let limits = Limits::default().write_timeout(Duration::from_millis(300));
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits), Limits::default()).await;
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = set.server.uri().trim_start_matches("tcp://").parse().unwrap();
    let mut stream = socket.connect(address).await.unwrap();
    stream.write_all(&[HELLO.to_vec(), open_hang(1, 0)].concat()).await.unwrap();
    set.probe.wait(|counts| counts.started == 1).await;
    // Some 480 kB of answers, less than what makes the server read no further.
    let echo = farcall::MethodId::hash("Lab", "echo").as_u64().to_le_bytes();
    let text = [&echo[..], &[0x98, 0x75], &[b'x'; 15_000]].concat();
    for n in 2..34 {
        stream.write_all(&frame(1, 1, id(n, n), &text)).await.unwrap();
    }
    set.probe.wait(|counts| counts.dropped == 32).await;
    // Ends with a status for a call that is over: late, ignored, and dear to read.
    let payload = [&[1, 0][..], &60_000_u32.to_le_bytes(), &[0xff; 60_000]].concat();
    let flood = frame(4, 1, id(2, 2), &payload).repeat(4);
    let flooding = tokio::spawn(async move { while stream.write_all(&flood).await.is_ok() {} });
    set.probe.wait(|counts| counts.dropped >= 33).await;
    soon(flooding).await.unwrap();
    still_serves(&set).await;
}

/// What is written to it fails, and what it sends is read no longer than what it does not take may wait.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_takes_nothing_any_more_and_sends_on_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let uri = format!("unix://{}", folder.path().join("socket").display());
    let limits = Limits::default().write_timeout(Duration::from_millis(300));
    let set = kit::serve_with(&uri, |server| server.limits(limits), Limits::default()).await;
    let mut stream = tokio::net::UnixStream::connect(folder.path().join("socket")).await.unwrap();
    stream.write_all(&[HELLO.to_vec(), open_hang(1, 0)].concat()).await.unwrap();
    set.probe.wait(|counts| counts.started == 1).await;
    let stream = stream.into_std().unwrap();
    stream.shutdown(std::net::Shutdown::Read).unwrap();
    let mut stream = tokio::net::UnixStream::from_std(stream).unwrap();
    // A call whose answer cannot be written, and frames of a kind that nobody knows yet, which leave nothing to be written.
    let echo = farcall::MethodId::hash("Lab", "echo").as_u64().to_le_bytes();
    let call = frame(1, 1, id(2, 2), &[&echo[..], b"\x05hello"].concat());
    let flood = frame(200, 0, 0, &[]).repeat(1000);
    let flooding = tokio::spawn(async move {
        let _ = stream.write_all(&[&call[..], &flood].concat()).await;
        while stream.write_all(&flood).await.is_ok() {}
    });
    set.probe.wait(|counts| counts.dropped == 2).await;
    soon(flooding).await.unwrap();
    still_serves(&set).await;
}

#[tokio::test]
async fn a_caller_that_goes_away_has_its_handlers_dropped() {
    let set = server().await;
    let mut stream = connect(&set).await;
    stream.write_all(&[HELLO.to_vec(), open_hang(1, 0)].concat()).await.unwrap();
    set.probe.wait(|counts| counts.started == 1).await;
    drop(stream);
    set.probe.wait(|counts| counts.dropped == 1).await;
}

/// Proves rule H13.
#[tokio::test]
async fn fault_02_a_connection_that_says_nothing_is_closed() {
    let limits = Limits::default().handshake_timeout(Duration::from_millis(50));
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits), Limits::default()).await;
    let mut stream = connect(&set).await;
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    assert!(answer.is_empty());
    still_serves(&set).await;
}

#[tokio::test]
async fn fault_20_opening_only_to_cancel_closes_the_connection() {
    let set = server().await;
    let mut bytes = HELLO.to_vec();
    for sequence in 1..5000 {
        bytes.extend(open_hang(sequence, 0));
        bytes.extend(frame(5, 0, id(sequence, 0), &1u16.to_le_bytes()));
    }
    assert!(contains(&answer_to(&set, &bytes).await, "opened only to be cancelled"));
    still_serves(&set).await;
}

#[tokio::test]
async fn a_frame_of_an_unknown_kind_is_skipped() {
    let set = server().await;
    let mut stream = connect(&set).await;
    let echo = farcall::MethodId::hash("Lab", "echo").as_u64().to_le_bytes();
    let payload = [&echo[..], b"\x05hello"].concat();
    let bytes = [HELLO.to_vec(), frame(200, 255, 77, b"from the future"), frame(1, 1, id(1, 0), &payload)];
    stream.write_all(&bytes.concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    assert!(contains(&answer, "\u{5}hello"));
}

/// Proves rule P18.
#[tokio::test]
async fn fault_15_an_unknown_codec_is_answered_with_those_that_are_known() {
    let set = server().await;
    let mut open = open_hang(1, 0);
    open[6] = 77;
    let echo = farcall::MethodId::hash("Lab", "echo").as_u64().to_le_bytes();
    let next = frame(1, 1, id(2, 1), &[&echo[..], b"\x05hello"].concat());
    let mut stream = connect(&set).await;
    stream.write_all(&[HELLO.to_vec(), open, next].concat()).await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = Vec::new();
    soon(stream.read_to_end(&mut answer)).await.unwrap();
    assert!(contains(&answer, "codec 77 is not known here; known are postcard"));
    assert!(contains(&answer, "\u{5}hello"), "the next call of the connection is answered");
    assert_eq!(set.probe.counts().started, 1);
}

/// A server that answers whatever is sent to it with these bytes.
async fn answering(bytes: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("tcp://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut start = [0; 8];
            let _ = stream.read_exact(&mut start).await;
            let _ = stream.write_all(bytes).await;
        }
    });
    uri
}

#[tokio::test]
async fn fault_51_a_client_says_what_it_has_met_instead_of_farcall() {
    let meets = async |bytes: &'static [u8]| {
        let error = soon(LabClient::connect(answering(bytes).await)).await.unwrap_err();
        assert_eq!(error.kind(), farcall::ErrorKind::Connect);
        error.to_string()
    };
    assert!(meets(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.contains("speaks HTTP"));
    assert!(meets(&[0x15, 3, 3, 0, 2, 2, 70]).await.contains("speaks TLS"));
    assert!(meets(b"220 mail ESMTP\r\n").await.contains("220 mail"));
    assert!(meets(b"farcall/\x07\x00\x00\x00").await.contains("version 7"));
    assert!(meets(b"").await.contains("opened"));
}

/// An OPEN of `Lab/echo` with so many bytes of text, below 16 KiB.
fn open_echo(sequence: u64, slot: u64, bytes: usize) -> Vec<u8> {
    let echo = farcall::MethodId::hash("Lab", "echo").as_u64().to_le_bytes();
    let length = [(bytes & 0x7f) as u8 | 0x80, (bytes >> 7) as u8];
    frame(1, 1, id(sequence, slot), &[&echo[..], &length, &vec![b'x'; bytes]].concat())
}

/// Connects, and keeps little of what the server sends unless it is read.
async fn connect_narrowly(set: &Set) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(set.server.uri().trim_start_matches("tcp://").parse().unwrap()).await.unwrap()
}

/// Proves rule S10.
#[tokio::test]
async fn a_reset_cancels_a_oneway_call_too() {
    let set = server().await;
    let mut stream = connect(&set).await;
    let mut open = open_hang(1, 0);
    open[5] |= 32;
    stream.write_all(&[HELLO.to_vec(), open].concat()).await.unwrap();
    set.probe.wait(|counts| counts.started == 1).await;
    stream.write_all(&frame(5, 0, id(1, 0), &1u16.to_le_bytes())).await.unwrap();
    set.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn fault_25_a_peer_that_reads_nothing_does_not_hold_up_the_end_of_the_server() {
    let set = kit::serve_with(
        "tcp://127.0.0.1:0",
        |server| server.shutdown_grace(Duration::from_millis(50)),
        Limits::default(),
    )
    .await;
    let (_reader, mut writer) = connect_narrowly(&set).await.into_split();
    writer.write_all(HELLO).await.unwrap();
    // The server takes no more once the answers pile up.
    let patience = Duration::from_millis(300);
    for sequence in 1.. {
        let open = open_echo(sequence, sequence % 1000, 15_000);
        if tokio::time::timeout(patience, writer.write_all(&open)).await.is_err() {
            break;
        }
    }
    let in_time = Duration::from_secs(5);
    tokio::time::timeout(in_time, set.server.shutdown()).await.expect("the server ends in time");
}

#[tokio::test]
async fn fault_32_what_was_answered_arrives_though_the_peer_goes_on_sending_while_the_server_ends() {
    let set = server().await;
    let mut stream = connect_narrowly(&set).await;
    let calls = 30;
    let opens = (1..=calls).map(|sequence| open_echo(sequence, sequence, 15_000));
    stream.write_all(&[HELLO.to_vec(), opens.flatten().collect()].concat()).await.unwrap();
    set.probe.wait(|counts| counts.dropped == calls).await;
    let shutdown = tokio::spawn(set.server.shutdown());
    let (mut stream, mut writer) = stream.into_split();
    let sending = tokio::spawn(async move {
        // A kind that nobody knows yet.
        while writer.write_all(&frame(200, 0, 0, &[0; 1000])).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    let mut answers = Vec::new();
    soon(stream.read_to_end(&mut answers)).await.expect("the connection is not reset");
    assert!(answers.len() > calls as usize * 15_000, "{} bytes came", answers.len());
    sending.abort();
    soon(shutdown).await.unwrap();
}

#[tokio::test]
async fn fault_25_a_peer_that_reads_nothing_is_given_up_with_all_that_it_asked_for() {
    let limits = Limits::default().write_timeout(Duration::from_millis(300));
    let set = kit::serve_with("tcp://127.0.0.1:0", |server| server.limits(limits), Limits::default()).await;
    let (_reader, mut writer) = connect_narrowly(&set).await.into_split();
    writer.write_all(&[HELLO.to_vec(), open_hang(1, 0)].concat()).await.unwrap();
    set.probe.wait(|counts| counts.started == 1).await;
    for sequence in 2.. {
        if writer.write_all(&open_echo(sequence, 1 + sequence % 1000, 15_000)).await.is_err() {
            break;
        }
    }
    set.probe.wait(|counts| counts.started == counts.dropped).await;
    still_serves(&set).await;
}

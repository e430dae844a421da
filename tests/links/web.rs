//! WebSockets: who is turned away and what he is told, and clients that are not ours.

use farcall::{Channel, ErrorKind, Limits};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::kit::{LabClient, soon};
use crate::way::{Set, Way};

fn address(set: &Set) -> &str {
    set.server.uri().trim_start_matches("ws://").trim_end_matches("/rpc")
}

/// Sends bytes, and gives what comes back until the server closes.
async fn answer_to(set: &Set, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address(set)).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A server that has enough may reset the link after its answer.
    let _ = soon(stream.read_to_end(&mut answer)).await;
    answer
}

fn ask(path: &str, change: &str) -> String {
    let lines = [
        "connection: Upgrade",
        "upgrade: websocket",
        "sec-websocket-version: 13",
        "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
        "sec-websocket-protocol: farcall",
    ];
    let name = change.split(':').next().unwrap_or_default();
    let kept = lines.iter().filter(|line| name.is_empty() || !line.starts_with(name));
    let mut head = format!("GET {path} HTTP/1.1\r\nhost: a.example\r\n");
    kept.copied()
        .chain((!change.is_empty()).then_some(change))
        .for_each(|line| head += &format!("{line}\r\n"));
    head + "\r\n"
}

async fn socket(set: &Set) -> WebSocketStream<TcpStream> {
    let mut request = set.server.uri().into_client_request().unwrap();
    request.headers_mut().insert("sec-websocket-protocol", "farcall".parse().unwrap());
    let stream = TcpStream::connect(address(set)).await.unwrap();
    client_async(request, stream).await.unwrap().0
}

const HELLO: &[u8] = b"farcall/\x01\x00\x00\x00";

/// Proves rules W1 and W2.
#[tokio::test]
async fn whoever_asks_for_something_else_is_told_what_is_here() {
    let set = Way::new("ws").serve().await;
    for (head, status, text) in [
        ("GET /rpc HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), "426", "farcall in WebSockets, not plain HTTP"),
        ("POST /rpc HTTP/1.1\r\nhost: a\r\n\r\n".to_owned(), "426", "farcall in WebSockets"),
        (ask("/", ""), "404", "farcall listens for WebSockets at /rpc"),
        (ask("/rpc", "sec-websocket-version: 8"), "426", "version 13"),
        (ask("/rpc", "sec-websocket-protocol: chat"), "400", "subprotocol \"farcall\""),
        (ask("/rpc", "sec-websocket-key: short"), "400", "Sec-WebSocket-Key"),
        (ask("/rpc", &format!("x: {}", "y".repeat(9000))), "431", "8 KiB"),
        ("GET\r\n\r\n".to_owned(), "400", "HTTP/1.1"),
        ("hello there, this is nothing".to_owned(), "400", "use ws:// for it"),
    ] {
        let answer = String::from_utf8(answer_to(&set, head.as_bytes()).await).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains(text), "{answer}");
        assert_eq!(answer.contains("sec-websocket-version: 13"), status == "426", "{answer}");
    }
    // TLS is told by an alert.
    assert_eq!(answer_to(&set, &[0x16, 3, 1, 0, 5, 1]).await, [0x15, 3, 3, 0, 2, 2, 70]);
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

/// Proves rules W2 and H10.
#[tokio::test]
async fn clients_of_other_links_are_told_so() {
    let web = Way::new("ws").serve().await;
    let error = soon(Channel::connect(format!("tcp://{}", address(&web)))).await.unwrap_err();
    assert!(error.to_string().contains("the peer speaks HTTP, not farcall"), "{error}");

    let tcp = Way::new("tcp").serve().await;
    let error = soon(Channel::connect(tcp.server.uri().replace("tcp:", "ws:"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert!(error.to_string().contains("400 Bad Request: This port speaks farcall, not HTTP"), "{error}");

    let error = soon(Channel::connect(web.server.uri().replace("/rpc", "/other"))).await.unwrap_err();
    assert!(error.to_string().contains("listens for WebSockets at /rpc"), "{error}");
}

/// Proves rule W1.
#[tokio::test]
async fn a_server_that_does_not_speak_farcall_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        tokio_tungstenite::accept_async(stream).await.unwrap();
    });
    let error = soon(Channel::connect(uri)).await.unwrap_err();
    assert!(error.to_string().contains("speaks another protocol than farcall"), "{error}");
}

/// Proves rule W3.
#[tokio::test]
async fn messages_may_be_cut_anywhere() {
    let set = Way::new("ws").serve().await;
    let mut socket = socket(&set).await;
    let (head, tail) = HELLO.split_at(3);
    for part in [head, b"", tail] {
        socket.send(Message::binary(part.to_vec())).await.unwrap();
    }
    let answer = soon(socket.next()).await.unwrap().unwrap();
    assert!(answer.into_data().starts_with(b"farcall/"));
}

/// Proves rule W4.
#[tokio::test]
async fn text_is_refused_with_a_close_code() {
    let set = Way::new("ws").serve().await;
    let mut socket = socket(&set).await;
    socket.send(Message::binary(HELLO)).await.unwrap();
    soon(socket.next()).await.unwrap().unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    let Message::Close(Some(close)) = soon(socket.next()).await.unwrap().unwrap() else {
        panic!("it closes")
    };
    assert_eq!(u16::from(close.code), 1003);
    assert!(close.reason.contains("binary messages"), "{}", close.reason);
}

/// Proves rule W5: its length alone is too much, and no byte of the message was sent.
#[tokio::test]
async fn a_message_that_is_too_long_is_refused_before_it_comes() {
    let set = Way::new("ws").serve().await;
    let mut stream = socket(&set).await.into_inner();
    let mut head = vec![0x82, 0xff];
    head.extend((1_u64 << 40).to_be_bytes());
    head.extend([1, 2, 3, 4]);
    stream.write_all(&head).await.unwrap();
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await;
    assert_eq!(soon(set.client.echo("live".into())).await.unwrap(), "live");
}

#[tokio::test]
async fn pings_are_answered() {
    let set = Way::new("ws").serve().await;
    let mut socket = socket(&set).await;
    socket.send(Message::Ping("are you there".into())).await.unwrap();
    assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::Pong("are you there".into()));
}

/// Proves rule W7: each ping is answered, so who sends them without end is not listened to, whether it reads the answers or not.
#[tokio::test]
async fn floods_of_messages_that_hold_nothing_end_the_link() {
    let set = Way::new("ws").serve().await;
    for flood in [Message::Ping(vec![7; 125].into()), Message::Pong("".into()), Message::binary(b"".to_vec())]
    {
        let mut socket = socket(&set).await;
        let mut sent = 0;
        // Nothing is read meanwhile.
        while sent < 100_000 && soon(socket.feed(flood.clone())).await.is_ok() {
            sent += 1;
        }
        let _ = soon(socket.flush()).await;
        let mut pongs = 0;
        let end = loop {
            match soon(socket.next()).await {
                Some(Ok(Message::Pong(_))) => pongs += 1,
                Some(Ok(Message::Close(close))) => break close.map(|close| u16::from(close.code)),
                // What it had still to say is lost where it was reset.
                Some(Err(_)) | None => break None,
                Some(Ok(other)) => panic!("{other:?}"),
            }
        };
        assert!(end.is_none_or(|code| code == 1008), "{end:?}");
        assert!(pongs < 1_000, "{pongs} pongs");
    }
    let mut socket = socket(&set).await;
    for ping in 0..50_u8 {
        socket.send(Message::Ping(vec![ping].into())).await.unwrap();
        assert_eq!(soon(socket.next()).await.unwrap().unwrap(), Message::Pong(vec![ping].into()));
    }
}

/// Proves rule W4.
#[tokio::test]
async fn a_closing_handshake_ends_the_link() {
    let set = Way::new("ws").serve().await;
    let mut socket = socket(&set).await;
    socket.send(Message::binary(HELLO)).await.unwrap();
    soon(socket.next()).await.unwrap().unwrap();
    let mut open = 8_u32.to_le_bytes().to_vec();
    open.extend([1, 1, 1, 0]);
    open.extend((1_u64 << 17).to_le_bytes());
    open.extend(farcall::MethodId::hash("Lab", "hang").as_u64().to_le_bytes());
    socket.send(Message::binary(open)).await.unwrap();
    set.probe.wait(|counts| counts.started == 1).await;
    socket.close(None).await.unwrap();
    while soon(socket.next()).await.is_some_and(|message| message.is_ok()) {}
    set.probe.wait(|counts| counts.dropped == 1).await;
}

#[tokio::test]
async fn a_client_that_says_nothing_is_closed_in_time() {
    let way =
        Way::new("ws").limits(Limits::default().handshake_timeout(std::time::Duration::from_millis(100)));
    let set = way.serve().await;
    assert!(answer_to(&set, b"GET /rpc HTTP/1.1\r\n").await.is_empty());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("ws://{}", listener.local_addr().unwrap());
    let error = soon(way.connect(&silent)).await.unwrap_err();
    assert!(
        error
            .to_string()
            .contains("the WebSocket handshake was not done within this side's handshake_timeout of 100ms"),
        "{error}"
    );
}

/// Proves rule W6.
#[tokio::test]
async fn pages_call_from_their_own_host_and_from_where_they_are_named() {
    let own = Way::new("ws").serve().await;
    let named = Way::new("ws").serve_with(|server| server.web_origins(["https://app.example"])).await;
    let any = Way::new("ws").serve_with(|server| server.web_origins(["*"])).await;
    for (set, origin, status) in [
        (&own, "http://a.example", "101"),
        (&own, "https://app.example", "403"),
        (&own, "null", "403"),
        (&named, "https://app.example", "101"),
        (&named, "https://app.example.evil", "403"),
        (&any, "https://evil.example", "101"),
    ] {
        let mut stream = TcpStream::connect(address(set)).await.unwrap();
        stream.write_all(ask("/rpc?x=1", &format!("origin: {origin}")).as_bytes()).await.unwrap();
        let mut answer = [0; 12];
        soon(stream.read_exact(&mut answer)).await.unwrap();
        assert_eq!(String::from_utf8_lossy(&answer), format!("HTTP/1.1 {status}"), "{origin}");
    }
}

#[tokio::test]
async fn a_query_in_the_address_is_sent_and_not_looked_at() {
    let set = Way::new("ws").serve().await;
    let client = LabClient::connect(format!("{}?token=1", set.server.uri())).await.unwrap();
    assert_eq!(soon(client.echo("x".into())).await.unwrap(), "x");
}

//! Each example runs, ends by itself, and prints what it promises. `cargo test` and nextest build them first; `cargo test --test it` and
//! `cargo test NAME` do not, and run what `cargo build --examples` has left.

mod run;

use sha2::{Digest, Sha256};

use run::{Process, Serving, check, fail, line, succeed, text};

#[tokio::test]
async fn hello() {
    check("hello", &["Hello, Ada!"]).await;
}

#[tokio::test]
async fn errors() {
    let lines = [
        "7 / 2 = 3",
        "7 / 0: division by zero",
        "-9223372036854775808 / -1: -9223372036854775808 / -1 does not fit into 64 bits",
        "fibonacci(4) = 5",
        "fibonacci(5): Status, code INTERNAL, fate Failed, retryable: false",
        "an unknown method: Status, code UNIMPLEMENTED, fate Failed, retryable: false",
        "  the server says: no service here has the method 0x6d5181f5f58f1ba9; there are: Maths; compare the two sides' versions",
        "an unreachable server: Connect, code UNAVAILABLE, fate NeverSent, retryable: true",
    ];
    check("errors", &lines).await;
}

#[tokio::test]
async fn streaming() {
    let lines = [
        "upper: QUIET",
        "count: 0",
        "count: 3",
        "count: 6",
        "count: 9",
        r#"the server has dropped Some("count") at its end"#,
        "join: a + b + c",
        "chat: It rains, Ada? Tell me more.",
        "chat: It snows, Ada? Tell me more.",
        "chat is over: true",
        "chat: say who you are",
        "took 3 of 18446744073709551615 items",
        r#"the server has dropped Some("count") half way"#,
    ];
    check("streaming", &lines).await;
}

#[tokio::test]
async fn fan_out() {
    let lines = [
        "all at once: [1, 4, 9, 16, 25, 36, 49, 64]",
        "four at a time: [1, 4, 9, 16, 25, 36, 49, 64, 81, 100, 121, 144], at most 4 in flight",
        "called back: Ok(144)",
        r#"first: Some("south")"#,
        r#"cancelled: ["north", "west"]"#,
    ];
    check("fan_out", &lines).await;
}

#[tokio::test]
async fn deadlines() {
    let lines = [
        r#"easy: Ok("42")"#,
        "hard: Err(TooLate)",
        "  front: tenant None, secret None, all the time in the world",
        "  middle: tenant None, secret None, all the time in the world",
        "  leaf: tenant None, secret None, all the time in the world",
        r#"  front: tenant Some("a1"), secret Some("for the front only"), at most 50 ms left"#,
        r#"  middle: tenant Some("a1"), secret None, at most 50 ms left"#,
        r#"  leaf: tenant Some("a1"), secret None, at most 50 ms left"#,
        "  front: stopped",
        "  leaf: stopped",
        "  middle: stopped",
    ];
    check("deadlines", &lines).await;
}

#[cfg(feature = "prometheus")]
#[tokio::test]
async fn metrics() {
    let printed = succeed("metrics", &[]).await;
    let of = |method: &str, code: &str| format!("{{code=\"{code}\",method=\"{method}\",service=\"Shop\"}}");
    for line in [
        format!("  farcall_client_calls_finished_total{} 2", of("buy", "METHOD_ERROR")),
        format!("  farcall_client_calls_finished_total{} 3", of("buy", "OK")),
        format!("  farcall_server_calls_finished_total{} 1", of("list", "OK")),
        format!("  farcall_server_call_duration_seconds_count{} 3", of("buy", "OK")),
        "  farcall_client_call_items_received_total{method=\"list\",service=\"Shop\"} 100".to_owned(),
    ] {
        assert!(printed.lines().any(|printed| printed == line), "{line}\n{printed}");
    }
    assert!(
        printed.contains("  farcall_server_calls_stuck{method=\"order\",server=\"tcp://127.0.0.1:"),
        "{printed}"
    );
}

#[tokio::test]
async fn graceful_shutdown() {
    let lines = [
        r#"event: Some("here")"#,
        "a new call is refused; it can be made again: true",
        "the server is gone: false",
        "the call under way: done",
        "the stream was ended: UNAVAILABLE",
        "the server is gone",
    ];
    check("graceful_shutdown", &lines).await;
}

#[cfg(feature = "jwt")]
#[tokio::test]
async fn auth() {
    let lines = [
        r#"nobody asks for the rate: "two per cent""#,
        "nobody asks who it is: UNAUTHENTICATED: Bank/who_am_i is for callers who are known: send the metadata `authorization: Bearer <token>`",
        "a token that was made up: UNAUTHENTICATED: the token was refused: it is not a signed JSON web token (header.claims.signature)",
        "a password: UNAUTHENTICATED: the metadata `authorization` has another scheme than Bearer: send `Bearer <token>`, as text",
        r#"ops is: "ops of no tenant""#,
        "ops closes an account: ()",
        "ops asks for the audit: PERMISSION_DENIED: ops may not call Bank/audit: that takes role:auditor",
        r#"ada is: "ada of a1""#,
        "ada asks for a balance: 700",
        "ada closes an account: PERMISSION_DENIED: ada may not call Bank/close: that takes role:admin",
        "a token of an hour ago: UNAUTHENTICATED: the token was refused: it has expired (exp): get a new one",
        "a token of another provider: UNAUTHENTICATED: the token was refused: its signature does not fit",
        "ada's token after its key was withdrawn: UNAUTHENTICATED: the token was refused: its key (kid) is not known here: log in again",
    ];
    check("auth", &lines).await;
}

#[cfg(feature = "quic")]
#[tokio::test]
async fn quic() {
    let lines = [
        "the server sees cellar",
        "the client has another address",
        "the call goes on: 42",
        "the server is done",
    ];
    check("quic", &lines).await;
}

#[cfg(feature = "websocket")]
#[tokio::test]
async fn websocket() {
    let lines = [
        "Monday, number 1",
        "Monday, number 2",
        "Monday, number 3",
        "plain HTTP gets: This port speaks farcall in WebSockets, not plain HTTP. Call it with a farcall client.",
        "another path gets: Nothing is here: farcall listens for WebSockets at /rpc.",
    ];
    check("websocket", &lines).await;
}

#[cfg(feature = "tls")]
#[tokio::test]
async fn tls() {
    let lines = [
        "billing is CN=billing, spiffe://example/billing",
        "reports is CN=reports, spiffe://example/reports",
        "a stranger is let in: false",
        "a broken certificate is taken: false",
        "reports is let in: false",
        "billing is let in: true",
        "the old connection goes on: CN=billing, spiffe://example/billing",
    ];
    check("tls", &lines).await;
}

#[tokio::test]
async fn middleware() {
    let lines = [
        "around the client: Fallback > Cache(60s) > Timeout(10s) > Retry(3 attempts) > Channel(mem://weather)",
        "Rome: sunny, says forecast 1",
        "Rome: sunny, says forecast 1",
        "a report: UNAVAILABLE",
        "a report, once more by hand: 1",
        "a greedy tenant is told when to come back: true",
        "without a server: Rome: sunny, says forecast 1",
        "without a server: Oslo: nothing is known",
        "without a server, a report: UNAVAILABLE",
    ];
    check("middleware", &lines).await;
}

#[tokio::test]
async fn tracing() {
    let printed = succeed("tracing", &[]).await;
    let mut lines = printed.lines();
    let quote = "for Ada & Co: 6 in stock, 2 suppliers, reserved: false";
    assert_eq!(lines.next(), Some(quote));
    assert_eq!(lines.next().unwrap().len(), "trace ".len() + 32);
    // Times differ from run to run: what stands before and behind them does not.
    let tree: Vec<_> = lines.map(|line| (line.split(" at ").next(), line.split(" ms  ").nth(1))).collect();
    let tree: Vec<_> =
        tree.into_iter().map(|(span, end)| (span.unwrap().trim_end(), end.unwrap().trim())).collect();
    let expected = [
        ("client Shop/quote", "OK"),
        ("  server Shop/quote", "OK"),
        ("    client Stock/level", "OK"),
        ("      server Stock/level", "OK"),
        ("    client Stock/suppliers", "OK"),
        ("      server Stock/suppliers", "OK"),
        ("    client Stock/reserve", "OK method_error"),
        ("      server Stock/reserve", "OK"),
    ];
    assert_eq!(tree, expected);
}

#[cfg(feature = "admin")]
#[tokio::test]
async fn introspection() {
    let printed = succeed("introspection", &[]).await;
    let has = |what: &str| assert!(printed.contains(what), "{what:?} is not in\n{printed}");
    assert_eq!(printed.matches("leaving: false").count(), 4, "{printed}");
    let in_flight = printed.split("calls_in_flight ").skip(1).filter_map(|rest| rest.split_once("/32"));
    assert!(in_flight.filter(|(calls, _)| calls.parse::<u32>().unwrap() > 16).count() > 0, "{printed}");
    for troubled in ["Shop/report waits for handler", "Shop/catalogue waits for reader", "1 for reader"] {
        has(troubled);
    }
    has("Shop/price INTERNAL: the handler panicked; see the server's log");
    let ends = [
        "the log is now: shop=debug,warn",
        "the log stays as it is: the log takes no such directives: error parsing level filter",
        "the peer closed the connection",
        "searches that the log has seen: some",
        "version of farcall: 0.1.0",
        "version of protocol: 1.0",
        "version of shop: 1.4.2",
    ];
    ends.into_iter().for_each(has);
}

#[tokio::test]
async fn timeline() {
    let printed = succeed("timeline", &[]).await;
    let lines: Vec<_> = printed.lines().collect();
    assert_eq!(lines[0], "pears: 7; the shop says how long it took: true");
    assert!(lines[1].starts_with("plums: Store/level at tcp://127.0.0.1:"), "{}", lines[1]);
    assert!(lines[1].contains(" ms waiting for the answer"), "{}", lines[1]);
    assert!(lines[2].starts_with("silent: Shop/offer at tcp://127.0.0.1:"), "{}", lines[2]);
    assert!(
        lines[2].contains("(the call did not run) [") && lines[2].ends_with(" ms connecting]"),
        "{}",
        lines[2]
    );
    assert_eq!(lines.len(), 3);
}

/// Each of the three ways tells by itself that it was the warehouse's `count`.
#[cfg(feature = "prometheus")]
#[tokio::test]
async fn hops() {
    let number = |text: &str| text.trim().parse::<f64>().unwrap_or_else(|error| panic!("{text}: {error}"));
    let printed = succeed("hops", &[]).await;
    let (client, rest) = printed.split_once("what is scraped from the warehouse:\n").unwrap();
    let (scraped, trace) = rest.split_once("what the trace of that call says:\n").unwrap();

    assert!(client.contains("  pear: 4 on shelf 24\n  apple: 5 on shelf 30\n"), "{client}");
    let told = client.lines().last().unwrap();
    assert!(told.starts_with("  plum: Warehouse/count at tcp://127.0.0.1:"), "{told}");
    assert!(told.contains("the deadline passed at the server while the handler ran"), "{told}");
    let (_, server) = told.split_once(" (server: ").unwrap();
    let parts: Vec<_> =
        server.split(" ms ").map(|part| number(part.rsplit([' ', ';']).next().unwrap())).take(3).collect();
    assert!(parts[1] > 90.0 && parts[1] > 2.0 * (parts[0] + parts[2]), "queue, handler, network: {told}");

    let seconds = |method: &str| {
        let sums = scraped
            .lines()
            .filter(|line| line.contains("_sum{") && line.contains(&format!("method=\"{method}\"")));
        sums.map(|line| number(line.rsplit_once(' ').unwrap().1)).sum::<f64>()
    };
    assert!(seconds("count") > 0.09 && seconds("count") > 2.0 * seconds("shelf"), "{scraped}");

    let took = |name: &str| {
        let line = trace.lines().find(|line| line.contains(&format!("{name} "))).unwrap();
        number(line.split_once(" took ").unwrap().1.split_once(" ms ").unwrap().0)
    };
    let depth = |name: &str| trace.lines().find_map(|line| line.find(name)).unwrap();
    assert!(
        took("server Warehouse/count") > 90.0
            && took("server Warehouse/shelf") < took("server Warehouse/count") / 2.0,
        "{trace}"
    );
    assert!(depth("server Warehouse/count") > depth("server Shop/offer"), "{trace}");
}

#[tokio::test]
async fn mock() {
    let lines = [
        "fake: Rome: go as you are",
        "fake: Rome: look out of the window, nothing is known about the place",
        "real: Ok(3) reported",
        "real: Oslo: take a coat",
        r#"real: Err(Call("UNAVAILABLE")) reported"#,
        "in process: Oslo: take a coat",
        "over tcp: Paris: take a coat",
        "over tcp: Paris: look out of the window, the call failed: UNAVAILABLE",
    ];
    check("mock", &lines).await;
}

#[tokio::test]
async fn record_replay() {
    let lines = [
        "recorded:",
        r#"  {"request":{"deposit":{"account":"ada","cents":500}},"response":{"deposit":500}}"#,
        r#"  {"request":{"withdraw":{"account":"ada","cents":200}},"response":{"withdraw":{"Ok":300}}}"#,
        r#"  {"request":{"withdraw":{"account":"ada","cents":400}},"response":{"withdraw":{"Err":{"TooPoor":{"cents":300}}}}}"#,
        r#"  {"request":{"deposit":{"account":"bob","cents":7}},"response":{"deposit":7}}"#,
        "replayed on the same version:",
        r#"  same: Deposit { account: "ada", cents: 500 }"#,
        r#"  same: Withdraw { account: "ada", cents: 200 }"#,
        r#"  same: Withdraw { account: "ada", cents: 400 }"#,
        r#"  same: Deposit { account: "bob", cents: 7 }"#,
        "replayed on the next version:",
        r#"  same: Deposit { account: "ada", cents: 500 }"#,
        r#"  same: Withdraw { account: "ada", cents: 200 }"#,
        r#"  DIFFERS: Withdraw { account: "ada", cents: 400 } gave Withdraw(Err(TooPoor { cents: 300 })) and gives Withdraw(Ok(-100))"#,
        r#"  same: Deposit { account: "bob", cents: 7 }"#,
    ];
    check("record_replay", &lines).await;
}

#[tokio::test]
async fn kv_keeps_values_and_tells_watchers() {
    let mut server = Serving::start("kv", &["serve", "--bind", "tcp://127.0.0.1:0"]).await;
    let uri = server.uri.clone();
    let mut watch = Process::start("kv", &["watch", "--to", &uri, "lamp/"]);
    assert_eq!(line(&mut watch.stderr).await, r#"watching "lamp/""#);

    for (key, value) in [("lamp/kitchen", "on"), ("door", "shut"), ("lamp/kitchen", "off")] {
        assert_eq!(succeed("kv", &["set", "--to", &uri, key, value]).await, "");
    }
    assert_eq!(succeed("kv", &["get", "--to", &uri, "lamp/kitchen"]).await, "off\n");
    assert_eq!(line(&mut watch.stdout).await, "lamp/kitchen=on");
    assert_eq!(line(&mut watch.stdout).await, "lamp/kitchen=off");

    let missing = fail("kv", &["get", "--to", &uri, "lamp/hall"]).await;
    assert!(missing.contains(r#"there is no value for "lamp/hall""#), "{missing}");

    // A watcher never ends by itself, and does not keep the server from stopping in order.
    server.process.terminate().await;
    assert_eq!(line(&mut server.process.stdout).await, "stopped");
    assert!(server.process.end().await);
    assert!(line(&mut watch.stderr).await.contains("UNAVAILABLE"));
    assert!(!watch.end().await);
    fail("kv", &["get", "--to", &uri, "door"]).await;
}

#[tokio::test]
async fn files_arrive_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("kept")).unwrap();
    let server = Serving::start("files", &["serve", "--dir", text(&path("kept"))]).await;
    // Not a multiple of what a part holds; an empty file has no part at all.
    for (name, bytes) in [("three.bin", (3 << 20) + 17), ("empty.bin", 0)] {
        let content: Vec<u8> = (0_usize..bytes).map(|index| ((index * index) >> 8) as u8).collect();
        std::fs::write(path(name), &content).unwrap();
        let sum: String = Sha256::digest(&content).iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = format!("sha256 {sum}  {name}\n");
        assert_eq!(succeed("files", &["put", "--to", &server.uri, text(&path(name))]).await, expected);
        let copy = path("copy");
        assert_eq!(
            succeed("files", &["get", "--from", &server.uri, name, "--out", text(&copy)]).await,
            expected
        );
        assert!(std::fs::read(copy).unwrap() == content, "{name} is not what it was");
    }
    let mut kept: Vec<_> =
        std::fs::read_dir(path("kept")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    kept.sort();
    assert_eq!(kept, ["empty.bin", "three.bin"]);
}

#[tokio::test]
async fn files_refuses_names_that_lead_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("kept")).unwrap();
    std::fs::write(path("secret"), "secret").unwrap();
    let server = Serving::start("files", &["serve", "--dir", text(&path("kept"))]).await;
    for name in ["../secret", "..", ".", "", "/etc/passwd", "a/b", "a/"] {
        let said = fail("files", &["get", "--from", &server.uri, name, "--out", text(&path("out"))]).await;
        assert!(said.contains(&format!("{name:?} is not the plain name of a file")), "{said}");
    }
    let said = fail("files", &["get", "--from", &server.uri, "none", "--out", text(&path("out"))]).await;
    assert!(said.contains("No such file"), "{said}");
    assert!(!path("out").exists());
}

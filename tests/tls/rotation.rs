//! Certificates, trust and revocation lists that change while the server runs.

use std::time::Duration;

use farcall::{Channel, Code, Limits, TlsClient, TlsServer};

use crate::authority::Authority;
use crate::kit::{self, soon};
use crate::set::{DoorClient, Files, client, connect, connect_to, refusal, serve, serve_with};

/// Waits for what other tasks bring about.
async fn comes_true(mut is_true: impl FnMut() -> bool) {
    soon(async {
        while !is_true() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

#[tokio::test]
async fn fault_50_new_handshakes_use_the_new_certificate_and_old_connections_stay() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = Files::new();
    files.put_pair(&old.server());
    let tls = files.server().reload_interval(Duration::MAX).build().unwrap();
    let running = serve(&tls).await;
    let door = connect(&running, client(&old)).await.unwrap();

    files.put_pair(&new.server());
    refusal(&running, client(&new)).await;
    tls.reload().unwrap();

    assert!(connect(&running, client(&new)).await.is_ok());
    let said = refusal(&running, client(&old)).await;
    assert!(said.contains("not trusted here"), "{said}");
    assert!(
        connect(&running, client(&old).roots(new.root())).await.is_ok(),
        "both, while one replaces the other"
    );
    assert_eq!(door.echo("still here".into()).await.unwrap(), "still here");
    assert_eq!(tls.counts().reloads, 1);
}

#[tokio::test]
async fn fault_50_a_bad_pair_is_refused_and_the_old_one_kept() {
    let authority = Authority::new("root");
    let files = Files::new();
    files.put_pair(&authority.server());
    let tls = files.server().reload_interval(Duration::MAX).build().unwrap();
    let running = serve(&tls).await;
    let other = authority.server();
    let bad: [(&str, &str, &str); 3] = [
        ("server.key", &other.key, "no certificate and its key"),
        ("server.pem", "-----BEGIN CERTIFICATE-----\nMII", "cannot be used for TLS"),
        ("server.pem", "", "there is no CERTIFICATE in it"),
    ];
    let mut refused = 0;
    let mut is_kept = async |why: &str| {
        let said = tls.reload().unwrap_err().to_string();
        assert!(said.contains(why), "{said}");
        refused += 1;
        assert_eq!((tls.counts().reloads, tls.counts().reloads_refused), (0, refused));
        assert!(connect(&running, client(&authority)).await.is_ok());
    };
    for (file, text, why) in bad {
        files.put(file, text);
        is_kept(why).await;
    }
    files.put_pair(&authority.expired_server());
    is_kept("has expired").await;
    std::fs::remove_file(files.path("server.pem")).unwrap();
    is_kept("server.pem").await;

    files.put_pair(&other);
    tls.reload().unwrap();
    assert!(connect(&running, client(&authority)).await.is_ok());
}

#[tokio::test]
async fn fault_50_files_that_change_are_read_by_themselves() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let files = Files::new();
    files.put_pair(&old.server());
    let tls = files.server().reload_interval(Duration::ZERO).build().unwrap();
    let running = serve(&tls).await;
    assert!(connect(&running, client(&old)).await.is_ok());
    assert_eq!(tls.counts().reloads, 0, "nothing has changed");

    let next = new.server();
    files.put("server.pem", &next.chain);
    assert!(connect(&running, client(&old)).await.is_ok(), "half of the pair is not used");
    assert!(connect(&running, client(&old)).await.is_ok());
    assert_eq!(tls.counts().reloads_refused, 1, "what was refused is not read again");
    files.put("server.key", &next.key);
    assert!(connect(&running, client(&new)).await.is_ok());
    assert_eq!(tls.counts().reloads, 1);
}

#[tokio::test]
async fn a_clients_files_are_read_again_too() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let running = serve(&crate::set::server(&new.server()).build().unwrap()).await;
    let files = Files::new();
    files.put("ca.pem", old.root_pem());
    let tls = TlsClient::builder(files.pem("ca.pem")).reload_interval(Duration::ZERO).build().unwrap();
    assert!(connect_to(running.uri(), &tls).await.is_err());
    files.put("ca.pem", &format!("{}{}", old.root_pem(), new.root_pem()));
    assert!(connect_to(running.uri(), &tls).await.is_ok());
}

/// A server that requires client certificates, whose list of the revoked is in a file.
fn with_list(files: &Files, authority: &Authority) -> TlsServer {
    files.put_pair(&authority.server());
    files.put("revoked.pem", &authority.revoked(&[]));
    files
        .server()
        .require_clients(authority.root())
        .revocation_lists(files.pem("revoked.pem"))
        .reload_interval(Duration::MAX)
        .build()
        .unwrap()
}

#[tokio::test]
async fn fault_50_a_revoked_client_is_refused_at_its_next_handshake_also_with_a_session_to_resume() {
    let authority = Authority::new("root");
    let files = Files::new();
    let tls = with_list(&files, &authority);
    let running = serve(&tls).await;
    let (good, bad) = (authority.client("good", 1), authority.client("bad", 7));
    let ours = |issued: &crate::authority::Issued| {
        client(&authority).identity(issued.chain(), issued.key()).build().unwrap()
    };
    let (good, bad) = (ours(&good), ours(&bad));
    for tls in [&good, &bad, &bad] {
        connect_to(running.uri(), tls).await.unwrap().echo("x".into()).await.unwrap();
    }
    assert_eq!(bad.counts().resumed, 1, "it has a session");

    files.put("revoked.pem", &authority.revoked(&[7]));
    tls.reload().unwrap();
    let said = connect_to(running.uri(), &bad).await.unwrap_err().to_string();
    assert!(said.contains("this client's certificate has been revoked"), "{said}");
    assert!(connect_to(running.uri(), &good).await.is_ok());
}

#[tokio::test]
async fn fault_50_a_connection_of_a_revoked_client_ends_when_it_is_old() {
    let authority = Authority::new("root");
    let files = Files::new();
    let tls = with_list(&files, &authority);
    let running = serve_with(&tls, |server| server.max_connection_age(Duration::from_millis(300))).await;
    let bad = authority.client("bad", 7);
    let door = connect(&running, client(&authority).identity(bad.chain(), bad.key())).await.unwrap();
    files.put("revoked.pem", &authority.revoked(&[7]));
    tls.reload().unwrap();
    let error = soon(async {
        loop {
            if let Err(error) = door.echo("x".into()).await {
                return error;
            }
        }
    })
    .await;
    assert!(error.to_string().contains("this client's certificate has been revoked"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_outlives_the_age_of_its_connection_is_ended_after_the_grace_period() {
    let (age, grace) = (Duration::from_secs(100), Duration::from_secs(10));
    let set_up = |server: farcall::ServerBuilder| server.max_connection_age(age).shutdown_grace(grace);
    let set = kit::serve_with("mem://", set_up, Limits::default()).await;
    let began_at = tokio::time::Instant::now();
    let error = tokio::time::timeout(age * 2, set.client.hang()).await.expect("it is ended").unwrap_err();
    assert_eq!(error.code(), Code::Unavailable, "{error}");
    assert!((100..=121).contains(&began_at.elapsed().as_secs()), "{:?}", began_at.elapsed());
    assert_eq!(set.client.echo("on a new connection".into()).await.unwrap(), "on a new connection");
}

const CLIENTS: usize = 4;
const ROTATIONS: u64 = 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fault_50_certificates_are_rotated_under_load_with_no_failed_call() {
    let authorities = [Authority::new("a"), Authority::new("b")];
    let files = Files::new();
    files.put_pair(&authorities[0].server());
    let tls = files.server().reload_interval(Duration::ZERO).build().unwrap();
    // Old connections drain all the time, so that new ones are made with each certificate.
    let running = serve_with(&tls, |server| server.max_connection_age(Duration::from_millis(50))).await;
    let trust = client(&authorities[0]).roots(authorities[1].root()).build().unwrap();
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut callers = Vec::new();
    for _ in 0..CLIENTS {
        let channel = Channel::builder(running.uri()).tls(trust.clone()).connect().await.unwrap();
        let (door, stopped) = (DoorClient::new(channel), stopped.clone());
        callers.push(tokio::spawn(async move {
            let mut calls = 0_u64;
            while !*stopped.borrow() {
                let batch = futures::future::join_all((0..8).map(|_| door.echo("x".into()))).await;
                for answer in batch {
                    answer.expect("no call fails");
                    calls += 1;
                }
            }
            calls
        }));
    }
    for rotation in 1..=ROTATIONS {
        let reloads = tls.counts().reloads;
        files.put_pair(&authorities[rotation as usize % 2].server());
        comes_true(|| tls.counts().reloads > reloads).await;
        let handshakes = || tls.counts().full + tls.counts().resumed;
        let before = handshakes();
        comes_true(|| handshakes() > before).await;
    }
    stop.send_replace(true);
    let mut calls = 0;
    for caller in callers {
        calls += soon(caller).await.unwrap();
    }
    let counts = tls.counts();
    println!("{calls} calls, {counts:?}");
    assert!(counts.reloads >= ROTATIONS && counts.failed == 0, "{counts:?}");
    assert!(calls > 0);
}

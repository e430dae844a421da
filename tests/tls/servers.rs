//! Servers that a client trusts, and those that it does not.

use farcall::{TlsClient, TlsVersions};

use crate::authority::Authority;
use crate::set::{client, connect, connect_to, refusal, serve, server};

#[tokio::test]
async fn a_trusted_server_is_called() {
    let authority = Authority::new("root");
    let tls = server(&authority.server()).build().unwrap();
    let running = serve(&tls).await;
    assert!(running.uri().starts_with("tls://127.0.0.1:"), "{}", running.uri());
    let door = connect(&running, client(&authority)).await.unwrap();
    assert_eq!(door.echo("x".repeat(1 << 20)).await.unwrap().len(), 1 << 20);
    let counts = tls.counts();
    assert_eq!((counts.full, counts.resumed, counts.failed), (1, 0, 0));
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_refused() {
    let running = serve(&server(&Authority::new("theirs").server()).build().unwrap()).await;
    let said = refusal(&running, client(&Authority::new("ours"))).await;
    assert!(said.contains("an authority that is not trusted here: add its root"), "{said}");
}

#[tokio::test]
async fn a_server_of_another_name_is_refused_until_that_name_is_asked_for() {
    let authority = Authority::new("root");
    let orders = authority.server_with(|params| params.subject_alt_names = vec![dns("orders.internal")]);
    let running = serve(&server(&orders).build().unwrap()).await;
    let said = refusal(&running, client(&authority)).await;
    assert!(said.contains("is not for 127.0.0.1, but for"), "{said}");
    assert!(said.contains("orders.internal") && said.contains("TlsClientBuilder::server_name"), "{said}");
    let door = connect(&running, client(&authority).server_name("orders.internal")).await.unwrap();
    assert_eq!(door.echo("x".into()).await.unwrap(), "x");
}

#[tokio::test]
async fn the_server_name_is_the_host_of_the_address() {
    let authority = Authority::new("root");
    let running = serve(&server(&authority.server()).build().unwrap()).await;
    let port = running.uri().rsplit_once(':').unwrap().1;
    let tls = client(&authority).build().unwrap();
    let door = connect_to(&format!("tls://localhost:{port}"), &tls).await.unwrap();
    assert_eq!(door.echo("x".into()).await.unwrap(), "x");
}

fn dns(name: &str) -> rcgen::SanType {
    rcgen::SanType::DnsName(name.try_into().unwrap())
}

#[tokio::test]
async fn a_server_whose_certificate_is_not_valid_now_is_refused() {
    let authority = Authority::new("root");
    let running = serve(&server(&authority.expired_server()).build().unwrap()).await;
    let said = refusal(&running, client(&authority)).await;
    assert!(said.contains("the server's certificate has expired: renew it"), "{said}");

    let early = authority.server_with(|params| params.not_before = rcgen::date_time_ymd(2900, 1, 1));
    let running = serve(&server(&early).build().unwrap()).await;
    let said = refusal(&running, client(&authority)).await;
    assert!(said.contains("not valid yet"), "{said}");
}

#[tokio::test]
async fn a_server_whose_certificate_was_revoked_is_refused() {
    let authority = Authority::new("root");
    let running = |serial: u64| {
        let issued = authority.server_with(|params| params.serial_number = Some(serial.into()));
        async move { serve(&server(&issued).build().unwrap()).await }
    };
    let tls = || client(&authority).revocation_lists(farcall::Pem::bytes(authority.revoked(&[7])));
    let said = refusal(&running(7).await, tls()).await;
    assert!(said.contains("the server's certificate has been revoked"), "{said}");
    assert!(connect(&running(8).await, tls()).await.is_ok());
}

#[tokio::test]
async fn an_authority_without_its_list_lets_nobody_in() {
    let (authority, other) = (Authority::new("root"), Authority::new("other"));
    let running = serve(&server(&authority.server()).build().unwrap()).await;
    let tls = client(&authority).revocation_lists(farcall::Pem::bytes(other.revoked(&[])));
    let said = refusal(&running, tls).await;
    assert!(said.contains("no revocation list covers the server's certificate"), "{said}");
}

#[tokio::test]
async fn a_certificate_for_clients_is_none_for_servers() {
    let authority = Authority::new("root");
    let issued = authority.server_with(|params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    });
    let running = serve(&server(&issued).build().unwrap()).await;
    let said = refusal(&running, client(&authority)).await;
    assert!(said.contains("not meant for a server"), "{said}");
}

#[tokio::test]
async fn each_version_is_spoken_and_none_in_common_is_said() {
    let authority = Authority::new("root");
    for versions in [TlsVersions::Tls12, TlsVersions::Tls13, TlsVersions::Both] {
        let running = serve(&server(&authority.server()).versions(versions).build().unwrap()).await;
        assert!(connect(&running, client(&authority)).await.is_ok(), "{versions:?}");
    }
    for (ours, theirs) in [(TlsVersions::Tls12, TlsVersions::Tls13), (TlsVersions::Tls13, TlsVersions::Tls12)]
    {
        let running = serve(&server(&authority.server()).versions(ours).build().unwrap()).await;
        let said = refusal(&running, client(&authority).versions(theirs)).await;
        assert!(said.contains("TlsVersions"), "{said}");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_resumes_its_session() {
    let authority = Authority::new("root");
    for versions in [TlsVersions::Tls12, TlsVersions::Tls13] {
        let tls = server(&authority.server()).versions(versions).build().unwrap();
        let running = serve(&tls).await;
        let ours: TlsClient = client(&authority).build().unwrap();
        for _ in 0..3 {
            let door = connect_to(running.uri(), &ours).await.unwrap();
            // The session is told to the client behind the handshake, before the first answer.
            assert_eq!(door.echo("x".into()).await.unwrap(), "x");
        }
        for counts in [tls.counts(), ours.counts()] {
            assert_eq!((counts.full, counts.resumed), (1, 2), "{versions:?}");
        }
    }
}

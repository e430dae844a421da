//! Clients that a server lets in, those that it does not, and what its handlers know of them.

use farcall::{Pem, TlsServer, TlsVersions};

use crate::authority::Authority;
use crate::set::{Caller, client, connect, refusal, serve, server};

const BOTH: [TlsVersions; 2] = [TlsVersions::Tls12, TlsVersions::Tls13];

fn mutual(authority: &Authority, versions: TlsVersions) -> TlsServer {
    server(&authority.server()).require_clients(authority.root()).versions(versions).build().unwrap()
}

#[tokio::test]
async fn a_handler_sees_the_certificate_of_its_caller() {
    let authority = Authority::new("root");
    for versions in BOTH {
        let running = serve(&mutual(&authority, versions)).await;
        let billing = authority.client("billing", 0x01ff);
        let tls = client(&authority).identity(billing.chain(), billing.key());
        let caller = connect(&running, tls).await.unwrap().who().await.unwrap().expect("it has shown one");
        let der = pem_to_der(&billing.chain);
        let expected = Caller {
            subject: "O=Farcall, CN=billing".to_owned(),
            common_name: Some("billing".to_owned()),
            dns_names: vec!["billing.internal".to_owned()],
            uris: vec!["spiffe://test/billing".to_owned()],
            serial: vec![0x01, 0xff],
            chain: vec![der],
        };
        assert_eq!(caller, expected);
    }
}

fn pem_to_der(pem: &str) -> Vec<u8> {
    use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

#[tokio::test]
async fn a_handler_sees_the_certificate_after_resumption_too() {
    let authority = Authority::new("root");
    for versions in BOTH {
        let tls = mutual(&authority, versions);
        let running = serve(&tls).await;
        let billing = authority.client("billing", 1);
        let ours = client(&authority).identity(billing.chain(), billing.key()).build().unwrap();
        for _ in 0..2 {
            let door = crate::set::connect_to(running.uri(), &ours).await.unwrap();
            let caller = door.who().await.unwrap().expect("it has shown one");
            assert_eq!(caller.common_name.as_deref(), Some("billing"));
        }
        assert_eq!(tls.counts().resumed, 1);
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_is_told_to_set_one() {
    let authority = Authority::new("root");
    for versions in BOTH {
        let tls = mutual(&authority, versions);
        let running = serve(&tls).await;
        let said = refusal(&running, client(&authority)).await;
        assert!(said.contains("requires a client certificate"), "{versions:?}: {said}");
        assert!(said.contains("TlsClientBuilder::identity"), "{versions:?}: {said}");
        assert_eq!(tls.counts().failed, 1);
    }
}

#[tokio::test]
async fn a_server_that_asks_and_does_not_insist_lets_strangers_in_and_liars_not() {
    let authority = Authority::new("root");
    let tls = server(&authority.server()).accept_clients(authority.root()).build().unwrap();
    let running = serve(&tls).await;
    assert_eq!(connect(&running, client(&authority)).await.unwrap().who().await.unwrap(), None);

    let known = authority.client("known", 1);
    let door = connect(&running, client(&authority).identity(known.chain(), known.key())).await.unwrap();
    let caller = door.who().await.unwrap().expect("it has shown one");
    assert_eq!(caller.common_name.as_deref(), Some("known"));

    let liar = Authority::new("liars").client("known", 1);
    let said = refusal(&running, client(&authority).identity(liar.chain(), liar.key())).await;
    assert!(said.contains("does not trust the authority of this client's certificate"), "{said}");
}

#[tokio::test]
async fn a_client_whose_certificate_is_not_valid_is_told_why() {
    let authority = Authority::new("root");
    for versions in BOTH {
        let tls = server(&authority.server())
            .require_clients(authority.root())
            .revocation_lists(Pem::bytes(authority.revoked(&[7])))
            .versions(versions)
            .build()
            .unwrap();
        let running = serve(&tls).await;
        let expired =
            authority.client_with("late", 8, |params| params.not_after = rcgen::date_time_ymd(2020, 1, 1));
        for (issued, named) in [
            (authority.client("revoked", 7), "this client's certificate has been revoked"),
            (expired, "this client's certificate has expired"),
            (Authority::new("other").client("stranger", 9), "does not trust the authority of this client's"),
        ] {
            let said = refusal(&running, client(&authority).identity(issued.chain(), issued.key())).await;
            assert!(said.contains(named), "{versions:?}: {said}");
        }
        let good = authority.client("good", 10);
        assert!(connect(&running, client(&authority).identity(good.chain(), good.key())).await.is_ok());
    }
}

#[tokio::test]
async fn without_mutual_tls_a_caller_has_no_certificate() {
    let authority = Authority::new("root");
    let running = serve(&server(&authority.server()).build().unwrap()).await;
    let billing = authority.client("billing", 1);
    let door = connect(&running, client(&authority).identity(billing.chain(), billing.key())).await.unwrap();
    assert_eq!(door.who().await.unwrap(), None, "it was not asked for one");
}

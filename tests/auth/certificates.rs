//! Callers who are known by the certificates of their connections.

use farcall::layers::auth::Authenticate;
use farcall::{Caller, Code, Layer, Next, Peer, PeerCertificate, Request, Router, Service, layer_fn};

use crate::bank::{ADA, BankClient, BankServer, Vault, tokens};

fn by_uri(certificate: &PeerCertificate) -> Option<Caller> {
    let uri = certificate.uris().first()?;
    let name = uri.strip_prefix("spiffe://test/")?;
    (name == "billing").then(|| Caller::new(name).with_scope("read"))
}

/// A client of a server to which it has shown this certificate.
fn client<L>(uri: Option<&'static str>, layer: L) -> BankClient<impl Service>
where
    L: Layer<Router, Service: Service>,
{
    let shown = layer_fn(move |mut request: Request, next: Next| async move {
        let mut peer = Peer::new("tls://10.0.0.7:4001");
        if let Some(uri) = uri {
            peer =
                peer.with_certificate(PeerCertificate::new(Vec::new()).with_names(vec![], vec![uri.into()]));
        }
        request.set_peer(peer);
        next.call(request).await
    });
    let router = Router::new().with(BankServer::new(Vault::default())).unwrap();
    BankClient::new(shown.layer(layer.layer(router)))
}

#[tokio::test]
async fn a_certificate_is_whom_the_server_says() {
    let client = client(Some("spiffe://test/billing"), Authenticate::by_certificate(by_uri));
    assert_eq!(client.who().await.unwrap().as_deref(), Some("billing"));
    assert!(client.entries().await.is_ok());
    assert_eq!(client.close().await.unwrap_err().code(), Code::PermissionDenied);
}

#[tokio::test]
async fn no_certificate_and_one_that_is_not_known_are_nobody() {
    for uri in [None, Some("spiffe://test/reports"), Some("spiffe://other/billing")] {
        let client = client(uri, Authenticate::by_certificate(by_uri));
        let error = client.who().await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated);
        assert!(error.to_string().contains("or connect over tls://"), "{error}");
        assert_eq!(client.rates().await.unwrap(), None);
    }
    let unasked = client(Some("spiffe://test/billing"), Authenticate::new(tokens()));
    assert_eq!(
        unasked.who().await.unwrap_err().code(),
        Code::Unauthenticated,
        "certificates say nothing unless asked"
    );
}

#[tokio::test]
async fn a_call_with_a_token_stands_or_falls_by_the_token() {
    let both = || Authenticate::new(tokens()).certificates(by_uri);
    let client = client(Some("spiffe://test/billing"), both());
    let with = |token: &str| client.who().metadata("authorization", format!("Bearer {token}"));
    assert_eq!(with(ADA).await.unwrap().as_deref(), Some("ada"));
    assert_eq!(with("a-token-that-is-not-known").await.unwrap_err().code(), Code::Unauthenticated);
    assert_eq!(client.who().await.unwrap().as_deref(), Some("billing"));
    let only = self::client(Some("spiffe://test/billing"), Authenticate::by_certificate(by_uri));
    let error = only.who().metadata("authorization", format!("Bearer {ADA}")).await.unwrap_err();
    assert!(error.to_string().contains("no tokens are taken here"), "{error}");
}

#[cfg(feature = "tls")]
#[allow(dead_code)]
#[path = "../tls/authority.rs"]
mod authority;

#[cfg(feature = "tls")]
#[tokio::test]
async fn over_tls_the_certificate_of_the_handshake_counts() {
    use farcall::{Channel, Server, TlsClient, TlsServer};

    let authority = authority::Authority::new("test");
    let issued = authority.server();
    let tls =
        TlsServer::builder(issued.chain(), issued.key()).accept_clients(authority.root()).build().unwrap();
    let server = Server::builder()
        .service(BankServer::new(Vault::default()))
        .layer(Authenticate::by_certificate(|certificate: &PeerCertificate| {
            certificate.uris().iter().find_map(|uri| uri.strip_prefix("spiffe://test/")).map(Caller::new)
        }))
        .tls(tls)
        .bind("tls://127.0.0.1:0")
        .await
        .unwrap();
    let connect = async |client: Option<authority::Issued>| {
        let tls = TlsClient::builder(authority.root()).server_name("localhost");
        let tls = match client {
            Some(issued) => tls.identity(issued.chain(), issued.key()),
            None => tls,
        };
        let channel = Channel::builder(server.uri()).tls(tls.build().unwrap()).connect().await.unwrap();
        BankClient::new(channel)
    };
    let billing = connect(Some(authority.client("billing", 7))).await;
    assert_eq!(billing.who().await.unwrap().as_deref(), Some("billing"));
    let stranger = connect(None).await;
    assert_eq!(stranger.who().await.unwrap_err().code(), Code::Unauthenticated);
}

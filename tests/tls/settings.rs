//! Settings that cannot be: each is refused before anything listens or connects.

use farcall::{Channel, Error, ErrorKind, Pem, Server, TlsClient, TlsServer};

use crate::authority::Authority;
use crate::set::{Files, client, server};

fn config(error: &Error) -> String {
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    error.to_string()
}

#[tokio::test]
async fn tls_addresses_need_tls_settings() {
    let said = config(&Channel::connect("tls://127.0.0.1:1").await.unwrap_err());
    assert!(said.contains("set them with ChannelBuilder::tls"), "{said}");
    let said = config(&Server::builder().bind("tls://127.0.0.1:0").await.unwrap_err());
    assert!(said.contains("set one with ServerBuilder::tls"), "{said}");
}

#[test]
fn a_pair_that_is_none_is_refused() {
    let authority = Authority::new("root");
    let (one, other) = (authority.server(), authority.server());
    let refused = |chain: Pem, key: Pem| config(&TlsServer::builder(chain, key).build().unwrap_err());
    assert!(refused(one.chain(), other.key()).contains("no certificate and its key"));
    assert!(refused(Pem::bytes("what"), one.key()).contains("there is no CERTIFICATE in it"));
    assert!(refused(one.chain(), Pem::bytes("what")).contains("cannot be used for TLS"));
    let missing = Files::new().path("none.pem");
    assert!(refused(Pem::file(&missing), one.key()).contains(missing.to_str().unwrap()));
    let garbled = one.chain.replace("MII", "!!!");
    assert!(refused(Pem::bytes(garbled), one.key()).contains("cannot be used for TLS"));
}

#[test]
fn trust_that_is_none_is_refused() {
    let authority = Authority::new("root");
    let refused = |tls: Result<TlsClient, Error>| config(&tls.unwrap_err());
    assert!(refused(TlsClient::builder(Pem::bytes("")).build()).contains("there is no CERTIFICATE in it"));
    let lists = client(&authority).revocation_lists(authority.root());
    assert!(refused(lists.build()).contains("there is no X509 CRL in it"));
    assert!(refused(client(&authority).server_name("no name!").build()).contains("no name!"));
    let clients = server(&authority.server()).require_clients(Pem::bytes("")).build().unwrap_err();
    assert!(config(&clients).contains("there is no CERTIFICATE in it"));
}

#[test]
fn keys_are_not_shown() {
    let issued = Authority::new("root").server();
    let tls = server(&issued);
    let secret = issued.key.lines().nth(1).unwrap();
    assert!(!format!("{tls:?} {:?}", tls.clone().build().unwrap()).contains(secret));
}

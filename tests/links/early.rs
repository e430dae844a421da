//! Early data of QUIC (0-RTT): calls that come before the handshake is done, and packets that are sent again.

use std::sync::Arc;
use std::time::Duration;

use farcall::{Channel, Fate, Limits, Server, TlsClient, TlsServer, service};
use quinn::Endpoint;
use tokio::net::UdpSocket;
use tokio::sync::watch;

use crate::authority::Authority;
use crate::kit::soon;
use crate::raw::{HELLO, config_for, frame, open_of, read};
use crate::udp::Net;

#[service]
trait Shop {
    #[rpc(idempotent)]
    async fn price(&self, of: String) -> usize;
    async fn buy(&self, what: String) -> usize;
    #[rpc(idempotent)]
    async fn wait(&self);
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Ran {
    price: usize,
    buy: usize,
    wait: usize,
    dropped: usize,
}

struct Counter(Arc<watch::Sender<Ran>>);

impl Shop for Counter {
    async fn price(&self, of: String) -> usize {
        self.0.send_modify(|ran| ran.price += 1);
        of.len()
    }

    async fn buy(&self, what: String) -> usize {
        self.0.send_modify(|ran| ran.buy += 1);
        what.len()
    }

    async fn wait(&self) {
        struct Waits<'a>(&'a watch::Sender<Ran>);
        impl Drop for Waits<'_> {
            fn drop(&mut self) {
                self.0.send_modify(|ran| ran.dropped += 1);
            }
        }
        let _waits = Waits(&self.0);
        self.0.send_modify(|ran| ran.wait += 1);
        std::future::pending().await
    }
}

/// A shop behind a network, and what its customers trust.
struct Street {
    authority: Authority,
    server_tls: TlsServer,
    client_tls: TlsClient,
    ran: watch::Receiver<Ran>,
    counter: Arc<watch::Sender<Ran>>,
    limits: Limits,
}

impl Street {
    fn new() -> Self {
        let authority = Authority::new("root");
        let own = authority.server();
        let server_tls = TlsServer::builder(own.chain(), own.key()).early_data(true).build().unwrap();
        let client_tls = TlsClient::builder(authority.root()).early_data(true).build().unwrap();
        let (counter, ran) = watch::channel(Ran::default());
        let (counter, limits) = (Arc::new(counter), Limits::default());
        Self { authority, server_tls, client_tls, ran, counter, limits }
    }

    async fn serve(&self, uri: &str, limits: Limits) -> Server {
        let shop = ShopServer::new(Counter(self.counter.clone()));
        Server::builder().tls(self.server_tls.clone()).limits(limits).service(shop).bind(uri).await.unwrap()
    }

    async fn open(&self) -> (Server, Net) {
        let server = self.serve("quic://127.0.0.1:0", self.limits.clone()).await;
        let net = Net::before(server.uri().trim_start_matches("quic://"), 0, 0).await;
        (server, net)
    }

    async fn customer(&self, net: &Net) -> ShopClient<Channel> {
        let channel = Channel::builder(format!("quic://{}", net.address)).tls(self.client_tls.clone());
        ShopClient::new(soon(channel.limits(self.limits.clone()).connect()).await.unwrap())
    }

    /// Has a client call once, so that the next connection may begin early.
    async fn get_known(&self, net: &Net) {
        let customer = self.customer(net).await;
        assert_eq!(soon(customer.price("tea".into())).await.unwrap(), 3);
        assert_eq!(soon(customer.price("cake".into())).await.unwrap(), 4);
    }

    /// Holds that a client that comes back says nothing before the server does.
    async fn waits_for_the_server(&self) {
        let (_server, mut net) = self.open().await;
        self.get_known(&net).await;
        net.mute(true);
        let channel = Channel::builder(format!("quic://{}", net.address)).tls(self.client_tls.clone());
        let before = net.sent_count();
        let connecting = tokio::spawn(async move { channel.connect().await });
        // Its first packets are there, and sent again.
        soon(net.sent(before + 2)).await;
        assert!(!connecting.is_finished());
        net.mute(false);
        let customer = ShopClient::new(soon(connecting).await.unwrap().unwrap());
        assert_eq!(soon(customer.price("fig".into())).await.unwrap(), 3);
        assert_eq!(*self.ran.borrow(), Ran { price: 3, ..Ran::default() });
    }

    /// Starts the server anew, so that it knows no sessions, and its clients do not know that.
    async fn start_anew(&mut self) -> (Server, Net) {
        let (server, net) = self.open().await;
        self.get_known(&net).await;
        let uri = server.uri().to_owned();
        soon(server.shutdown()).await;
        let own = self.authority.server();
        self.server_tls = TlsServer::builder(own.chain(), own.key()).early_data(true).build().unwrap();
        (self.serve(&uri, self.limits.clone()).await, net)
    }

    async fn wait(&mut self, reached: impl FnMut(&Ran) -> bool) -> Ran {
        soon(self.ran.wait_for(reached)).await.unwrap().clone()
    }
}

#[tokio::test]
async fn a_handshake_that_fails_with_its_first_packet_is_counted() {
    let street = Street::new();
    let (server, _net) = street.open().await;
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = server.uri().trim_start_matches("quic://").parse().unwrap();
    let other = config_for(street.authority.root_pem(), b"h3");
    let error = soon(endpoint.connect_with(other, address, "localhost").unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("120"), "no_application_protocol: {error}");
    assert_eq!(street.server_tls.counts().failed, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_early_connections_one_after_the_other_is_answered() {
    let street = Street::new();
    let (_server, net) = street.open().await;
    for _ in 0..30 {
        let customer = street.customer(&net).await;
        assert_eq!(soon(customer.price("tea".into())).await.unwrap(), 3);
    }
    assert_eq!(street.ran.borrow().price, 30);
}

/// Proves rule Q10.
#[tokio::test]
async fn idempotent_calls_run_before_the_server_is_heard_and_others_wait() {
    let mut street = Street::new();
    let (_server, net) = street.open().await;
    street.get_known(&net).await;
    net.mute(true);
    let customer = street.customer(&net).await;
    let (price, buy) = (customer.price("apple".into()), customer.buy("apple".into()));
    let calls = tokio::spawn(async move { tokio::join!(buy, price) });
    let ran = street.wait(|ran| ran.price == 3).await;
    assert_eq!(ran.buy, 0, "the server may have been asked by somebody else");
    net.mute(false);
    let (buy, price) = soon(calls).await.unwrap();
    assert_eq!((buy.unwrap(), price.unwrap()), (5, 5));
    assert_eq!(street.wait(|ran| ran.buy > 0).await, Ran { price: 3, buy: 1, ..Ran::default() });
}

#[tokio::test]
async fn without_being_asked_for_nothing_is_sent_early() {
    let mut street = Street::new();
    street.client_tls = TlsClient::builder(street.authority.root()).build().unwrap();
    street.waits_for_the_server().await;
}

/// Proves rule Q10.
#[tokio::test]
async fn what_a_server_does_not_take_early_goes_out_over_another_connection() {
    let mut street = Street::new();
    let (_server, net) = street.start_anew().await;
    let customer = street.customer(&net).await;
    assert_eq!(soon(customer.price("tea".into())).await.unwrap(), 3);
    assert_eq!(street.wait(|_| true).await, Ran { price: 3, ..Ran::default() });
}

/// A client of quinn's that has a session of a server, which is not heard any more.
async fn stranger(street: &Street, net: &Net) -> (Endpoint, quinn::Connection, quinn::ZeroRttAccepted) {
    let endpoint = Endpoint::client("127.0.0.1:0".parse().unwrap()).unwrap();
    let config = config_for(street.authority.root_pem(), b"farcall/1");
    let address = net.address.parse().unwrap();
    let connect = || endpoint.connect_with(config.clone(), address, "localhost").unwrap();
    let known = soon(connect()).await.unwrap();
    let (mut send, mut recv) = known.open_bi().await.unwrap();
    send.write_all(HELLO).await.unwrap();
    // The session comes with what follows the handshake.
    soon(recv.read_exact(&mut [0; 12])).await.unwrap();
    net.mute(true);
    let (early, accepted) = connect().into_0rtt().expect("the session is known");
    (endpoint, early, accepted)
}

/// Proves rule Q10: another frame than OPEN at the start of a stream, which holds the id of a method that might run.
#[tokio::test]
async fn what_follows_another_frame_waits_for_the_handshake() {
    let mut street = Street::new();
    let (_server, net) = street.open().await;
    let (_endpoint, early, _) = stranger(&street, &net).await;
    let (mut control, _control) = early.open_bi().await.unwrap();
    control.write_all(HELLO).await.unwrap();
    let (mut send, _recv) = early.open_bi().await.unwrap();
    let id = farcall::MethodId::hash("Shop", "price").as_u64().to_le_bytes();
    let ping_and_buy = [frame(7, 0, &id), open_of("Shop", "buy", 1, &[1, b'a'])].concat();
    send.write_all(&ping_and_buy).await.unwrap();
    // Sent later, and run by then.
    let (mut other, _other) = early.open_bi().await.unwrap();
    other.write_all(&open_of("Shop", "price", 1, &[1, b'a'])).await.unwrap();
    assert_eq!(street.wait(|ran| ran.price == 1).await.buy, 0);
}

/// Proves rule Q10: streams overtake each other.
#[tokio::test]
async fn a_call_that_comes_before_its_clients_opening_waits_for_it() {
    let mut street = Street::new();
    let (_server, net) = street.open().await;
    let (_endpoint, early, _) = stranger(&street, &net).await;
    let (mut control, _control) = early.open_bi().await.unwrap();
    // All but its last byte.
    let (last, first) = HELLO.split_last().unwrap();
    control.write_all(first).await.unwrap();
    let (mut send, mut recv) = early.open_bi().await.unwrap();
    send.write_all(&open_of("Shop", "price", 1, &[1, b'a'])).await.unwrap();
    net.mute(false);
    control.write_all(&[*last]).await.unwrap();
    assert_eq!(read(&mut recv).await.2, [1]);
    assert_eq!(street.wait(|_| true).await.price, 1);
}

/// Proves rule Q10.
#[tokio::test]
async fn calls_of_all_kinds_go_on_where_nothing_was_taken_early() {
    let mut street = Street::new();
    let (_server, net) = street.start_anew().await;
    let customer = street.customer(&net).await;
    // One that is long, and one that waits.
    let long = "x".repeat(100_000);
    let (first, second, buy) = soon(async {
        tokio::join!(customer.price("tea".into()), customer.price(long), customer.buy("tea".into()))
    })
    .await;
    assert_eq!((first.unwrap(), second.unwrap(), buy.unwrap()), (3, 100_000, 3));
    assert_eq!(street.wait(|_| true).await, Ran { price: 4, buy: 1, ..Ran::default() });
    assert_eq!(soon(customer.price("cake".into())).await.unwrap(), 4, "and so on");
}

/// Proves rule Q10: what a client sends early is held back here, whatever it is.
#[tokio::test]
async fn a_client_that_sends_other_calls_early_waits_for_them() {
    let mut street = Street::new();
    let (_server, net) = street.open().await;
    let (_endpoint, early, accepted) = stranger(&street, &net).await;
    let (mut control, _control) = early.open_bi().await.unwrap();
    control.write_all(HELLO).await.unwrap();
    let mut answers = Vec::new();
    for method in ["buy", "price"] {
        let (mut send, recv) = early.open_bi().await.unwrap();
        send.write_all(&open_of("Shop", method, 1, &[1, b'a'])).await.unwrap();
        answers.push((send, recv));
    }
    let ran = street.wait(|ran| ran.price == 1).await;
    assert_eq!(ran.buy, 0);
    net.mute(false);
    assert!(soon(accepted).await);
    for (_send, mut recv) in answers {
        assert_eq!(read(&mut recv).await.2, [1]);
    }
    assert_eq!(street.wait(|_| true).await, Ran { price: 1, buy: 1, ..Ran::default() });
}

/// Proves rule Q10: a session is good for one connection.
#[tokio::test]
async fn packets_that_are_sent_again_run_nothing_again() {
    let mut street = Street::new();
    let (_server, mut net) = street.open().await;
    street.get_known(&net).await;
    let before = net.sent_count();
    net.mute(true);
    let customer = street.customer(&net).await;
    let price = tokio::spawn(async move { customer.price("apple".into()).await });
    street.wait(|ran| ran.price == 3).await;
    let flight = net.sent(before).await.split_off(before);
    // To another endpoint, which does not know the connection, and has its sessions from the same place.
    let other = street.serve("quic://127.0.0.1:0", street.limits.clone()).await;
    let thief = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for datagram in flight {
        thief.send_to(&datagram, other.uri().trim_start_matches("quic://")).await.unwrap();
    }
    // The other has read them once it answers.
    soon(thief.recv(&mut [0; 2000])).await.unwrap();
    net.mute(false);
    assert_eq!(soon(price).await.unwrap().unwrap(), 5);
    let direct =
        Channel::builder(other.uri()).tls(TlsClient::builder(street.authority.root()).build().unwrap());
    let direct = ShopClient::new(soon(direct.connect()).await.unwrap());
    assert_eq!(soon(direct.price("fig".into())).await.unwrap(), 3);
    assert_eq!(street.wait(|_| true).await.price, 4, "the three calls before, and this one");
}

/// Nobody holds a place by packets that somebody else has sent.
#[tokio::test]
async fn a_handshake_that_is_not_done_in_time_ends_its_calls() {
    let mut street = Street::new();
    street.limits = Limits::default().handshake_timeout(Duration::from_millis(500));
    let (_server, net) = street.open().await;
    street.get_known(&net).await;
    net.mute(true);
    let customer = street.customer(&net).await;
    let call = tokio::spawn(async move { customer.wait().await });
    street.wait(|ran| ran.wait == 1).await;
    // The server does not hear that the client has given up.
    net.cut(true);
    street.wait(|ran| ran.dropped == 1).await;
    let error = soon(call).await.unwrap().unwrap_err();
    assert_eq!(error.fate(), Fate::MaybeExecuted, "{error:#}");
    assert!(error.to_string().contains("nothing was heard"), "{error:#}");
}

/// Proves rule Q10: limits that are lower than those that were kept to.
#[tokio::test]
async fn a_server_that_allows_less_than_before_is_left() {
    let mut street = Street::new();
    let (server, net) = street.open().await;
    street.get_known(&net).await;
    let uri = server.uri().to_owned();
    soon(server.shutdown()).await;
    // The same sessions, as a server has that changes its limits without a restart.
    let _server = street.serve(&uri, Limits::default().message_bytes(1000)).await;
    let customer = street.customer(&net).await;
    let error = soon(customer.price("tea".into())).await.unwrap_err();
    assert!(format!("{error:#}").contains("allows less"), "{error:#}");
    assert_eq!(soon(customer.buy("tea".into())).await.unwrap(), 3, "over a connection that assumes nothing");
    assert_eq!(street.wait(|ran| ran.buy == 1).await.buy, 1);
}

/// Where clients show certificates, who they are is known once the handshake is done.
#[tokio::test]
async fn a_server_that_asks_for_certificates_takes_nothing_early() {
    let mut street = Street::new();
    let (own, billing) = (street.authority.server(), street.authority.client("billing", 1));
    let server_tls = TlsServer::builder(own.chain(), own.key()).early_data(true);
    street.server_tls = server_tls.require_clients(street.authority.root()).build().unwrap();
    let client_tls = TlsClient::builder(street.authority.root()).early_data(true);
    street.client_tls = client_tls.identity(billing.chain(), billing.key()).build().unwrap();
    street.waits_for_the_server().await;
}

/// Why only idempotent methods: who holds a client's packets back and sends them itself has its calls run, and the client does not learn that.
#[tokio::test]
async fn packets_that_somebody_else_sends_run_idempotent_calls_and_no_others() {
    let mut street = Street::new();
    street.limits = Limits::default().handshake_timeout(Duration::from_millis(500));
    let (server, mut net) = street.open().await;
    street.get_known(&net).await;
    let before = net.sent_count();
    net.cut(true);
    let customer = street.customer(&net).await;
    let calls =
        tokio::spawn(async move { tokio::join!(customer.price("fig".into()), customer.buy("fig".into())) });
    let thief = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut stolen = before;
    while street.ran.borrow().price < 3 {
        let flight = soon(net.sent(stolen)).await.split_off(stolen);
        stolen += flight.len();
        for datagram in flight {
            thief.send_to(&datagram, server.uri().trim_start_matches("quic://")).await.unwrap();
        }
    }
    assert_eq!(street.wait(|ran| ran.price == 3).await.buy, 0);
    net.cut(false);
    let (price, buy) = soon(calls).await.unwrap();
    assert_eq!(price.unwrap_err().fate(), Fate::MaybeExecuted);
    assert_eq!(buy.unwrap(), 3, "it waited, and goes out over the next connection");
    assert_eq!(street.wait(|_| true).await, Ran { price: 3, buy: 1, ..Ran::default() });
}

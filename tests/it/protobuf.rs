//! Messages of prost: as themselves in their own codec, as bytes in the others.

use farcall::{CallError, Channel, CodecKind, Proto, Server, Streaming, service};
use futures::{Stream, StreamExt, stream};

#[derive(Clone, PartialEq, prost::Message)]
struct HelloRequest {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct HelloReply {
    #[prost(string, tag = "1")]
    text: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Refusal {
    #[prost(uint32, tag = "1")]
    code: u32,
}

/// What stands in no proto file travels in other codecs.
#[derive(Clone, PartialEq, Debug, serde::Serialize, serde::Deserialize)]
struct Plain(u32);

#[service]
trait Greeter {
    async fn hello(&self, request: Proto<HelloRequest>) -> Proto<HelloReply>;
    async fn try_hello(&self, request: Proto<HelloRequest>) -> Result<Proto<HelloReply>, Proto<Refusal>>;
    async fn ping(&self);
    fn hellos(&self, request: Proto<HelloRequest>) -> impl Stream<Item = Proto<HelloReply>> + Send;
    async fn all(&self, requests: Streaming<Proto<HelloRequest>>) -> Proto<HelloReply>;
    async fn two(&self, a: Proto<HelloRequest>, b: Proto<HelloRequest>) -> Proto<HelloReply>;
    async fn plain(&self, request: Proto<HelloRequest>) -> Plain;
}

struct Polite;

fn reply(name: &str) -> Proto<HelloReply> {
    Proto(HelloReply { text: format!("Hello, {name}!") })
}

fn request(name: &str) -> Proto<HelloRequest> {
    Proto(HelloRequest { name: name.into() })
}

impl Greeter for Polite {
    async fn hello(&self, request: Proto<HelloRequest>) -> Proto<HelloReply> {
        reply(&request.0.name)
    }

    async fn try_hello(&self, request: Proto<HelloRequest>) -> Result<Proto<HelloReply>, Proto<Refusal>> {
        if request.0.name.is_empty() { Err(Proto(Refusal { code: 7 })) } else { Ok(reply(&request.0.name)) }
    }

    async fn ping(&self) {}

    fn hellos(&self, request: Proto<HelloRequest>) -> impl Stream<Item = Proto<HelloReply>> + Send {
        stream::iter(0..3).map(move |_| reply(&request.0.name))
    }

    async fn all(&self, requests: Streaming<Proto<HelloRequest>>) -> Proto<HelloReply> {
        let names: Vec<_> = requests.map(|request| request.unwrap().0.name).collect().await;
        reply(&names.join(" and "))
    }

    async fn two(&self, a: Proto<HelloRequest>, b: Proto<HelloRequest>) -> Proto<HelloReply> {
        reply(&(a.0.name + &b.0.name))
    }

    async fn plain(&self, _: Proto<HelloRequest>) -> Plain {
        Plain(7)
    }
}

async fn serve() -> (Server, Channel) {
    let server = Server::builder().service(GreeterServer::new(Polite)).bind("mem://").await.unwrap();
    let channel = Channel::connect(server.uri()).await.unwrap();
    (server, channel)
}

#[tokio::test]
async fn messages_of_prost_travel_in_every_codec() {
    let (_server, channel) = serve().await;
    for codec in CodecKind::ALL {
        let client = GreeterClient::with_codec(channel.clone(), *codec);
        assert_eq!(client.hello(request("Ada")).await.unwrap(), reply("Ada"));
        assert_eq!(client.try_hello(request("Ada")).await.unwrap(), reply("Ada"));
        let refused = client.try_hello(request("")).await.unwrap_err();
        assert!(matches!(refused, CallError::Method(Proto(Refusal { code: 7 }))), "{}", codec.name());
        client.ping().await.unwrap();
        let hellos: Vec<_> = client.hellos(request("Ada")).await.unwrap().map(Result::unwrap).collect().await;
        assert_eq!(hellos, [reply("Ada"), reply("Ada"), reply("Ada")]);
        let names = stream::iter(["Ada", "Grace"]).map(request);
        assert_eq!(client.all(names).await.unwrap(), reply("Ada and Grace"));
    }
}

#[test]
fn the_bytes_are_those_that_grpc_sends() {
    use farcall::{Error, Request, Response, Service};

    struct Look;

    impl Service for Look {
        async fn call(&self, mut request: Request) -> Result<Response, Error> {
            assert_eq!(request.body().message(), &b"\x0a\x03Ada"[..]);
            Ok(Response::new(request.codec(), request.take_body()))
        }
    }

    let client = GreeterClient::with_codec(Look, CodecKind::Protobuf);
    let answered = futures::executor::block_on(client.hello(request("Ada"))).unwrap();
    assert_eq!(answered.0.text, "Ada", "both messages have one text");
}

#[tokio::test]
async fn what_protobuf_cannot_hold_is_an_error_that_says_what_to_write() {
    let (_server, channel) = serve().await;
    let client = GreeterClient::with_codec(channel.clone(), CodecKind::Protobuf);
    let error = client.two(request("a"), request("b")).await.unwrap_err();
    assert_eq!(error.kind(), farcall::ErrorKind::Encode);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("one argument or none") && cause.contains("`Proto`"), "{cause}");
    // The server finds it out, once the handler has run.
    let error = client.plain(request("a")).await.unwrap_err();
    assert_eq!(error.code(), farcall::Code::Internal);
    assert!(error.to_string().contains("Greeter/plain could not be encoded as protobuf"), "{error}");
    let client = GreeterClient::new(channel);
    assert_eq!(client.plain(request("a")).await.unwrap(), Plain(7));
}

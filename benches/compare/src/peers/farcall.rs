//! farcall as its README says: a trait, its client and its server over `tcp://`, with the postcard codec that it has by default.
//!
//! nodelay is on without being asked for. The limits on messages are raised for the 4 and 64 MiB of W6 and W10, as the other peers' are, the
//! limit on calls in flight for `--grow`, and the window of a stream to 1 MiB: the default suits many slow streams ("too low slows large messages down"). All else is as it comes.

use std::convert::Infallible;

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use farcall::{Channel, ChannelBuilder, Limits, Server, ServerBuilder, Service, service};
use futures::{Stream, stream};

use crate::load;
use crate::measure::Count;
use crate::message::{BLOB_BYTES, CALLS_MAX, Echo, ITEM_BYTES, MESSAGE_BYTES_MAX, body, item};

#[service]
pub trait Echoing {
    async fn echo(&self, message: Echo) -> Echo;
    async fn blob(&self) -> Bytes;
    fn items(&self) -> impl Stream<Item = Bytes> + Send;
}

struct Echoer {
    item: Bytes,
    blob: Bytes,
}

impl Echoing for Echoer {
    async fn echo(&self, message: Echo) -> Echo {
        message
    }

    async fn blob(&self) -> Bytes {
        self.blob.clone()
    }

    fn items(&self) -> impl Stream<Item = Bytes> + Send {
        stream::repeat(self.item.clone())
    }
}

fn limits() -> Limits {
    Limits::default()
        .calls_in_flight(CALLS_MAX)
        .message_bytes(MESSAGE_BYTES_MAX as u32)
        .buffer_bytes(2 * MESSAGE_BYTES_MAX as u32)
        .stream_window_bytes(1 << 20)
}

/// farcall as such, or with something around it.
pub trait Variant: Send + Sync + 'static {
    /// What a client calls.
    type Service: Service;

    fn bind(server: ServerBuilder) -> impl Future<Output = Result<Server>> + Send;
    fn connect(port: u16) -> impl Future<Output = Result<Self::Service>> + Send;
}

pub struct Plain;

impl Variant for Plain {
    type Service = Channel;

    async fn bind(server: ServerBuilder) -> Result<Server> {
        Ok(server.bind(ADDRESS).await?)
    }

    async fn connect(port: u16) -> Result<Channel> {
        Ok(channel("tcp", port).connect().await?)
    }
}

pub const ADDRESS: &str = "tcp://127.0.0.1:0";

pub fn channel(scheme: &str, port: u16) -> ChannelBuilder {
    Channel::builder(format!("{scheme}://127.0.0.1:{port}")).limits(limits())
}

pub async fn serve<V: Variant>() -> Result<Infallible> {
    let echoer = Echoer { item: item(), blob: body(BLOB_BYTES) };
    let server = V::bind(Server::builder().limits(limits()).service(EchoingServer::new(echoer))).await?;
    let (_, address) = server.uri().split_once("://").context("an address without a scheme")?;
    super::announce(address.parse()?);
    std::future::pending().await
}

pub struct Client<V: Variant = Plain>(EchoingClient<V::Service>);

impl<V: Variant> load::Client for Client<V> {
    async fn connect(port: u16) -> Result<Self> {
        Ok(Self(EchoingClient::new(V::connect(port).await?)))
    }

    async fn echo(&self, message: Echo) -> Result<Echo> {
        Ok(self.0.echo(message).await?)
    }

    async fn blob(&self) -> Result<usize> {
        Ok(self.0.blob().await?.len())
    }

    async fn items(&self, count: Count) -> Result<()> {
        let mut items = self.0.items().await?;
        while let Some(item) = items.next().await {
            ensure!(item?.len() == ITEM_BYTES, "an item of another size");
            count.add(1);
        }
        Ok(())
    }
}

//! tarpc with its serde transport over TCP.
//!
//! Bincode is the fastest of the formats that the transport offers; nodelay, which `tcp::connect` leaves off, is set here. The client's
//! limits of 1,000 calls in flight and 100 that wait for its task would throttle W3 and `--grow` ("too low value may decrease
//! throughput"), as would the server's 100 responses; the frame limit of 8 MiB would refuse W10. Each request is spawned, as in tarpc's
//! README.

use std::convert::Infallible;
use std::net::Ipv4Addr;

use anyhow::{Result, bail};
use bytes::Bytes;
use futures::StreamExt;
use tarpc::server::{self, BaseChannel, Channel};
use tarpc::tokio_serde::formats::Bincode;
use tarpc::{client, context, serde_transport};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::load;
use crate::measure::Count;
use crate::message::{BLOB_BYTES, CALLS_MAX, Echo, MESSAGE_BYTES_MAX, body};

#[tarpc::service]
pub trait Echoing {
    async fn echo(message: Echo) -> Echo;
    async fn blob() -> Bytes;
}

#[derive(Clone)]
struct Echoer {
    blob: Bytes,
}

impl Echoing for Echoer {
    async fn echo(self, _: context::Context, message: Echo) -> Echo {
        message
    }

    async fn blob(self, _: context::Context) -> Bytes {
        self.blob
    }
}

fn framed(stream: TcpStream) -> Result<Framed<TcpStream, LengthDelimitedCodec>> {
    stream.set_nodelay(true)?;
    Ok(LengthDelimitedCodec::builder().max_frame_length(MESSAGE_BYTES_MAX).new_framed(stream))
}

pub async fn serve() -> Result<Infallible> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    super::announce(listener.local_addr()?);
    let echoer = Echoer { blob: body(BLOB_BYTES) };
    loop {
        let transport = serde_transport::new(framed(listener.accept().await?.0)?, Bincode::default());
        let config = server::Config { pending_response_buffer: CALLS_MAX as usize };
        let requests = BaseChannel::new(config, transport).execute(echoer.clone().serve());
        tokio::spawn(requests.for_each(|request| async {
            tokio::spawn(request);
        }));
    }
}

pub struct Client(EchoingClient);

impl load::Client for Client {
    async fn connect(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let mut config = client::Config::default();
        config.max_in_flight_requests = CALLS_MAX as usize;
        config.pending_request_buffer = CALLS_MAX as usize;
        let transport = serde_transport::new(framed(stream)?, Bincode::default());
        Ok(Self(EchoingClient::new(config, transport).spawn()))
    }

    async fn echo(&self, message: Echo) -> Result<Echo> {
        Ok(self.0.echo(context::current(), message).await?)
    }

    async fn blob(&self) -> Result<usize> {
        Ok(self.0.blob(context::current()).await?.len())
    }

    async fn items(&self, _: Count) -> Result<()> {
        bail!("tarpc has no streams")
    }
}

//! What lost packets do to small calls, over TCP with TLS and over QUIC.
//!
//! `loss` runs both through proxies in this process that lose 2 % of packets, by chance from a seed. QUIC's datagrams are really dropped. TCP's cannot
//! be within a process: there a proxy holds its whole byte stream for 200 ms, the least that Linux waits before it sends a segment again when no
//! later ones report the gap. That is the worst case; see docs/guides/links.md for figures of two kernels over a link that loses packets.
//!
//! `loss serve ADDRESS FILE` and `loss call ADDRESS FILE` do the same over a network: the file takes the authority's certificate across.

mod load;
mod lossy;
mod trust;

use std::path::Path;

use anyhow::bail;
use farcall::{Channel, Server, ServerBuilder};
use load::{Echo, EchoClient, EchoServer};
use trust::Authority;

/// Of a thousand packets.
const LOST_PER_MILLE: u32 = 20;
const SEED: u64 = 7;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => emulate().await,
        ["serve", address, file] => serve(address, Path::new(file)).await,
        ["call", address, file] => call(address, Path::new(file)).await,
        _ => bail!("say nothing, or: serve ADDRESS FILE, or: call ADDRESS FILE"),
    }
}

fn server(authority: &Authority) -> anyhow::Result<ServerBuilder> {
    Ok(Server::builder().service(EchoServer::new(Itself)).tls(authority.server()?))
}

struct Itself;

impl Echo for Itself {
    async fn echo(&self, number: u64) -> u64 {
        number
    }
}

async fn emulate() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let server = server(&authority)?.listen("quic://127.0.0.1:0").bind("tls://127.0.0.1:0").await?;
    let [tls, quic] = server.uris() else { bail!("it listens twice") };
    let tls = lossy::tcp(tls.trim_start_matches("tls://"), LOST_PER_MILLE, SEED).await?;
    let quic = lossy::udp(quic.trim_start_matches("quic://"), LOST_PER_MILLE, SEED).await?;
    let trust = authority.trust()?;
    compare(&format!("tls://{tls}"), &format!("quic://{quic}"), &trust).await?;
    server.shutdown().await;
    Ok(())
}

async fn serve(address: &str, file: &Path) -> anyhow::Result<()> {
    let authority = Authority::new()?;
    std::fs::write(file, authority.root())?;
    let server = server(&authority)?
        .listen(format!("quic://{address}:7002"))
        .bind(format!("tls://{address}:7001"))
        .await?;
    println!("listening on {}", server.uris().join(" and "));
    server.wait().await;
    Ok(())
}

async fn call(address: &str, file: &Path) -> anyhow::Result<()> {
    let trust = trust::trust(&std::fs::read_to_string(file)?)?;
    compare(&format!("tls://{address}:7001"), &format!("quic://{address}:7002"), &trust).await
}

async fn compare(tls: &str, quic: &str, trust: &farcall::TlsClient) -> anyhow::Result<()> {
    let mut p99 = Vec::new();
    for uri in [tls, quic] {
        let channel = Channel::builder(uri).tls(trust.clone()).connect().await?;
        let times = load::measure(EchoClient::new(channel)).await?;
        println!("{uri}: {times}");
        p99.push(times.at(0.99).as_secs_f64());
    }
    println!("of a hundred calls the slowest takes {:.1} times as long over TCP", p99[0] / p99[1]);
    Ok(())
}

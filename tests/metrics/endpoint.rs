//! The endpoint and those who come there.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use farcall::metrics::Prometheus;

use crate::scrape::{BOUND, endpoint, scrape, send};

#[tokio::test]
async fn what_is_no_scrape_is_told_so() {
    let address = endpoint();
    let long = format!("GET /metrics HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n", "404 Not Found"),
        ("POST /metrics HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", "405 Method Not Allowed"),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "505 HTTP Version Not Supported"),
        ("hello\r\n\r\n", "400 Bad Request"),
        (&long[..20_000], "431 Request Header Fields Too Large"),
        ("HEAD /metrics HTTP/1.1\r\n\r\n", "200 OK"),
        ("GET /metrics?x=y HTTP/1.0\r\n\r\n", "200 OK"),
    ] {
        let answer = send(address, request.as_bytes()).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request:.40}: {answer:.200}");
        assert!(!request.starts_with("HEAD") || answer.ends_with("\r\n\r\n"), "a head alone: {answer}");
    }
}

fn hang(prometheus: &Prometheus) -> TcpStream {
    let mut stream = TcpStream::connect(prometheus.address()).unwrap();
    stream.set_read_timeout(Some(BOUND)).unwrap();
    stream.write_all(b"GET /metr").unwrap();
    stream
}

/// Waits for the end, or a reset; it fails where something is sent, or nothing happens.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0; 16]) {
        Ok(bytes) => bytes == 0,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_scraper_that_hangs_is_cut_off() {
    let timeout = Duration::from_millis(200);
    let prometheus = Prometheus::builder().scrape_timeout(timeout).bind("127.0.0.1:0").unwrap();
    let began_at = Instant::now();
    assert!(is_closed(&mut hang(&prometheus)));
    assert!(began_at.elapsed() >= timeout, "{:?}", began_at.elapsed());
}

#[test]
fn eight_scrapers_at_one_time_have_a_place() {
    let minute = Duration::from_secs(60);
    let prometheus = Prometheus::builder().scrape_timeout(minute).bind("127.0.0.1:0").unwrap();
    let mut hanging: Vec<_> = (0..20).map(|_| hang(&prometheus)).collect();
    assert!(hanging[8..].iter_mut().all(is_closed));
    for stream in &mut hanging[..8] {
        stream.write_all(b"ics HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = [0; 15];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn an_endpoint_ends_with_its_handle_and_the_next_shows_the_same() {
    metrics::counter!("test_endpoint_total").increment(1);
    endpoint();
    metrics::counter!("test_endpoint_total").increment(5);
    let prometheus = Prometheus::builder().bind("127.0.0.1:0").unwrap();
    let address = prometheus.address();
    let error = Prometheus::builder().bind(address).unwrap_err();
    assert_eq!(error.kind(), farcall::ErrorKind::Connect);
    assert!(scrape(address).await.get("test_endpoint_total") >= 5.0);
    drop(prometheus);
    let began_at = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(began_at.elapsed() < BOUND, "it still listens");
        tokio::task::yield_now().await;
    }
    assert!(scrape(endpoint()).await.get("test_endpoint_total") >= 5.0);
}

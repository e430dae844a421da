#![deny(warnings)]

#[farcall::service]
pub trait Empty {}

#[farcall::service]
pub trait EmptyGeneric<V> {}

#[farcall::service]
pub trait Sixteen {
    async fn all(
        &self,
        a: u8, b: u8, c: u8, d: u8, e: u8, f: u8, g: u8, h: u8,
        i: u8, j: u8, k: u8, l: u8, m: u8, n: u8, o: u8, p: &str,
        q: farcall::Streaming<u8>,
    );
}

struct Real;

impl Empty for Real {}

fn stands_in<T: Empty>(_: &T) {}

fn main() {
    stands_in(&EmptyClient::new(EmptyServer::new(Real)));
}

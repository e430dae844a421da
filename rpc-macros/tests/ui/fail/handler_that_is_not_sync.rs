use std::cell::Cell;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self) -> u8;
}

struct Polite(Cell<u8>);

impl Greeter for Polite {
    async fn greet(&self) -> u8 {
        self.0.get()
    }
}

fn main() {}

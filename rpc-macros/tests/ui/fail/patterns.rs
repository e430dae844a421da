#[farcall::service]
pub trait Greeter {
    async fn tuple(&self, (a, b): (u8, u8));
    async fn unnamed(&self, _: u8);
    async fn mutable(&self, mut a: u8);
    async fn body(&self, [a, b]: [u8; 2]) -> u8 {
        a + b
    }
}

fn main() {}

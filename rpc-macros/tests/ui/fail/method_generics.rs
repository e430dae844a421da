#[farcall::service]
pub trait Greeter {
    async fn types<T: Send>(&self, name: T);
    async fn consts<const N: usize>(&self, name: [u8; N]);
    async fn lifetimes<'a>(&self, name: &'a str);
    async fn bounds(&self)
    where
        Self: Sized;
}

fn main() {}

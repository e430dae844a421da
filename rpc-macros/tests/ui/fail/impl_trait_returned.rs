#[farcall::service]
pub trait Greeter {
    async fn display(&self) -> impl std::fmt::Display;
    async fn result(&self) -> Result<impl Iterator<Item = u8>, String>;
    async fn nested(&self) -> Vec<impl Clone>;
}

fn main() {}

#[farcall::service]
pub trait Greeter {
    async fn merge(&self, other: Self) -> Self
    where
        Self: Sized;
    async fn item(&self, item: Box<Self>);
}

fn main() {}

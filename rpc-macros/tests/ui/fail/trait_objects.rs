#[farcall::service]
pub trait Greeter {
    async fn boxed(&self, name: Box<dyn ToString>);
    async fn error(&self) -> Result<(), Box<dyn std::error::Error>>;
    async fn function(&self, name: fn(u8) -> u8);
    async fn pointer(&self, name: *const u8);
}

fn main() {}

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Result<T>(T);

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: &str) -> Result<String>;
}

fn main() {}

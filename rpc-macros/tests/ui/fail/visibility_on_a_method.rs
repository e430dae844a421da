#[farcall::service]
pub trait Greeter {
    pub async fn greet(&self, name: String) -> String;
}

fn main() {}

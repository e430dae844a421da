struct Real;

#[farcall::service]
impl Real {
    async fn greet(&self) {}
}

fn main() {}

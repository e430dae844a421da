#[farcall::service]
pub trait Greeter<'a> {
    async fn greet(&self, name: String) -> String;
}

struct Real;

impl<'a> Greeter<'a> for Real {
    async fn greet(&self, name: String) -> String {
        name
    }
}

pub fn serve() -> GreeterServer<impl Greeter<'static>> {
    GreeterServer::new(Real)
}

fn main() {}

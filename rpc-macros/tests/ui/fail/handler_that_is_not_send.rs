use std::rc::Rc;

#[farcall::service]
pub trait Greeter {
    async fn greet(&self, name: String) -> String;
}

struct Polite;

impl Greeter for Polite {
    async fn greet(&self, name: String) -> String {
        let shared = Rc::new(name);
        std::future::ready(()).await;
        shared.to_string()
    }
}

fn main() {}

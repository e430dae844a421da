//! Attributes within braces belong to what the braces are of.

#[farcall::service]
trait Shop {
    #![allow(dead_code)]

    async fn open(&self) -> bool {
        #![allow(unused_variables)]
        let unused = 1;
        true
    }

    async fn closed(&self) {
        #![cfg(any())]
        no_such_function();
    }
}

struct Corner;
impl Shop for Corner {}

fn main() {
    let _ = ShopServer::new(Corner);
}

#![allow(non_snake_case)]

#[farcall::service]
pub trait Greeter {
    async fn get_x(&self);
    async fn getX(&self);
}

fn main() {}

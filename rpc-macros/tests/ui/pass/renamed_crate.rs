#![deny(warnings)]

extern crate farcall as other;

#[other::service(crate = other)]
trait Maths {
    async fn add(&self, a: i64, b: i64) -> i64;
}

mod nested {
    pub mod reexported {
        pub use farcall;
    }
    #[farcall::service(crate = self::reexported::farcall)]
    pub trait Maths {
        async fn add(&self, a: i64, b: i64) -> Result<i64, String>;
    }
}

fn main() {}

#![no_implicit_prelude]
#![deny(warnings)]

#[::farcall::service]
trait Bare {
    async fn add(&self, a: i64, b: i64) -> i64;
    async fn put(&self, key: &str, value: &[u8]) -> ::std::result::Result<::std::vec::Vec<u8>, ::std::string::String>;
    fn ticks(&self, every: u32) -> impl ::futures::Stream<Item = u32> + ::std::marker::Send;
    async fn watch(
        &self,
    ) -> ::std::result::Result<impl ::futures::Stream<Item = u32> + ::std::marker::Send, ::std::string::String>;
    async fn sum(&self, items: ::farcall::Streaming<u32>) -> u32;
    async fn nothing(&self) {}
}

#[::farcall::service]
trait Generic<V> {
    async fn get(&self) -> V;
}

fn main() {}

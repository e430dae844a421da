//! `Idempotent`: what a layer asks for that may run a method twice.

use farcall::ErrorKind;
use farcall::layers::Idempotent;

use crate::shop::{ShopClient, ShopServer};

#[test]
fn the_mark_is_checked_in_constants_and_at_run_time() {
    const PRICE: Idempotent = Idempotent::new(ShopClient::DESCRIPTOR, "price");
    assert_eq!(PRICE.to_string(), "Shop/price");
    let at_run_time = Idempotent::find(ShopServer::<()>::DESCRIPTOR, "price").unwrap();
    assert_eq!(at_run_time.method().id(), PRICE.method().id());
    let text = |name| Idempotent::find(ShopClient::DESCRIPTOR, name).unwrap_err().to_string();
    assert!(text("buy").starts_with("Shop/buy may not run twice"));
    assert_eq!(text("bay"), "Shop has no method \"bay\"");
    let error = Idempotent::find(ShopClient::DESCRIPTOR, "buy").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
}

#[test]
#[should_panic(expected = "mark it #[rpc(idempotent)]")]
fn outside_of_a_constant_an_unmarked_method_panics() {
    let _ = Idempotent::new(ShopClient::DESCRIPTOR, "buy");
}

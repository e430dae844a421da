//! What finding out who calls costs a call: no memory beyond that of the metadata that brings the token.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use allocation_counter::measure;
use farcall::layers::auth::Authenticate;
use farcall::{Body, CodecKind, Error, Layer, MethodId, Request, Response, Service};

use crate::bank::{BOB, BankClient, tokens};

const CALLS: u64 = 1_000;

/// Gives the arguments back.
struct Echo;

impl Service for Echo {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        Ok(Response::new(request.codec(), request.take_body()))
    }
}

pub fn allocations(service: &impl Service, token: &str) -> u64 {
    let method = BankClient::DESCRIPTOR.method(MethodId::hash("Bank", "entries")).unwrap();
    let one = || {
        let mut request = Request::new(method, CodecKind::default(), Body::new(bytes::Bytes::new()));
        request.metadata_mut().insert("authorization", format!("Bearer {token}"));
        match pin!(service.call(request)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(response) => drop(response.unwrap()),
            Poll::Pending => panic!("it should be done"),
        }
    };
    one();
    measure(|| (0..CALLS).for_each(|_| one())).count_total
}

#[test]
fn a_token_of_the_table_allocates_nothing() {
    let with = allocations(&Authenticate::new(tokens()).layer(Echo), BOB);
    assert_eq!(with, allocations(&Echo, BOB));
}

#[cfg(feature = "jwt")]
#[test]
fn a_json_web_token_that_is_known_allocates_nothing() {
    let issuer = crate::issuer::Issuer::hs256("one");
    let token = issuer.token(&serde_json::json!({"sub": "bob", "scope": "read", "exp": 4_000_000_000_u64}));
    let jwt = issuer.verifier().any_issuer().any_audience().build().unwrap();
    let with = allocations(&Authenticate::new(jwt).layer(Echo), &token);
    assert_eq!(with, allocations(&Echo, &token));
}

#![deny(warnings)]

use farcall::{AuthRule, service};

#[service]
pub trait Bank {
    #[rpc(auth = "none")]
    async fn rates(&self) -> String;
    #[rpc(auth = "caller")]
    async fn accounts(&self) -> String;
    #[rpc(auth = "role:admin|role:support & scope:https://bank.example/read")]
    async fn close(&self, id: u64);
    async fn open(&self) -> u64;
}

fn main() {
    let rules: Vec<_> = BankClient::DESCRIPTOR.methods().iter().map(|method| method.auth()).collect();
    let close: &[&[&str]] = &[&["role:admin"], &["role:support", "scope:https://bank.example/read"]];
    assert_eq!(rules[..2], [Some(AuthRule::None), Some(AuthRule::Caller)]);
    assert_eq!(rules[2..], [Some(AuthRule::AnyOf(close)), None]);
}

//! A service whose methods have rules of all kinds, and one-line set-up for it.

use std::sync::Mutex;

use farcall::layers::auth::{Authenticate, Tokens, Verify};
use farcall::{Caller, Code, Context, Error, Server, service};
use futures::{Stream, stream};

#[service]
pub trait Bank {
    /// Tells who calls.
    async fn who(&self) -> Option<String>;
    #[rpc(auth = "none")]
    async fn rates(&self) -> Option<String>;
    #[rpc(auth = "caller")]
    async fn accounts(&self) -> Option<String>;
    #[rpc(auth = "role:admin | role:support & scope:close")]
    async fn close(&self) -> Option<String>;
    #[rpc(auth = "scope:read")]
    fn entries(&self) -> impl Stream<Item = u64> + Send;
}

/// Notes which calls have run.
#[derive(Default)]
pub struct Vault {
    pub ran: Mutex<Vec<&'static str>>,
}

impl Vault {
    fn note(&self, method: &'static str) -> Option<String> {
        self.ran.lock().unwrap().push(method);
        Context::current().caller().map(|caller| caller.name().to_owned())
    }
}

impl Bank for Vault {
    async fn who(&self) -> Option<String> {
        self.note("who")
    }

    async fn rates(&self) -> Option<String> {
        self.note("rates")
    }

    async fn accounts(&self) -> Option<String> {
        self.note("accounts")
    }

    async fn close(&self) -> Option<String> {
        self.note("close")
    }

    fn entries(&self) -> impl Stream<Item = u64> + Send {
        self.note("entries");
        stream::iter(0..3)
    }
}

pub const ADA: &str = "token-of-ada-the-admin";
pub const BOB: &str = "token-of-bob-who-reads";
pub const EVE: &str = "token-of-eve-of-support";

/// Ada is an admin, Bob may read, Eve is of the support.
pub fn tokens() -> Tokens {
    Tokens::new([
        (ADA, Caller::new("ada").with_role("admin")),
        (BOB, Caller::new("bob").with_scope("read")),
        (EVE, Caller::new("eve").with_role("support")),
    ])
    .unwrap()
}

pub async fn serve<V: Verify>(layer: Authenticate<V>) -> Server {
    Server::builder().service(BankServer::new(Vault::default())).layer(layer).bind("mem://").await.unwrap()
}

pub async fn connect(server: &Server) -> BankClient {
    BankClient::connect(server.uri()).await.unwrap()
}

/// Calls `who` with this value of the metadata `authorization`.
pub async fn who(client: &BankClient, authorization: &str) -> Result<Option<String>, Error> {
    client.who().metadata("authorization", authorization).await
}

/// Calls `who` with a token that is to be refused, and returns why.
pub async fn refusal(client: &BankClient, token: &str) -> String {
    let error = who(client, &format!("Bearer {token}")).await.expect_err("it is refused");
    assert_eq!(error.code(), Code::Unauthenticated, "{error}");
    error.status().unwrap().message().to_owned()
}

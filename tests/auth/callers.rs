//! Tokens, and whom handlers see.

use std::sync::atomic::{AtomicU32, Ordering};

use farcall::layers::auth::{AUTHORIZATION, AuthError, Authenticate, BearerToken, Tokens, Verify};
use farcall::layers::describe;
use farcall::{
    BoxService, Caller, Channel, Code, Context, Layer, Next, Request, Router, Server, layer_fn, service,
};

use crate::bank::{ADA, BOB, BankClient, BankServer, Vault, connect, refusal, serve, tokens, who};

#[tokio::test]
async fn a_token_is_whom_it_speaks_for() {
    let server = serve(Authenticate::new(tokens())).await;
    let client = connect(&server).await;
    for scheme in ["Bearer", "bearer", "BEARER"] {
        assert_eq!(who(&client, &format!("{scheme} {ADA}")).await.unwrap().as_deref(), Some("ada"));
    }
    assert_eq!(who(&client, &format!("Bearer {BOB}")).await.unwrap().as_deref(), Some("bob"));
}

#[tokio::test]
async fn who_sends_nothing_is_told_what_to_send_and_nothing_runs() {
    let vault = std::sync::Arc::new(Vault::default());
    let service = BankServer::from_arc(vault.clone());
    let server =
        Server::builder().service(service).layer(Authenticate::new(tokens())).bind("mem://").await.unwrap();
    let client = connect(&server).await;
    let error = client.who().await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    let text = error.status().unwrap().message();
    assert_eq!(
        text,
        "Bank/who is for callers who are known: send the metadata `authorization: Bearer <token>`"
    );
    for malformed in ["", "Bearer", "Basic YWRhOnMzY3IzdA", ADA] {
        let error = who(&client, malformed).await.unwrap_err();
        assert_eq!(error.code(), Code::Unauthenticated, "{malformed}");
    }
    assert_eq!(*vault.ran.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_wrong_token_is_refused_and_repeated_nowhere() {
    let server = serve(Authenticate::new(tokens())).await;
    let client = connect(&server).await;
    let text = refusal(&client, "a-token-that-nobody-has").await;
    assert_eq!(text, "the token was refused: it is not known here: ask for another");
    let error = who(&client, "Bearer two words-of-a-secret").await.unwrap_err();
    assert!(!format!("{error:?} {error}").contains("words-of-a-secret"), "{error:?}");
    let layer = Authenticate::new(tokens());
    for shown in [format!("{layer:?}"), format!("{:?}", tokens()), format!("{:?}", BearerToken::new(ADA))] {
        assert!(!shown.contains("token-of-"), "{shown}");
    }
}

#[tokio::test]
async fn a_table_can_be_replaced_under_way() {
    let tokens = tokens();
    let server = serve(Authenticate::new(tokens.clone())).await;
    let client = connect(&server).await;
    tokens.replace([("a-new-token-for-ada-now", Caller::new("ada"))]).unwrap();
    refusal(&client, ADA).await;
    assert!(who(&client, "Bearer a-new-token-for-ada-now").await.is_ok());
    assert!(tokens.replace([("short", Caller::new("bob"))]).is_err());
    assert!(who(&client, "Bearer a-new-token-for-ada-now").await.is_ok(), "the old table stays");
}

#[tokio::test]
async fn without_the_layer_nobody_is_asked_and_nobody_is_known() {
    let server = Server::builder().service(BankServer::new(Vault::default())).bind("mem://").await.unwrap();
    let client = connect(&server).await;
    assert_eq!(client.close().metadata("authorization", "Bearer x").await.unwrap(), None);
}

struct Slow(AtomicU32);

impl Verify for Slow {
    async fn verify(&self, token: &str) -> Result<Caller, AuthError> {
        tokio::task::yield_now().await;
        self.0.fetch_add(1, Ordering::Relaxed);
        match token {
            "down" => Err(AuthError::unavailable("the sessions do not answer: try again later")),
            "claims" => Ok(Caller::new("carl").with_detail(7_u32)),
            _ => Err(AuthError::invalid("it is wrong")),
        }
    }
}

#[tokio::test]
async fn a_verifier_of_ones_own_may_wait_and_may_fail() {
    let server = serve(Authenticate::new(Slow(AtomicU32::new(0)))).await;
    let client = connect(&server).await;
    assert_eq!(who(&client, "Bearer claims").await.unwrap().as_deref(), Some("carl"));
    let error = who(&client, "Bearer down").await.unwrap_err();
    assert_eq!(error.code(), Code::Unavailable);
    assert!(error.to_string().contains("the sessions do not answer"), "{error}");
    assert_eq!(refusal(&client, "other").await, "the token was refused: it is wrong");
}

#[tokio::test]
async fn of_two_verifiers_the_second_is_asked_where_the_first_refuses() {
    let server = serve(Authenticate::new((Slow(AtomicU32::new(0)), tokens()))).await;
    let client = connect(&server).await;
    assert_eq!(who(&client, "Bearer claims").await.unwrap().as_deref(), Some("carl"));
    assert_eq!(who(&client, &format!("Bearer {ADA}")).await.unwrap().as_deref(), Some("ada"));
    assert_eq!(
        who(&client, "Bearer down").await.unwrap_err().code(),
        Code::Unavailable,
        "it may have been a yes"
    );
    assert_eq!(
        refusal(&client, "other").await,
        "the token was refused: it is not known here: ask for another"
    );
}

#[service]
trait Front {
    /// Asks the bank in turn, and tells whom that saw, and whether the token was here.
    async fn ask(&self) -> (Option<String>, Option<String>, bool);
}

struct Clerk(BankClient<BoxService>);

impl Front for Clerk {
    async fn ask(&self) -> (Option<String>, Option<String>, bool) {
        let context = Context::current();
        let here = context.caller().map(|caller| caller.name().to_owned());
        let there = self.0.rates().await.unwrap();
        (here, there, context.metadata().text(AUTHORIZATION).is_some())
    }
}

/// A front with a bank behind it, in one process or over a connection, and what the bank gets as `authorization`.
async fn ask(service: BoxService, layer: Authenticate<Tokens>) -> (Option<String>, Option<String>, bool) {
    let front = FrontServer::new(Clerk(BankClient::new(service)));
    let server = Server::builder().service(front).layer(layer).bind("mem://").await.unwrap();
    let client = FrontClient::connect(server.uri()).await.unwrap();
    // Marked to propagate, as a caller should not.
    client.ask().propagate(AUTHORIZATION, format!("Bearer {ADA}")).await.unwrap()
}

#[tokio::test]
async fn a_caller_and_its_token_stay_with_the_call_that_brought_them() {
    let expect_no_token = layer_fn(|request: Request, next: Next| async move {
        assert!(request.caller().is_none() && request.metadata().value(AUTHORIZATION).is_none());
        next.call(request).await
    });
    let bank = || Router::new().with(BankServer::new(Vault::default())).unwrap();
    let in_process = BoxService::new(expect_no_token.layer(bank()));
    let seen = ask(in_process.clone(), Authenticate::new(tokens())).await;
    assert_eq!(seen, (Some("ada".into()), None, false));
    let remote = serve(Authenticate::new(tokens())).await;
    let channel = BoxService::new(Channel::connect(remote.uri()).await.unwrap());
    let seen = ask(channel, Authenticate::new(tokens())).await;
    assert_eq!(seen, (Some("ada".into()), None, false));
    // The token is kept for the handler, and is not sent on unasked all the same.
    let seen = ask(in_process, Authenticate::new(tokens()).keep_token()).await;
    assert_eq!(seen, (Some("ada".into()), None, true));
}

#[tokio::test]
async fn layers_further_in_see_the_caller_and_the_stack_tells_of_the_layer() {
    let seen = layer_fn(|request: Request, next: Next| async move {
        assert_eq!(request.caller().map(Caller::name), Some("bob"));
        next.call(request).await
    });
    let router = Router::new().with(BankServer::new(Vault::default())).unwrap();
    let service = Authenticate::new(tokens()).layer(seen.layer(router));
    let lines = describe(&service);
    assert_eq!(lines[0], "Authenticate(3 tokens; other methods: as their traits say, else caller)");
    let client = BankClient::new(BearerToken::new(BOB).layer(service));
    assert_eq!(client.who().await.unwrap().as_deref(), Some("bob"));
    assert_eq!(tokens().describe(), "3 tokens");
}

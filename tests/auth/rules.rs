//! Rules of traits, rules of the table, and what is refused by which code.

use farcall::layers::auth::{Authenticate, Authorize, Rule};
use farcall::{BoxService, Caller, Code, ErrorKind, Layer, Router};
use futures::StreamExt;

use crate::bank::{ADA, BOB, BankClient, BankServer, EVE, Vault, connect, serve, tokens};

/// What a caller with this token, or with none, is answered by each method.
async fn verdicts(client: &BankClient, token: Option<&str>) -> [Result<(), Code>; 5] {
    let with = |key: &str| (key.to_owned(), token.map(|token| format!("Bearer {token}")));
    let (key, value) = with("authorization");
    macro_rules! call {
        ($method:ident) => {{
            let call = client.$method();
            let call = match &value {
                Some(value) => call.metadata(&key, value.as_str()),
                None => call,
            };
            call.await.map(drop).map_err(|error| error.code())
        }};
    }
    let entries = {
        let call = client.entries();
        let call = match &value {
            Some(value) => call.metadata(&key, value.as_str()),
            None => call,
        };
        match call.await {
            Ok(items) => {
                assert_eq!(items.count().await, 3);
                Ok(())
            }
            Err(error) => Err(error.code()),
        }
    };
    [call!(who), call!(rates), call!(accounts), call!(close), entries]
}

const UNKNOWN: Result<(), Code> = Err(Code::Unauthenticated);
const DENIED: Result<(), Code> = Err(Code::PermissionDenied);

#[tokio::test]
async fn each_method_lets_those_in_that_its_trait_names() {
    let server = serve(Authenticate::new(tokens())).await;
    let client = connect(&server).await;
    let open = Ok(());
    assert_eq!(verdicts(&client, None).await, [UNKNOWN, open, UNKNOWN, UNKNOWN, UNKNOWN]);
    assert_eq!(
        verdicts(&client, Some("a-token-that-is-not-known")).await,
        [UNKNOWN, open, UNKNOWN, UNKNOWN, UNKNOWN]
    );
    assert_eq!(verdicts(&client, Some(ADA)).await, [open, open, open, open, DENIED]);
    assert_eq!(verdicts(&client, Some(BOB)).await, [open, open, open, DENIED, open]);
    assert_eq!(verdicts(&client, Some(EVE)).await, [open, open, open, DENIED, DENIED]);
}

#[tokio::test]
async fn all_rights_of_one_list_are_enough_and_part_of_one_is_not() {
    let tokens = tokens();
    let server = serve(Authenticate::new(tokens.clone())).await;
    let client = connect(&server).await;
    let close = async |caller: Caller| {
        tokens.replace([(EVE, caller)]).unwrap();
        client.close().metadata("authorization", format!("Bearer {EVE}")).await.map_err(|error| error.code())
    };
    assert!(close(Caller::new("eve").with_role("support").with_scope("close")).await.is_ok());
    assert_eq!(close(Caller::new("eve").with_scope("close")).await, Err(Code::PermissionDenied));
    assert_eq!(
        close(Caller::new("eve").with_role("close").with_scope("support")).await,
        Err(Code::PermissionDenied)
    );
}

#[tokio::test]
async fn who_lacks_a_right_is_told_which() {
    let server = serve(Authenticate::new(tokens())).await;
    let client = connect(&server).await;
    let error = client.close().metadata("authorization", format!("Bearer {BOB}")).await.unwrap_err();
    let text = error.status().unwrap().message();
    assert_eq!(text, "bob may not call Bank/close: that takes role:admin | role:support & scope:close");
}

#[tokio::test]
async fn who_is_known_is_also_known_to_a_method_for_all() {
    let server = serve(Authenticate::new(tokens())).await;
    let client = connect(&server).await;
    let rates = async |token: &str| client.rates().metadata("authorization", format!("Bearer {token}")).await;
    assert_eq!(rates(BOB).await.unwrap().as_deref(), Some("bob"));
    assert_eq!(rates("a-token-that-is-not-known").await.unwrap(), None);
}

#[tokio::test]
async fn the_table_goes_before_the_trait_and_a_method_before_its_service() {
    let bank = BankClient::DESCRIPTOR;
    let rules = Authorize::new()
        .method(bank, "rates", Rule::role("support"))
        .unwrap()
        .service(bank, Rule::role("admin"))
        .method(bank, "close", Rule::none())
        .unwrap();
    let layer = Authenticate::new(tokens()).authorize(rules);
    let router = Router::new().with(BankServer::new(Vault::default())).unwrap();
    assert_eq!(
        farcall::layers::describe(&layer.layer(router))[0],
        "Authenticate(3 tokens; Bank/close: none, Bank/rates: role:support, Bank: role:admin; \
         other methods: as their traits say, else caller)"
    );
    let rules = Authorize::new()
        .method(bank, "rates", Rule::role("support"))
        .unwrap()
        .service(bank, Rule::role("admin"))
        .method(bank, "close", Rule::none())
        .unwrap();
    let server = serve(Authenticate::new(tokens()).authorize(rules)).await;
    let client = connect(&server).await;
    let open = Ok(());
    assert_eq!(verdicts(&client, None).await, [UNKNOWN, UNKNOWN, UNKNOWN, open, UNKNOWN]);
    assert_eq!(verdicts(&client, Some(ADA)).await, [open, DENIED, open, open, open]);
    assert_eq!(verdicts(&client, Some(BOB)).await, [DENIED, DENIED, DENIED, open, DENIED]);
    assert_eq!(verdicts(&client, Some(EVE)).await, [DENIED, open, DENIED, open, DENIED]);
}

#[test]
fn a_rule_for_a_method_that_is_not_there_is_noticed() {
    let error = Authorize::new().method(BankClient::DESCRIPTOR, "clsoe", Rule::none()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    let text = error.to_string();
    assert!(
        text.contains("Bank has no method \"clsoe\"") && text.contains("rates, accounts, close"),
        "{text}"
    );
}

#[tokio::test]
async fn a_method_that_is_not_there_is_for_callers_who_are_known() {
    let server = serve(Authenticate::new(tokens())).await;
    let channel = BoxService::new(farcall::Channel::connect(server.uri()).await.unwrap());
    let call = async |token: Option<&str>| {
        let id = farcall::MethodId::new(7);
        let body = farcall::Body::new(bytes::Bytes::new());
        let mut request = farcall::Request::by_id(id, farcall::CodecKind::default(), body);
        if let Some(token) = token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}"));
        }
        farcall::Service::call(&channel, request).await.map(drop).map_err(|error| error.code())
    };
    assert_eq!(call(None).await, UNKNOWN, "nobody tries out which methods there are");
    assert_eq!(call(Some(BOB)).await, Err(Code::Unimplemented));
}

//! Arbitrary tokens below `#[service]`: the macro never panics, and what it emits is Rust.

use std::str::FromStr;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::source::Source;
use crate::{expand, model, parse};

/// Reads the input as source text, or after a 0 as words of a vocabulary, and expands it.
pub fn run(input: &[u8]) {
    let text = match input {
        [0, words @ ..] => phrase(words),
        text => String::from_utf8_lossy(text).into_owned(),
    };
    let Ok(tokens) = TokenStream::from_str(&text) else { return };
    let (args, item) = split(with_invisible_groups(tokens));
    let (output, is_rust) = service(args, &item);
    // What is no trait, or one that the compiler would refuse before it runs a macro, is emitted as it came.
    if is_rust && let Err(error) = syn::parse2::<syn::File>(output.clone()) {
        panic!("the expansion is not Rust: {error}\n{output}");
    }
}

/// As `run` in `rpc-macros/src/lib.rs`; tells too whether the output must be Rust.
fn service(args: TokenStream, item: &TokenStream) -> (TokenStream, bool) {
    let input = match parse::trait_item(item.clone()) {
        Ok(input) => input,
        Err(error) => return (expand::rejected(item, &error), false),
    };
    // Of `trait A<_>` syn makes a parameter with that name.
    let is_rust = input.generics.type_params().all(|param| param.ident != "_");
    let (service, errors) = model::Service::new(args, &input);
    let output = match errors {
        None => expand::service(&service),
        Some(errors) => expand::fallback(&service, &errors),
    };
    (output, is_rust)
}

/// Takes `#[service(…)]` off: what stands in it, and the item without it.
fn split(tokens: TokenStream) -> (TokenStream, TokenStream) {
    let mut args = TokenStream::new();
    let mut item: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let is_attribute = matches!(item.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
        match &token {
            TokenTree::Group(group) if is_attribute && let Some(found) = service_args(group) => {
                args = found;
                item.pop();
            }
            _ => item.push(token),
        }
    }
    (args, item.into_iter().collect())
}

fn service_args(group: &Group) -> Option<TokenStream> {
    let mut tokens = group.stream().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(name)), None) if name == "service" => Some(TokenStream::new()),
        (Some(TokenTree::Ident(name)), Some(TokenTree::Group(args))) if name == "service" => {
            Some(args.stream())
        }
        _ => None,
    }
}

/// Makes groups without delimiters, as `macro_rules` does of what it captures, of those in brackets after the name `captured`.
fn with_invisible_groups(tokens: TokenStream) -> TokenStream {
    let mut changed: Vec<TokenTree> = Vec::new();
    for token in tokens {
        let TokenTree::Group(group) = token else {
            changed.push(token);
            continue;
        };
        let is_captured = matches!(changed.last(), Some(TokenTree::Ident(name)) if name == "captured");
        let mut delimiter = group.delimiter();
        if is_captured && delimiter == Delimiter::Bracket {
            changed.pop();
            delimiter = Delimiter::None;
        }
        changed.push(Group::new(delimiter, with_invisible_groups(group.stream())).into());
    }
    changed.into_iter().collect()
}

/// Puts words together, and closes what they leave open.
fn phrase(words: &[u8]) -> String {
    let mut source = Source::new(words);
    let (mut text, mut open) = (String::new(), Vec::new());
    while !source.is_empty() {
        let word = source.choose(WORDS);
        for letter in word.chars() {
            match letter {
                '(' => open.push(')'),
                '[' => open.push(']'),
                '{' => open.push('}'),
                ')' | ']' | '}' if open.pop() != Some(letter) => return close(text, open),
                _ => {}
            }
            text.push(letter);
        }
        text.push(' ');
    }
    close(text, open)
}

fn close(mut text: String, open: Vec<char>) -> String {
    text.extend(open.into_iter().rev());
    text
}

/// What stands in services, what looks like it, and what does not belong there.
#[rustfmt::skip]
const WORDS: &[&str] = &[
    "#[service]", "#[service(", "#[rpc(", ")]", "name = \"a\"", "version = 2", "version = \"v\"", "crate = a::b",
    "rename_all = \"camelCase\"", "rename_all = \"kebab-case\"", "rename_all = \"x\"", "id = 7", "id = 0xdd9856f076e76e73",
    "timeout = \"1500ms\"", "timeout = \"18446744073709551615h\"", "timeout = 1.5", "idempotent", "oneway", "retry = 1", "= -1",
    "pub trait Store {", "trait r#try<", "pub(crate) trait Σß: Audit {", "unsafe auto trait", "impl Store for", "struct A;",
    "async fn get(&self)", "async fn put(&self, key: String, value: &[u8]) -> bool;", "async fn r#type(&self,", "async fn __(&self);",
    "async fn self_(&self);", "async fn _1(&self);", "async fn ŉa_ǰ_ßé_ΐ(&self, ŉ: u8);", "fn plain();", "async fn", "const", "unsafe extern \"C\"",
    "&self", "&mut self", "self: Box<Self>", "mut self", "(a, b): (u8, u8)", "mut x: u8", "_: u8", "ref x: &str", "..", "x: Streaming<u8>",
    "-> impl Stream<Item = u8> + Send", "-> Result<impl Stream<Item = Result<u8, E>> + Send, E>", "-> Result<u8, E>", "-> impl Future", "-> ()",
    "-> ! ", "-> Box<dyn Fn(u8) -> u8 + 'static>", "->", "u8", "String", "Option<", "Vec<", "Cow<'_, str>", "&str", "&'a [u8]", "&mut T", "*const u8",
    "[u8; { 1 + 1 }]", "[u8; N]", "<V as Codec>::Item", "dyn Any", "impl Sized", "Self", "Self::Item", "super::T", "::a::b", "fn(u8) -> u8", "_", "T!()",
    "<", ">", ",", ";", ":", "::", "=", "+", "|", "'a", "'static", "?Sized", "for<'a>", "~const", "where", "V: Clone + 'static,", "const N: usize = 3",
    "{", "}", "(", ")", "[", "]", "captured [", "#", "!", "$x", "@", "#!", "#[cfg(a)]", "#[cfg_attr(a, rpc(oneway))]", "#[doc = \"x\"]", "/// doc\n",
    "#[deprecated]", "#[allow(a)]", "#[rpc]", "#[rpc = 1]", "#[rpc {}]", "type Item;", "const C: u8 = 1;", "m!{}", "{ self.get().await }", "{ loop {} }",
    "\"\"", "\"\\u{0}\"", "b\"x\"", "c\"x\"", "'x'", "1", "1u64", "0xff_u8", "18446744073709551616", "1e999", "true", "r#\"x\"#", "T", "S", "St", "__S",
    "__farcall", "Result", "Client", "request", "Send", "async", "await", "dyn", "move", "macro", "union", "default", "yield", "gen", "safe", "raw", "use<>",
];

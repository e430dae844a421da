//! Who may call a method: the rule that `auth = "…"` holds.

use super::names::nearest;

/// A rule, read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Auth {
    None,
    Caller,
    /// All rights of at least one list.
    AnyOf(Vec<Vec<String>>),
}

const KINDS: [&str; 2] = ["role", "scope"];
const HOW: &str =
    "\"none\", \"caller\", or rights such as \"role:admin | role:support & scope:accounts.read\"";

/// Reads a rule, or says what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Auth, String> {
    match text.trim() {
        "" => return Err(format!("an empty rule says nothing: write {HOW}")),
        "none" => return Ok(Auth::None),
        "caller" => return Ok(Auth::Caller),
        _ => {}
    }
    let list = |list: &str| list.split('&').map(|word| right(word.trim())).collect();
    text.split('|').map(list).collect::<Result<_, _>>().map(Auth::AnyOf)
}

fn right(word: &str) -> Result<String, String> {
    if word.is_empty() {
        return Err("a right is missing beside `|` or `&`: write one, or leave the sign out".to_owned());
    }
    if word == "none" || word == "caller" {
        return Err(format!("`{word}` stands alone: leave the other rights out, or this one"));
    }
    let Some((kind, name)) = word.split_once(':') else {
        return Err(format!("`{word}` is no rule: write {HOW}"));
    };
    if !KINDS.contains(&kind) {
        let hint = match nearest(kind, &KINDS) {
            Some(known) => format!("did you mean `{known}:{name}`?"),
            None => "there are `role:…` and `scope:…`".to_owned(),
        };
        return Err(format!("`{kind}:` is no kind of right: {hint}"));
    }
    if name.is_empty() {
        return Err(format!("`{kind}:` lacks a name: write it behind the colon, without a space"));
    }
    if let Some(c) = name.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!(
            "there is a {c:?} within `{word}`: join rights with `&` (all) or `|` (any of them)"
        ));
    }
    Ok(word.to_owned())
}

//! What tracing systems keep beside a trace's ids.

use std::fmt;

use super::{members, trim};

/// More members than this make the whole invalid.
const MEMBERS_MAX: usize = 32;
/// So many characters are passed on at least, says the recommendation; farcall passes on no more.
const CHARS_MAX: usize = 512;
/// Of a state that is too long, members of more characters than this go first.
const LONG_MEMBER_CHARS: usize = 128;

/// A W3C `tracestate`: up to 32 members `key=value` of tracing systems, the latest first.
///
/// farcall passes it on as it came and adds no member of its own. It means nothing without a valid
/// [`TraceParent`](crate::TraceParent).
///
/// ```
/// use rpc_core::TraceState;
/// let state = TraceState::parse("rojo=00f067aa0ba902b7 , congo=t61rcWkgMzE").unwrap();
/// assert_eq!(state.value("congo"), Some("t61rcWkgMzE"));
/// assert_eq!(state.to_string(), "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceState {
    text: String,
}

impl TraceState {
    /// Reads a `tracestate` value: none where it is empty, a member is malformed, a key stands there twice, or there are more than 32.
    ///
    /// One of more than 512 characters is made shorter by whole members: those of more than 128 characters go first, then those at the
    /// end.
    pub fn parse(text: &str) -> Option<Self> {
        let mut all = Vec::new();
        for member in members(text) {
            let (key, value) = member.split_once('=')?;
            let is_repeated = all.iter().any(|(known, _)| *known == key);
            if !is_key(key) || !is_value(value) || is_repeated || all.len() == MEMBERS_MAX {
                return None;
            }
            all.push((key, member));
        }
        shorten(&mut all);
        let members: Vec<&str> = all.into_iter().map(|(_, member)| member).collect();
        (!members.is_empty()).then(|| Self { text: members.join(",") })
    }

    /// Returns a member's value.
    pub fn value(&self, key: &str) -> Option<&str> {
        let members = self.text.split(',').filter_map(|member| member.split_once('='));
        members.into_iter().find(|(known, _)| *known == key).map(|(_, value)| value)
    }

    /// Returns it as a `tracestate` value.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Writes it as a `tracestate` value.
impl fmt::Display for TraceState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Takes members out until they fit, with their commas.
fn shorten(all: &mut Vec<(&str, &str)>) {
    let fits = |all: &[(&str, &str)]| {
        let chars = all.iter().fold(0, |sum: usize, (_, member)| sum.saturating_add(member.len()));
        chars.saturating_add(all.len().saturating_sub(1)) <= CHARS_MAX
    };
    while !fits(all) {
        let Some(long) = all.iter().rposition(|(_, member)| member.len() > LONG_MEMBER_CHARS) else { break };
        all.remove(long);
    }
    while !fits(all) {
        all.pop();
    }
}

/// `name`, or `tenant@system`.
fn is_key(key: &str) -> bool {
    let is_part = |part: &str, chars_max: usize, may_begin_with_digit: bool| {
        let begins_well = match part.bytes().next() {
            Some(b'a'..=b'z') => true,
            Some(b'0'..=b'9') => may_begin_with_digit,
            _ => false,
        };
        let is_char = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/');
        begins_well && part.len() <= chars_max && part.bytes().all(is_char)
    };
    match key.split_once('@') {
        None => is_part(key, 256, false),
        Some((tenant, system)) => is_part(tenant, 241, true) && is_part(system, 14, false),
    }
}

fn is_value(value: &str) -> bool {
    let is_char = |byte| matches!(byte, b' '..=b'~') && byte != b'=';
    !trim(value).is_empty() && value.len() <= 256 && value.bytes().all(is_char)
}

//! Who calls, as far as that has been proved, and what a method asks of its callers.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

const ROLE: &str = "role:";
const SCOPE: &str = "scope:";

/// Who makes a call, as a layer has found out: a name, roles and scopes; cloning costs a reference count.
///
/// A [`Peer`](crate::Peer) is the other end of a connection; a caller is whom its token or its certificate speaks for. What nobody has
/// vouched for is never here: a connection sets no caller, and a caller does not go along with the calls that a handler makes in turn.
///
/// ```
/// use rpc_core::{Caller, Context};
/// let ada = Caller::new("ada").with_role("admin").with_scope("accounts.read");
/// assert!(ada.has_role("admin") && ada.has("scope:accounts.read"));
///
/// // In a handler:
/// let context = Context::current();
/// let may_close = context.caller().is_some_and(|caller| caller.has_role("admin"));
/// # assert!(!may_close);
/// ```
#[derive(Clone)]
pub struct Caller {
    inner: Arc<Inner>,
}

#[derive(Clone)]
struct Inner {
    name: Box<str>,
    /// Each with its kind before it, as rules name them.
    rights: Vec<Box<str>>,
    detail: Option<Arc<dyn Any + Send + Sync>>,
}

impl Caller {
    /// Names a caller who has no rights yet.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self { inner: Arc::new(Inner { name: name.into(), rights: Vec::new(), detail: None }) }
    }

    /// Adds a role: what the caller is, such as `admin`.
    #[must_use]
    pub fn with_role(self, role: &str) -> Self {
        self.with_right(ROLE, role)
    }

    /// Adds a scope: what the caller was granted, such as `accounts.read`.
    #[must_use]
    pub fn with_scope(self, scope: &str) -> Self {
        self.with_right(SCOPE, scope)
    }

    fn with_right(mut self, kind: &str, name: &str) -> Self {
        Arc::make_mut(&mut self.inner).rights.push([kind, name].concat().into());
        self
    }

    /// Attaches what else is known, of any type: the claims of a token, say. One value; a further one replaces it.
    #[must_use]
    pub fn with_detail<T: Send + Sync + 'static>(mut self, detail: T) -> Self {
        Arc::make_mut(&mut self.inner).detail = Some(Arc::new(detail));
        self
    }

    /// Returns the name: the subject of a token, say.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Tells whether the caller has this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles().any(|known| known == role)
    }

    /// Tells whether the caller has this scope.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|known| known == scope)
    }

    /// Tells whether the caller has a right as rules write it: `role:…` or `scope:…`.
    pub fn has(&self, right: &str) -> bool {
        self.inner.rights.iter().any(|known| **known == *right)
    }

    /// Goes through the roles in the order in which they were added.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.inner.rights.iter().filter_map(|right| right.strip_prefix(ROLE))
    }

    /// Goes through the scopes in the order in which they were added.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.inner.rights.iter().filter_map(|right| right.strip_prefix(SCOPE))
    }

    /// Returns what was attached, where it is of this type.
    pub fn detail<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.inner.detail.as_deref()?.downcast_ref()
    }
}

// What is attached may be personal, and stays out of logs.
impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("name", &self.name())
            .field("rights", &self.inner.rights)
            .finish_non_exhaustive()
    }
}

/// What a method asks of its callers: `#[rpc(auth = "…")]` as data.
///
/// It is shown as it is written. A layer that authenticates enforces it; without one it is a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthRule {
    /// `none`: anybody may call, known or not.
    None,
    /// `caller`: whoever is known may call.
    Caller,
    /// Whoever has all rights of at least one of these lists may call. A right is `role:…` or `scope:…`.
    AnyOf(&'static [&'static [&'static str]]),
}

impl fmt::Display for AuthRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Caller => f.write_str("caller"),
            Self::AnyOf(lists) => {
                let lists: Vec<_> = lists.iter().map(|rights| rights.join(" & ")).collect();
                f.write_str(&lists.join(" | "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_and_scopes_are_not_mistaken_for_each_other() {
        let caller = Caller::new("ada").with_role("read").with_scope("role:admin");
        assert!(caller.has_role("read") && !caller.has_scope("read"));
        assert!(caller.has("scope:role:admin") && !caller.has("role:admin") && !caller.has_role("admin"));
    }

    #[test]
    fn a_copy_that_is_added_to_leaves_the_other_as_it_was() {
        let plain = Caller::new("ada").with_detail(7_u32);
        let admin = plain.clone().with_role("admin");
        assert!(admin.has_role("admin") && !plain.has_role("admin"));
        assert_eq!((admin.detail::<u32>(), admin.detail::<u64>()), (Some(&7), None));
    }

    #[test]
    fn it_costs_a_request_one_pointer() {
        assert_eq!(size_of::<Option<Caller>>(), size_of::<usize>());
    }

    #[test]
    fn a_rule_is_shown_as_it_is_written() {
        let rule = AuthRule::AnyOf(&[&["role:admin"], &["role:support", "scope:read"]]);
        assert_eq!(rule.to_string(), "role:admin | role:support & scope:read");
        assert_eq!([AuthRule::None, AuthRule::Caller].map(|rule| rule.to_string()), ["none", "caller"]);
    }
}

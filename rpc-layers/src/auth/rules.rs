//! Who may call what.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rpc_core::{AuthRule, Caller, Error, ErrorKind, MethodDescriptor, MethodId, ServiceDescriptor};

/// What is asked of callers: nothing, that they are known, or rights.
///
/// ```
/// use rpc_layers::auth::Rule;
/// let rule = Rule::role("admin").or(Rule::role("support").and(Rule::scope("accounts.read")));
/// assert_eq!(rule.to_string(), "role:admin | role:support & scope:accounts.read");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// All rights of at least one list; none where anybody may call.
    any_of: Option<Vec<Vec<Box<str>>>>,
}

impl Rule {
    /// Lets anybody call, known or not.
    pub fn none() -> Self {
        Self { any_of: None }
    }

    /// Lets whoever is known call.
    pub fn caller() -> Self {
        Self { any_of: Some(vec![Vec::new()]) }
    }

    /// Lets callers with this role call.
    pub fn role(role: &str) -> Self {
        Self { any_of: Some(vec![vec![format!("role:{role}").into()]]) }
    }

    /// Lets callers with this scope call.
    pub fn scope(scope: &str) -> Self {
        Self { any_of: Some(vec![vec![format!("scope:{scope}").into()]]) }
    }

    /// Asks for both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let any_of = match (self.any_of, other.any_of) {
            (Some(ours), Some(theirs)) => {
                let joined = ours.iter().flat_map(|ours| {
                    theirs.iter().map(move |theirs| ours.iter().chain(theirs).cloned().collect())
                });
                Some(joined.collect())
            }
            (ours, theirs) => ours.or(theirs),
        };
        Self { any_of }
    }

    /// Asks for either.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        let any_of = self.any_of.zip(other.any_of).map(|(ours, theirs)| [ours, theirs].concat());
        Self { any_of }
    }
}

/// Shows it as `#[rpc(auth = "…")]` would be written.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(lists) = &self.any_of else { return f.write_str("none") };
        let list = |list: &Vec<Box<str>>| match list.is_empty() {
            true => "caller".to_owned(),
            false => list.join(" & "),
        };
        f.write_str(&lists.iter().map(list).collect::<Vec<_>>().join(" | "))
    }
}

/// Rules by service and by method, which go before what the traits say.
///
/// A method's rule goes before its service's. Services are named by their description, so that a rule for a method that is not there is
/// noticed at set-up.
///
/// ```
/// # use rpc_core::{MethodDescriptor, ServiceDescriptor};
/// # static OPEN: MethodDescriptor = MethodDescriptor::new("Bank", "open");
/// # static CLOSE: MethodDescriptor = MethodDescriptor::new("Bank", "close");
/// # static BANK: ServiceDescriptor = ServiceDescriptor::new("Bank", &[&OPEN, &CLOSE]);
/// # struct BankClient;
/// # impl BankClient { const DESCRIPTOR: &'static ServiceDescriptor = &BANK; }
/// use rpc_layers::auth::{Authorize, Rule};
/// # fn main() -> Result<(), rpc_core::Error> {
/// let rules = Authorize::new()
///     .service(BankClient::DESCRIPTOR, Rule::role("teller"))
///     .method(BankClient::DESCRIPTOR, "close", Rule::role("admin"))?;
/// assert_eq!(rules.to_string(), "Bank/close: role:admin, Bank: role:teller");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Authorize {
    methods: HashMap<MethodId, Rule>,
    services: HashMap<MethodId, Arc<Rule>>,
    /// For people, sorted: methods, and services after them.
    lines: [Vec<String>; 2],
}

impl Authorize {
    /// Creates a table without rules: each method is called by whom its trait lets, else by whoever is known.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the rule of all methods of a service, whatever its trait says.
    pub fn service(mut self, service: &'static ServiceDescriptor, rule: Rule) -> Self {
        self.note(1, service.name(), &rule);
        let rule = Arc::new(rule);
        self.services.extend(service.methods().iter().map(|method| (method.id(), rule.clone())));
        self
    }

    /// Sets the rule of a method, by its name on the wire, whatever its trait says.
    ///
    /// # Errors
    /// [`ErrorKind::Config`]: the service has no such method.
    pub fn method(
        mut self,
        service: &'static ServiceDescriptor,
        name: &str,
        rule: Rule,
    ) -> Result<Self, Error> {
        let Some(method) = service.methods().iter().find(|method| method.name() == name) else {
            let names: Vec<_> = service.methods().iter().map(|method| method.name()).collect();
            let text = format!(
                "{} has no method {name:?} to set a rule for: it has {}",
                service.name(),
                names.join(", ")
            );
            return Err(Error::new(ErrorKind::Config, text));
        };
        self.note(0, &method.to_string(), &rule);
        self.methods.insert(method.id(), rule);
        Ok(self)
    }

    /// Keeps a line for people; a later rule for the same replaces an earlier one.
    fn note(&mut self, list: usize, what: &str, rule: &Rule) {
        let Some(lines) = self.lines.get_mut(list) else { return };
        let what = format!("{what}: ");
        lines.retain(|line| !line.starts_with(&what));
        lines.push(format!("{what}{rule}"));
        lines.sort();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.methods.is_empty() && self.services.is_empty()
    }

    /// Returns the rule that holds for a method.
    pub(super) fn rule(&self, id: MethodId, method: Option<&MethodDescriptor>) -> Applied<'_> {
        let table = || self.methods.get(&id).or_else(|| self.services.get(&id).map(|rule| &**rule));
        // Most servers have rules in their traits alone.
        match if self.is_empty() { None } else { table() } {
            Some(rule) => Applied::Table(rule),
            None => Applied::Trait(method.and_then(MethodDescriptor::auth).unwrap_or(AuthRule::Caller)),
        }
    }
}

/// Lists the rules, methods first.
impl fmt::Display for Authorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines.concat().join(", "))
    }
}

/// The rule that holds for a call.
pub(super) enum Applied<'a> {
    Table(&'a Rule),
    Trait(AuthRule),
}

impl Applied<'_> {
    /// Tells whether anybody may call, known or not.
    pub(super) fn is_none(&self) -> bool {
        match self {
            Self::Table(rule) => rule.any_of.is_none(),
            Self::Trait(rule) => matches!(rule, AuthRule::None),
        }
    }

    /// Tells whether somebody who is known may call.
    pub(super) fn allows(&self, caller: &Caller) -> bool {
        match self {
            Self::Table(Rule { any_of: None }) | Self::Trait(AuthRule::None | AuthRule::Caller) => true,
            Self::Table(Rule { any_of: Some(lists) }) => has_any(lists, caller),
            Self::Trait(AuthRule::AnyOf(lists)) => has_any(lists, caller),
            // A rule of a later version, which this one does not understand.
            Self::Trait(_) => false,
        }
    }
}

fn has_any<L: AsRef<[R]>, R: AsRef<str>>(lists: &[L], caller: &Caller) -> bool {
    lists.iter().any(|rights| rights.as_ref().iter().all(|right| caller.has(right.as_ref())))
}

impl fmt::Display for Applied<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Table(rule) => rule.fmt(f),
            Self::Trait(rule) => rule.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &Rule, caller: &Caller) -> bool {
        Applied::Table(rule).allows(caller)
    }

    #[test]
    fn rules_join_as_they_read() {
        let (admin, read) = (Rule::role("admin"), Rule::scope("read"));
        let both = admin.clone().and(read.clone());
        let either = admin.clone().or(read.clone());
        let [nobody, reader, admin_only] =
            [Caller::new("n"), Caller::new("r").with_scope("read"), Caller::new("a").with_role("admin")];
        let full = admin_only.clone().with_scope("read");
        let verdicts =
            |rule: &Rule| [&nobody, &reader, &admin_only, &full].map(|caller| allows(rule, caller));
        assert_eq!(verdicts(&both), [false, false, false, true]);
        assert_eq!(verdicts(&either), [false, true, true, true]);
        assert_eq!(verdicts(&both.clone().or(Rule::scope("x"))), verdicts(&both));
        assert_eq!(verdicts(&either.clone().and(Rule::caller())), verdicts(&either));
        assert_eq!(either.and(Rule::scope("x")).to_string(), "role:admin & scope:x | scope:read & scope:x");
    }

    #[test]
    fn none_is_the_weakest_rule() {
        assert_eq!(Rule::none().or(Rule::role("admin")), Rule::none());
        assert_eq!(Rule::role("admin").or(Rule::none()), Rule::none());
        assert_eq!(Rule::none().and(Rule::role("admin")), Rule::role("admin"));
        assert_eq!(Rule::role("admin").and(Rule::none()), Rule::role("admin"));
        assert_eq!([Rule::none(), Rule::caller()].map(|rule| rule.to_string()), ["none", "caller"]);
    }

    #[test]
    fn a_role_is_not_a_scope_of_that_name() {
        assert!(!allows(&Rule::role("read"), &Caller::new("r").with_scope("read")));
    }
}

//! The options of `#[service(…)]` and `#[rpc(…)]`.

use std::time::Duration;

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Attribute, Lit, Meta};

use super::auth::{self, Auth};
use super::errors::Errors;
use super::names::{CASES, Case, nearest};
use crate::parse::{self, Opt, Value};

/// What `#[service(…)]` says.
#[derive(Debug)]
pub(crate) struct ServiceOptions {
    pub(crate) name: Option<String>,
    pub(crate) version: Option<String>,
    pub(crate) rename_all: Option<Case>,
    pub(crate) krate: TokenStream,
}

/// What `#[rpc(…)]` says.
#[derive(Debug, Default)]
pub(crate) struct MethodOptions {
    /// With the place where it stands, as with the id.
    pub(crate) name: Option<(String, Span)>,
    pub(crate) id: Option<(u64, Span)>,
    pub(crate) idempotent: bool,
    pub(crate) oneway: Option<Span>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) auth: Option<Auth>,
}

impl ServiceOptions {
    pub(crate) fn new(args: TokenStream, errors: &mut Errors) -> Self {
        let mut options = Self { name: None, version: None, rename_all: None, krate: emit!(::farcall) };
        let mut seen = Seen::new("service", &["name", "version", "rename_all", "crate"]);
        for option in parse::options(args).unwrap_or_else(|error| {
            errors.push(error);
            Vec::new()
        }) {
            if let Err(error) = options.set(&option, &mut seen) {
                errors.push(error);
            }
        }
        options
    }

    fn set(&mut self, option: &Opt, seen: &mut Seen) -> syn::Result<()> {
        match seen.check(option)?.as_str() {
            "name" => self.name = Some(wire_name(option)?),
            "version" => self.version = Some(version(option)?),
            "rename_all" => self.rename_all = Some(case(option)?),
            _ => self.krate = krate(option)?,
        }
        Ok(())
    }
}

impl MethodOptions {
    /// Reads all `#[rpc(…)]` among a method's attributes.
    pub(crate) fn new(attrs: &[Attribute], errors: &mut Errors) -> Self {
        let mut options = Self::default();
        let mut seen = Seen::new("rpc", &["name", "id", "idempotent", "timeout", "auth", "oneway"]);
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("rpc")) {
            let Meta::List(list) = &attr.meta else {
                errors.at(attr, "write the options in brackets: `#[rpc(idempotent, timeout = \"2s\")]`");
                continue;
            };
            let parsed = parse::options(list.tokens.clone()).unwrap_or_else(|error| {
                errors.push(error);
                Vec::new()
            });
            for option in parsed {
                if let Err(error) = options.set(&option, &mut seen) {
                    errors.push(error);
                }
            }
        }
        options
    }

    fn set(&mut self, option: &Opt, seen: &mut Seen) -> syn::Result<()> {
        match seen.check(option)?.as_str() {
            "name" => self.name = Some((wire_name(option)?, place(option))),
            "id" => self.id = Some((id(option)?, place(option))),
            "idempotent" => {
                flag(option)?;
                self.idempotent = true;
            }
            "timeout" => self.timeout = Some(timeout(option)?),
            "auth" => self.auth = Some(auth(option)?),
            _ => {
                flag(option)?;
                self.oneway = Some(option.name.span());
            }
        }
        Ok(())
    }
}

/// The options that have been read: each may stand there once.
struct Seen {
    attribute: &'static str,
    known: &'static [&'static str],
    names: Vec<String>,
}

impl Seen {
    fn new(attribute: &'static str, known: &'static [&'static str]) -> Self {
        Self { attribute, known, names: Vec::new() }
    }

    fn check(&mut self, option: &Opt) -> syn::Result<String> {
        let name = option.name.to_string();
        let fail = |text: String| Err(syn::Error::new(option.name.span(), text));
        if !self.known.contains(&name.as_str()) {
            let hint = match nearest(&name, self.known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("there are {}", listed(self.known.iter().copied())),
            };
            return fail(format!("`#[{}]` has no option `{name}`: {hint}", self.attribute));
        }
        if self.names.contains(&name) {
            return fail(format!("`{name}` is given twice: leave one out"));
        }
        self.names.push(name.clone());
        Ok(name)
    }
}

fn listed<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn place(option: &Opt) -> Span {
    option.value.as_ref().map_or_else(|| option.name.span(), Value::span)
}

fn wrong<T>(option: &Opt, text: &str) -> syn::Result<T> {
    Err(syn::Error::new(place(option), text))
}

fn flag(option: &Opt) -> syn::Result<()> {
    match &option.value {
        None => Ok(()),
        Some(_) => {
            wrong(option, &format!("`{}` takes no value: write it alone, or leave it out", option.name))
        }
    }
}

fn text(option: &Opt) -> Option<String> {
    Some(option.value.as_ref()?.as_str()?.value())
}

fn wire_name(option: &Opt) -> syn::Result<String> {
    match text(option) {
        // The slash parts the service from the method where both are written.
        Some(name)
            if !name.is_empty()
                && !name.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control()) =>
        {
            Ok(name)
        }
        Some(_) => wrong(option, "a name on the wire is not empty, and has no `/` and no white space in it"),
        None => wrong(option, "write the name as a string: `name = \"…\"`"),
    }
}

fn version(option: &Opt) -> syn::Result<String> {
    match &option.value {
        Some(Value::Lit(Lit::Str(text))) if !text.value().is_empty() => Ok(text.value()),
        Some(Value::Lit(Lit::Int(number))) if number.suffix().is_empty() => {
            Ok(number.base10_digits().to_owned())
        }
        Some(Value::Lit(Lit::Float(number))) if number.suffix().is_empty() => Ok(number.to_string()),
        _ => wrong(option, "write the version as a string or a number: `version = \"1.2\"` or `version = 1`"),
    }
}

fn case(option: &Opt) -> syn::Result<Case> {
    let written = text(option).unwrap_or_default();
    match CASES.iter().find(|(name, _)| *name == written) {
        Some((_, case)) => Ok(*case),
        None => {
            let known = listed(CASES.iter().map(|(name, _)| *name));
            wrong(option, &format!("`rename_all` is one of {known}, as a string"))
        }
    }
}

fn krate(option: &Opt) -> syn::Result<TokenStream> {
    match &option.value {
        Some(Value::Path(path)) => Ok(quote!(#path)),
        _ => wrong(option, "write the path of farcall: `crate = my_crate::farcall`"),
    }
}

fn id(option: &Opt) -> syn::Result<u64> {
    match &option.value {
        Some(Value::Lit(Lit::Int(number))) => number.base10_parse().or_else(|_| {
            wrong(option, "an id is a whole number below 2^64, without a suffix of another type")
        }),
        _ => wrong(option, "write the id as a number: `id = 7`"),
    }
}

fn timeout(option: &Opt) -> syn::Result<Duration> {
    const HOW: &str =
        "write a whole number and its unit as a string: \"250us\", \"500ms\", \"2s\", \"1m\" or \"1h\"";
    let Some(text) = text(option) else { return wrong(option, HOW) };
    let digits = text.chars().take_while(char::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let duration = number.parse::<u64>().ok().and_then(|number| match unit {
        "us" => Some(Duration::from_micros(number)),
        "ms" => Some(Duration::from_millis(number)),
        "s" => Some(Duration::from_secs(number)),
        "m" => number.checked_mul(60).map(Duration::from_secs),
        "h" => number.checked_mul(60 * 60).map(Duration::from_secs),
        _ => None,
    });
    match duration {
        Some(Duration::ZERO) => {
            wrong(option, "no call can be done in no time: write a longer timeout, or leave it out")
        }
        Some(duration) => Ok(duration),
        None => wrong(option, HOW),
    }
}

fn auth(option: &Opt) -> syn::Result<Auth> {
    let Some(text) = text(option) else {
        return wrong(option, "write the rule as a string: `auth = \"role:admin\"`");
    };
    auth::parse(&text).or_else(|problem| wrong(option, &problem))
}

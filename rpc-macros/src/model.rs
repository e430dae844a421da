//! Syntax to a service: all rules are here, and all errors are found at once.

mod args;
mod auth;
mod errors;
mod method;
mod names;
mod options;
mod output;
mod types;

use std::collections::HashMap;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::{GenericParam, Ident, ItemTrait, TraitItem};

pub(crate) use args::{Arg, ArgKind};
pub(crate) use auth::Auth;
use errors::Errors;
pub(crate) use method::Method;
pub(crate) use names::{Used, plain};
use options::ServiceOptions;
pub(crate) use output::{Output, ResultType, Value};
pub(crate) use types::{return_text, text};

/// A service, of which each part can be expanded.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) item: ItemTrait,
    pub(crate) wire_name: String,
    pub(crate) version: Option<String>,
    pub(crate) krate: TokenStream,
    pub(crate) methods: Vec<Method>,
    pub(crate) names: Names,
}

/// The names of what is generated.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) client: Ident,
    pub(crate) server: Ident,
    pub(crate) request: Ident,
    pub(crate) response: Ident,
    /// The client's service, the server's handler and a stream that a client sends, as type parameters.
    pub(crate) service: Ident,
    pub(crate) handler: Ident,
    pub(crate) stream: Ident,
}

impl Service {
    /// Reads a trait. What is wrong is left out of the service, and reported.
    pub(crate) fn new(args: TokenStream, item: &ItemTrait) -> (Self, Option<syn::Error>) {
        let mut errors = Errors::default();
        let options = ServiceOptions::new(args, &mut errors);
        check_trait(item, &mut errors);
        let mut methods = Vec::new();
        for item in &item.items {
            match item {
                TraitItem::Fn(item) => methods.extend(Method::new(item, options.rename_all, &mut errors)),
                item => refuse(item, &mut errors),
            }
        }
        refuse_collisions(&mut methods, &mut errors);
        let service = Self {
            wire_name: options.name.unwrap_or_else(|| plain(&item.ident)),
            version: options.version,
            krate: options.krate,
            methods,
            names: Names::new(item),
            item: item.clone(),
        };
        (service, errors.into_inner())
    }

    /// Tells whether requests borrow from the bytes that they are decoded from.
    pub(crate) fn borrows(&self) -> bool {
        self.methods.iter().any(Method::borrows)
    }
}

impl Names {
    fn new(item: &ItemTrait) -> Self {
        let used = Used::of(item.to_token_stream());
        let named = |suffix| {
            let mut ident = format_ident!("{}{suffix}", plain(&item.ident));
            ident.set_span(item.ident.span());
            ident
        };
        Self {
            client: named("Client"),
            server: named("Server"),
            request: named("Request"),
            response: named("Response"),
            service: used.fresh("S"),
            handler: used.fresh("T"),
            stream: used.fresh("St"),
        }
    }
}

fn check_trait(item: &ItemTrait, errors: &mut Errors) {
    if let Some(token) = &item.unsafety {
        errors.at(token, "a client cannot vouch for the handler: leave `unsafe` out");
    }
    if let Some(token) = &item.modifiers.auto_token {
        errors.at(token, "a service is implemented by hand: leave `auto` out");
    }
    for param in &item.generics.params {
        if let GenericParam::Lifetime(param) = param {
            errors.at(
                param,
                "a service lives as long as its server: leave the lifetime out, and send owned types",
            );
        }
    }
}

fn refuse(item: &TraitItem, errors: &mut Errors) {
    match item {
        TraitItem::Type(item) => errors.at_span(
            item.type_token.span,
            "a service has no associated types, for both sides have to know them: make the trait generic",
        ),
        TraitItem::Const(item) => errors.at_span(
            item.const_token.span,
            "a service has no constants: a client could not ask for them; write a method or a constant beside the trait",
        ),
        TraitItem::Macro(item) => errors.at(
            &item.mac.path,
            "methods that a macro makes cannot be seen here: write them out, or let the macro make the whole trait",
        ),
        item => errors.at(item, "a service has methods alone: write `async fn name(&self, …) -> …;`"),
    }
}

/// Refuses methods of which two have one name or one id, with an error at each.
fn refuse_collisions(methods: &mut Vec<Method>, errors: &mut Errors) {
    let mut refused = Vec::new();
    let mut find = |key: &dyn Fn(&Method) -> Option<(String, Span)>, text: &dyn Fn(&str, &str) -> String| {
        let mut first: HashMap<String, usize> = HashMap::new();
        for (index, method) in methods.iter().enumerate() {
            let Some((name, span)) = key(method) else { continue };
            let Some(&other) = first.get(&name) else {
                first.insert(name, index);
                continue;
            };
            let earlier = &methods[other];
            // Of two methods with `cfg` there may be only one.
            if refused.contains(&index) || (!method.cfgs.is_empty() && !earlier.cfgs.is_empty()) {
                continue;
            }
            let earlier_span = key(earlier).map_or(span, |(_, span)| span);
            errors.at_span(earlier_span, text(&name, &plain(&method.ident)));
            errors.at_span(span, text(&name, &plain(&earlier.ident)));
            refused.push(index);
        }
    };
    find(&|method| method.options.id.map(|(id, span)| (id.to_string(), span)), &|id, other| {
        format!("the id {id} is that of `{other}`, too: write another one")
    });
    find(
        &|method| {
            let span = method.options.name.as_ref().map_or_else(|| method.ident.span(), |(_, span)| *span);
            // An explicit id is not derived from the name, but the name is in recordings and in the metrics.
            Some((method.wire_name.clone(), span))
        },
        &|name, other| {
            format!(
                "`{name}` is the name of `{other}` on the wire, too: write another `#[rpc(name = \"…\")]`"
            )
        },
    );
    find(&|method| Some((method.variant.to_string(), method.ident.span())), &|variant, other| {
        format!("`{variant}` is the variant of `{other}`, too: call one of the methods otherwise")
    });
    let mut index = 0;
    methods.retain(|_| {
        index += 1;
        !refused.contains(&(index - 1))
    });
}

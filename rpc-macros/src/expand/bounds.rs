//! Generics, and what generated code asks of the types that travel.
//!
//! The bounds are of the form `for<'w> T: Wire<'w>`, which may be false: the impl is then not there, and the one error is that
//! of the check, at the type.

use std::collections::HashSet;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, GenericParam, Generics, Ident, Lifetime, Meta, Type, TypeParamBound};

use crate::model::{ArgKind, Method, Output, ResultType, Service, Used, Value, text};

/// What impls ask of the types in a service's methods.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    /// Stand for types of methods with `cfg`, for they may not exist: a bound cannot have a `cfg` itself.
    pub(crate) aliases: Vec<TokenStream>,
    /// That everything can travel.
    pub(crate) travels: Vec<TokenStream>,
    /// The same, without asking that results are results.
    pub(crate) travels_plainly: Vec<TokenStream>,
    /// That a failed call can become each method's own error.
    pub(crate) own_errors: Vec<TokenStream>,
    /// That the items of the streams that a client sends can travel.
    pub(crate) sent: Vec<TokenStream>,
    /// What is asked for the two enums.
    pub(crate) request: FieldBounds,
    pub(crate) response: FieldBounds,
    /// One for each type, spanned on it.
    pub(crate) checks: Vec<TokenStream>,
}

/// What is asked of the types in an enum of messages.
#[derive(Debug, Default)]
pub(crate) struct FieldBounds {
    pub(crate) types: Vec<TokenStream>,
    /// That they can travel.
    pub(crate) travels: Vec<TokenStream>,
}

/// Gathers [`Bounds`], each once.
struct Gather<'s> {
    generics: &'s Generics,
    seen: HashSet<String>,
    bounds: Bounds,
}

impl Bounds {
    pub(crate) fn new(service: &Service) -> Self {
        let mut gather =
            Gather { generics: &service.item.generics, seen: HashSet::new(), bounds: Self::default() };
        // Those without `cfg` first: a type that they have needs no alias.
        for method in service.methods.iter().filter(|method| method.cfgs.is_empty()) {
            gather.method(method);
        }
        for method in service.methods.iter().filter(|method| !method.cfgs.is_empty()) {
            gather.method(method);
        }
        gather.bounds
    }
}

impl Gather<'_> {
    fn method(&mut self, method: &Method) {
        for arg in method.args.fields.iter().filter(|arg| arg.kind == ArgKind::Owned) {
            self.plain(&arg.ty, method);
            self.argument(&arg.ty, method);
        }
        if let Some(stream) = &method.args.stream {
            self.plain(&stream.item, method);
            self.sent(&stream.item, method);
        }
        match &method.output {
            Output::Value(value) => {
                self.value(value, method);
                self.returned(value, method);
            }
            Output::Items(item) => self.value(item, method),
            Output::FallibleItems { item, head } => {
                self.result(head, method);
                // The error goes before the items on its own.
                if let Some(error) = head.error() {
                    self.plain(error, method);
                }
                self.value(item, method);
                self.returned(&Value::Fallible(head.clone()), method);
            }
        }
    }

    fn value(&mut self, value: &Value, method: &Method) {
        match value {
            Value::Plain(ty) => self.plain(ty, method),
            Value::Fallible(result) => self.result(result, method),
        }
    }

    fn plain(&mut self, ty: &Type, method: &Method) {
        if let Some(ty) = self.bounded("travels", ty, method, &emit!(())) {
            let bound = emit!(for<'w> #ty: __farcall::Wire<'w>);
            self.bounds.travels_plainly.push(bound.clone());
            self.bounds.travels.push(bound);
        }
        self.check(&emit!(travels), ty, method);
    }

    fn result(&mut self, result: &ResultType, method: &Method) {
        let whole = &result.whole;
        let unit = emit!(::core::result::Result<(), ()>);
        if let Some(ty) = self.bounded("travels", whole, method, &unit) {
            self.bounds.travels_plainly.push(emit!(for<'w> #ty: __farcall::Wire<'w>));
            self.bounds.travels.push(emit!(for<'w> #ty: __farcall::WireResult<'w>));
        }
        self.own_error(result, method);
        match &result.parts {
            Some((ok, err)) => {
                self.check(&emit!(travels), ok, method);
                self.check(&emit!(travels), err, method);
                self.check(&emit!(is_result), whole, method);
            }
            None => self.check(&emit!(result_travels), whole, method),
        }
    }

    // The error of an alias is not bounded by itself: as a projection it would be in the way of the same bound without one.
    fn own_error(&mut self, result: &ResultType, method: &Method) {
        let bound = match result.error() {
            Some(error) => self
                .bounded("own error", error, method, &emit!(__farcall::Error))
                .map(|ty| emit!(for<'w> #ty: __farcall::FromError<'w>)),
            None => self
                .bounded(
                    "own error",
                    &result.whole,
                    method,
                    &emit!(::core::result::Result<(), __farcall::Error>),
                )
                .map(|ty| emit!(for<'w> #ty: __farcall::FromCall<'w>)),
        };
        self.bounds.own_errors.extend(bound);
    }

    fn sent(&mut self, item: &Type, method: &Method) {
        if let Some(ty) = self.bounded("sent", item, method, &emit!(())) {
            self.bounds.sent.push(emit!(for<'w> #ty: __farcall::Wire<'w>));
        }
    }

    fn argument(&mut self, ty: &Type, method: &Method) {
        if let Some(ty) = self.bounded("request", ty, method, &emit!(())) {
            self.bounds.request.travels.push(emit!(for<'w> #ty: __farcall::Wire<'w>));
            self.bounds.request.types.push(ty);
        }
    }

    fn returned(&mut self, value: &Value, method: &Method) {
        let (bound, absent) = match value {
            Value::Plain(_) => (emit!(Wire), emit!(())),
            Value::Fallible(_) => (emit!(WireResult), emit!(::core::result::Result<(), ()>)),
        };
        if let Some(ty) = self.bounded("response", value.ty(), method, &absent) {
            self.bounds.response.travels.push(emit!(for<'w> #ty: __farcall::#bound<'w>));
            self.bounds.response.types.push(ty);
        }
    }

    /// Returns the type as a bound may name it; none where it is bounded already or needs no bound.
    fn bounded(
        &mut self,
        role: &str,
        ty: &impl ToTokens,
        method: &Method,
        absent: &TokenStream,
    ) -> Option<TokenStream> {
        let key = text(ty);
        if key == "()" || self.seen.contains(&format!("{role} {key}")) {
            return None;
        }
        if method.cfgs.is_empty() || self.is_generic(ty) {
            self.seen.insert(format!("{role} {key}"));
            return Some(ty.to_token_stream());
        }
        let alias = format_ident!("__FarcallType{}", self.bounds.aliases.len());
        let cfgs = method.cfgs.iter().map(predicate).collect::<Vec<_>>();
        self.bounds.aliases.push(emit! {
            #[cfg(all(#(#cfgs),*))]
            type #alias = #ty;
            #[cfg(not(all(#(#cfgs),*)))]
            type #alias = #absent;
        });
        Some(alias.into_token_stream())
    }

    fn check(&mut self, function: &TokenStream, ty: &Type, method: &Method) {
        let key = format!("check {function} {}", text(ty));
        if self.is_generic(ty) || text(ty) == "()" || self.seen.contains(&key) {
            return;
        }
        if method.cfgs.is_empty() {
            self.seen.insert(key);
        }
        let cfgs = &method.cfgs;
        self.bounds.checks.push(quote_spanned!(ty.span()=> #(#cfgs)* __farcall::#function::<#ty>();));
    }

    fn is_generic(&self, ty: &impl ToTokens) -> bool {
        let used = Used::of(ty.to_token_stream());
        names(self.generics).iter().any(|name| used.contains(name))
    }
}

fn predicate(cfg: &Attribute) -> TokenStream {
    match &cfg.meta {
        Meta::List(list) => list.tokens.clone(),
        meta => meta.to_token_stream(),
    }
}

/// Returns the names of the type and const parameters.
pub(crate) fn names(generics: &Generics) -> Vec<&Ident> {
    generics
        .params
        .iter()
        .filter_map(|param| match param {
            GenericParam::Type(param) => Some(&param.ident),
            GenericParam::Const(param) => Some(&param.ident),
            GenericParam::Lifetime(_) => None,
        })
        .collect()
}

/// Returns the names of the type parameters.
pub(crate) fn type_names(generics: &Generics) -> Vec<&Ident> {
    generics.type_params().map(|param| &param.ident).collect()
}

/// Returns the parameters as they are declared, with or without their defaults.
pub(crate) fn params(generics: &Generics, with_defaults: bool) -> Vec<TokenStream> {
    let without_default = |param: &GenericParam| {
        let mut param = param.clone();
        match &mut param {
            GenericParam::Type(param) if !with_defaults => param.default = None,
            GenericParam::Const(param) if !with_defaults => param.default = None,
            _ => {}
        }
        param.into_token_stream()
    };
    generics
        .params
        .iter()
        .filter(|param| !matches!(param, GenericParam::Lifetime(_)))
        .map(without_default)
        .collect()
}

/// Returns the parameters as an alias has them, for which bounds are not checked.
pub(crate) fn bare_params(generics: &Generics) -> Vec<TokenStream> {
    let bare = |param: &GenericParam| match param {
        GenericParam::Lifetime(_) => None,
        GenericParam::Type(param) => Some(param.ident.to_token_stream()),
        GenericParam::Const(param) => {
            let (ident, ty) = (&param.ident, &param.ty);
            Some(quote!(const #ident: #ty))
        }
    };
    generics.params.iter().filter_map(bare).collect()
}

/// Returns the trait's own `where` without what it says of `Self`; each predicate ends in a comma.
pub(crate) fn predicates(generics: &Generics) -> TokenStream {
    let predicates = generics.where_clause.iter().flat_map(|clause| &clause.predicates);
    let predicates = predicates.filter(|predicate| {
        !Used::of(predicate.to_token_stream()).contains(&format_ident!("Self"))
            && !matches!(predicate, syn::WherePredicate::Lifetime(_))
    });
    quote!(#(#predicates,)*)
}

/// Returns what impls ask: the trait's own `where`, and that its parameters outlive every call.
pub(crate) fn impl_predicates(generics: &Generics) -> TokenStream {
    let own = predicates(generics);
    let types = type_names(generics);
    emit!(#own #(#types: 'static,)*)
}

/// Returns the trait with its arguments.
pub(crate) fn trait_path(service: &Service) -> TokenStream {
    let ident = &service.item.ident;
    let args = service.item.generics.params.iter().map(|param| match param {
        GenericParam::Lifetime(_) => emit!('static),
        GenericParam::Type(param) => param.ident.to_token_stream(),
        GenericParam::Const(param) => param.ident.to_token_stream(),
    });
    bracketed(ident, args)
}

/// Returns `name<args>`, or the name alone.
pub(crate) fn bracketed(name: &Ident, args: impl IntoIterator<Item = TokenStream>) -> TokenStream {
    let args: Vec<_> = args.into_iter().collect();
    if args.is_empty() { name.to_token_stream() } else { emit!(#name<#(#args),*>) }
}

/// Returns the parameters' names, with others before or after them.
pub(crate) fn args(generics: &Generics, last: Option<&Ident>) -> Vec<TokenStream> {
    names(generics).into_iter().chain(last).map(ToTokens::to_token_stream).collect()
}

/// Returns the supertraits that the user wrote and that are not lifetimes.
pub(crate) fn supertraits(service: &Service) -> Vec<&TypeParamBound> {
    service.item.supertraits.iter().filter(|bound| !matches!(bound, TypeParamBound::Lifetime(_))).collect()
}

/// Returns a request's type; the lifetime is there where an argument is borrowed.
pub(crate) fn request(service: &Service, lifetime: &Lifetime) -> TokenStream {
    let lifetime = service.borrows().then(|| lifetime.to_token_stream());
    bracketed(&service.names.request, lifetime.into_iter().chain(args(&service.item.generics, None)))
}

pub(crate) fn response(service: &Service) -> TokenStream {
    bracketed(&service.names.response, args(&service.item.generics, None))
}

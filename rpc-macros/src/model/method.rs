//! A method of the trait, with the rules that it has to keep.

use syn::{Attribute, Generics, Ident, ReturnType, Safety, Signature, TraitItemFn};

use super::args::{ArgKind, Args};
use super::errors::Errors;
use super::names::{self, Case};
use super::options::MethodOptions;
use super::output::Output;

/// Names that a generated client has for its own use.
const TAKEN: [(&str, &str); 4] = [
    ("new", "makes a client of a service"),
    ("with_codec", "makes a client of a service and a codec"),
    ("connect", "makes a client of a URI"),
    ("clone", "copies a client"),
];

/// A method of the service.
#[derive(Debug)]
pub(crate) struct Method {
    pub(crate) sig: Signature,
    pub(crate) ident: Ident,
    pub(crate) variant: Ident,
    pub(crate) wire_name: String,
    pub(crate) docs: Vec<Attribute>,
    pub(crate) cfgs: Vec<Attribute>,
    /// `deprecated`, `allow` and their like, for all that bears the method's name.
    pub(crate) marks: Vec<Attribute>,
    pub(crate) args: Args,
    pub(crate) output: Output,
    pub(crate) options: MethodOptions,
}

impl Method {
    /// Reads a method; none where there is an error.
    pub(crate) fn new(item: &TraitItemFn, rename: Option<Case>, errors: &mut Errors) -> Option<Self> {
        let mut found = Errors::default();
        let sig = &item.sig;
        check_head(item, &mut found);
        let options = MethodOptions::new(&item.attrs, &mut found);
        let args = Args::new(sig, item.default.is_some(), &mut found);
        let output = Output::new(sig, &mut found);
        if let (Some(oneway), Some(output)) = (options.oneway, &output) {
            check_oneway(oneway, sig, &args, output, &mut found);
        }
        let right = found.is_empty();
        errors.append(found);
        let name = names::plain(&sig.ident);
        let wire_name = match (&options.name, rename) {
            (Some((name, _)), _) => name.clone(),
            (None, Some(case)) => case.apply(&name),
            (None, None) => name,
        };
        let with = |names: &[&str]| -> Vec<Attribute> {
            item.attrs
                .iter()
                .filter(|attr| names.iter().any(|name| attr.path().is_ident(name)))
                .cloned()
                .collect()
        };
        Some(Self {
            sig: sig.clone(),
            ident: sig.ident.clone(),
            variant: names::variant(&sig.ident),
            wire_name,
            docs: with(&["doc"]),
            cfgs: with(&["cfg"]),
            marks: with(&["deprecated", "allow", "cfg_attr"]),
            args,
            output: output?,
            options,
        })
        .filter(|_| right)
    }

    /// Tells whether an argument is borrowed.
    pub(crate) fn borrows(&self) -> bool {
        self.args.fields.iter().any(|arg| arg.kind != ArgKind::Owned)
    }
}

fn check_head(item: &TraitItemFn, errors: &mut Errors) {
    let sig = &item.sig;
    if let Some(token) = &sig.constness {
        errors.at(token, "a call is never constant: leave `const` out");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.at(token, "a caller cannot vouch for another process: leave `unsafe` out");
    }
    if let Some(abi) = &sig.abi {
        errors.at(abi, "calls go over the wire, not over an ABI: leave `extern` out");
    }
    if let Some(variadic) = &sig.variadic {
        errors.at(variadic, "name each argument: how many there are must be known");
    }
    check_generics(&sig.generics, errors);
    let name = names::plain(&sig.ident);
    if let Some((name, what)) = TAKEN.iter().find(|(taken, _)| *taken == name) {
        errors.at(
            &sig.ident,
            format!("`{name}` {what}: call the method otherwise, and write `#[rpc(name = \"{name}\")]` to keep the name on the wire"),
        );
    }
}

fn check_generics(generics: &Generics, errors: &mut Errors) {
    if !generics.params.is_empty() {
        let text = match generics.params.first() {
            Some(syn::GenericParam::Lifetime(_)) => {
                "a call may outlive any lifetime that the caller names: take owned types, `&str` or `&[u8]`"
            }
            _ => "both sides have to know the types: name them, or make the trait generic",
        };
        errors.at(&generics.params, text);
    }
    if let Some(clause) = &generics.where_clause {
        errors.at(clause, "a method is there for every handler: move the bounds to the trait");
    }
}

fn check_oneway(
    oneway: proc_macro2::Span,
    sig: &Signature,
    args: &Args,
    output: &Output,
    errors: &mut Errors,
) {
    if !matches!(sig.output, ReturnType::Default) {
        let text = if output.is_stream() {
            "`oneway` is for a method that returns nothing: leave it out where a stream is returned"
        } else {
            "`oneway` is for a method that returns nothing: leave it out, or the return type"
        };
        errors.at_span(oneway, text);
    } else if args.stream.is_some() {
        errors.at_span(oneway, "`oneway` is for a method without streams: leave it out");
    }
}

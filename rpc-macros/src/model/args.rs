//! A method's receiver and arguments.

use syn::{Attribute, FnArg, Ident, Pat, PatType, Receiver, ReceiverKind, Signature, Type, TypeReference};

use super::errors::Errors;
use super::types;

/// As many fields as rpc-core writes and reads tuples of.
const ARGS_MAX: usize = 16;

/// An argument that is a field of the request.
#[derive(Clone, Debug)]
pub(crate) struct Arg {
    pub(crate) ident: Ident,
    pub(crate) kind: ArgKind,
    pub(crate) ty: Type,
}

/// How an argument is held in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ArgKind {
    Owned,
    Str,
    Bytes,
}

/// The argument `Streaming<T>`.
#[derive(Clone, Debug)]
pub(crate) struct StreamArg {
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    pub(crate) item: Type,
}

/// The arguments of a method, without the receiver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Args {
    pub(crate) fields: Vec<Arg>,
    pub(crate) stream: Option<StreamArg>,
}

impl Args {
    pub(crate) fn new(sig: &Signature, has_body: bool, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        match sig.receiver() {
            Some(receiver) => check_receiver(receiver, errors),
            None => errors.at_span(
                sig.paren_token.span.open(),
                "a method of a service is called on its handler: write `&self` first",
            ),
        }
        let typed = || {
            sig.inputs.iter().filter_map(|input| match input {
                FnArg::Typed(typed) => Some(typed),
                FnArg::Receiver(_) => None,
            })
        };
        for (index, input) in typed().enumerate() {
            args.add(input, index + 1 == typed().count(), has_body, errors);
        }
        if let Some(input) =
            typed().filter(|input| types::arguments_of(&input.ty, "Streaming").is_none()).nth(ARGS_MAX)
        {
            errors.at(
                input,
                format!("a method takes up to {ARGS_MAX} arguments: put some of them into a struct"),
            );
        }
        args
    }

    fn add(&mut self, input: &PatType, is_last: bool, has_body: bool, errors: &mut Errors) {
        input.attrs.iter().for_each(|attr| check_attribute(attr, errors));
        let ident = name(&input.pat, has_body, errors);
        if let Some(&[item]) = types::arguments_of(&input.ty, "Streaming").as_deref() {
            if self.stream.is_some() {
                errors.at(&input.ty, "a method takes one stream: send an enum, or split the method");
            } else if !is_last {
                errors.at(&input.ty, "the stream comes after all other arguments: move it to the end");
            }
            types::check(item, errors);
            if let Some(ident) = ident {
                self.stream = Some(StreamArg { ident, ty: (*input.ty).clone(), item: item.clone() });
            }
            return;
        }
        let kind = match types::ungrouped(&input.ty) {
            Type::Reference(reference) => borrowed(reference, errors),
            ty => owned(ty, errors),
        };
        if let (Some(ident), Some(kind)) = (ident, kind) {
            self.fields.push(Arg { ident, kind, ty: (*input.ty).clone() });
        }
    }
}

fn check_receiver(receiver: &Receiver, errors: &mut Errors) {
    match &receiver.kind {
        ReceiverKind::Reference(_, None, None) => {}
        ReceiverKind::Reference(_, Some(_), _) => {
            errors.at(receiver, "write `&self`: calls may outlive any lifetime that the caller names");
        }
        _ => errors.at(
            receiver,
            "many calls share the handler: write `&self`, and keep what changes behind a lock or an atomic",
        ),
    }
}

fn check_attribute(attr: &Attribute, errors: &mut Errors) {
    if attr.path().is_ident("rpc") {
        errors.at(attr, "`#[rpc(…)]` is about a whole method: write it above the `fn`");
    } else if attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr") {
        errors.at(attr, "both sides need the same arguments: write the `cfg` above the `fn`");
    }
}

fn name(pat: &Pat, has_body: bool, errors: &mut Errors) -> Option<Ident> {
    match pat {
        // A default body may change its own argument.
        Pat::Ident(pat)
            if pat.by_ref.is_none() && pat.subpat.is_none() && (pat.mutability.is_none() || has_body) =>
        {
            Some(pat.ident.clone())
        }
        Pat::Wild(_) => {
            errors.at(pat, "name this argument: it is sent by its name");
            None
        }
        _ => {
            errors.at(pat, "name this argument: patterns cannot be sent over the wire");
            None
        }
    }
}

fn borrowed(reference: &TypeReference, errors: &mut Errors) -> Option<ArgKind> {
    let kind = if types::is_str(&reference.elem) {
        Some(ArgKind::Str)
    } else if types::is_bytes(&reference.elem) {
        Some(ArgKind::Bytes)
    } else {
        None
    };
    let owned = types::owned(&reference.elem);
    if reference.mutability.is_some() {
        let text = format!(
            "the handler cannot change what the caller has: take `{owned}`, and return what has changed"
        );
        errors.at(reference, text);
        return None;
    }
    if reference.lifetime.as_ref().is_some_and(|lifetime| lifetime.ident != "_") {
        let text =
            format!("an argument borrows for the call alone: leave the lifetime out, or take `{owned}`");
        errors.at(reference, text);
        return None;
    }
    if kind.is_none() {
        let text =
            format!("of all references, only `&str` and `&[u8]` can be sent over the wire: take `{owned}`");
        errors.at(reference, text);
    }
    kind
}

fn owned(ty: &Type, errors: &mut Errors) -> Option<ArgKind> {
    if let Type::ImplTrait(bounds) = ty {
        match types::stream_bound(&bounds.bounds) {
            Some(stream) => {
                let item = types::stream_item(stream).map_or_else(|| "T".to_owned(), types::text);
                errors.at(ty, format!("take `Streaming<{item}>`: the handler gets a type that it can name"));
            }
            None => errors.at(ty, "`impl Trait` cannot be sent over the wire: name the type, or take `Streaming<T>` for a stream"),
        }
        return None;
    }
    let mut found = Errors::default();
    types::check(ty, &mut found);
    let right = found.is_empty();
    errors.append(found);
    right.then_some(ArgKind::Owned)
}

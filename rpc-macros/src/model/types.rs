//! What may stand in a signature, and what types are made of.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, Path, PathArguments, PathSegment, ReturnType, Type, TypeParamBound, TypePath};

use super::errors::Errors;

/// Adds an error for each part of an owned type that cannot travel, at that part.
pub(crate) fn check(ty: &Type, errors: &mut Errors) {
    match ty {
        Type::Reference(reference) => errors.at(
            reference,
            format!(
                "a reference cannot be sent over the wire here: write the owned type `{}`{}",
                owned(&reference.elem),
                if reference.mutability.is_some() { ", and return what has changed" } else { "" }
            ),
        ),
        Type::ImplTrait(_) => errors.at(ty, "`impl Trait` cannot be sent over the wire: name the type"),
        Type::TraitObject(_) => errors
            .at(ty, "a trait object cannot be sent over the wire: write an enum of the types that it may be"),
        Type::Ptr(_) => errors.at(ty, "a pointer means nothing to the other side: send what it points to"),
        Type::FnPtr(_) => errors.at(ty, "a function cannot be sent over the wire: send what it works on"),
        Type::Infer(_) => errors.at(ty, "name the type: both sides have to know it"),
        Type::Never(_) => errors.at(ty, "`!` cannot be sent over the wire: write `()`, or leave it out"),
        Type::Tuple(tuple) => tuple.elems.iter().for_each(|elem| check(elem, errors)),
        Type::Array(array) => check(&array.elem, errors),
        Type::Slice(slice) => check(&slice.elem, errors),
        Type::Paren(paren) => check(&paren.elem, errors),
        Type::Group(group) => check(&group.elem, errors),
        Type::Path(path) => check_path(path, errors),
        _ => {}
    }
}

fn check_path(path: &TypePath, errors: &mut Errors) {
    if let Some(first) = path.path.segments.first().filter(|first| first.ident == "Self") {
        let text = "`Self` is the handler, which stays where it is: name the type that is sent";
        return errors.at_span(first.ident.span(), text);
    }
    if let Some(qself) = &path.qself {
        check(&qself.ty, errors);
    }
    for segment in &path.path.segments {
        match &segment.arguments {
            PathArguments::None => {}
            PathArguments::AngleBracketed(list) => {
                list.args.iter().for_each(|argument| check_argument(argument, errors));
            }
            PathArguments::Parenthesized(_) => {
                errors.at(segment, "a function cannot be sent over the wire: send what it works on");
            }
        }
    }
}

fn check_argument(argument: &GenericArgument, errors: &mut Errors) {
    match argument {
        GenericArgument::Type(ty) => check(ty, errors),
        GenericArgument::AssocType(assoc) => check(&assoc.ty, errors),
        GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => errors.at(
            lifetime,
            "a type that borrows cannot be sent over the wire: write the owned type (only `&str` and `&[u8]` arguments may borrow)",
        ),
        _ => {}
    }
}

/// Writes the owned type for a borrowed one.
pub(crate) fn owned(elem: &Type) -> String {
    match ungrouped(elem) {
        Type::Slice(slice) => format!("Vec<{}>", text(&slice.elem)),
        elem if is_str(elem) => "String".to_owned(),
        elem => text(elem),
    }
}

/// Looks through the invisible brackets that `macro_rules` puts around a type.
pub(crate) fn ungrouped(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => ungrouped(&group.elem),
        Type::Paren(paren) => ungrouped(&paren.elem),
        _ => ty,
    }
}

pub(crate) fn is_str(ty: &Type) -> bool {
    matches!(ungrouped(ty), Type::Path(path) if path.qself.is_none() && path.path.is_ident("str"))
}

/// Tells whether this is `[u8]`.
pub(crate) fn is_bytes(ty: &Type) -> bool {
    let Type::Slice(slice) = ungrouped(ty) else { return false };
    matches!(ungrouped(&slice.elem), Type::Path(path) if path.path.is_ident("u8"))
}

/// Returns the type arguments of a path that ends in `name<…>`.
pub(crate) fn arguments_of<'t>(ty: &'t Type, name: &str) -> Option<Vec<&'t Type>> {
    let Type::Path(TypePath { qself: None, path, .. }) = ungrouped(ty) else { return None };
    let last = path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(list) = &last.arguments else { return None };
    list.args.iter().map(|arg| if let GenericArgument::Type(ty) = arg { Some(ty) } else { None }).collect()
}

/// Returns the last segment of the bound `…Stream<…>`, if there is one among these.
pub(crate) fn stream_bound<'t>(
    bounds: impl IntoIterator<Item = &'t TypeParamBound>,
) -> Option<&'t PathSegment> {
    bounds
        .into_iter()
        .filter_map(trait_path)
        .filter_map(|path| path.segments.last())
        .find(|last| last.ident == "Stream")
}

/// Returns the path of a bound that is a trait.
pub(crate) fn trait_path(bound: &TypeParamBound) -> Option<&Path> {
    match bound {
        TypeParamBound::Trait(bound) => Some(&bound.path),
        _ => None,
    }
}

/// Returns `X` of `Stream<Item = X>`.
pub(crate) fn stream_item(stream: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(list) = &stream.arguments else { return None };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(assoc) if assoc.ident == "Item" => Some(&assoc.ty),
        _ => None,
    })
}

pub(crate) fn return_text(output: &ReturnType) -> String {
    match output {
        ReturnType::Default => "()".to_owned(),
        ReturnType::Type(_, ty) => text(ty),
    }
}

/// Writes a type as people do, the same on every version of the compiler.
pub(crate) fn text(ty: impl ToTokens) -> String {
    let mut text = String::new();
    write(ty.to_token_stream(), &mut text);
    text
}

fn write(tokens: TokenStream, text: &mut String) {
    // An arrow's `>` and a lifetime's name belong to the character before them.
    let mut joint = None;
    let mut after_word = false;
    for token in tokens {
        let word = matches!(token, TokenTree::Ident(_) | TokenTree::Literal(_));
        if word && after_word {
            text.push(' ');
        }
        after_word = word;
        match token {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::None => ("", ""),
                };
                text.push_str(open);
                write(group.stream(), text);
                text.truncate(text.trim_end().len());
                text.push_str(close);
                joint = None;
            }
            TokenTree::Punct(punct) => {
                let mark = punct.as_char();
                match mark {
                    ',' | ';' => text.extend([mark, ' ']),
                    '>' if joint == Some('-') => text.push_str("> "),
                    '-' => text.push_str(" -"),
                    '+' | '=' => text.extend([' ', mark, ' ']),
                    _ => text.push(mark),
                }
                joint = (punct.spacing() == Spacing::Joint).then_some(mark);
            }
            token => {
                text.push_str(&token.to_string());
                joint = None;
            }
        }
    }
}

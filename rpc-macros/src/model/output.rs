//! What a method returns.

use syn::{GenericArgument, PathArguments, ReturnType, Signature, Type, TypeImplTrait};

use super::errors::Errors;
use super::types;

/// What a method returns, as it travels.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // there are as many as methods, and not for long
pub(crate) enum Output {
    Value(Value),
    /// A stream alone.
    Items(Value),
    /// A stream, or the method's own error.
    FallibleItems {
        item: Value,
        head: ResultType,
    },
}

/// A value that travels on its own: a result or an item.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant)] // as above
pub(crate) enum Value {
    Plain(Type),
    Fallible(ResultType),
}

/// A type whose name is `Result`.
#[derive(Clone, Debug)]
pub(crate) struct ResultType {
    pub(crate) whole: Type,
    /// Its two types, unless an alias hides one.
    pub(crate) parts: Option<(Type, Type)>,
}

impl Output {
    /// Reads the return type; none where there is an error.
    pub(crate) fn new(sig: &Signature, errors: &mut Errors) -> Option<Self> {
        let mut found = Errors::default();
        let output = read(sig, &mut found);
        let right = found.is_empty();
        errors.append(found);
        output.filter(|_| right)
    }

    pub(crate) fn is_stream(&self) -> bool {
        !matches!(self, Self::Value(_))
    }

    /// Tells whether a failed call has a place in what the trait's method returns.
    pub(crate) fn can_fail(&self) -> bool {
        match self {
            Self::Value(value) => value.result().is_some(),
            Self::Items(item) | Self::FallibleItems { item, .. } => item.result().is_some(),
        }
    }
}

impl Value {
    fn new(ty: &Type) -> Self {
        match ResultType::new(ty) {
            Some(result) => Self::Fallible(result),
            None => Self::Plain(ty.clone()),
        }
    }

    pub(crate) fn ty(&self) -> &Type {
        match self {
            Self::Plain(ty) => ty,
            Self::Fallible(result) => &result.whole,
        }
    }

    pub(crate) fn result(&self) -> Option<&ResultType> {
        match self {
            Self::Plain(_) => None,
            Self::Fallible(result) => Some(result),
        }
    }
}

impl ResultType {
    fn new(ty: &Type) -> Option<Self> {
        let parts = match *types::arguments_of(ty, "Result")?.as_slice() {
            [_] => None,
            [ok, err] => Some((ok.clone(), err.clone())),
            _ => return None,
        };
        Some(Self { whole: ty.clone(), parts })
    }

    /// Returns the type of the error, as far as it is known without the alias.
    pub(crate) fn error(&self) -> Option<&Type> {
        self.parts.as_ref().map(|(_, error)| error)
    }
}

fn read(sig: &Signature, errors: &mut Errors) -> Option<Output> {
    let ReturnType::Type(_, ty) = &sig.output else {
        if sig.asyncness.is_none() {
            errors.at(
                sig.fn_token,
                "a method that returns no stream waits for the other side: write `async fn`",
            );
        }
        return Some(Output::Value(Value::Plain(unit())));
    };
    if let Type::ImplTrait(bounds) = types::ungrouped(ty) {
        return item(bounds, sig.asyncness.is_none(), errors).map(Output::Items);
    }
    if sig.asyncness.is_none() {
        errors.at(
            sig.fn_token,
            "a method that returns no stream waits for the other side: write `async fn` (only `impl Stream<…> + Send` may be returned without)",
        );
    }
    if let Some([Type::ImplTrait(bounds), rest @ ..]) = types::arguments_of(ty, "Result").as_deref() {
        rest.iter().for_each(|error| types::check(error, errors));
        let item = item(bounds, false, errors)?;
        return Some(Output::FallibleItems { item, head: head(ty)? });
    }
    types::check(ty, errors);
    Some(Output::Value(Value::new(ty)))
}

fn unit() -> Type {
    Type::Tuple(syn::TypeTuple {
        attrs: Vec::new(),
        paren_token: syn::token::Paren::default(),
        elems: syn::punctuated::Punctuated::new(),
    })
}

fn item(bounds: &TypeImplTrait, is_sync: bool, errors: &mut Errors) -> Option<Value> {
    let Some(stream) = types::stream_bound(&bounds.bounds) else {
        let future = bounds
            .bounds
            .iter()
            .filter_map(types::trait_path)
            .any(|path| path.segments.last().is_some_and(|last| last.ident == "Future"));
        errors.at(bounds, if future && is_sync {
            "write `async fn` and what the future gives: the trait that is emitted returns the future"
        } else {
            "of all `impl Trait`, only `impl Stream<Item = …> + Send` can be sent over the wire: name the type"
        });
        return None;
    };
    let Some(item) = types::stream_item(stream) else {
        errors.at(stream, "say what the stream is of: `Stream<Item = …>`");
        return None;
    };
    types::check(item, errors);
    let is_send = |path: &syn::Path| path.segments.last().is_some_and(|last| last.ident == "Send");
    if !bounds.bounds.iter().filter_map(types::trait_path).any(is_send) {
        errors.at(bounds, "a stream moves between threads: add `+ Send`");
    }
    Some(Value::new(item))
}

/// Writes `Result<(), E>` for `Result<impl Stream, E>`: what is sent before the items.
fn head(ty: &Type) -> Option<ResultType> {
    let Type::Path(mut path) = types::ungrouped(ty).clone() else { return None };
    let PathArguments::AngleBracketed(list) = &mut path.path.segments.last_mut()?.arguments else {
        return None;
    };
    *list.args.first_mut()? = GenericArgument::Type(unit());
    ResultType::new(&Type::Path(path))
}

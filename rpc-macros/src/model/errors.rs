//! All that is wrong, gathered.

use std::fmt::Display;

use proc_macro2::Span;
use quote::ToTokens;
use syn::Error;

/// The errors found so far.
#[derive(Debug, Default)]
pub(crate) struct Errors(Option<Error>);

impl Errors {
    /// Adds an error that underlines these tokens.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, text: impl Display) {
        self.push(Error::new_spanned(tokens, text));
    }

    /// Adds an error that underlines this place.
    pub(crate) fn at_span(&mut self, span: Span, text: impl Display) {
        self.push(Error::new(span, text));
    }

    pub(crate) fn push(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }

    pub(crate) fn append(&mut self, errors: Self) {
        if let Some(error) = errors.0 {
            self.push(error);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    pub(crate) fn into_inner(self) -> Option<Error> {
        self.0
    }
}

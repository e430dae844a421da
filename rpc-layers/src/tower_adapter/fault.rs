//! What tower's boxed errors are to callers.

use std::error::Error as StdError;

use ::tower::load_shed::error::Overloaded;
use ::tower::timeout::error::Elapsed;
use rpc_core::{BoxError, Code, Error, ErrorKind, Fate, Status};

/// Makes an error of what a call failed with.
pub(super) fn own_error(error: BoxError) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(own) => return *own,
        Err(error) => error,
    };
    let error = match error.downcast::<Status>() {
        Ok(status) => return (*status).into(),
        Err(error) => error,
    };
    if let Some(inner) = find_source::<Error>(&*error) {
        return copy(inner).with_source(error);
    }
    if is::<Elapsed>(&*error) {
        return Error::deadline_exceeded().with_source(error);
    }
    if is::<Overloaded>(&*error) {
        let text = "a tower layer let the call go, as its service was not ready; try again later, or raise its limit";
        return Error::new(ErrorKind::Refused, text).with_source(error);
    }
    let status = find_source::<Status>(&*error).cloned();
    let unknown = || Status::new(Code::Unknown, "a tower layer failed the call");
    Error::from(status.unwrap_or_else(unknown)).with_source(error)
}

/// Makes an error of what kept a service from getting ready: the call was not sent.
pub(super) fn not_ready(error: BoxError) -> Error {
    own_error(error).with_fate(Fate::NeverSent)
}

/// Copies what callers ask an error for.
fn copy(error: &Error) -> Error {
    let copy = match error.status() {
        Some(status) => Error::from(status.clone()),
        None => Error::new(error.kind(), "a tower layer wrapped the error of the call"),
    };
    let copy = match error.method() {
        Some(method) => copy.with_method(method),
        None => copy,
    };
    let copy = match error.peer() {
        Some(peer) => copy.with_peer(peer),
        None => copy,
    };
    copy.with_fate(error.fate())
}

fn is<E: StdError + 'static>(error: &(dyn StdError + Send + Sync + 'static)) -> bool {
    let error: &(dyn StdError + 'static) = error;
    error.is::<E>() || find_source::<E>(error).is_some()
}

/// Finds an error of a type among the sources of another.
fn find_source<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}

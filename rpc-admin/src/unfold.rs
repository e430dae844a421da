//! A stream made of one async step after another.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;
use pin_project_lite::pin_project;

/// Makes a stream whose items, each with the state for the next, come from `step`; it ends when that gives none.
pub(crate) fn unfold<S, F, Fut, T>(state: S, step: F) -> Unfold<S, F, Fut>
where
    F: FnMut(S) -> Fut,
    Fut: Future<Output = Option<(T, S)>>,
{
    Unfold { state: Some(state), step, running: None }
}

pin_project! {
    pub(crate) struct Unfold<S, F, Fut> {
        state: Option<S>,
        step: F,
        #[pin]
        running: Option<Fut>,
    }
}

impl<S, F, Fut, T> Stream for Unfold<S, F, Fut>
where
    F: FnMut(S) -> Fut,
    Fut: Future<Output = Option<(T, S)>>,
{
    type Item = T;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        let mut this = self.project();
        if let Some(state) = this.state.take() {
            this.running.set(Some((this.step)(state)));
        }
        let Some(running) = this.running.as_mut().as_pin_mut() else { return Poll::Ready(None) };
        let next = ready!(running.poll(cx));
        this.running.set(None);
        Poll::Ready(next.map(|(item, state)| {
            *this.state = Some(state);
            item
        }))
    }
}

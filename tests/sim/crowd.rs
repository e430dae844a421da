//! Runs callers in one task, those that were woken at the same time in the order of their numbers.
//!
//! Calls that wait for the same connection are woken in an order that tokio draws by chance, with a generator that cannot be seeded.

use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use futures::future::BoxFuture;

/// Callers under way, by number; done when all are.
pub struct Crowd {
    callers: Vec<Option<BoxFuture<'static, ()>>>,
    woken: Arc<Woken>,
}

#[derive(Default)]
struct Woken {
    numbers: Mutex<BTreeSet<usize>>,
    task: Mutex<Option<Waker>>,
}

struct Number {
    number: usize,
    woken: Arc<Woken>,
}

impl Wake for Number {
    fn wake(self: Arc<Self>) {
        self.woken.numbers.lock().unwrap().insert(self.number);
        if let Some(task) = self.woken.task.lock().unwrap().take() {
            task.wake();
        }
    }
}

impl Crowd {
    pub fn new(callers: impl Iterator<Item = BoxFuture<'static, ()>>) -> Self {
        let callers: Vec<_> = callers.map(Some).collect();
        let woken = Arc::new(Woken::default());
        woken.numbers.lock().unwrap().extend(0..callers.len());
        Self { callers, woken }
    }
}

impl Future for Crowd {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { callers, woken } = &mut *self;
        *woken.task.lock().unwrap() = Some(cx.waker().clone());
        // Those that are woken meanwhile have their turn after other tasks.
        let numbers = std::mem::take(&mut *woken.numbers.lock().unwrap());
        for number in numbers {
            let waker = Waker::from(Arc::new(Number { number, woken: woken.clone() }));
            let Some(caller) = &mut callers[number] else { continue };
            if caller.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                callers[number] = None;
            }
        }
        if callers.iter().all(Option::is_none) { Poll::Ready(()) } else { Poll::Pending }
    }
}

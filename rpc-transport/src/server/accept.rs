//! Taking links in, whatever becomes of each.

use std::sync::Arc;
use std::time::Duration;

use rpc_core::Service;
use tokio::sync::{Semaphore, mpsc, watch};

use super::placement::Placement;
use super::serve::{refuse, serve};
use super::{Phase, until};
use crate::backoff::Backoff;
use crate::limits::Limits;
use crate::link::Listener;

/// What each connection of a server needs.
pub(super) struct Acceptor<S> {
    pub(super) service: Arc<S>,
    pub(super) limits: Limits,
    pub(super) slots: Arc<Semaphore>,
    pub(super) phase: watch::Receiver<Phase>,
    pub(super) placement: Arc<Placement>,
    /// How many more oneway handlers may run.
    pub(super) oneway: Arc<Semaphore>,
    /// Held by each task, so that the server knows when the last is gone.
    pub(super) task: mpsc::Sender<()>,
}

impl<S> Clone for Acceptor<S> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            limits: self.limits.clone(),
            slots: self.slots.clone(),
            phase: self.phase.clone(),
            placement: self.placement.clone(),
            oneway: self.oneway.clone(),
            task: self.task.clone(),
        }
    }
}

/// How many links over the limit are told so at one time; more are just closed.
const REFUSALS_MAX: usize = 64;

/// Takes links in until the server drains.
pub(super) async fn accept_loop<S: Service>(mut listener: Listener, acceptor: Acceptor<S>) {
    let backoff = Backoff::default().first(Duration::from_millis(5)).cap(Duration::from_secs(1));
    let refusals = Arc::new(Semaphore::new(REFUSALS_MAX));
    let mut phase = acceptor.phase.clone();
    let mut failures = 0_u32;
    loop {
        let Some(accepted) = until(&mut phase, Phase::Draining, listener.accept()).await else { return };
        match accepted {
            Ok(link) => {
                failures = 0;
                match (acceptor.slots.clone().try_acquire_owned(), refusals.clone().try_acquire_owned()) {
                    (Ok(slot), _) => drop(tokio::spawn(serve(link, acceptor.clone(), slot))),
                    (Err(_), Ok(refusal)) => {
                        drop(tokio::spawn(refuse(link, acceptor.limits.clone(), refusal)))
                    }
                    (Err(_), Err(_)) => drop(link),
                }
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let wait = backoff.after(failures, fastrand::f64());
                tracing::warn!(%error, ?wait, "a link could not be accepted; trying again");
                if until(&mut phase, Phase::Draining, tokio::time::sleep(wait)).await.is_none() {
                    return;
                }
            }
        }
    }
}

//! Taking links in, whatever becomes of each.

use std::sync::Arc;
use std::time::Duration;

use rpc_core::Service;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::age::Age;
use super::placement::Placement;
use super::serve::{refuse, serve};
use super::{Inspector, Phase, until};
use crate::backoff::Backoff;
use crate::limits::Limits;
use crate::link::{Incoming, Link, Listener};
#[cfg(any(feature = "tls", feature = "websocket"))]
use crate::{clock::now, link::Handshake};

/// What each connection of a server needs.
pub(super) struct Acceptor<S> {
    pub(super) service: Arc<S>,
    pub(super) limits: Limits,
    pub(super) slots: Arc<Semaphore>,
    pub(super) phase: watch::Receiver<Phase>,
    /// How old each connection may become.
    pub(super) age: Option<Age>,
    pub(super) placement: Arc<Placement>,
    /// How many more oneway handlers may run.
    pub(super) oneway: Arc<Semaphore>,
    /// Held by each task, so that the server knows when the last is gone.
    pub(super) task: mpsc::Sender<()>,
    pub(super) inspector: Inspector,
    /// Callers are told no more than they have to know.
    pub(super) discreet: bool,
}

impl<S> Clone for Acceptor<S> {
    fn clone(&self) -> Self {
        Self {
            service: self.service.clone(),
            limits: self.limits.clone(),
            slots: self.slots.clone(),
            phase: self.phase.clone(),
            age: self.age,
            placement: self.placement.clone(),
            oneway: self.oneway.clone(),
            task: self.task.clone(),
            inspector: self.inspector.clone(),
            discreet: self.discreet,
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
        let Some(accepted) = until(&mut phase, Phase::Draining, listener.accept()).await else { break };
        match accepted {
            Ok(incoming) => {
                failures = 0;
                let place = match acceptor.slots.clone().try_acquire_owned() {
                    Ok(slot) => Place::Slot(slot),
                    Err(_) => match refusals.clone().try_acquire_owned() {
                        Ok(refusal) => Place::Refusal(refusal),
                        Err(_) => continue,
                    },
                };
                match incoming {
                    Incoming::Open(link) => start(link, acceptor.clone(), place),
                    #[cfg(any(feature = "tls", feature = "websocket"))]
                    Incoming::Handshake(handshake) => {
                        drop(tokio::spawn(start_after(handshake, acceptor.clone(), place)))
                    }
                }
            }
            Err(error) => {
                failures = failures.saturating_add(1);
                let wait = backoff.after(failures, fastrand::f64());
                tracing::warn!(%error, ?wait, "a link could not be accepted; trying again");
                if until(&mut phase, Phase::Draining, tokio::time::sleep(wait)).await.is_none() {
                    break;
                }
            }
        }
    }
    until(&mut phase, Phase::Stopping, listener.close()).await;
}

/// Where a link goes.
enum Place {
    /// Among the connections.
    Slot(OwnedSemaphorePermit),
    /// Among those that are told that there are too many.
    Refusal(OwnedSemaphorePermit),
}

fn start<S: Service>(link: Link, mut acceptor: Acceptor<S>, place: Place) {
    match place {
        Place::Slot(slot) => {
            if let Some(age) = acceptor.age {
                acceptor.phase = age.phase(acceptor.phase);
            }
            drop(tokio::spawn(serve(link, acceptor, slot)));
        }
        Place::Refusal(refusal) => drop(tokio::spawn(refuse(link, acceptor.limits, refusal))),
    }
}

/// Shakes hands on the link first, within the time that opening the connection has.
#[cfg(any(feature = "tls", feature = "websocket"))]
async fn start_after<S: Service>(handshake: Handshake, mut acceptor: Acceptor<S>, place: Place) {
    let began_at = now();
    let limit = acceptor.limits.handshake_timeout;
    let secured = until(&mut acceptor.phase, Phase::Draining, handshake.run(limit)).await;
    if let Some(Some(link)) = secured {
        acceptor.limits.handshake_timeout = limit.saturating_sub(now().saturating_duration_since(began_at));
        start(link, acceptor, place);
    }
}

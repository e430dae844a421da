//! Clients that nothing happens to: each of their calls must be answered, whatever befalls the others.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

use crate::BOUND;
use crate::calls::answered;
use crate::histogram::Histogram;
use crate::lab::{LabClient, answer_to};
use crate::ledger::{End, Ledger};
use crate::pattern;
use crate::stop::Stop;

const CALL_INTERVAL: Duration = Duration::from_millis(2);
const BODY_BYTES: usize = 64;
/// So much may still be to happen at one time on a busy machine.
const DUE_MAX: usize = 100;

/// Makes small calls at a steady pace and takes their time. On a sound link a oneway call is never lost, either, and the handler of a call
/// that is dropped is dropped, too.
pub(crate) async fn run(client: LabClient, ledger: Arc<Ledger>, latency: Arc<Histogram>, mut stop: Stop) {
    let mut ticks = interval(CALL_INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut due = Due { to_run: Vec::new(), to_leave: Vec::new() };
    while !stop.comes_within(Duration::ZERO).await {
        ticks.tick().await;
        let started_at = Instant::now();
        call(&client, &ledger).await;
        latency.record(started_at.elapsed());
        due.to_run.push(note(&client, &ledger).await);
        due.to_leave.push(hang(&client, &ledger).await);
        due.forget_done(&ledger);
        if due.to_run.len() + due.to_leave.len() > DUE_MAX {
            return ledger.wrong(format!("a sound link has too much to do still: {due:?}"));
        }
    }
    let all_done = async {
        while !due.forget_done(&ledger) {
            sleep(CALL_INTERVAL).await;
        }
    };
    if timeout(BOUND / 4, all_done).await.is_err() {
        ledger.wrong(format!("what was to happen on a sound link has not: {due:?}"));
    }
}

/// What is still to happen at the server.
#[derive(Debug)]
struct Due {
    /// Oneway calls that have not run.
    to_run: Vec<u64>,
    /// Dropped calls whose handlers run on.
    to_leave: Vec<u64>,
}

impl Due {
    /// Tells whether nothing is left.
    fn forget_done(&mut self, ledger: &Ledger) -> bool {
        self.to_run.retain(|call| !ledger.has_run(*call));
        self.to_leave.retain(|call| ledger.is_running(*call));
        self.to_run.is_empty() && self.to_leave.is_empty()
    }
}

/// Does nothing until the end, and then calls on the connection that it has had all the time.
pub(crate) async fn idle(client: LabClient, ledger: Arc<Ledger>, mut stop: Stop) {
    stop.come().await;
    call(&client, &ledger).await;
}

async fn call(client: &LabClient, ledger: &Arc<Ledger>) {
    let ticket = ledger.open();
    let body = pattern::bytes_of(ticket.id, BODY_BYTES);
    let reply = timeout(BOUND, client.work(ticket.id, body, BODY_BYTES as u64, BODY_BYTES as u64)).await;
    let end = match reply {
        Ok(Ok(reply)) => answered(pattern::check(&reply, answer_to(ticket.id), BODY_BYTES)),
        Ok(Err(error)) => End::Wrong(format!("a call on a sound link failed: {error:?}")),
        Err(_) => End::Wrong(format!("a call on a sound link did not end within {BOUND:?}")),
    };
    ticket.end(end);
}

async fn note(client: &LabClient, ledger: &Arc<Ledger>) -> u64 {
    let ticket = ledger.open();
    let id = ticket.id;
    let end = match timeout(BOUND, client.note(id)).await {
        Ok(Ok(())) => End::Sent,
        other => End::Wrong(format!("a oneway call on a sound link ended with {other:?}")),
    };
    ticket.end(end);
    id
}

/// Drops a call that would never end.
async fn hang(client: &LabClient, ledger: &Arc<Ledger>) -> u64 {
    let ticket = ledger.open();
    let id = ticket.id;
    let end = match timeout(CALL_INTERVAL, client.hang(id)).await {
        Err(_) => End::Cancelled,
        Ok(other) => End::Wrong(format!("a call that never ends ended with {other:?}")),
    };
    ticket.end(end);
    id
}

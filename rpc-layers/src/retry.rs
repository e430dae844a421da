//! Makes a call again that failed, where that is safe and there is a budget for it.

mod budget;

use std::collections::HashMap;
use std::time::Duration;

use rpc_core::{
    Code, Error, ErrorKind, Fate, Layer, MethodDescriptor, MethodId, Pushback, Request, Response, Service,
};
use tokio::time::sleep;

pub use budget::Budget;

use crate::idempotent::Idempotent;
use crate::timeout::now;

/// The metadata key under which an attempt after the first sends its number: "2" is the first repetition.
pub const RETRY_ATTEMPT: &str = "retry-attempt";

/// The metadata key that keeps a call, and all calls that its handler makes in turn, from being made again.
///
/// A repeated attempt carries it, so that repetitions on several hops in a row add up and do not multiply.
pub const NO_RETRY: &str = "no-retry";

const ATTEMPTS_DEFAULT: u32 = 3;
const ATTEMPTS_MAX: u32 = 5;
/// A peer that is too slow is hurt more by a repetition than one that refuses.
const TIMED_OUT_COST: u32 = 2;

/// Makes a call again that failed: with waits that grow, within a budget, and only where it cannot do harm.
///
/// A call is made again where its handler certainly did not run: it was never sent, or refused. Where the method is marked
/// `#[rpc(idempotent)]` it is also made again after a lost connection, a time-out, `UNAVAILABLE`, and `RESOURCE_EXHAUSTED` that says
/// when to come back. An answer ends it: items of a stream that fail later are the caller's affair. It is never made again past its
/// deadline, nor when it streams its request.
///
/// What the server says of coming back ([`Status::with_pushback`](rpc_core::Status::with_pushback)) is kept to the millisecond, and the
/// waits start over after it. Put it around one channel: its budget is that of one destination. A call that carries metadata has it
/// copied; one without costs no memory.
///
/// ```
/// use std::time::Duration;
/// use rpc_layers::Retry;
/// let layer = Retry::new().attempts(4).backoff(Duration::from_millis(20), Duration::from_secs(1));
/// # let _ = layer;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Retry {
    attempts: u32,
    first: Duration,
    cap: Duration,
    budget: Budget,
    also: HashMap<MethodId, Vec<Code>>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: ATTEMPTS_DEFAULT,
            first: Duration::from_millis(50),
            cap: Duration::from_secs(2),
            budget: Budget::default(),
            also: HashMap::new(),
        }
    }
}

impl Retry {
    /// Creates the layer with its defaults and a budget of its own.
    pub fn new() -> Self {
        Self::default()
    }

    /// Caps the attempts of a call, the first included. Default: 3; from 1, which makes none again, to 5.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts.clamp(1, ATTEMPTS_MAX);
        self
    }

    /// Sets the wait before the second attempt, and the longest; each is twice the one before, and half of it is left to chance.
    ///
    /// Default: 50 ms and 2 s. Too short hits a peer that is still down; too long outlasts the callers' patience.
    pub fn backoff(mut self, first: Duration, cap: Duration) -> Self {
        (self.first, self.cap) = (first, cap);
        self
    }

    /// Shares a budget with other layers that call the same destination. Default: one of its own.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Makes calls of a method again after these codes, too.
    ///
    /// It takes an [`Idempotent`]: for a method that is not marked, that does not compile, or is refused at set-up.
    pub fn also(mut self, method: Idempotent, codes: &[Code]) -> Self {
        self.also.entry(method.method().id()).or_default().extend_from_slice(codes);
        self
    }

    /// Tells whether making the call again is safe, and may help.
    fn may_repeat(&self, request: &Request, error: &Error) -> bool {
        let pushback = pushback(error);
        if pushback == Some(Pushback::Never) {
            return false;
        }
        let never_ran = matches!(error.fate(), Fate::NeverSent | Fate::Refused);
        if error.is_retryable() || never_ran && pushback.is_some() {
            return true;
        }
        if !request.descriptor().is_some_and(|method| method.is_idempotent()) {
            return false;
        }
        match (error.kind(), error.code()) {
            (ErrorKind::ConnectionLost | ErrorKind::DeadlineExceeded, _) => true,
            (ErrorKind::Status, Code::Unavailable) => true,
            (ErrorKind::Status, Code::ResourceExhausted) if pushback.is_some() => true,
            (_, code) => self.also.get(&request.method()).is_some_and(|codes| codes.contains(&code)),
        }
    }

    /// Half of a wait that doubles with each step is certain, the other half is left to chance ("equal jitter").
    fn wait(&self, step: u32, chance: f64) -> Duration {
        let whole = self.first.saturating_mul(1_u32.checked_shl(step).unwrap_or(u32::MAX)).min(self.cap);
        whole.mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }
}

impl<S: Service> Layer<S> for Retry {
    type Service = RetryService<S>;

    fn layer(self, inner: S) -> Self::Service {
        RetryService { inner, policy: self }
    }
}

/// The service that [`Retry`] makes.
///
/// # Errors
/// That of the last attempt.
///
/// # Panics
/// A call that is made again needs a tokio runtime with its time driver on.
///
/// # Cancel safety
/// Dropping a call drops the attempt under way, and makes no further one.
#[derive(Debug)]
pub struct RetryService<S> {
    inner: S,
    policy: Retry,
}

impl<S: Service> Service for RetryService<S> {
    async fn call(&self, mut request: Request) -> Result<Response, Error> {
        request.find_descriptor(&self.inner);
        self.policy.budget.deposit();
        // None of a request that streams: its items are gone once they are sent.
        let kept = match request.metadata().value(NO_RETRY) {
            None if self.policy.attempts > 1 => request.try_clone(),
            _ => None,
        };
        match (self.inner.call(request).await, kept) {
            // In memory of its own, so that a call that succeeds is not moved about with room for it.
            (Err(error), Some(request)) => Box::pin(self.repeat(request, error)).await,
            (result, _) => result,
        }
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.inner.find_method(id)
    }

    fn describe(&self, lines: &mut Vec<String>) {
        lines.push(format!("Retry({} attempts)", self.policy.attempts));
        self.inner.describe(lines);
    }
}

impl<S: Service> RetryService<S> {
    async fn repeat(&self, mut request: Request, mut error: Error) -> Result<Response, Error> {
        request.metadata_mut().propagate(NO_RETRY, "1");
        let mut step = 0;
        for attempt in 2..=self.policy.attempts {
            let Some(wait) = self.next_wait(&request, &error, &mut step) else { break };
            tracing::debug!(method = request.method_name(), attempt, ?wait, %error, "a call is made again");
            sleep(wait).await;
            let Some(mut again) = request.try_clone() else { break };
            again.metadata_mut().insert(RETRY_ATTEMPT, attempt.to_string());
            match self.inner.call(again).await {
                Ok(response) => return Ok(response),
                Err(next) => error = next,
            }
        }
        Err(error)
    }

    /// Returns how long to wait before the call is made again; none where it is not.
    fn next_wait(&self, request: &Request, error: &Error, step: &mut u32) -> Option<Duration> {
        if !self.policy.may_repeat(request, error) {
            return None;
        }
        let wait = match pushback(error) {
            Some(Pushback::After(wait)) => {
                *step = 0;
                wait
            }
            _ => {
                let wait = self.policy.wait(*step, fastrand::f64());
                *step = step.saturating_add(1);
                wait
            }
        };
        if let Some(deadline) = request.deadline()
            && deadline.saturating_duration_since(now()) <= wait
        {
            return None;
        }
        let cost = if error.kind() == ErrorKind::DeadlineExceeded { TIMED_OUT_COST } else { 1 };
        self.policy.budget.withdraw(cost).then_some(wait)
    }
}

fn pushback(error: &Error) -> Option<Pushback> {
    error.status()?.pushback()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_cap_and_half_of_each_is_chance() {
        let retry = Retry::new();
        let waits =
            |chance| [0, 1, 2, 5, 6, 31, 32, u32::MAX].map(|step| retry.wait(step, chance).as_millis());
        assert_eq!(waits(0.0), [25, 50, 100, 800, 1000, 1000, 1000, 1000]);
        assert_eq!(waits(1.0), [50, 100, 200, 1600, 2000, 2000, 2000, 2000]);
    }

    #[test]
    fn attempts_are_one_to_five() {
        assert_eq!(
            [0, 1, 5, 6, u32::MAX].map(|attempts| Retry::new().attempts(attempts).attempts),
            [1, 1, 5, 5, 5]
        );
    }
}

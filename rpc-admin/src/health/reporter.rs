//! The answering side of health.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use futures_core::Stream;
use rpc_core::{Error, Handler, MethodDescriptor, MethodId, Request, Response, Service, ServiceDescriptor};
use rpc_transport::Inspector;
use tokio::sync::watch;

use super::{Health, HealthError, HealthServer, ServingStatus};
use crate::unfold::unfold;

/// A name that is longer is that of no service: watchers must not have the server keep what they make up.
const NAME_BYTES_MAX: usize = 1024;

/// Reports how a server and its services are: add a clone of it to the server, and keep one to say what changes.
///
/// The whole server begins as [`Serving`](ServingStatus::Serving); other services are known once they are [`set`](Self::set), or all of a server's with
/// [`with_services_of`](Self::with_services_of). When a server that it was added to begins to shut down, everything becomes
/// [`NotServing`](ServingStatus::NotServing) for good, and the streams of watchers end after that item, so that they do not hold up the end: give
/// [`ServerBuilder::drain_delay`](rpc_transport::ServerBuilder::drain_delay) the time that they need to call elsewhere.
///
/// Cloning costs a reference count. Each watcher costs a call of its connection.
///
/// ```
/// use rpc_admin::{HealthReporter, ServingStatus};
/// use rpc_transport::Server;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), rpc_core::Error> {
/// let health = HealthReporter::new();
/// health.set("Greeter", ServingStatus::NotServing); // until its cache is warm
/// let server = Server::builder().service(health.clone()).bind("mem://").await?;
/// health.set("Greeter", ServingStatus::Serving);
/// # drop(server);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct HealthReporter {
    server: HealthServer<Reported>,
    reported: Arc<Reported>,
}

struct Reported {
    state: watch::Sender<State>,
}

#[derive(Clone, Debug)]
struct State {
    whole: ServingStatus,
    services: BTreeMap<String, ServingStatus>,
    inspector: Option<Inspector>,
    is_leaving: bool,
}

impl HealthReporter {
    /// Makes one that knows only the server as a whole, which is serving.
    pub fn new() -> Self {
        let state = State {
            whole: ServingStatus::Serving,
            services: BTreeMap::new(),
            inspector: None,
            is_leaving: false,
        };
        let reported = Arc::new(Reported { state: watch::Sender::new(state) });
        Self { server: HealthServer::from_arc(reported.clone()), reported }
    }

    /// Knows the services of the server that `inspector` sees, too: one that was not [`set`](Self::set) is as the whole server is.
    ///
    /// Give the same inspector to [`ServerBuilder::inspector`](rpc_transport::ServerBuilder::inspector).
    #[must_use]
    pub fn with_services_of(self, inspector: &Inspector) -> Self {
        self.change(|state| state.inspector = Some(inspector.clone()));
        self
    }

    /// Says how a service is: the empty name is the server as a whole, [`ServiceUnknown`](ServingStatus::ServiceUnknown) forgets the service.
    ///
    /// Once the server shuts down, nothing changes any more.
    pub fn set(&self, service: impl Into<String>, status: ServingStatus) {
        let service = service.into();
        self.change(|state| {
            if service.is_empty() {
                state.whole = status;
            } else if status == ServingStatus::ServiceUnknown {
                state.services.remove(&service);
            } else {
                state.services.insert(service, status);
            }
        });
    }

    /// Says how everything is: the server as a whole and each service that was set.
    pub fn set_all(&self, status: ServingStatus) {
        self.change(|state| state.set_all(status));
    }

    /// Returns how a service is, as [`Health::watch`] would say first.
    pub fn status(&self, service: &str) -> ServingStatus {
        self.reported.state.borrow().status(service)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        self.reported.state.send_if_modified(|state| {
            let may_change = !state.is_leaving;
            if may_change {
                change(state);
            }
            may_change
        });
    }
}

impl State {
    fn set_all(&mut self, status: ServingStatus) {
        self.whole = status;
        self.services.values_mut().for_each(|service| *service = status);
    }

    fn status(&self, service: &str) -> ServingStatus {
        if service.is_empty() {
            return self.whole;
        }
        let is_servers = || {
            let services = self.inspector.as_ref().map(Inspector::services).unwrap_or_default();
            services.iter().any(|known| known.name() == service)
        };
        match self.services.get(service) {
            Some(status) => *status,
            None if is_servers() => self.whole,
            None => ServingStatus::ServiceUnknown,
        }
    }
}

impl Health for Reported {
    async fn check(&self, service: String) -> Result<ServingStatus, HealthError> {
        match self.state.borrow().status(&service) {
            ServingStatus::ServiceUnknown => Err(HealthError::UnknownService),
            status => Ok(status),
        }
    }

    fn watch(&self, service: String) -> impl Stream<Item = ServingStatus> + Send {
        let service = (service.len() <= NAME_BYTES_MAX).then_some(service);
        let changes = self.state.subscribe();
        unfold((service, changes, None), async |(service, mut changes, said)| {
            loop {
                let (status, is_last) = {
                    let state = changes.borrow_and_update();
                    let status = service.as_deref().map(|service| state.status(service));
                    (status.unwrap_or(ServingStatus::ServiceUnknown), state.is_leaving || service.is_none())
                };
                if said != Some(status) {
                    return Some((status, (service, changes, Some(status))));
                }
                if is_last || changes.changed().await.is_err() {
                    return None;
                }
            }
        })
    }
}

impl Service for HealthReporter {
    fn call(&self, request: Request) -> impl Future<Output = Result<Response, Error>> + Send {
        self.server.call(request)
    }

    fn find_method(&self, id: MethodId) -> Option<&'static MethodDescriptor> {
        self.server.find_method(id)
    }

    fn leave(&self) {
        self.change(|state| {
            state.set_all(ServingStatus::NotServing);
            state.is_leaving = true;
        });
    }
}

impl Handler for HealthReporter {
    fn descriptor() -> &'static ServiceDescriptor {
        HealthServer::<Reported>::descriptor()
    }
}

impl Default for HealthReporter {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for HealthReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reported.state.borrow().fmt(f)
    }
}

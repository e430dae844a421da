//! Layers around a server and around a client: what is made again, what is refused, what is answered in a server's place.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use farcall::layers::{
    AccessLog, Cache, ConcurrencyLimit, Fallback, Idempotent, Quota, RateLimit, RequestId, Retry, Timeout,
    answer, describe,
};
use farcall::{
    Channel, Code, Error, Layer, Next, Pushback, Request, Response, Server, Service, Stack, Status, layer_fn,
    service,
};

/// Knows the weather.
#[service]
pub trait Weather {
    /// Looks into the sky; asking twice does no harm.
    #[rpc(idempotent)]
    async fn forecast(&self, city: String) -> String;
    /// Takes an observation down, and returns how many there are.
    async fn report(&self, city: String) -> u32;
}

#[derive(Default)]
struct Station {
    forecasts: AtomicU32,
    reports: AtomicU32,
}

impl Weather for Arc<Station> {
    async fn forecast(&self, city: String) -> String {
        let number = self.forecasts.fetch_add(1, Ordering::Relaxed) + 1;
        format!("{city}: sunny, says forecast {number}")
    }

    async fn report(&self, _: String) -> u32 {
        self.reports.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// A layer of one's own: every other request finds the station out of order.
fn out_of_order() -> impl Layer<farcall::Router, Service: Service> {
    let requests = AtomicU32::new(0);
    layer_fn(move |request: Request, next: Next| {
        let is_broken = requests.fetch_add(1, Ordering::Relaxed).is_multiple_of(2);
        async move {
            if is_broken {
                return Err(Status::new(Code::Unavailable, "the station is out of order").into());
            }
            next.call(request).await
        }
    })
}

async fn serve(station: &Arc<Station>) -> Result<Server, Error> {
    Server::builder()
        .service(WeatherServer::new(station.clone()))
        .layer(RequestId::new())
        .layer(AccessLog::new())
        .layer(RateLimit::new().per_metadata("tenant", Quota::per_second(1).burst(10)))
        .layer(ConcurrencyLimit::new(64).queue(64))
        .layer(out_of_order())
        .bind("mem://weather")
        .await
}

/// Answers forecasts where nobody else does.
fn nothing_is_known(request: &Request, error: &Error) -> Option<Result<Response, Error>> {
    let WeatherRequest::Forecast { city } = request.message().ok()? else { return None };
    (error.code() == Code::Unavailable).then(|| answer(request, &format!("{city}: nothing is known")))
}

/// Forecasts are kept. For a method that is not marked `idempotent`, this line would not compile.
const FORECAST: Idempotent = Idempotent::new(WeatherClient::DESCRIPTOR, "forecast");

fn layered(channel: Channel) -> impl Service {
    Stack::new(Fallback::new(nothing_is_known), Cache::new(Duration::from_secs(60)).method(FORECAST))
        .then(Timeout::new(Duration::from_secs(10)))
        .then(Retry::new())
        .layer(channel)
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let station = Arc::new(Station::default());
    let server = serve(&station).await?;
    let channel = Channel::connect(server.uri()).await?;
    let service = layered(channel.clone());
    println!("around the client: {}", describe(&service).join(" > "));
    let client = WeatherClient::new(service);

    // The station is out of order for the first attempt; the second is answered, and the answer kept.
    println!("{}", client.forecast("Rome".into()).await?);
    println!("{}", client.forecast("Rome".into()).await?);
    // A report might have been taken down: it is not sent twice unasked.
    let error = client.report("Rome".into()).await.unwrap_err();
    println!("a report: {}", error.code());
    println!("a report, once more by hand: {}", client.report("Rome".into()).await?);

    let plain = WeatherClient::new(channel);
    let mut refused = None;
    for _ in 0..20 {
        let call = plain.forecast("Oslo".into()).metadata("tenant", "greedy");
        refused = call.await.err().filter(|error| error.code() == Code::ResourceExhausted).or(refused);
    }
    let pushback = refused.as_ref().and_then(Error::status).and_then(Status::pushback);
    println!("a greedy tenant is told when to come back: {}", matches!(pushback, Some(Pushback::After(_))));

    server.shutdown().await;
    println!("without a server: {}", client.forecast("Rome".into()).await?);
    println!("without a server: {}", client.forecast("Oslo".into()).await?);
    println!("without a server, a report: {}", client.report("Oslo".into()).await.unwrap_err().code());
    Ok(())
}

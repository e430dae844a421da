//! What a seed says: who calls whom, when and how, and what goes wrong meanwhile.

use farcall::{Limits, Pool};
use fastrand::Rng;

use crate::net::Way;
use crate::service::{Act, Ask, FRAME_COST, UNIT_COST, content};
use crate::time::ms;

/// Calls begin, and faults, within this time.
const HORIZON_MS: u64 = 8_000;

/// All that happens in a run, but for chance on the network.
pub struct Plan {
    pub clients: usize,
    pub servers: usize,
    pub sizes: Sizes,
    pub calls: Vec<CallPlan>,
    pub faults: Vec<FaultPlan>,
    /// Whether each channel has several connections, which come and go.
    pub pooled: bool,
}

/// The limits of both sides.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub calls_max: u32,
    pub stream_window: u32,
    pub connection_window: u32,
    pub message_bytes: u32,
}

/// Silence for longer than this ends a connection.
pub const SILENCE_MS: u64 = 8_000 + 3_000;

impl Sizes {
    fn draw(rng: &mut Rng) -> Self {
        let calls_max = rng.u32(2..=12);
        let connection_window = 1 << rng.u32(13..=15);
        let units = (connection_window / calls_max).clamp(1024, 1 << 16) / UNIT_COST;
        // The last may have to wait for credit for 4 bytes more than it costs.
        let stream_window = units * UNIT_COST + 4;
        Self { calls_max, stream_window, connection_window, message_bytes: 300 << 10 }
    }

    pub fn limits(&self) -> Limits {
        Limits::default()
            .calls_in_flight(self.calls_max)
            .stream_window_bytes(self.stream_window)
            .connection_window_bytes(self.connection_window)
            .buffer_bytes(self.buffer_bytes())
            .message_bytes(self.message_bytes)
            .handshake_timeout(ms(2_000))
            .ping_interval(ms(8_000))
            .ping_after(ms(5_000))
            .ping_timeout(ms(3_000))
            .write_timeout(ms(4_000))
    }

    /// Returns how many bytes of items one side takes unread, of all calls together.
    pub fn unread_bytes(&self) -> u64 {
        let units = self.calls_max * (self.stream_window / UNIT_COST);
        u64::from(units * (UNIT_COST - FRAME_COST))
    }

    /// Just so much that all calls can use their windows up: the window of the connection is at half of its size or more while no more than this
    /// is kept unread, and the last item needs some of it.
    fn buffer_bytes(&self) -> u32 {
        (self.calls_max * self.stream_window + 2 * UNIT_COST).saturating_sub(self.connection_window / 2)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    Add,
    Get,
    Tell,
    List,
    Gather,
    Chat,
}

/// A call, which its caller may repeat where that is safe.
#[derive(Clone)]
pub struct CallPlan {
    pub client: usize,
    pub server: usize,
    pub at_ms: u64,
    pub shape: Shape,
    pub ask: Ask,
    /// When the caller drops the call.
    pub drop_ms: Option<u64>,
    /// After how many items the caller drops the stream.
    pub drop_items: Option<u32>,
    /// How long the caller takes for each item.
    pub pace_ms: u64,
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing gets through, one way or both.
    Block(&'static [Way]),
    Slow(Way),
    /// The connections are ended one way, in order.
    End(Way),
    Reset,
    /// The connections come to nothing, and nobody is told.
    Forget,
    Restart(Restart),
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Restart {
    /// Calls under way may end, for so long.
    Graceful { grace_ms: u64 },
    /// The process is killed, and its system resets the connections.
    Killed,
    /// Nothing more is heard of it until it is back.
    PowerLost,
}

/// A fault of a route, or of its server, for a time.
#[derive(Clone, Copy, Debug)]
pub struct FaultPlan {
    pub client: usize,
    pub server: usize,
    pub at_ms: u64,
    pub for_ms: u64,
    pub fault: Fault,
}

impl Plan {
    /// Small and restless, so that a run sees connections grown, aged, replaced and let go.
    pub fn pool(&self) -> Pool {
        match self.pooled {
            true => {
                Pool::up_to(3).grow_at(2).idle_timeout(ms(700)).max_age(ms(1_500)).drain_timeout(ms(1_000))
            }
            false => Pool::default(),
        }
    }

    /// Returns how many connections a server takes, beside those that are spare.
    pub fn connections_max(&self) -> usize {
        self.clients * if self.pooled { 8 } else { 1 }
    }

    pub fn draw(rng: &mut Rng) -> Self {
        let (clients, servers) = (rng.usize(1..=3), rng.usize(1..=2));
        let sizes = Sizes::draw(rng);
        // Some calls come in bursts, which fill all slots, and some faults while these are on their way.
        let bursts: Vec<_> = (0..4).map(|_| rng.u64(0..HORIZON_MS)).collect();
        let calls = (0..rng.u64(8..=48)).map(|call| {
            let at_ms = if rng.bool() { bursts[rng.usize(..4)] } else { rng.u64(0..HORIZON_MS) };
            CallPlan::draw(rng, call, at_ms, (clients, servers), sizes)
        });
        let calls = calls.collect();
        let faults = (0..rng.u64(0..=6)).map(|_| {
            let at_ms =
                if rng.bool() { bursts[rng.usize(..4)] + rng.u64(0..200) } else { rng.u64(0..HORIZON_MS) };
            FaultPlan::draw(rng, at_ms, (clients, servers))
        });
        let faults = faults.collect();
        let pooled = rng.u32(..4) == 0;
        Self { clients, servers, sizes, calls, faults, pooled }
    }
}

impl CallPlan {
    fn draw(rng: &mut Rng, call: u64, at_ms: u64, (clients, servers): (usize, usize), sizes: Sizes) -> Self {
        const SHAPES: [Shape; 8] = [
            Shape::Add,
            Shape::Add,
            Shape::Get,
            Shape::Tell,
            Shape::List,
            Shape::List,
            Shape::Gather,
            Shape::Chat,
        ];
        let shape = SHAPES[rng.usize(..SHAPES.len())];
        let act = match rng.u32(..20) {
            0 => Act::Fail,
            1 => Act::Panic,
            // Nobody could end a oneway call that hangs.
            2..=4 if shape != Shape::Tell => Act::Hang,
            _ => Act::Answer,
        };
        let timeout_ms = (rng.u32(..3) == 0).then(|| log_uniform(rng, 12));
        let drop_ms = (rng.u32(..4) == 0 || act == Act::Hang).then(|| log_uniform(rng, 12));
        let ask = Ask {
            call,
            attempt: 0,
            act,
            after_ms: if rng.bool() { 0 } else { log_uniform(rng, 11) },
            reply_bytes: size(rng, sizes.message_bytes),
            items: rng.u32(0..=24),
            item_bytes: size(rng, 2 * sizes.stream_window),
            pace_ms: if rng.bool() { 0 } else { rng.u64(0..60) },
            timeout_ms,
            content: content(call, u32::MAX, size(rng, sizes.message_bytes)),
        };
        Self {
            client: rng.usize(..clients),
            server: rng.usize(..servers),
            at_ms,
            shape,
            ask,
            drop_ms,
            drop_items: (rng.u32(..5) == 0).then(|| rng.u32(0..12)),
            pace_ms: if rng.bool() { 0 } else { rng.u64(0..60) },
        }
    }
}

/// As many short times as long ones, up to a power of 2.
fn log_uniform(rng: &mut Rng, power: u32) -> u64 {
    let top = 1 << rng.u32(0..=power);
    rng.u64(0..=top)
}

/// Mostly small, now and then up to the limit, at times over it.
fn size(rng: &mut Rng, max: u32) -> u32 {
    match rng.u32(..40) {
        0..30 => rng.u32(0..200),
        30..37 => rng.u32(0..max.min(24 << 10)),
        37..39 => rng.u32(0..max),
        _ => rng.u32(max - 100..max + 100),
    }
}

impl FaultPlan {
    fn draw(rng: &mut Rng, at_ms: u64, (clients, servers): (usize, usize)) -> Self {
        let way = if rng.bool() { Way::Up } else { Way::Down };
        let fault = match rng.u32(..13) {
            0 | 1 => Fault::Block(&[Way::Up, Way::Down]),
            2 => Fault::Block(&[Way::Up]),
            3 => Fault::Block(&[Way::Down]),
            4 | 5 => Fault::Slow(way),
            6 => Fault::End(way),
            7 | 8 => Fault::Reset,
            9 => Fault::Restart(Restart::Killed),
            10 => Fault::Restart(Restart::PowerLost),
            11 => Fault::Forget,
            _ => Fault::Restart(Restart::Graceful { grace_ms: log_uniform(rng, 12) }),
        };
        Self {
            client: rng.usize(..clients),
            server: rng.usize(..servers),
            at_ms,
            for_ms: log_uniform(rng, 14),
            fault,
        }
    }
}

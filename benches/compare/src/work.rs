//! The works, and which peer can do them.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// What is run; W9 is what W2 costs, so it is run as W2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    W1,
    W1c,
    W2,
    W3,
    W4,
    W5,
    W6,
    W7,
    W8,
    W9,
    W10,
    Calls(Shape),
}

/// How many unary calls are in flight, and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shape {
    pub connections: usize,
    /// On each connection.
    pub in_flight: usize,
    pub body_bytes: usize,
}

impl Shape {
    pub const fn new(connections: usize, in_flight: usize, body_bytes: usize) -> Self {
        Self { connections, in_flight, body_bytes }
    }
}

impl Work {
    /// Those with a name.
    pub const ALL: [Self; 11] = [
        Self::W1,
        Self::W1c,
        Self::W2,
        Self::W3,
        Self::W4,
        Self::W5,
        Self::W6,
        Self::W7,
        Self::W8,
        Self::W9,
        Self::W10,
    ];

    pub fn title(self) -> &'static str {
        match self {
            Self::W1 => "unary, 1 in flight, 64 B",
            Self::W1c => "the same, both processes on one CPU",
            Self::W2 => "unary, 1 connection, 64 in flight, 64 B",
            Self::W3 => "unary, 1 connection, 1,024 in flight, 64 B",
            Self::W4 => "unary, 16 connections × 16 in flight, 64 B",
            Self::W5 => "unary, 64 KiB bodies, 16 in flight",
            Self::W6 => "unary, 4 MiB bodies, 4 in flight",
            Self::W7 => "server stream of 64-byte items",
            Self::W8 => "memory per idle connection, 1,000 of them",
            Self::W9 => "CPU time of both processes per call of W2",
            Self::W10 => "a small call each ms beside 64 MiB replies on one connection",
            Self::Calls(_) => "unary: connections × in flight on each × bytes",
        }
    }

    /// Returns what is run to measure it.
    pub fn run(self) -> Self {
        if self == Self::W9 { Self::W2 } else { self }
    }

    pub fn is_on_one_cpu(self) -> bool {
        self == Self::W1c
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Calls(Shape { connections, in_flight, body_bytes }) => {
                write!(f, "{connections}x{in_flight}x{body_bytes}")
            }
            named => fmt::Debug::fmt(named, f),
        }
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let named = || Self::ALL.into_iter().find(|work| work.to_string().eq_ignore_ascii_case(text));
        let found = shape(text).map(Self::Calls).or_else(named);
        found.ok_or_else(|| "one of W1, W1c, W2 … W10, or CONNECTIONSxCALLSxBYTES".to_owned())
    }
}

fn shape(text: &str) -> Option<Shape> {
    let mut numbers = text.split('x').map(|number| number.parse().ok());
    let [connections, in_flight, body_bytes] = [numbers.next()??, numbers.next()??, numbers.next()??];
    let is_whole = numbers.next().is_none() && connections > 0 && in_flight > 0;
    is_whole.then_some(Shape::new(connections, in_flight, body_bytes))
}

/// Who does the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Peer {
    Farcall,
    FarcallTls,
    FarcallLayered,
    FarcallObserved,
    FarcallMetered,
    Raw,
    RawPipelined,
    Tarpc,
    Tonic,
    GoNetRpc,
}

impl Peer {
    /// Those that run unless some are named.
    pub const USUAL: [Self; 6] =
        [Self::Farcall, Self::Raw, Self::RawPipelined, Self::Tarpc, Self::Tonic, Self::GoNetRpc];
    /// farcall with something around it.
    const VARIANTS: [Self; 4] =
        [Self::FarcallTls, Self::FarcallLayered, Self::FarcallObserved, Self::FarcallMetered];

    pub fn name(self) -> &'static str {
        match self {
            Self::Farcall => "farcall",
            Self::FarcallTls => "farcall-tls",
            Self::FarcallLayered => "farcall-layered",
            Self::FarcallObserved => "farcall-observed",
            Self::FarcallMetered => "farcall-metered",
            Self::Raw => "raw",
            Self::RawPipelined => "raw-pipelined",
            Self::Tarpc => "tarpc",
            Self::Tonic => "tonic",
            Self::GoNetRpc => "go-net-rpc",
        }
    }

    /// Tells why it cannot do a work, if so.
    pub fn lacks(self, work: Work) -> Option<&'static str> {
        match (self, work) {
            (Self::Tarpc | Self::GoNetRpc, Work::W7) => Some("it has no streams"),
            (Self::Raw | Self::RawPipelined, Work::W10) => {
                Some("it answers in order: a small call waits for the whole reply before it")
            }
            _ => None,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::USUAL.into_iter().chain(Self::VARIANTS).find(|peer| peer.name() == text);
        found.ok_or_else(|| {
            "one of farcall, farcall-tls, farcall-layered, farcall-observed, farcall-metered, raw, raw-pipelined, tarpc, tonic, go-net-rpc"
                .to_owned()
        })
    }
}

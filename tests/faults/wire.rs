//! A peer by hand: bytes that no client or server of ours would send, and what comes back.

use std::io;

use farcall::MethodId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::kit::soon;

pub const HELLO: &[u8] = b"farcall/\x01\x00\x00\x00";

/// The longest frame that a side takes that says nothing else: a message of 4 MiB, and 64 KiB.
pub const FRAME_BYTES_MAX: u32 = (4 << 20) + (64 << 10);

pub const OPEN: u8 = 1;
pub const REPLY: u8 = 2;
pub const DATA: u8 = 3;
pub const STATUS: u8 = 4;
pub const RESET: u8 = 5;
pub const PING: u8 = 7;
pub const PONG: u8 = 8;
pub const GOAWAY: u8 = 9;

pub const END: u8 = 1;
pub const MORE: u8 = 2;
pub const METADATA: u8 = 4;
pub const DEADLINE: u8 = 8;

/// The codes of `docs/protocol.md` that are asked for here.
pub mod code {
    pub const PROTOCOL: u16 = 1;
    pub const FRAME_TOO_LARGE: u16 = 2;
    pub const FLOW_CONTROL: u16 = 3;
    pub const TOO_MANY_RESETS: u16 = 4;
    pub const TOO_MANY_PINGS: u16 = 5;
    pub const TIMEOUT: u16 = 7;

    pub const INVALID_ARGUMENT: u16 = 3;
    pub const DEADLINE_EXCEEDED: u16 = 4;
    pub const RESOURCE_EXHAUSTED: u16 = 8;
    pub const UNIMPLEMENTED: u16 = 12;
    pub const INTERNAL: u16 = 13;
}

/// A frame as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub id: u64,
    pub content: Vec<u8>,
}

impl Frame {
    /// The code and the text of a call that ended with a status.
    pub fn status(&self) -> (u16, String) {
        assert!(self.kind == STATUS && self.content.len() > 6, "{self:?}");
        (self.u16_at(0), String::from_utf8_lossy(&self.content[6..]).into_owned())
    }

    /// The code and the reason of a farewell.
    pub fn farewell(&self) -> (u16, String) {
        assert!(self.kind == GOAWAY, "{self:?}");
        (self.u16_at(8), String::from_utf8_lossy(&self.content[10..]).into_owned())
    }

    fn u16_at(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.content[at], self.content[at + 1]])
    }
}

/// A frame, in postcard where that matters.
pub fn frame(kind: u8, flags: u8, id: u64, content: &[u8]) -> Vec<u8> {
    let mut frame = (content.len() as u32).to_le_bytes().to_vec();
    frame.extend([kind, flags, 1, 0]);
    frame.extend(id.to_le_bytes());
    frame.extend(content);
    frame
}

pub fn id(sequence: u64, slot: u64) -> u64 {
    sequence << 17 | slot << 1
}

/// What an OPEN holds: a method and what follows.
pub fn call(method: &str, rest: &[u8]) -> Vec<u8> {
    let (service, method) = method.split_once('/').expect("as Service/method");
    [&MethodId::hash(service, method).as_u64().to_le_bytes()[..], rest].concat()
}

/// A whole OPEN, in the slot of its sequence.
pub fn open(sequence: u64, method: &str, arguments: &[u8]) -> Vec<u8> {
    frame(OPEN, END, id(sequence, sequence % 1000), &call(method, arguments))
}

/// A call whose arguments come in parts, in slot 0.
pub fn open_in_parts(sequence: u64, method: &str, arguments: &[u8]) -> Vec<u8> {
    let total = (arguments.len() as u32).to_le_bytes();
    let (first, rest) = arguments.split_at(16 << 10);
    let mut frames = frame(OPEN, MORE, id(sequence, 0), &call(method, &[&total[..], first].concat()));
    let mut parts = rest.chunks(16 << 10).peekable();
    while let Some(part) = parts.next() {
        let flags = if parts.peek().is_some() { MORE } else { END };
        frames.extend(frame(DATA, flags, id(sequence, 0), part));
    }
    frames
}

/// A text as postcard writes it.
pub fn text(bytes: usize) -> Vec<u8> {
    [varint(bytes as u64), vec![b'x'; bytes]].concat()
}

pub fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// One end of a connection, without any logic.
pub struct RawPeer {
    pub stream: TcpStream,
}

impl RawPeer {
    /// Connects and says nothing.
    pub async fn connect(uri: &str) -> Self {
        Self { stream: soon(TcpStream::connect(uri.trim_start_matches("tcp://"))).await.unwrap() }
    }

    /// Connects with little room for what comes.
    pub async fn connect_narrowly(uri: &str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let address = uri.trim_start_matches("tcp://").parse().unwrap();
        Self { stream: soon(socket.connect(address)).await.unwrap() }
    }

    /// Connects, says its opening and reads that of the server.
    pub async fn open(uri: &str) -> Self {
        let mut peer = Self::connect(uri).await;
        peer.send(HELLO).await;
        peer.read_opening().await;
        peer
    }

    /// Takes in the next connection of a client, as a server would.
    pub async fn accept(listener: &TcpListener) -> Self {
        let mut peer = Self { stream: soon(listener.accept()).await.unwrap().0 };
        peer.send(HELLO).await;
        peer.read_opening().await;
        peer
    }

    async fn read_opening(&mut self) {
        let mut opening = [0; 12];
        soon(self.stream.read_exact(&mut opening)).await.unwrap();
        assert_eq!(&opening[..8], b"farcall/");
        let mut settings = vec![0; usize::from(u16::from_le_bytes([opening[10], opening[11]]))];
        soon(self.stream.read_exact(&mut settings)).await.unwrap();
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        soon(self.stream.write_all(bytes)).await.unwrap();
    }

    /// The next frame; none at the end of the connection.
    pub async fn frame(&mut self) -> Option<Frame> {
        let mut header = [0; 16];
        match soon(self.stream.read_exact(&mut header)).await {
            Ok(_) => {}
            Err(error) if is_end(&error) => return None,
            Err(error) => panic!("{error}"),
        }
        let bytes = u32::from_le_bytes([header[0], header[1], header[2], header[3]]);
        let mut content = vec![0; bytes as usize];
        soon(self.stream.read_exact(&mut content)).await.unwrap();
        let id = u64::from_le_bytes(header[8..].try_into().unwrap());
        Some(Frame { kind: header[4], flags: header[5], id, content })
    }

    /// The next frame of this kind; those before it are dropped.
    pub async fn next(&mut self, kind: u8) -> Frame {
        loop {
            let frame = self.frame().await.expect("the connection lives until then");
            if frame.kind == kind {
                return frame;
            }
        }
    }

    /// The code and the reason that the connection is closed with, and that it is closed.
    pub async fn farewell(&mut self) -> (u16, String) {
        let farewell = self.next(GOAWAY).await.farewell();
        assert!(self.frame().await.is_none(), "the farewell is the last frame");
        farewell
    }

    /// All that comes until the connection ends.
    pub async fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match soon(self.stream.read_to_end(&mut rest)).await {
            Err(error) if !is_end(&error) => panic!("{error}"),
            _ => rest,
        }
    }

    /// Ends the connection with a RST, whatever is under way.
    pub fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

fn is_end(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe
    )
}

//! The heads of HTTP messages: as much of HTTP as opening a WebSocket takes (RFC 6455, section 4).

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

/// More of a head is not read.
const HEAD_BYTES_MAX: usize = 8 << 10;
/// More lines of it are not looked at.
const HEADERS_MAX: usize = 64;

/// What a head cannot be read for.
#[derive(Debug)]
pub(super) enum HeadError {
    Io(io::Error),
    /// It starts with what HTTP does not start with.
    Foreign(u8),
    TooLong,
    Malformed(httparse::Error),
}

impl From<io::Error> for HeadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<httparse::Error> for HeadError {
    fn from(error: httparse::Error) -> Self {
        Self::Malformed(error)
    }
}

/// Reads a head up to the empty line that ends it; gives it, and what was read of what follows.
pub(super) async fn read_head(
    stream: &mut (impl AsyncRead + Unpin),
) -> Result<(BytesMut, BytesMut), HeadError> {
    let mut read = BytesMut::with_capacity(1024);
    loop {
        if stream.read_buf(&mut read).await? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the peer said too little").into());
        }
        // A method, and "HTTP" in an answer, starts with a capital; farcall's own opening and TLS do not.
        if let Some(other) = read.first().filter(|first| !first.is_ascii_uppercase()) {
            return Err(HeadError::Foreign(*other));
        }
        let end = read.windows(4).position(|end| end == b"\r\n\r\n").map(|at| at.saturating_add(4));
        if let Some(end) = end.filter(|end| *end <= HEAD_BYTES_MAX) {
            let head = read.split_to(end);
            return Ok((head, read));
        }
        if read.len() >= HEAD_BYTES_MAX {
            return Err(HeadError::TooLong);
        }
    }
}

/// The lines of a head, by name.
pub(super) struct Headers(Vec<(String, String)>);

impl Headers {
    fn new(headers: &[httparse::Header<'_>]) -> Self {
        let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
        Self(headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Tells whether a list, in one line or in several, has this word.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        let mut words = self.all(name).flat_map(|line| line.split(','));
        words.any(|own| own.trim().eq_ignore_ascii_case(word))
    }
}

/// What a client asks for.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: Headers,
}

impl Request {
    pub(super) fn parse(head: &[u8]) -> Result<Self, HeadError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        request.parse(head)?;
        let target = request.path.unwrap_or("/");
        Ok(Self {
            method: request.method.unwrap_or_default().to_owned(),
            path: target.split('?').next().unwrap_or(target).to_owned(),
            headers: Headers::new(request.headers),
        })
    }
}

/// What a server answers.
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) reason: String,
    pub(super) headers: Headers,
}

impl Answer {
    pub(super) fn parse(head: &[u8]) -> Result<Self, HeadError> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut answer = httparse::Response::new(&mut headers);
        answer.parse(head)?;
        Ok(Self {
            code: answer.code.unwrap_or_default(),
            reason: answer.reason.unwrap_or_default().to_owned(),
            headers: Headers::new(answer.headers),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_head_ends_at_its_empty_line_and_within_its_limit() {
        let (head, rest) = read_head(&mut &b"GET / HTTP/1.1\r\na: b\r\n\r\nrest"[..]).await.unwrap();
        assert!(head.ends_with(b"\r\n\r\n"));
        assert_eq!(&rest[..], b"rest");
        let long = [b"GET / HTTP/1.1\r\na: ".to_vec(), vec![b'x'; 1 << 20]].concat();
        assert!(matches!(read_head(&mut &long[..]).await, Err(HeadError::TooLong)));
        let long =
            [b"GET / HTTP/1.1\r\na: ".to_vec(), vec![b'x'; HEAD_BYTES_MAX], b"\r\n\r\n".to_vec()].concat();
        assert!(matches!(read_head(&mut &long[..]).await, Err(HeadError::TooLong)));
        assert!(matches!(read_head(&mut &b"farcall/"[..]).await, Err(HeadError::Foreign(b'f'))));
        assert!(matches!(read_head(&mut &b"GET /"[..]).await, Err(HeadError::Io(_))));
    }

    #[test]
    fn lists_are_searched_in_all_their_lines() {
        let head = b"GET /rpc?x=1 HTTP/1.1\r\nConnection: keep-alive, Upgrade\r\nconnection: te\r\n\r\n";
        let request = Request::parse(head).unwrap();
        assert_eq!((&*request.method, &*request.path), ("GET", "/rpc"));
        assert!(request.headers.lists("connection", "upgrade"));
        assert!(request.headers.lists("connection", "te"));
        assert!(!request.headers.lists("connection", "up"));
    }

    #[test]
    fn what_is_no_head_is_an_error() {
        assert!(Request::parse(b"GET\r\n\r\n").is_err());
        assert!(Answer::parse(b"HTTP/9 what\r\n\r\n").is_err());
        let many = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(HEADERS_MAX + 1));
        assert!(Request::parse(many.as_bytes()).is_err());
    }
}

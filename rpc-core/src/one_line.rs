//! What a peer says, as a line of text.

use std::fmt::{self, Write as _};

/// Text of a peer with its control characters escaped: it breaks no line of a log, forges none, and moves no cursor.
pub(crate) struct OneLine<'a>(pub(crate) &'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for char in self.0.chars() {
            match char.is_control() {
                true => write!(f, "{}", char.escape_debug())?,
                false => f.write_char(char)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{Code, Error, Status};

    #[test]
    fn a_peer_forges_no_line() {
        let forged = "no\r\n12:00 INFO all is well\u{1b}[2J\u{9b}1A [0.0 ms connecting] \u{e9}";
        let status = Status::new(Code::NotFound, forged);
        let line = "NOT_FOUND: no\\r\\n12:00 INFO all is well\\u{1b}[2J\\u{9b}1A [0.0 ms connecting] \u{e9}";
        assert_eq!(Error::from(status.clone()).to_string(), line);
        assert_eq!(status.message(), forged, "whoever wants it as it came has it");
    }
}

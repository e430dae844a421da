//! What the peer opens with, and what is taken for that before it is here.

use bytes::BytesMut;

use super::receive::protocol;
use super::{CloseCode, Connection, Event, Fatal, Hello, HelloError, Settings};

impl Connection {
    /// Takes what the peer has opened with another time for its opening until that is here: calls that may be sent early go out meanwhile
    /// (rule Q10).
    pub fn assume(&mut self, settings: Settings) {
        self.granted_out = settings.connection_window_bytes.into();
        self.peer = Some(Hello::new(settings));
        self.is_assumed = true;
    }

    /// Tells whether the peer's opening was read.
    pub(super) fn has_opened(&self) -> bool {
        self.peer.is_some() && !self.is_assumed
    }

    /// Takes the peer's opening off the front of `input`; false where that is not here as a whole.
    pub(super) fn receive_hello(&mut self, input: &mut BytesMut) -> Result<bool, Fatal> {
        let hello = Hello::parse(input).map_err(|error| {
            let code = match error {
                HelloError::Version(_) => CloseCode::Version,
                _ => CloseCode::Protocol,
            };
            Fatal { hello: Some(error.clone()), ..Fatal::new(code, error.to_string()) }
        })?;
        let Some(hello) = hello else { return Ok(false) };
        let window = hello.settings.connection_window_bytes;
        self.granted_out = match &self.peer {
            Some(assumed) if hello.allows_all_of(assumed) => {
                // Calls were sent on account of what was assumed.
                let more = window.saturating_sub(assumed.settings.connection_window_bytes);
                self.granted_out.saturating_add(more.into())
            }
            Some(_) => {
                return Err(protocol("the server allows less than when its early data was agreed"));
            }
            None => window.into(),
        };
        let stream_window = hello.settings.stream_window_bytes;
        let assumed = self.peer.replace(hello).filter(|_| std::mem::take(&mut self.is_assumed));
        if let Some(assumed) = assumed {
            self.slots_freed = usize::MAX;
            self.widen(stream_window.saturating_sub(assumed.settings.stream_window_bytes));
        }
        self.events.push_back(Event::Opened);
        Ok(true)
    }

    /// Lets the calls that were opened send so much more: the peer reckons with the window that it has opened with.
    fn widen(&mut self, more: u32) {
        for id in self.opened.ids() {
            if let Some(stream) = self.opened.get(id) {
                stream.outflow.granted = stream.outflow.granted.saturating_add(more.into());
                self.make_ready(id);
            }
        }
    }
}

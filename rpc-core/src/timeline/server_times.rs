//! How long a server took, as it says itself.

use std::num::NonZeroU16;
use std::time::Duration;

/// How long a server took for a call, by its own clock.
///
/// What is left of the time that the caller waited is the way there and back, and the two connections' part in it. It is the server's word: one
/// that lies can say any time up to 25 days, so hold it against what was measured here before you reckon with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerTimes {
    queue: Coarse,
    handler: Coarse,
}

impl ServerTimes {
    /// The length of what [`to_bytes`](Self::to_bytes) gives.
    pub(crate) const BYTES: usize = 4;

    /// Tells how long a call waited, and how long its handler took: to the microsecond up to 2 ms, beyond that to a thousandth, rounded
    /// down. More than 25 days count as that.
    pub fn new(queue: Duration, handler: Duration) -> Self {
        Self { queue: Coarse::new(queue), handler: Coarse::new(handler) }
    }

    pub(crate) const fn from_bytes([q0, q1, h0, h1]: [u8; Self::BYTES]) -> Self {
        Self { queue: Coarse::from_bytes([q0, q1]), handler: Coarse::from_bytes([h0, h1]) }
    }

    pub(crate) const fn to_bytes(self) -> [u8; Self::BYTES] {
        let ([q0, q1], [h0, h1]) = (self.queue.to_bytes(), self.handler.to_bytes());
        [q0, q1, h0, h1]
    }

    /// Returns how long the call waited from when its first frame was read until its handler was started.
    pub fn queue(self) -> Duration {
        self.queue.get()
    }

    /// Returns how long the handler took until it answered, the server's layers included; of a stream, until the stream was there.
    pub fn handler(self) -> Duration {
        self.handler.get()
    }

    /// Returns both together.
    pub fn total(self) -> Duration {
        self.queue().saturating_add(self.handler())
    }
}

/// A time in 16 bits (rule P24): microseconds, of which the upper five bits say how far the lower eleven are shifted. Answers stay as
/// small with two of them as without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Coarse(NonZeroU16);

const DIGITS: u32 = 11;
/// As it travels. One more, and with it all larger ones, has no place here.
const LONGEST: u16 = 30 << DIGITS | MASK;
const MASK: u16 = (1 << DIGITS) - 1;

impl Coarse {
    fn new(time: Duration) -> Self {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bits = u64::BITS.saturating_sub(micros.leading_zeros());
        let shift = bits.saturating_sub(DIGITS);
        let code = u16::try_from(micros >> shift).ok().zip(u16::try_from(shift).ok());
        let code = code
            .filter(|(_, shift)| *shift <= LONGEST >> DIGITS)
            .map(|(digits, shift)| shift << DIGITS | digits);
        Self::of(code.unwrap_or(LONGEST))
    }

    const fn of(code: u16) -> Self {
        let code = if code > LONGEST { LONGEST } else { code };
        // One is added, so that none takes no room of its own.
        Self(NonZeroU16::MIN.saturating_add(code))
    }

    const fn code(self) -> u16 {
        self.0.get().saturating_sub(1)
    }

    const fn from_bytes(bytes: [u8; 2]) -> Self {
        Self::of(u16::from_le_bytes(bytes))
    }

    const fn to_bytes(self) -> [u8; 2] {
        self.code().to_le_bytes()
    }

    fn get(self) -> Duration {
        let code = self.code();
        Duration::from_micros(u64::from(code & MASK) << (code >> DIGITS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(time: Duration) -> Duration {
        let times = ServerTimes::new(Duration::ZERO, time);
        let again = ServerTimes::from_bytes(times.to_bytes());
        assert_eq!((again, again.queue()), (times, Duration::ZERO));
        again.handler()
    }

    #[test]
    fn times_travel_to_the_microsecond_or_the_thousandth() {
        for micros in (0..=2_047).chain([2_048, 2_050, 4_096, 1_000_000, 999_999_936]) {
            let time = Duration::from_micros(micros);
            let error = time - through(time);
            assert!(error <= time / 1_000 && (micros > 2_047 || error.is_zero()), "{time:?}: {error:?}");
        }
        assert_eq!(through(Duration::from_nanos(1_999)), Duration::from_micros(1));
    }

    #[test]
    fn what_is_longer_than_can_be_said_is_the_longest() {
        let longest = Duration::from_micros(2_047 << 30);
        for time in [longest, longest + Duration::from_secs(2_000), Duration::MAX] {
            assert_eq!(through(time), longest, "{time:?}");
        }
        // No bytes of a peer say more, and their sum overflows nothing.
        let claimed = ServerTimes::from_bytes([0xff; 4]);
        assert_eq!((claimed.queue(), claimed.total()), (longest, 2 * longest));
    }

    #[test]
    fn all_codes_of_a_peer_are_read() {
        for code in 0..=u16::MAX {
            let time = Coarse::of(code).get();
            assert_eq!(Coarse::new(time).get(), time, "{code}");
        }
    }

    #[test]
    fn none_takes_no_room_of_its_own() {
        assert_eq!(size_of::<Option<ServerTimes>>(), 4);
    }
}

//! Where logs go without calls waiting for it.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use metrics::{Counter, Unit, counter, describe_counter};

const NAME: &str = "farcall_log_lines_dropped_total";
const BYTES_MAX: usize = 4 << 20;
/// What a line takes beside its content: where it is, and the allocator's share.
const LINE_BYTES: usize = 32;

/// Writes logs in a thread of its own, and drops and counts what it cannot: a disk that is slow, full or hangs holds no call up.
///
/// What a program logs while it answers a call, as `farcall::layers::AccessLog` has it do, is written by the task of the call: with a file
/// alone, every call waits for the disk. Give a subscriber clones of this instead. What comes in one write is a line, kept or dropped as a
/// whole. Lines that are dropped are counted in `farcall_log_lines_dropped_total`, by cause: `full`, where too many wait to be written, and
/// `failed`, where the writer said so or panicked, of which a part may have been written. Install the recorder first.
///
/// What it writes to must not log through the same subscriber: each line would make another, without end.
///
/// The thread ends when it has written what is left after the last clone is dropped. A process that ends does not wait for it:
/// [`drain`](Self::drain) does.
///
/// ```
/// use std::io::Write;
/// use std::time::Duration;
/// use rpc_metrics::LogWriter;
/// # fn main() -> std::io::Result<()> {
/// let log = LogWriter::new(std::io::stderr())?;
/// // tracing_subscriber::fmt().with_writer(move || log.clone())
/// writeln!(log.clone(), "it begins")?;
/// assert!(log.drain(Duration::from_secs(1)));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct LogWriter {
    handle: Arc<Handle>,
}

/// Dropped with the last clone.
struct Handle {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// There is something to write, or nobody is left who would.
    has_more: Condvar,
    /// All is written.
    is_done: Condvar,
    full: Counter,
    failed: Counter,
}

struct State {
    lines: VecDeque<Box<[u8]>>,
    /// Of lines that wait, and of those that are being written.
    bytes: usize,
    bytes_max: usize,
    is_writing: bool,
    is_closed: bool,
}

impl LogWriter {
    /// Starts the thread that writes. Each line is one write: what buffers reports its errors late, and for lines that were not at fault.
    ///
    /// # Errors
    /// The system has no thread to give.
    pub fn new(to: impl Write + Send + 'static) -> io::Result<Self> {
        describe_counter!(NAME, Unit::Count, "Lines of logs that were not written.");
        let state = State {
            lines: VecDeque::new(),
            bytes: 0,
            bytes_max: BYTES_MAX,
            is_writing: false,
            is_closed: false,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            has_more: Condvar::new(),
            is_done: Condvar::new(),
            full: counter!(NAME, "cause" => "full"),
            failed: counter!(NAME, "cause" => "failed"),
        });
        let writes = shared.clone();
        thread::Builder::new().name("farcall-log".to_owned()).spawn(move || writes.write_all(to))?;
        Ok(Self { handle: Arc::new(Handle { shared }) })
    }

    /// Caps the bytes of lines that wait to be written, for all clones.
    ///
    /// Default: 4 MiB, some 20,000 lines; each counts 32 bytes beside its content. Too few drop lines whenever the disk pauses; too many are memory that a disk which hangs takes.
    #[must_use]
    pub fn bytes_max(self, bytes: usize) -> Self {
        self.handle.shared.lock().bytes_max = bytes;
        self
    }

    /// Waits until all lines are written or dropped, at most so long; tells whether they are. Call it before the process ends.
    pub fn drain(&self, within: Duration) -> bool {
        let Shared { is_done, .. } = &*self.handle.shared;
        let state = self.handle.shared.lock();
        let waited = is_done.wait_timeout_while(state, within, |state| !state.is_drained());
        waited.unwrap_or_else(PoisonError::into_inner).0.is_drained()
    }
}

/// Never waits and never fails: what is dropped is counted.
impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if line.is_empty() {
            return Ok(0);
        }
        let shared = &self.handle.shared;
        let mut state = shared.lock();
        let bytes = state.bytes.saturating_add(size(line));
        if bytes > state.bytes_max {
            drop(state);
            shared.full.increment(1);
            return Ok(line.len());
        }
        state.bytes = bytes;
        state.lines.push_back(line.into());
        drop(state);
        shared.has_more.notify_one();
        Ok(line.len())
    }

    /// Does nothing: see [`drain`](LogWriter::drain).
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The thread: writes until nobody is left who has lines.
    fn write_all(&self, mut to: impl Write) {
        while let Some(lines) = self.next() {
            let bytes = lines.iter().map(|line| size(line)).fold(0, usize::saturating_add);
            for line in &lines {
                if !is_done(|| to.write_all(line)) {
                    self.failed.increment(1);
                }
            }
            // Where it fails, that is the fault of a line which has been counted, or of none.
            is_done(|| to.flush());
            drop(lines);
            let mut state = self.lock();
            state.bytes = state.bytes.saturating_sub(bytes);
            state.is_writing = false;
            drop(state);
            self.is_done.notify_all();
        }
    }

    /// Waits for lines, and takes all that there are.
    fn next(&self) -> Option<VecDeque<Box<[u8]>>> {
        let is_idle = |state: &mut State| state.lines.is_empty() && !state.is_closed;
        let waited = self.has_more.wait_while(self.lock(), is_idle);
        let mut state = waited.unwrap_or_else(PoisonError::into_inner);
        if state.lines.is_empty() {
            return None;
        }
        state.is_writing = true;
        Some(std::mem::take(&mut state.lines))
    }
}

/// Does what the writer may fail at, and lives on if it panics: with the thread, all later lines would be lost.
fn is_done(work: impl FnOnce() -> io::Result<()>) -> bool {
    matches!(catch_unwind(AssertUnwindSafe(work)), Ok(Ok(())))
}

fn size(line: &[u8]) -> usize {
    line.len().saturating_add(LINE_BYTES)
}

impl State {
    fn is_drained(&self) -> bool {
        self.lines.is_empty() && !self.is_writing
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shared.lock().is_closed = true;
        self.shared.has_more.notify_one();
    }
}

impl fmt::Debug for LogWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.handle.shared.lock();
        f.debug_struct("LogWriter").field("bytes_waiting", &state.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

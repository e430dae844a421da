use std::sync::mpsc;

use super::*;

/// Writes to a shared place, and panics at what it does not like.
#[derive(Clone, Default)]
struct Picky(Arc<Mutex<Vec<u8>>>);

impl Write for Picky {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        assert_ne!(line, b"bad");
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes once it is let go.
struct Hangs(mpsc::Receiver<()>);
impl Write for Hangs {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.recv();
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_panics_loses_no_other_line() {
    let written = Picky::default();
    let mut log = LogWriter::new(written.clone()).unwrap();
    for line in ["one ", "bad", "two"] {
        log.write_all(line.as_bytes()).unwrap();
        assert!(log.drain(Duration::from_secs(10)), "the thread is alive");
    }
    assert_eq!(*written.0.lock().unwrap(), b"one two");
}

#[test]
fn short_lines_count_what_they_take_and_empty_ones_are_none() {
    let (release, held) = mpsc::channel();
    let mut log = LogWriter::new(Hangs(held)).unwrap().bytes_max(100 * (1 + LINE_BYTES));
    for _ in 0..1_000 {
        log.write_all(b"x").unwrap();
        assert_eq!(log.write(b"").unwrap(), 0);
    }
    let bytes = log.handle.shared.lock().bytes;
    assert_eq!(bytes, 100 * (1 + LINE_BYTES), "100 lines of 1,000");
    drop(release);
    assert!(log.drain(Duration::from_secs(10)));
}

//! Findings: a panic, or an input that takes too long, is written down and ends the process.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fuzz::Target;

/// An input that takes longer hangs.
const HANG: Duration = Duration::from_secs(10);

/// What is being run.
pub(crate) struct Watch {
    seed: u64,
    current: Mutex<Option<Current>>,
}

struct Current {
    target: &'static str,
    input: Vec<u8>,
    since: Instant,
}

/// Watches for panics and hangs from now on.
pub(crate) fn start(seed: u64) -> &'static Watch {
    println!("seed {seed}");
    let watch: &'static Watch = Box::leak(Box::new(Watch { seed, current: Mutex::new(None) }));
    std::panic::set_hook(Box::new(|panic| watch.report(&panic.to_string())));
    std::thread::spawn(|| {
        loop {
            std::thread::sleep(HANG / 10);
            if watch.current().as_ref().is_some_and(|current| current.since.elapsed() > HANG) {
                watch.report(&format!("the input takes longer than {HANG:?}"));
            }
        }
    });
    watch
}

impl Watch {
    /// Runs the target once.
    pub(crate) fn execute(&self, target: &Target, input: &[u8]) {
        {
            let mut current = self.current();
            let mut kept = current.take().map_or_else(Vec::new, |current| current.input);
            kept.clear();
            kept.extend_from_slice(input);
            *current = Some(Current { target: target.name, input: kept, since: Instant::now() });
        }
        (target.run)(input);
    }

    fn current(&self) -> MutexGuard<'_, Option<Current>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Prints the input that is being run, keeps it in a file, and gives up.
    fn report(&self, what: &str) -> ! {
        if let Some(Current { target, input, .. }) = self.current().take() {
            let hex: String = input.iter().map(|byte| format!("{byte:02x}")).collect();
            eprintln!("{target}: {what}\nseed: {}\ninput: {hex}", self.seed);
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts").join(target);
            let file = folder.join(format!("finding-{}", name(&input)));
            match std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, &input)) {
                Ok(()) => eprintln!("written to {}", file.display()),
                Err(error) => eprintln!("cannot write {}: {error}", file.display()),
            }
        } else {
            eprintln!("{what}");
        }
        std::process::exit(1)
    }
}

/// Names an input by what is in it (64-bit FNV-1a).
fn name(input: &[u8]) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", input.iter().fold(0xcbf2_9ce4_8422_2325, step))
}

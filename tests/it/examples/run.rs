//! Runs examples as the processes that they are.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::timeout;

/// What an example may take on a busy machine; then it is killed.
const BOUND: Duration = Duration::from_secs(60);

pub async fn check(name: &str, lines: &[&str]) {
    assert_eq!(succeed(name, &[]).await.lines().collect::<Vec<_>>(), lines);
}

/// Runs an example to its end, and returns what it prints.
pub async fn succeed(name: &str, args: &[&str]) -> String {
    let Output { status, stdout, stderr } = output(name, args).await;
    let (stdout, stderr) = (String::from_utf8(stdout).unwrap(), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{name} {args:?} ended with {status}\n{stdout}\n{stderr}");
    stdout
}

/// Runs an example that has to fail, and returns what it says.
pub async fn fail(name: &str, args: &[&str]) -> String {
    let Output { status, stdout, stderr } = output(name, args).await;
    assert_eq!(status.code(), Some(1), "{name} {args:?}");
    assert!(stdout.is_empty(), "{}", String::from_utf8_lossy(&stdout));
    String::from_utf8(stderr).unwrap()
}

async fn output(name: &str, args: &[&str]) -> Output {
    let output = timeout(BOUND, command(name, args).output()).await;
    output.unwrap_or_else(|_| panic!("{name} {args:?} did not end within {BOUND:?}")).unwrap()
}

fn command(name: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program(name));
    command.args(args).env_remove("RUST_BACKTRACE").stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// Cargo puts examples beside the folder that holds the test binaries.
fn program(name: &str) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().join("examples");
    let path = folder.join(name).with_extension(std::env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is not there: run `cargo build --examples`", path.display());
    path
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// An example that runs until it is told to end; it is killed when this is dropped.
pub struct Process {
    pub child: Child,
    pub stdout: Lines<BufReader<ChildStdout>>,
    pub stderr: Lines<BufReader<ChildStderr>>,
}

impl Process {
    pub fn start(name: &str, args: &[&str]) -> Self {
        let mut child = command(name, args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self { child, stdout, stderr }
    }

    pub async fn terminate(&self) {
        let id = self.child.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().await.unwrap().success());
    }

    /// Waits for its end, and tells whether it succeeded.
    pub async fn end(&mut self) -> bool {
        timeout(BOUND, self.child.wait()).await.expect("it ends").unwrap().success()
    }
}

/// A server that is ready.
pub struct Serving {
    pub process: Process,
    pub uri: String,
}

impl Serving {
    pub async fn start(name: &str, args: &[&str]) -> Self {
        let mut process = Process::start(name, args);
        let first = line(&mut process.stdout).await;
        let uri = first.strip_prefix("listening on ").unwrap_or_else(|| panic!("{name} said {first:?}"));
        Self { uri: uri.to_owned(), process }
    }
}

pub async fn line(lines: &mut Lines<impl AsyncBufRead + Unpin>) -> String {
    timeout(BOUND, lines.next_line()).await.expect("a line comes").unwrap().expect("there is a line")
}

//! A server in a process of its own, whose memory, descriptors and time are its own too.

use std::io::BufRead;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use farcall::{Limits, Server, service};
use serde::{Deserialize, Serialize};

use crate::kit::{self, LabClient, Probe, soon};
use crate::logs;

/// What a server process says of itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gauge {
    pub tasks: u64,
    pub started: u64,
    pub dropped: u64,
}

/// A value that holds another of its kind.
#[derive(Serialize, Deserialize)]
pub enum Deep {
    End,
    More(Box<Deep>),
}

#[service]
pub trait Ward {
    async fn gauge(&self) -> Gauge;
    async fn deep(&self, value: Deep) -> u32;
    async fn empties(&self, all: Vec<()>) -> u64;
    /// Takes the process down.
    async fn abort(&self);
}

struct Nurse(Probe);

impl Ward for Nurse {
    async fn gauge(&self) -> Gauge {
        let counts = self.0.counts();
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64;
        Gauge { tasks, started: counts.started, dropped: counts.dropped }
    }

    async fn deep(&self, _: Deep) -> u32 {
        let _inside = self.0.enter();
        1
    }

    async fn empties(&self, all: Vec<()>) -> u64 {
        let _inside = self.0.enter();
        all.len() as u64
    }

    async fn abort(&self) {
        std::process::abort();
    }
}

pub async fn serve(uri: &str, limits: Limits, probe: &Probe) -> Server {
    kit::builder(probe).service(WardServer::new(Nurse(probe.clone()))).limits(limits).bind(uri).await.unwrap()
}

const SERVE: &str = "FARCALL_FAULTS_SERVE";
const TIMES: &str = "FARCALL_FAULTS_TIMES";

/// How long a server process waits for what.
#[derive(Clone, Copy)]
pub struct Times {
    pub handshake: Duration,
    pub write: Duration,
    pub ping_interval: Duration,
    pub ping_timeout: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let (ten, twenty) = (Duration::from_secs(10), Duration::from_secs(20));
        Self { handshake: ten, write: twenty, ping_interval: Duration::from_secs(30), ping_timeout: twenty }
    }
}

impl Times {
    pub fn limits(&self) -> Limits {
        Limits::default()
            .handshake_timeout(self.handshake)
            .write_timeout(self.write)
            .ping_interval(self.ping_interval)
            .ping_timeout(self.ping_timeout)
    }

    fn to_text(self) -> String {
        let millis = [self.handshake, self.write, self.ping_interval, self.ping_timeout];
        millis.map(|time| time.as_millis().to_string()).join(" ")
    }

    fn from_text(text: &str) -> Self {
        let mut millis = text.split(' ').map(|part| Duration::from_millis(part.parse().unwrap()));
        let mut next = || millis.next().unwrap();
        Self { handshake: next(), write: next(), ping_interval: next(), ping_timeout: next() }
    }
}

/// The server process of the tests here; does nothing when it runs as a test.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn serves_in_a_process_of_its_own() {
    if let Ok(uri) = std::env::var(SERVE) {
        logs::to_stderr();
        let times = Times::from_text(&std::env::var(TIMES).unwrap());
        let server = serve(&uri, times.limits(), &Probe::new()).await;
        println!("\nlistening on {}", server.uri());
        server.wait().await;
    }
}

/// A command that runs one function of this binary, behind `prefix`.
pub fn itself(prefix: &[&str], function: &str) -> Command {
    let binary = std::env::current_exe().unwrap();
    let mut command = match prefix {
        [] => Command::new(binary),
        [program, arguments @ ..] => {
            let mut command = Command::new(program);
            command.args(arguments).arg(binary);
            command
        }
    };
    command.args(["--exact", function, "--nocapture"]);
    command
}

/// A server process; it ends with this.
pub struct ServerProcess {
    child: Child,
    pub uri: String,
}

impl ServerProcess {
    pub fn start(times: Times) -> Self {
        Self::start_with("tcp://127.0.0.1:0", times, &[], |_| {})
    }

    /// Starts a server behind a command that ends by running its arguments.
    pub fn start_with(uri: &str, times: Times, prefix: &[&str], set_up: impl FnOnce(&mut Command)) -> Self {
        let mut command = itself(prefix, "process::serves_in_a_process_of_its_own");
        command.env(SERVE, uri).env(TIMES, times.to_text()).stdout(Stdio::piped());
        set_up(&mut command);
        let mut child = command.spawn().unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        let mut uris = lines
            .map_while(Result::ok)
            .filter_map(|line| Some(line.strip_prefix("listening on ")?.to_owned()));
        let uri = uris.next().expect("the process says where it listens");
        Self { child, uri }
    }

    pub async fn clients(&self) -> (LabClient, WardClient) {
        let channel = farcall::Channel::connect(&self.uri).await.unwrap();
        (LabClient::new(channel.clone()), WardClient::new(channel))
    }

    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Resident memory, in KiB.
    pub fn memory_kib(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most resident memory since it was last forgotten, in KiB.
    pub fn memory_peak_kib(&self) -> u64 {
        self.status("VmHWM:")
    }

    pub fn forget_memory_peak(&self) {
        std::fs::write(self.proc("clear_refs"), "5").unwrap();
    }

    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(self.proc("fd")).unwrap().count()
    }

    /// The time that the process has run on processors, in ticks of 10 ms.
    pub fn processor_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(self.proc("stat")).unwrap();
        let fields: Vec<_> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    /// How often its threads have waited for something.
    pub fn waits(&self) -> u64 {
        let threads = std::fs::read_dir(self.proc("task")).unwrap();
        let waits = |thread: std::fs::DirEntry| {
            field(&thread.path().join("status").to_string_lossy(), "voluntary_ctxt_switches:")
        };
        threads.map(|thread| waits(thread.unwrap())).sum()
    }

    fn status(&self, name: &str) -> u64 {
        field(&self.proc("status"), name)
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.child.id())
    }
}

fn field(file: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(file).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks again until it is so, for what nobody is told of: the state of another process, or the number of tasks.
pub async fn comes_true(mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    soon(asking).await;
}

/// The tasks of this test's runtime.
pub fn tasks() -> usize {
    tokio::runtime::Handle::current().metrics().num_alive_tasks()
}

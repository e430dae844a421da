//! A network of its own for a server: another namespace, and a link to it that can be taken down.

use std::process::Command;

pub struct Namespace {
    name: String,
    far: String,
    /// The server's address in it.
    pub address: String,
}

fn ip(arguments: &str) -> Result<(), String> {
    let output = Command::new("ip").args(arguments.split(' ')).output();
    let output = output.map_err(|error| format!("the command ip cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("ip {arguments}: {}", String::from_utf8_lossy(&output.stderr).trim()))
}

impl Namespace {
    /// Makes one; `number` tells those of one process apart.
    ///
    /// # Errors
    /// Why this cannot be done here, such as that it takes root.
    pub fn make(number: u8) -> Result<Self, String> {
        let process = std::process::id() % 250;
        let (name, near, far) = (
            format!("farcall-{process}-{number}"),
            format!("fc{process}n{number}"),
            format!("fc{process}f{number}"),
        );
        ip(&format!("netns add {name}"))?;
        // From here on dropping it cleans up.
        let namespace = Self { name, far, address: format!("198.18.{process}.{}", 4 * number + 2) };
        let Self { name, far, address } = &namespace;
        ip(&format!("link add {near} type veth peer name {far} netns {name}"))?;
        ip(&format!("addr add 198.18.{process}.{}/30 dev {near}", 4 * number + 1))?;
        ip(&format!("link set {near} up"))?;
        ip(&format!("-n {name} addr add {address}/30 dev {far}"))?;
        namespace.link_up();
        Ok(namespace)
    }

    /// What runs a command in it.
    pub fn prefix(&self) -> [&str; 4] {
        ["ip", "netns", "exec", &self.name]
    }

    pub fn link_down(&self) {
        ip(&format!("-n {} link set {} down", self.name, self.far)).unwrap();
    }

    pub fn link_up(&self) {
        ip(&format!("-n {} link set {} up", self.name, self.far)).unwrap();
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The link goes with it.
        let _ = ip(&format!("netns del {}", self.name));
    }
}

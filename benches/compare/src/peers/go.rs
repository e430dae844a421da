//! Go's net/rpc, by a small program that is built when a Go toolchain is found.
//!
//! gob is its own codec and the only one but JSON that it brings; Go sets nodelay by itself.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Builds the program; none where there is no `go` to be found.
pub fn build() -> Result<Option<String>> {
    let Ok(version) = Command::new("go").arg("version").output() else { return Ok(None) };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(program())
        .arg(".")
        .current_dir(manifest.join("go"))
        .env("GOCACHE", manifest.join("target/go-cache"))
        .env("GOTOOLCHAIN", "local")
        .env("GO111MODULE", "on")
        .status()
        .context("go build")?;
    ensure!(status.success(), "go build failed: {status}");
    Ok(Some(String::from_utf8_lossy(&version.stdout).trim().to_owned()))
}

fn program() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("target/go-net-rpc")
}

/// Becomes the program, which takes the same arguments; only returns if it cannot.
pub fn become_program() -> anyhow::Error {
    let error = Command::new(program()).args(std::env::args_os().skip(1)).exec();
    anyhow::Error::new(error).context("cannot start target/go-net-rpc")
}

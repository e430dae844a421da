//! A library that is loaded before the C library: it lets the wall clock jump, and `accept` fail.

use std::process::Command;

use tempfile::TempDir;

pub struct Shim {
    folder: TempDir,
}

impl Shim {
    /// Compiles it.
    ///
    /// # Errors
    /// Why this cannot be done here.
    pub fn build() -> Result<Self, String> {
        if cfg!(not(target_os = "linux")) {
            return Err("libraries are put before others on Linux only".into());
        }
        let folder = tempfile::tempdir().unwrap();
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c");
        let library = folder.path().join("shim.so");
        let output =
            Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).output();
        let output = output.map_err(|error| format!("there is no C compiler: {error}"))?;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Ok(Self { folder })
    }

    pub fn preload<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LD_PRELOAD", self.folder.path().join("shim.so"))
    }
}

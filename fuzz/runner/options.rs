//! What the command line says.

use std::path::PathBuf;
use std::str::FromStr;

use fuzz::{TARGETS, Target};

pub(crate) const USAGE: &str = "\
usage: cargo run --release --manifest-path fuzz/Cargo.toml -- [options] [file ...]
  --target NAME  this target alone; may be repeated
  --seconds N    fuzz each target for so long (default: 10)
  --runs N       run each target so often instead
  --seed N       make the same inputs again (default: by chance)
  file           run the inputs in these files, and nothing else";

/// When a target has run for long enough.
#[derive(Clone, Copy)]
pub(crate) enum Until {
    Seconds(f64),
    Runs(u64),
}

pub(crate) struct Options {
    pub(crate) targets: Vec<Target>,
    pub(crate) until: Until,
    pub(crate) seed: u64,
    pub(crate) files: Vec<PathBuf>,
}

impl Options {
    pub(crate) fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let (targets, files) = (Vec::new(), Vec::new());
        let mut options = Self { targets, until: Until::Seconds(10.0), seed: fastrand::u64(..), files };
        while let Some(arg) = args.next() {
            match &*arg {
                "--target" => options.targets.push(target(&value(&arg, &mut args)?)?),
                "--seconds" => options.until = Until::Seconds(number(&arg, &mut args)?),
                "--runs" => options.until = Until::Runs(number(&arg, &mut args)?),
                "--seed" => options.seed = number(&arg, &mut args)?,
                option if option.starts_with('-') => return Err(format!("there is no option {option}")),
                file => options.files.push(file.into()),
            }
        }
        if options.targets.is_empty() {
            options.targets = TARGETS.to_vec();
        }
        if !options.files.is_empty() && options.targets.len() != 1 {
            return Err("files need one --target: the folder of a finding bears its name".to_owned());
        }
        Ok(options)
    }
}

fn target(name: &str) -> Result<Target, String> {
    let known = || TARGETS.map(|target| target.name).join(", ");
    TARGETS
        .into_iter()
        .find(|target| target.name == name)
        .ok_or_else(|| format!("there is no target {name}; there are {}", known()))
}

fn value(option: &str, args: &mut impl Iterator<Item = String>) -> Result<String, String> {
    args.next().ok_or_else(|| format!("{option} needs a value"))
}

fn number<T: FromStr>(option: &str, args: &mut impl Iterator<Item = String>) -> Result<T, String> {
    let text = value(option, args)?;
    text.parse().map_err(|_| format!("{option} needs a number, not {text}"))
}

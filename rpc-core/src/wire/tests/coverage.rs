//! Holds the specification, the code and the tests together.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::kit::{End, FRAMES, OPENINGS, vector, vectors};
use crate::connection::{Config, OpenCall, Reply, Side};
use crate::wire::{CloseCode, FrameHeader, FrameKind, ResetCode, Settings};
use crate::{Code, CodecKind, Metadata, MethodId};

const SPECIFICATION: &str = include_str!("../../../../docs/protocol.md");

/// Rules whose test is missing, each with the place where it belongs. A rule that has a test is taken off.
const WITHOUT_TEST: &[(&str, &str)] = &[];

#[test]
fn every_rule_is_named_by_a_test() {
    let rules = rules();
    let proved = rules_in_tests();
    let known: BTreeSet<_> = rules.iter().map(String::as_str).collect();
    assert_eq!(known.len(), rules.len(), "a rule stands in docs/protocol.md twice");
    let open: BTreeSet<_> = WITHOUT_TEST.iter().map(|(rule, _)| *rule).collect();
    let without: Vec<_> =
        known.iter().filter(|rule| !proved.contains(**rule) && !open.contains(*rule)).collect();
    assert!(without.is_empty(), "rules of docs/protocol.md that no test names: {without:?}");
    let unknown: Vec<_> = proved.iter().filter(|rule| !known.contains(rule.as_str())).collect();
    assert!(unknown.is_empty(), "tests name rules that docs/protocol.md does not have: {unknown:?}");
    let done: Vec<_> = open.iter().filter(|rule| proved.contains(**rule)).collect();
    assert!(done.is_empty(), "these have a test now, take them off WITHOUT_TEST: {done:?}");
}

/// The rules of a letter are numbered without gaps, in their order.
#[test]
fn rules_are_numbered_in_order() {
    let rules = rules();
    for letter in "HFIPSCKGWQLE".chars() {
        let numbers: Vec<usize> =
            rules.iter().filter_map(|rule| rule.strip_prefix(letter)?.parse().ok()).collect();
        assert!(!numbers.is_empty());
        assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>(), "{letter}");
    }
}

/// The ids at the starts of paragraphs such as `**F2.** …`.
fn rules() -> Vec<String> {
    let lines = SPECIFICATION.lines().filter_map(|line| line.strip_prefix("**"));
    lines
        .filter_map(|line| line.split_once(".**"))
        .map(|(id, _)| id)
        .filter(|id| is_rule(id))
        .map(str::to_owned)
        .collect()
}

fn is_rule(id: &str) -> bool {
    let mut chars = id.chars();
    chars.next().is_some_and(|letter| "HFIPSCKGWQLE".contains(letter))
        && !chars.as_str().is_empty()
        && chars.all(|digit| digit.is_ascii_digit())
}

fn rules_in_tests() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["rpc-core", "rpc-transport", "tests/it", "tests/faults", "tests/links"] {
        rust_files(&root.join(folder), &mut files);
    }
    let mut rules = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let is_test = file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs");
        // In other files only what follows the attribute is a test; comments elsewhere say what implements a rule.
        let tests =
            if is_test { &*text } else { text.split_once("#[cfg(test)]").map_or("", |(_, tests)| tests) };
        name_rules(tests, &mut rules);
    }
    rules
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// Collects `fn rule_f2_…`, `fn rule_f2_f3_…`, and `rule F2` in a comment right above a function.
fn name_rules(text: &str, rules: &mut BTreeSet<String>) {
    let mut above = Vec::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("//") {
            let words = line.split_once("rule").map_or("", |(_, words)| words);
            above.extend(
                words.split(|c: char| !c.is_alphanumeric()).filter(|word| is_rule(word)).map(str::to_owned),
            );
        } else if let Some((_, name)) = line.split_once("fn ") {
            rules.extend(above.drain(..));
            let ids = name.strip_prefix("rule_").unwrap_or_default().split('_').map(str::to_uppercase);
            rules.extend(ids.take_while(|id| is_rule(id)));
        } else if !line.starts_with("#[") {
            above.clear();
        }
    }
}

#[test]
fn comments_and_names_are_read_as_rules() {
    let text = "// rule F9\nlet x = 1;\n/// Proves rules S1 and S2.\n#[test]\nfn a() {}\nfn rule_k1_k2_b() {}\nfn rule_x1_c() {}";
    let mut rules = BTreeSet::new();
    name_rules(text, &mut rules);
    assert_eq!(rules.into_iter().collect::<Vec<_>>(), ["K1", "K2", "S1", "S2"]);
}

#[test]
fn the_example_of_the_specification_is_what_is_sent() {
    let (_, example) = SPECIFICATION.split_once("```vectors\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    assert_eq!(vectors(example).len(), 3);
    assert_eq!(vector(example, "opening"), vector(OPENINGS, "default"));
    assert_eq!(vector(example, "open"), vector(FRAMES, "open"));
    assert_eq!(vector(example, "reply"), vector(FRAMES, "reply"));

    let settings = Settings { codecs: vec![1, 2], compressors: Vec::new(), ..Settings::default() };
    let config = Config { settings, ..Config::default() };
    let (mut client, mut server) =
        (End::silent(Side::Client, config.clone()), End::silent(Side::Server, config));
    server.hears(&client.told());
    let opening = server.told();
    assert_eq!(opening, vector(example, "opening"));
    client.hears(&opening);
    let (metadata, text) = (Metadata::new(), CodecKind::Postcard.encode("Ada").unwrap());
    let call = OpenCall::new(MethodId::hash("Greeter", "greet"), 1, text, &metadata);
    let id = client.machine.open(&call).unwrap();
    let bytes = client.told();
    assert_eq!(bytes, vector(example, "open"));
    server.hears(&bytes);
    server.machine.reply(id, &Reply::new(1, CodecKind::Postcard.encode("Hello, Ada!").unwrap()));
    let bytes = server.told();
    assert_eq!(bytes, vector(example, "reply"));
    client.hears(&bytes);
    assert!(client.reply(id).is_ready());
    assert_eq!((client.machine.calls_in_flight(), server.machine.calls_in_flight()), (0, 0));
}

#[test]
fn the_tables_of_the_specification_are_those_of_the_code() {
    let says = |row: String| assert!(SPECIFICATION.contains(&row), "the specification has no {row}");
    for number in 0..=9 {
        says(format!("| {number} | {:?} | ", CloseCode::from_u16(number)));
    }
    for number in 1..=4 {
        says(format!("| {number} | {:?} | ", ResetCode::from_u16(number)));
    }
    for code in Code::ALL {
        says(format!("| {} | {} |", code as u16, code.name()));
    }
    for number in 1..=9 {
        let mut raw = [0; 16];
        raw[4] = number;
        let kind: FrameKind = FrameHeader::parse(&raw).kind.unwrap();
        says(format!("| {number} | {} | ", format!("{kind:?}").to_uppercase()));
    }
    let defaults = Settings::default();
    for (number, name, default) in [
        (1, "calls_max", defaults.calls_max),
        (2, "message_bytes_max", defaults.message_bytes_max),
        (3, "frame_bytes_max", defaults.frame_bytes_max),
        (4, "metadata_bytes_max", defaults.metadata_bytes_max),
        (5, "stream_window_bytes", defaults.stream_window_bytes),
        (6, "connection_window_bytes", defaults.connection_window_bytes),
    ] {
        let row =
            SPECIFICATION.lines().find(|line| line.starts_with(&format!("| {number} | `{name}`"))).unwrap();
        assert_eq!(row.split('|').nth(4).unwrap().trim().replace(',', ""), default.to_string(), "{name}");
    }
}

//! One snapshot of an expansion for each feature of the grammar. `UPDATE_EXPECT=1` writes them anew.

use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, Item, Meta};

#[test]
fn expansions_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expand");
    let mut inputs: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| is_input(path))
        .collect();
    inputs.sort();
    assert!(inputs.len() >= 10, "the snapshots are gone from {}", folder.display());
    let wrong: Vec<_> = inputs.iter().filter_map(|input| compare(input)).collect();
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 writes these anew:\n{}", wrong.join("\n"));
}

#[test]
fn a_small_trait_expands_to_little() {
    let expanded = expand("#[service] trait Maths { async fn add(&self, a: i64, b: i64) -> i64; }");
    let lines = expanded.lines().count();
    assert!(lines <= 112, "{lines} lines");
}

#[test]
fn types_are_written_as_people_write_them() {
    for text in [
        "Result<Vec<u8>, crate::Fault>",
        "impl Stream<Item = Result<(u8, [u8; 4]), Fault>> + Send",
        "&[u8]",
        "<V as Codec>::Item",
        "Box<dyn Fn(u8) -> u8 + 'static>",
        "(u8,)",
    ] {
        let ty: syn::Type = syn::parse_str(text).unwrap();
        assert_eq!(crate::model::text(ty), text);
    }
}

fn is_input(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.ends_with(".rs") && !name.ends_with(".expanded.rs")
}

/// Expands a file; tells what is wrong if the expansion is not the recorded one.
fn compare(input: &Path) -> Option<String> {
    let expanded = expand(&std::fs::read_to_string(input).unwrap());
    let recorded = input.with_extension("expanded.rs");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&recorded, &expanded).unwrap();
    }
    let expected = std::fs::read_to_string(&recorded).unwrap_or_default();
    let line = expanded.lines().zip(expected.lines()).position(|(new, old)| new != old);
    (expanded != expected).then(|| {
        let line = line.unwrap_or_else(|| expanded.lines().count().min(expected.lines().count()));
        format!("{}:{}: {:?}", recorded.display(), line + 1, expanded.lines().nth(line).unwrap_or_default())
    })
}

/// Expands a file that holds one trait with `#[service]`.
fn expand(source: &str) -> String {
    let file: syn::File = syn::parse_str(source).unwrap();
    let [Item::Trait(item)] = &file.items[..] else { panic!("one trait is expected") };
    let mut item = item.clone();
    let position = item.attrs.iter().position(|attr| attr.path().is_ident("service")).unwrap();
    let args = args(&item.attrs.remove(position));
    let expanded = crate::run(args, &item.into_token_stream());
    prettyplease::unparse(&syn::parse2(expanded).unwrap())
}

fn args(attr: &Attribute) -> TokenStream {
    match &attr.meta {
        Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    }
}

//! Names: cases, guesses at what was meant, and names that the trait does not use.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream, TokenTree};

/// How `rename_all` writes the names of methods.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Case {
    Camel,
    Snake,
    Pascal,
    Kebab,
    Screaming,
}

/// What `rename_all` may say.
pub(crate) const CASES: [(&str, Case); 5] = [
    ("camelCase", Case::Camel),
    ("snake_case", Case::Snake),
    ("PascalCase", Case::Pascal),
    ("kebab-case", Case::Kebab),
    ("SCREAMING_SNAKE_CASE", Case::Screaming),
];

impl Case {
    /// Writes a Rust name in this case.
    pub(crate) fn apply(self, name: &str) -> String {
        let words = words(name);
        match self {
            Self::Camel => {
                let (first, rest) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
                first.to_lowercase() + &rest.iter().map(|word| capitalized(word)).collect::<String>()
            }
            Self::Snake => words.join("_").to_lowercase(),
            Self::Pascal => words.iter().map(|word| capitalized(word)).collect(),
            Self::Kebab => words.join("-").to_lowercase(),
            Self::Screaming => words.join("_").to_uppercase(),
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().collect::<String>() + &chars.as_str().to_lowercase()
    })
}

/// Cuts `get_item` and `getItem` into `get` and `item`.
fn words(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    for part in name.split('_').filter(|part| !part.is_empty()) {
        let mut word = String::new();
        let mut before_lower = false;
        for letter in part.chars() {
            if letter.is_uppercase() && before_lower {
                words.push(std::mem::take(&mut word));
            }
            before_lower = !letter.is_uppercase();
            word.push(letter);
        }
        words.push(word);
    }
    words
}

/// Returns a name without the `r#` that lets it be a keyword.
pub(crate) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map(ToOwned::to_owned).unwrap_or(name)
}

/// Returns the name of a method's variant, at the method's place.
pub(crate) fn variant(ident: &Ident) -> Ident {
    let name = plain(ident);
    let pascal = match Case::Pascal.apply(&name) {
        pascal if pascal == "Self" => "Self_".to_owned(),
        pascal if pascal.is_empty() || pascal.starts_with(|first: char| first.is_ascii_digit()) => name,
        pascal => pascal,
    };
    Ident::new(&pascal, ident.span())
}

/// Returns the known name that was probably meant.
pub(crate) fn nearest<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let name = name.to_lowercase();
    let allowed = name.len() / 2;
    if let Some(known) = known.iter().find(|known| name.len() > 1 && known.starts_with(&name)) {
        return Some(known);
    }
    known
        .iter()
        .map(|candidate| (distance(&name, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Counts the letters to change, add or remove on the way from one word to the other.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

/// Every name that some tokens hold.
#[derive(Debug)]
pub(crate) struct Used(HashSet<String>);

impl Used {
    pub(crate) fn of(tokens: TokenStream) -> Self {
        let mut used = HashSet::new();
        collect(tokens, &mut used);
        Self(used)
    }

    pub(crate) fn contains(&self, name: &Ident) -> bool {
        self.0.contains(&name.to_string())
    }

    /// Returns the wished name, or one like it that the tokens do not hold.
    pub(crate) fn fresh(&self, wish: &str) -> Ident {
        let mut name = wish.to_owned();
        while self.0.contains(&name) {
            name.insert_str(0, "__");
        }
        Ident::new(&name, Span::mixed_site())
    }
}

fn collect(tokens: TokenStream, used: &mut HashSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(ident) => {
                used.insert(ident.to_string());
            }
            TokenTree::Group(group) => collect(group.stream(), used),
            _ => {}
        }
    }
}

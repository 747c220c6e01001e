//! Proves that the names that texts write as `code` exist: types and functions, files and folders.

use std::collections::BTreeSet;
use std::fs;

use crate::links::files_below;
use crate::readme::{code_spans, texts};
use crate::workspace::root;

/// Of others, or of a program that a text imagines.
const FOREIGN: &[&str] = &["CharsetDecoder", "Dose", "Infinity", "TextDecoder", "Validate"];

/// Where our files are. A path that begins elsewhere is somebody else's.
const FOLDERS: &[&str] = &[".ci", ".github", "benches", "crates", "docs", "examples", "fuzz", "src", "tests"];

#[test]
fn every_type_and_function_exists() {
    let mut known: BTreeSet<_> = FOREIGN.iter().map(|name| (*name).to_owned()).collect();
    for folder in FOLDERS.iter().filter(|folder| !folder.starts_with('.')) {
        for file in files_below(&root().join(folder), "rs") {
            known.extend(words(&fs::read_to_string(file).unwrap()).map(str::to_owned));
        }
    }
    let mut unknown = Vec::new();
    let mut seen = 0;
    for (path, text) in texts() {
        // What was renamed has its old name there.
        if path.ends_with("CHANGELOG.md") {
            continue;
        }
        for span in code_spans(&text).into_iter().filter(|span| names_an_item(span)) {
            seen += 1;
            if !words(span).all(|word| known.contains(word)) {
                unknown.push(format!("{}: `{span}`", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(seen > 100, "the texts were not understood: {seen} names");
    assert!(unknown.is_empty(), "the code has none of these:\n{}", unknown.join("\n"));
}

/// `Keyring`, `Keyring::record` and `seal_page()`, not `NULL`.
fn names_an_item(span: &str) -> bool {
    let name = span.split('(').next().unwrap();
    let is_path = name.split("::").all(|part| words(part).eq([part]));
    let is_type = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.contains(|c: char| c.is_ascii_lowercase());
    let is_call = span.ends_with("()");
    is_path && (is_type && !span.contains('(') || is_call)
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn every_file_and_folder_exists() {
    let mut unknown = Vec::new();
    for (path, text) in texts() {
        if path.ends_with("CHANGELOG.md") {
            continue;
        }
        for span in code_spans(&text).into_iter().filter(|span| names_a_file(span)) {
            // Names in capitals, and what is between braces, are for the reader to fill in.
            let is_plain = !span.contains(['{', '*', '<'])
                && !span
                    .split(['/', '.'])
                    .any(|part| part == part.to_uppercase() && part.contains(char::is_alphabetic));
            if is_plain && !root().join(span).exists() && !path.parent().unwrap().join(span).exists() {
                unknown.push(format!("{}: `{span}`", path.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(unknown.is_empty(), "these are not there:\n{}", unknown.join("\n"));
}

/// `src/lib.rs` and `.ci/run`, not `transit/keys`.
fn names_a_file(span: &str) -> bool {
    let (first, rest) = span.split_once('/').unwrap_or_default();
    FOLDERS.contains(&first) && !rest.contains(' ')
}

#[test]
fn planted_names_are_seen() {
    for span in
        ["Keyring", "Keyring::record", "rxseal::Keyring", "seal_page()", "record.seal::<F>(&value)", "NULL", "P-7"]
    {
        let expected = matches!(span, "Keyring" | "Keyring::record" | "seal_page()");
        assert_eq!(names_an_item(span), expected, "{span}");
    }
    assert!(names_a_file(".ci/run") && names_a_file("src/lib.rs") && !names_a_file("transit/keys"));
}

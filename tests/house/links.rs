//! Proves that links and pictures lead somewhere in both places that show a text. In the repository, `docs/KEYS.md` is
//! a file below README.md; on docs.rs and crates.io there are no such files. A text that rustdoc shows uses links by
//! reference (`[the runbooks][RUNBOOKS.md]`). rustdoc gets other definitions of the same labels before the text, and
//! the first definition counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::{PACKAGES, read, root};

/// A text as rustdoc shows it: several files, one after the other.
struct Shown {
    source: PathBuf,
    files: Vec<PathBuf>,
}

#[test]
fn nothing_is_dead_on_docs_rs() {
    let mut dead = Vec::new();
    for shown in shown_by_rustdoc() {
        let texts: Vec<_> = shown.files.iter().map(|file| without_code(&fs::read_to_string(file).unwrap())).collect();
        let definitions = definitions(&texts.concat());
        for (text, file) in texts.iter().zip(&shown.files) {
            let file = file.strip_prefix(root()).unwrap().display();
            let targets = inline_targets(text).chain(used_labels(text, &definitions).map(|label| &*definitions[label]));
            for target in targets.filter(|target| is_relative(target)) {
                dead.push(format!("{file} (in {}): {target}", shown.source.display()));
            }
        }
    }
    assert!(dead.is_empty(), "rustdoc shows these, and there is nothing beside its page:\n{}", dead.join("\n"));
}

#[test]
fn nothing_is_dead_in_the_repository() {
    let mut dead = Vec::new();
    for file in texts() {
        let text = without_code(&fs::read_to_string(&file).unwrap());
        let definitions = definitions(&text);
        let name = file.strip_prefix(root()).unwrap().display();
        for target in inline_targets(&text).chain(definitions.values().map(String::as_str)) {
            let path = target.split('#').next().unwrap();
            if target.contains("::") || is_relative(target) && !file.parent().unwrap().join(path).exists() {
                dead.push(format!("{name}: {target}"));
            }
        }
        dead.extend(
            full_references(&text)
                .filter(|label| !definitions.contains_key(&key(label)))
                .map(|label| format!("{name}: [{label}]")),
        );
    }
    assert!(dead.is_empty(), "these links lead nowhere:\n{}", dead.join("\n"));
}

/// An absolute link into this repository shows the release that the text belongs to, and a file that it has.
#[test]
fn links_into_the_repository_are_those_of_this_release() {
    let repository = format!("{}/", env!("CARGO_PKG_REPOSITORY"));
    let raw = repository.replace("https://github.com/", "https://raw.githubusercontent.com/");
    let tag = format!("v{}", env!("CARGO_PKG_VERSION"));
    let mut wrong = Vec::new();
    for file in texts().into_iter().chain(shown_by_rustdoc().into_iter().flat_map(|shown| shown.files)) {
        let text = fs::read_to_string(&file).unwrap();
        for (at, found) in text.match_indices(&repository).chain(text.match_indices(&raw)) {
            let rest = &text[at + found.len()..];
            let rest = &rest[..rest.find([')', ' ', '\n', '"', '>', '#']).unwrap_or(rest.len())];
            let path = if found == raw {
                Some(rest)
            } else {
                ["blob/", "tree/", "raw/"].iter().find_map(|kind| rest.strip_prefix(kind))
            };
            let Some((reference, path)) = path.and_then(|path| path.split_once('/')) else { continue };
            if reference != tag || !root().join(path).exists() {
                wrong.push(format!("{}: {found}{rest}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "not a file of {tag}:\n{}", wrong.join("\n"));
}

/// From README, which rustdoc shows too: what is dead there, the test above tells.
#[test]
fn every_page_is_reachable() {
    let readme = without_code(&read("README.md"));
    let definitions = definitions(&readme);
    let used: BTreeSet<_> =
        used_labels(&readme, &definitions).map(|label| &*definitions[label]).chain(inline_targets(&readme)).collect();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.ends_with(".md") {
            let page = format!("docs/{name}");
            assert!(
                used.iter().any(|target| target.split('#').next() == Some(&page)),
                "README.md does not link {page}"
            );
        }
    }
}

/// Each run of lines with `doc = include_str!(..)` in a published crate.
fn shown_by_rustdoc() -> Vec<Shown> {
    let mut found = Vec::new();
    for package in PACKAGES.iter().filter(|package| package.is_published()) {
        for source in files_below(&package.folder().join("src"), "rs") {
            let mut files = Vec::new();
            for line in fs::read_to_string(&source).unwrap().lines().chain([""]) {
                let included = line.split_once("doc = include_str!(\"").and_then(|(_, rest)| rest.split_once('"'));
                match included {
                    Some((path, _)) => files.push(source.parent().unwrap().join(path).canonicalize().unwrap()),
                    None if files.is_empty() => {}
                    None => found.push(Shown {
                        source: source.strip_prefix(root()).unwrap().to_owned(),
                        files: std::mem::take(&mut files),
                    }),
                }
            }
        }
    }
    assert!(found.iter().any(|shown| shown.source == Path::new("src/lib.rs")), "src/lib.rs was not understood");
    found
}

/// Every text that is read in the repository.
fn texts() -> Vec<PathBuf> {
    let mut files: Vec<_> = files_below(&root().join("docs"), "md");
    files.extend(["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    files.extend(PACKAGES.iter().map(|package| package.folder().join("README.md")));
    files.retain(|file| file.is_file());
    files
}

pub fn files_below(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A file beside the text, in contrast to an address, a place in the same text or an item of the library.
fn is_relative(target: &str) -> bool {
    !target.starts_with(['#', '<'])
        && !target.contains("::")
        && !target.contains("://")
        && !target.starts_with("mailto:")
}

/// The text without what stands between fences.
fn without_code(text: &str) -> String {
    let mut inside = false;
    let mut found = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            found.push_str(line);
            found.push('\n');
        }
    }
    found
}

/// `[label]: target`, by label. The first one counts.
fn definitions(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let parts = line.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("]: "));
        if let Some((label, target)) = parts {
            found.entry(key(label)).or_insert_with(|| target.split_whitespace().next().unwrap_or_default().to_owned());
        }
    }
    found
}

fn key(label: &str) -> String {
    label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// The targets of `[text](target)`, `![text](target)`, `src="target"` and `href="target"`.
fn inline_targets(text: &str) -> impl Iterator<Item = &str> {
    [("](", ')'), ("src=\"", '"'), ("href=\"", '"')].into_iter().flat_map(move |(open, close)| {
        text.match_indices(open).filter_map(move |(at, _)| {
            let rest = &text[at + open.len()..];
            rest.split(close).next()?.split(' ').next()
        })
    })
}

/// The labels of `[text][label]`, which have no other meaning unless they are code.
fn full_references(text: &str) -> impl Iterator<Item = &str> {
    let is_code = |at: usize| text[..at].rsplit('\n').next().unwrap().matches('`').count() % 2 == 1;
    let labels = text.match_indices("][").filter(move |(at, _)| !is_code(*at));
    labels.filter_map(|(at, found)| text[at + found.len()..].split(']').next()).filter(|label| !label.is_empty())
}

/// The defined labels that a text uses, as `[text][label]` or `[label]`.
fn used_labels<'d>(text: &str, definitions: &'d BTreeMap<String, String>) -> impl Iterator<Item = &'d String> {
    let used: BTreeSet<_> = text.split('[').skip(1).filter_map(|rest| rest.split(']').next()).map(key).collect();
    definitions.keys().filter(move |label| used.contains(*label))
}

/// The reader above sees each way to write a link.
#[test]
fn planted_links_are_seen() {
    let text = "[a](b.md) ![c](d.svg \"title\") <img src=\"e.png\"> [f][G h] and [i], `[m][n]`.\n```\n[x](y)\n```\n[g H]: j.md\n[i]: k.md\n[i]: l.md\n";
    let text = without_code(text);
    let definitions = definitions(&text);
    assert_eq!(inline_targets(&text).collect::<Vec<_>>(), ["b.md", "d.svg", "e.png"]);
    assert_eq!(
        definitions,
        [("g h", "j.md"), ("i", "k.md")].map(|(label, target)| (label.to_owned(), target.to_owned())).into()
    );
    assert_eq!(used_labels("[f][G h]", &definitions).collect::<Vec<_>>(), ["g h"]);
    assert_eq!(used_labels("see [i].", &definitions).collect::<Vec<_>>(), ["i"]);
    assert_eq!(full_references(&text).collect::<Vec<_>>(), ["G h"]);
    let kinds = ["docs/KEYS.md", "#keys", "https://a.b/c", "crate::phi", "mailto:a@b.c"];
    assert_eq!(kinds.map(is_relative), [true, false, false, false, false]);
}

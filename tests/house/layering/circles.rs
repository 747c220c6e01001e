//! Proves that no file of a crate imports itself through other files. Files in a circle can only be understood
//! together.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::{Token, library_tokens, root, rust_files};

#[test]
fn no_circle_of_files() {
    let mut problems = Vec::new();
    for folder in source_folders() {
        let files = rust_files(&root().join(&folder)).into_iter().map(|(path, source)| (module(&path), source));
        for (from, to) in circles(&imports(&files.collect())) {
            problems.push(format!("{folder}: `{}` imports `{}`", from.join("::"), to.join("::")));
        }
    }
    assert!(problems.is_empty(), "these imports make a circle of files:\n{}", problems.join("\n"));
}

/// `src` of the core and of each satellite.
fn source_folders() -> Vec<String> {
    let crates = fs::read_dir(root().join("crates")).into_iter().flatten();
    let satellites = crates.map(|entry| format!("crates/{}/src", entry.unwrap().file_name().to_str().unwrap()));
    let folders: Vec<_> = [String::from("src")].into_iter().chain(satellites).collect();
    folders.into_iter().filter(|folder| root().join(folder).is_dir()).collect()
}

type Module = Vec<String>;

/// `["foo", "bar"]` of `foo/bar.rs`; nothing of the root of the crate.
fn module(path: &Path) -> Module {
    let names = path.with_extension("");
    let names: Module = names.components().map(|name| name.as_os_str().to_str().unwrap().to_owned()).collect();
    if names == ["lib"] || names == ["main"] { Module::new() } else { names }
}

/// A path as it stands in a file, and the name under which it is known there.
struct Import {
    path: Vec<String>,
    name: String,
    is_exported: bool,
}

/// Which file imports which, by module. The root is a table of contents, and no file imports it.
fn imports(sources: &BTreeMap<Module, String>) -> BTreeMap<Module, BTreeSet<Module>> {
    let read: BTreeMap<_, _> = sources.iter().map(|(module, source)| (module, imports_of(module, source))).collect();
    let mut exports = BTreeMap::new();
    for (module, (list, _)) in &read {
        for import in list.iter().filter(|import| import.is_exported) {
            exports.insert([module.as_slice(), std::slice::from_ref(&import.name)].concat(), import.path.clone());
        }
    }
    let mut edges = BTreeMap::new();
    for (module, (list, words)) in &read {
        // What a file hands on and does not use itself is its table of contents.
        let used = list.iter().filter(|import| !import.is_exported || words.contains(&import.name));
        let files = used.filter_map(|import| file_of(&import.path, sources, &exports));
        let files: BTreeSet<_> = files.filter(|file| file != *module && !file.is_empty()).collect();
        if !module.is_empty() {
            edges.insert((*module).clone(), files);
        }
    }
    edges
}

/// The file that declares what `path` names, through all that hand it on.
fn file_of(
    path: &[String],
    sources: &BTreeMap<Module, String>,
    exports: &BTreeMap<Module, Vec<String>>,
) -> Option<Module> {
    let mut path = path.to_vec();
    for _ in 0..8 {
        let len = (0..=path.len()).rev().find(|len| sources.contains_key(&path[..*len]))?;
        match path.get(..=len).and_then(|exported| exports.get(exported)) {
            Some(target) if target[..] != path[..=len] => path = [target.as_slice(), &path[len + 1..]].concat(),
            _ => return Some(path[..len].to_vec()),
        }
    }
    None
}

/// Every path of a file that names something of its crate, and every word outside of imports.
fn imports_of(module: &Module, source: &str) -> (Vec<Import>, BTreeSet<String>) {
    let tokens = library_tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let (mut found, mut words) = (Vec::new(), BTreeSet::new());
    let mut inline: Vec<(usize, String)> = Vec::new();
    let (mut braces, mut at) = (0_usize, 0);
    while at < tokens.len() {
        let here = || [module.as_slice(), &inline.iter().map(|(_, name)| name.clone()).collect::<Vec<_>>()].concat();
        match text(at) {
            "{" => {
                braces += 1;
                if at >= 2 && text(at - 2) == "mod" {
                    inline.push((braces, text(at - 1).to_owned()));
                }
            }
            "}" => {
                inline.pop_if(|(opened, _)| *opened == braces);
                braces -= 1;
            }
            "use" => {
                let is_exported = at > 0 && matches!(text(at - 1), "pub" | ")");
                let mut tree = Vec::new();
                at = read_tree(&tokens, at + 1, &[], &mut tree);
                for (path, name) in tree {
                    found.extend(absolute(&here(), &path).map(|path| Import { path, name, is_exported }));
                }
            }
            "crate" | "super"
                if at == 0 || !matches!(text(at - 1), "$" | "::" | "in" | "(") || text(at + 1) == "::" =>
            {
                let mut path = vec![text(at).to_owned()];
                while text(at + 1) == "::" && text(at + 2) != "{" {
                    path.push(text(at + 2).to_owned());
                    at += 2;
                }
                let name = path.last().cloned().unwrap_or_default();
                found.extend(absolute(&here(), &path).map(|path| Import { path, name, is_exported: false }));
            }
            word => {
                // What a dot or `mod` stands before is a name of something else.
                if at == 0 || !matches!(text(at - 1), "." | "mod") {
                    words.insert(word.to_owned());
                }
                // `child::function()` without an import; anything else that begins so is no file.
                if text(at + 1) == "::" && (at == 0 || text(at - 1) != "::") {
                    let path = absolute(&here(), &[word.to_owned(), text(at + 2).to_owned()]);
                    found.extend(path.map(|path| Import { name: String::new(), path, is_exported: false }));
                }
            }
        }
        at += 1;
    }
    (found, words)
}

/// Reads `a::{b, c::d as e}` and gives where it ends.
fn read_tree(tokens: &[Token<'_>], mut at: usize, prefix: &[String], found: &mut Vec<(Vec<String>, String)>) -> usize {
    let text = |at: usize| tokens.get(at).map_or(";", |token| token.text);
    let mut path = prefix.to_vec();
    loop {
        match text(at) {
            "{" => {
                while text(at) != "}" {
                    at = read_tree(tokens, at + 1, &path, found);
                }
                return at + 1;
            }
            "::" => at += 1,
            "as" => {
                found.push((path, text(at + 1).to_owned()));
                return at + 2;
            }
            ";" | "," | "}" => {
                if path.len() > prefix.len() {
                    let name = path.last().cloned().unwrap_or_default();
                    found.push((path, name));
                }
                return at;
            }
            name => {
                if name != "self" || path.is_empty() {
                    path.push(name.to_owned());
                } else if path.len() == prefix.len() {
                    found.push((path.clone(), path.last().cloned().unwrap_or_default()));
                }
                at += 1;
            }
        }
    }
}

/// `path` from the root of the crate on; nothing for one of another crate. A path without `crate` or `super` may name a child.
fn absolute(here: &[String], path: &[String]) -> Option<Vec<String>> {
    let steps = path.iter().take_while(|name| *name == "super").count();
    match path.first()?.as_str() {
        "crate" => Some(path[1..].to_vec()),
        "super" => Some([&here[..here.len().checked_sub(steps)?], &path[steps..]].concat()),
        "self" => Some([here, &path[1..]].concat()),
        "std" | "core" | "alloc" => None,
        _ => Some([here, path].concat()),
    }
}

/// The edges from which a way leads back to where they begin.
fn circles(edges: &BTreeMap<Module, BTreeSet<Module>>) -> Vec<(Module, Module)> {
    let is_back = |(from, to): &(&Module, &Module)| {
        let (mut seen, mut next) = (BTreeSet::from([*to]), vec![*to]);
        while let Some(module) = next.pop() {
            next.extend(edges.get(module).into_iter().flatten().filter(|imported| seen.insert(imported)));
        }
        seen.contains(from)
    };
    let all = edges.iter().flat_map(|(from, to)| to.iter().map(move |to| (from, to)));
    all.filter(is_back).map(|(from, to)| (from.clone(), to.clone())).collect()
}

/// The reader above must see what it is there for, and not see what is none.
#[test]
fn planted_circles_are_seen() {
    let circle = |files: &[(&str, &str)]| {
        let sources = files.iter().map(|(path, source)| (module(Path::new(path)), (*source).to_owned())).collect();
        circles(&imports(&sources)).len()
    };
    let lib = ("lib.rs", "mod a; mod b;");
    assert_eq!(circle(&[lib, ("a.rs", "use crate::b::B;"), ("b.rs", "fn f(a: super::a::A) {}")]), 2);
    assert_eq!(circle(&[lib, ("a.rs", "use crate::b::B;"), ("b.rs", "// use crate::a::A;")]), 0);
    assert_eq!(circle(&[lib, ("a.rs", "mod c; use c::C;"), ("a/c.rs", "use super::A;")]), 2);
    assert_eq!(circle(&[lib, ("a.rs", "mod c; use c::{C, D};"), ("a/c.rs", "use std::fmt; use serde::A;")]), 0);
    assert_eq!(circle(&[lib, ("a.rs", "mod c; fn f() { c::g(); }"), ("a/c.rs", "use super::A;")]), 2);
    assert_eq!(circle(&[lib, ("a.rs", "mod c; fn f() { d::c::g(); }"), ("a/c.rs", "use super::A;")]), 0);
    // By what hands it on, which is a table of contents unless it uses that itself.
    let pair = [("a/c.rs", "use super::D;"), ("a/d.rs", "pub struct D; fn f(c: super::C) {}")];
    assert_eq!(circle(&[lib, ("a.rs", "mod c; mod d; pub use c::C; pub(crate) use d::D;"), pair[0], pair[1]]), 2);
    assert_eq!(circle(&[lib, ("a.rs", "mod c; pub use c::C; struct A;"), ("a/c.rs", "use super::A;")]), 0);
    assert_eq!(circle(&[lib, ("a.rs", "mod c; pub use c::C; struct A(C);"), ("a/c.rs", "use super::A;")]), 2);
    assert_eq!(
        circle(&[lib, ("a.rs", "#[cfg(test)]\nmod tests { use crate::b::B; }"), ("b.rs", "use crate::a::A;")]),
        0
    );
    assert_eq!(circle(&[lib, ("a.rs", "mod x { use super::super::b::B; }"), ("b.rs", "use crate::a::{self, A};")]), 2);
}

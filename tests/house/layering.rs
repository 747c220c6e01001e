//! Proves that `src/` keeps its layers: a module imports only lower layers (docs/ARCHITECTURE.md), and files keep the
//! house rules that a compiler does not check. Unit tests inside `src/` may use everything.

#[path = "layering/circles.rs"]
mod circles;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::workspace::root;

/// Every top module of the crate and its layer. `docs/ARCHITECTURE.md` has the same table with a line on each.
const LAYERS: &[(&str, u8)] = &[
    ("secret", 0),
    ("codec", 0),
    ("error", 0),
    ("loopback", 0),
    ("id", 1),
    ("backend", 1),
    ("clock", 1),
    ("random", 1),
    ("runtime", 1),
    ("scratch", 1),
    ("aead", 2),
    ("disk", 2),
    ("kdf", 2),
    ("access", 3),
    ("context", 3),
    ("field", 3),
    ("observe", 3),
    ("payload", 3),
    ("read_through", 3),
    ("root_key", 3),
    ("token", 3),
    ("key", 4),
    ("keyring", 5),
    ("record_tag", 5),
    ("schema", 5),
    ("store", 5),
    ("provider", 6),
    ("admin", 6),
    ("count", 6),
    ("handles", 6),
    ("index", 6),
    ("manager", 6),
    ("subject_admin", 6),
    ("subject_keys", 6),
    ("record", 6),
    ("scope", 6),
    ("columns", 7),
    ("form", 7),
    ("local_start", 7),
    ("migrating", 7),
    ("fuzzing", 7),
    ("phi", 7),
    ("testing", 7),
    ("records", 8),
    ("json_schema", 8),
    ("lib", 9),
];

/// The only edges inside one layer, each with its reason. They make no cycle.
const SAME_LAYER: &[(&str, &str, &str)] = &[
    ("codec", "secret", "key text is decoded into memory that is wiped"),
    ("error", "codec", "a key id is shown as text"),
    ("kdf", "aead", "the suite letter is part of what a key is derived from"),
    ("observe", "access", "an event says who and why"),
    ("token", "field", "the largest token follows from the largest content and block"),
    ("payload", "field", "a field's limits"),
    ("payload", "token", "a value that is itself a token is refused"),
    ("schema", "record_tag", "the text of a readable cell under a tag, and the tag of a row"),
    ("handles", "record", "a handle makes records of one role"),
    ("index", "record", "a value is made for a record"),
    ("admin", "count", "what is left under a key that is to be destroyed"),
    ("admin", "index", "which index values are under an index root that is to be destroyed"),
    ("subject_admin", "count", "which DEKs subject keys are under"),
    ("subject_admin", "index", "which columns a shredded subject's rows lose values in"),
    ("scope", "record", "a scope seals and opens for a record"),
    ("columns", "form", "a column holds a `Sealed`"),
    ("columns", "migrating", "a column that is being migrated holds a `Migrating`"),
    ("migrating", "form", "what is migrated becomes a `Sealed`"),
    ("testing", "form", "a value is sealed and opened in each form"),
];

/// Macros that stand at the crate's root because Rust puts them there, and the modules they are of.
const MACROS: &[(&str, &str)] = &[
    ("fields", "field"),
    ("__declare_fields", "field"),
    ("__field_class", "field"),
    ("__field_option", "field"),
    ("__field_schema", "field"),
];

/// Through which modules a crate enters. One door each, so that a review of, say, all randomness reads one file.
const DOORS: &[(&str, &[&str])] = &[
    ("aes_gcm", &["aead"]),
    ("base64", &["codec"]),
    ("base64ct", &["codec"]),
    ("aws_lc_rs", &["aead", "kdf"]),
    ("bytes", &["columns"]),
    ("chacha20", &["aead"]),
    ("chacha20poly1305", &["aead"]),
    ("diesel", &["columns"]),
    ("getrandom", &["random"]),
    ("hkdf", &["kdf"]),
    ("hmac", &["kdf"]),
    ("moka", &["subject_keys"]),
    ("postgres_types", &["columns"]),
    ("rand", &[]),
    ("rand_core", &["random"]),
    ("rustix", &["disk"]),
    ("rusqlite", &["columns"]),
    ("schemars", &["json_schema"]),
    ("sea_orm", &["columns"]),
    ("sha2", &["kdf"]),
    ("sqlx_core", &["columns"]),
    ("sqlx_postgres", &["columns"]),
    ("tracing", &["observe"]),
    ("utoipa", &["json_schema"]),
    ("tokio", &["clock", "count", "manager", "runtime", "scope", "store"]),
];

/// What the library never uses, and why.
const BANNED_WORDS: &[(&str, &str)] = &[
    ("unsafe", "nothing here needs it"),
    ("from_utf8_lossy", "a lenient reader makes two spellings of one value"),
    ("RandomState", "keys and nonces come from `random`"),
];

/// What no file of the library contains.
const BANNED_MACROS: &[&str] = &["todo", "unimplemented", "dbg", "println", "print", "eprintln", "eprint"];

pub const MAX_LINES: usize = 800;

#[test]
fn every_import_goes_down() {
    let mut problems = Vec::new();
    let mut used = BTreeSet::new();
    for file in source_files() {
        let from = file.module();
        let Some(layer) = layer_of(&from) else {
            problems.push(format!("{}: the module `{from}` is in no layer", file.path.display()));
            continue;
        };
        // The root sees everything: it is the table of contents.
        if from == "lib" {
            continue;
        }
        for edge in edges(&file.source, file.depth()) {
            let at = format!("{}:{}", file.path.display(), edge.line);
            let to = match edge.to {
                Target::Module(name) => name,
                Target::Problem(problem) => {
                    problems.push(format!("{at}: {problem}"));
                    continue;
                }
            };
            match layer_of(&to) {
                _ if to == from => {}
                None => {
                    problems.push(format!("{at}: `{to}` is no module of a layer; import from the module, not the root"))
                }
                Some(below) if below < layer => {}
                Some(same) if same == layer && is_listed(&from, &to) => {
                    used.insert((from.clone(), to));
                }
                Some(other) => problems.push(format!("{at}: `{from}` (layer {layer}) imports `{to}` (layer {other})")),
            }
        }
    }
    for (from, to, _) in SAME_LAYER {
        if !used.contains(&((*from).to_owned(), (*to).to_owned())) {
            problems.push(format!("the listed edge from `{from}` to `{to}` is not used any more"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_table_is_the_tree() {
    let files: BTreeSet<_> = source_files().iter().map(SourceFile::module).collect();
    let table: BTreeSet<_> = LAYERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(table.len(), LAYERS.len(), "a module stands twice in the table");
    assert_eq!(files, table, "left: modules in src/, right: modules in the table");
}

#[test]
fn same_layer_edges_make_no_cycle() {
    let mut left: Vec<_> = SAME_LAYER.iter().map(|(from, to, _)| (*from, *to)).collect();
    for (from, to) in &left {
        assert_eq!(layer_of(from), layer_of(to), "`{from}` and `{to}` are not of one layer: no need to list the edge");
    }
    // Whoever imports nobody is taken off, until nobody is left.
    while !left.is_empty() {
        let importers: BTreeSet<_> = left.iter().map(|(from, _)| *from).collect();
        let before = left.len();
        left.retain(|(_, to)| importers.contains(to));
        assert!(left.len() < before, "a cycle among {importers:?}");
    }
}

#[test]
fn the_documented_table_is_this_one() {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("docs/ARCHITECTURE.md is there");
    let documented: BTreeMap<_, _> = text.lines().filter_map(documented_module).collect();
    let table: BTreeMap<_, _> = LAYERS.iter().map(|(name, layer)| ((*name).to_owned(), *layer)).collect();
    assert_eq!(documented, table, "left: docs/ARCHITECTURE.md, right: tests/house/layering.rs");
    for (from, to, _) in SAME_LAYER {
        assert!(text.contains(&format!("`{from}` to `{to}`")), "docs/ARCHITECTURE.md does not list `{from}` to `{to}`");
    }
    let listed = text.lines().filter(|line| line.starts_with("- `") && line.contains("` to `")).count();
    assert_eq!(listed, SAME_LAYER.len(), "docs/ARCHITECTURE.md lists another number of edges inside a layer");
}

/// `| 3 | `token` | ... |` as ("token", 3).
fn documented_module(line: &str) -> Option<(String, u8)> {
    let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
    let layer = cells.next()?.parse().ok()?;
    let name = cells.next()?.trim_matches('`').to_owned();
    Some((name, layer))
}

#[test]
fn files_keep_the_house_rules() {
    let mut problems = Vec::new();
    for file in source_files() {
        let path = file.path.display();
        if file.path.file_name().is_some_and(|name| name == "mod.rs") {
            problems.push(format!("{path}: a module `foo` is `foo.rs` and `foo/`, never `mod.rs`"));
        }
        let lines = file.source.lines().count();
        if lines > MAX_LINES {
            problems.push(format!("{path}: {lines} lines, split it at {MAX_LINES}"));
        }
        for (line, name) in banned_macros(&file.source) {
            problems.push(format!("{path}:{line}: `{name}!` has no place in the library"));
        }
        for (line, word, why) in banned_words(&file.source) {
            problems.push(format!("{path}:{line}: `{word}` has no place in the library: {why}"));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_crate_has_its_door() {
    let mut problems = Vec::new();
    for file in source_files() {
        for (line, name) in crates_used(&file.source) {
            let doors = DOORS.iter().find(|(door, _)| *door == name).map_or(&[][..], |(_, doors)| *doors);
            if !doors.contains(&file.module().as_str()) {
                problems.push(format!("{}:{line}: `{name}` is used in {doors:?} only", file.path.display()));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Paths that begin with a crate of `DOORS`.
fn crates_used(source: &str) -> Vec<(usize, &str)> {
    let tokens = library_tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let begins = |at: &usize| text(at + 1) == "::" && (*at == 0 || !matches!(text(at - 1), "::" | "$"));
    let is_one = |at: &usize| DOORS.iter().any(|(name, _)| *name == text(*at));
    (0..tokens.len()).filter(begins).filter(is_one).map(|at| (tokens[at].line, tokens[at].text)).collect()
}

#[test]
fn lib_is_a_table_of_contents() {
    let source = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let logic = ["fn", "struct", "enum", "impl", "trait", "static", "macro_rules", "let", "match"];
    for token in tokens(&source) {
        assert!(!logic.contains(&token.text), "src/lib.rs:{}: `{}` belongs into a module", token.line, token.text);
    }
    assert!(!source.contains("::*"), "src/lib.rs names each item that it exports");
}

fn layer_of(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

fn is_listed(from: &str, to: &str) -> bool {
    SAME_LAYER.iter().any(|(a, b, _)| (*a, *b) == (from, to))
}

struct SourceFile {
    /// Relative to `src/`.
    path: PathBuf,
    source: String,
}

impl SourceFile {
    /// The top module that this file is of.
    fn module(&self) -> String {
        let first = self.path.components().next().unwrap();
        Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned()
    }

    /// Whether this is `foo/bar_tests.rs`, a module that `foo.rs` declares for tests only.
    fn is_test_only(&self) -> bool {
        let name = self.path.file_stem().unwrap().to_str().unwrap();
        let parent = match self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            Some(folder) => folder.with_extension("rs"),
            None => PathBuf::from("lib.rs"),
        };
        let declared = || fs::read_to_string(root().join("src").join(parent)).unwrap_or_default();
        name.ends_with("_tests") && declared().contains(&format!("#[cfg(test)]\nmod {name};"))
    }

    /// How many `super` lead from this file to the root of the crate.
    fn depth(&self) -> usize {
        self.path.components().count()
    }
}

fn source_files() -> Vec<SourceFile> {
    let src = root().join("src");
    // A program is a crate of its own: the compiler shows it the public API and nothing else.
    let files = rust_files(&src).into_iter().filter(|(path, _)| !path.starts_with("bin"));
    let mut files: Vec<_> = files.map(|(path, source)| SourceFile { path, source }).collect();
    files.retain(|file| !file.is_test_only());
    assert!(files.len() > 20, "src/ was not found");
    files
}

/// Every file of `folder` and below, by its path there.
fn rust_files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(folder).unwrap().to_owned(), source));
            }
        }
    }
    files.sort();
    files
}

#[derive(Debug, PartialEq)]
struct Edge {
    line: usize,
    to: Target,
}

#[derive(Debug, PartialEq)]
enum Target {
    Module(String),
    Problem(&'static str),
}

/// What a file imports: every path that begins at the crate's root, by `crate::` or by as many `super` as it is deep.
fn edges(source: &str, depth: usize) -> Vec<Edge> {
    let tokens = library_tokens(source);
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut found = Vec::new();
    let mut braces = 0_usize;
    // The brace depth of each inline module around the current token.
    let mut inline = Vec::new();
    for at in 0..tokens.len() {
        let line = tokens[at].line;
        let begins_path = at == 0 || !matches!(text(at - 1), "$" | "::" | "in");
        match text(at) {
            "{" => {
                braces += 1;
                if at >= 2 && text(at - 2) == "mod" {
                    inline.push(braces);
                }
            }
            "}" => {
                inline.pop_if(|opened| *opened == braces);
                braces -= 1;
            }
            "crate" if begins_path && text(at + 1) == "::" => {
                found.extend(targets(&tokens, at + 2).into_iter().map(|to| Edge { line, to }));
            }
            "rxseal" if begins_path && text(at + 1) == "::" => {
                found.push(Edge { line, to: Target::Problem("the crate names itself: import from the module") });
            }
            "super" if begins_path => {
                let mut after = at;
                let mut steps = 0;
                while text(after) == "super" && text(after + 1) == "::" {
                    after += 2;
                    steps += 1;
                }
                if steps == depth + inline.len() {
                    found.extend(targets(&tokens, after).into_iter().map(|to| Edge { line, to }));
                }
            }
            _ => {}
        }
    }
    found
}

/// The first names of the path or of the group of paths at `at`, which is right behind the root.
fn targets(tokens: &[Token<'_>], at: usize) -> Vec<Target> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    match text(at) {
        "{" => {
            let mut found = Vec::new();
            let mut depth = 0_usize;
            for next in at..tokens.len() {
                match text(next) {
                    "{" => depth += 1,
                    "}" => depth -= 1,
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
                if depth == 1 && matches!(text(next), "{" | ",") && !matches!(text(next + 1), "}" | "{") {
                    found.push(target(text(next + 1), text(next + 2)));
                }
            }
            found
        }
        name => vec![target(name, text(at + 1))],
    }
}

fn target(name: &str, after: &str) -> Target {
    match MACROS.iter().find(|(macro_name, _)| *macro_name == name) {
        Some((_, module)) => Target::Module((*module).to_owned()),
        None if after == "!" => {
            Target::Problem("a macro at the crate's root that tests/house/layering.rs does not know")
        }
        None if name == "*" => Target::Problem("everything of the crate's root is imported"),
        None => Target::Module(name.to_owned()),
    }
}

pub fn banned_macros(source: &str) -> Vec<(usize, &str)> {
    let tokens = library_tokens(source);
    let pairs = tokens.windows(2).filter(|pair| pair[1].text == "!" && BANNED_MACROS.contains(&pair[0].text));
    pairs.map(|pair| (pair[0].line, pair[0].text)).collect()
}

/// With the line and the reason.
pub fn banned_words(source: &str) -> Vec<(usize, &'static str, &'static str)> {
    let tokens = library_tokens(source).into_iter();
    let banned = |token: Token<'_>| {
        let (word, why) = BANNED_WORDS.iter().find(|(word, _)| *word == token.text)?;
        Some((token.line, *word, *why))
    };
    tokens.filter_map(banned).collect()
}

#[derive(Clone, Copy)]
struct Token<'s> {
    text: &'s str,
    line: usize,
}

/// The tokens of a source without its unit tests: `#[cfg(test)] mod … { … }`.
fn library_tokens(source: &str) -> Vec<Token<'_>> {
    const MARK: [&str; 8] = ["#", "[", "cfg", "(", "test", ")", "]", "mod"];
    let mut tokens = tokens(source);
    let is_marked = |tokens: &[Token<'_>]| tokens.windows(MARK.len()).position(|w| w.iter().map(|t| t.text).eq(MARK));
    while let Some(start) = is_marked(&tokens) {
        let body = start + MARK.len() + 1;
        let mut depth = 0_usize;
        let len = tokens[body..].iter().position(|token| {
            match token.text {
                "{" => depth += 1,
                "}" => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        tokens.drain(start..=body + len.expect("the braces are balanced"));
    }
    tokens
}

/// Words, `::` and single characters of a source, without comments, texts and characters.
fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let (len, is_code) = match first {
            _ if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            _ if rest.starts_with("/*") => (block_comment_len(rest), false),
            '"' => (text_len(rest), false),
            '\'' => (character_len(rest), false),
            'r' | 'b' | 'c' if raw_or_byte_text_len(rest).is_some() => (raw_or_byte_text_len(rest).unwrap(), false),
            _ if first.is_whitespace() => (first.len_utf8(), false),
            _ if first.is_alphanumeric() || first == '_' => {
                (rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len()), true)
            }
            _ if rest.starts_with("::") => (2, true),
            _ => (first.len_utf8(), true),
        };
        let (token, after) = rest.split_at(len);
        if is_code {
            found.push(Token { text: token, line });
        }
        line += token.matches('\n').count();
        rest = after;
    }
    found
}

fn block_comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        let (step, change) = match rest {
            [b'/', b'*', ..] => (2, 1),
            [b'*', b'/', ..] => (2, -1),
            _ => (1, 0),
        };
        depth = depth.saturating_add_signed(change);
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

/// The length of a text in quotes at the front.
fn text_len(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of a character at the front, or 1 where it is the quote of a lifetime.
fn character_len(text: &str) -> usize {
    let mut inside = text.chars().skip(1);
    match (inside.next(), inside.next()) {
        (Some('\\'), Some(kind)) => {
            let end = text.find(if kind == '\'' { "\\''" } else { "'" }).map(|_| text[3..].find('\'').unwrap_or(0));
            3 + end.unwrap_or(0) + 1
        }
        (Some(one), Some('\'')) => 2 + one.len_utf8(),
        _ => 1,
    }
}

/// The length of `r"…"`, `r#"…"#`, `b"…"`, `br"…"`, `b'…'` or `c"…"` at the front.
fn raw_or_byte_text_len(text: &str) -> Option<usize> {
    let prefix = text.find(|c| !matches!(c, 'r' | 'b' | 'c')).filter(|len| *len <= 2)?;
    let after = &text[prefix..];
    if text[..prefix].contains('r') {
        let hashes = after.find(|c| c != '#')?;
        let body = after[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        return Some(prefix + hashes + 1 + body.find(&close)? + close.len());
    }
    match after.chars().next()? {
        '"' => Some(prefix + text_len(after)),
        '\'' if &text[..prefix] == "b" => Some(prefix + character_len(after)),
        _ => None,
    }
}

/// The reader above must see what it is there for, and not see what is none.
#[test]
fn planted_imports_are_seen() {
    let modules = |source: &str, depth| -> Vec<String> {
        edges(source, depth)
            .into_iter()
            .map(|edge| match edge.to {
                Target::Module(name) => name,
                Target::Problem(problem) => format!("! {problem}"),
            })
            .collect()
    };
    assert_eq!(modules("use crate::keyring::Keyring;", 1), ["keyring"]);
    assert_eq!(modules("use crate::{error::{Error, Kind}, id, record::Record,};", 1), ["error", "id", "record"]);
    assert_eq!(modules("fn f(k: &crate::keyring::Keyring) { crate::scope::keep() }", 1), ["keyring", "scope"]);
    assert_eq!(modules("use super::keyring::Keyring;", 1), ["keyring"]);
    assert_eq!(modules("use super::super::{scope, form::Phi};", 2), ["scope", "form"]);
    assert_eq!(modules("mod a { use super::x; fn f() {} mod b { use super::super::super::scope; } }", 1), ["scope"]);
    assert_eq!(modules("mod a { } use super::scope;", 1), ["scope"]);
    assert_eq!(modules("use super::core::RecordCore; mod tests { use super::*; }", 2), [""; 0]);
    assert_eq!(modules("#[cfg(test)]\nmod tests { use crate::scope; fn f() {} } use crate::form;", 1), ["form"]);
    assert_eq!(modules("#[cfg(test)]\nmod more_tests; use crate::form;", 1), ["form"]);
    assert_eq!(modules("crate::fields! { }", 1), ["field"]);
    assert!(modules("crate::other! { }", 1)[0].starts_with('!'));
    assert!(modules("use rxseal::Keyring;", 1)[0].starts_with('!'));
    assert!(modules("use crate::*;", 1)[0].starts_with('!'));
    let silent = "// crate::a\n/* crate::b /* crate::c */ */ /// [x](crate::d)\nlet q = '\"'; let t = \"crate::e \\\" crate::f\";
        let r = r#\"crate::g\" \"#; let b = b\"crate::h\"; let c = ['\\'', '\\\\', '\\u{1F}', b'\\'', 'ä'];
        fn f<'a>(x: &'a str) where 'a: 'static {} $crate::i::j; pub(in crate::k) struct S; pub(crate) fn g() {}";
    assert_eq!(modules(silent, 1), [""; 0]);
    assert_eq!(modules(&format!("{silent} use crate::scope;"), 1), ["scope"]);
    assert_eq!(
        crates_used("use getrandom::SysRng;\nlet x = base64::encode(crate::codec::base64::x);"),
        [(1, "getrandom"), (2, "base64")]
    );
    assert_eq!(banned_macros("fn f() { todo!() }\n// dbg!(1)\nprintln!(\"x\");"), [(1, "todo"), (3, "println")]);
}

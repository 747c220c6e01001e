//! Proves that README, CHANGELOG and the other texts are still right about versions, features, files and commands.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use crate::workspace::{PACKAGES, Package, read, root};

const NAME: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");
const MSRV: &str = env!("CARGO_PKG_RUST_VERSION");

#[test]
fn the_changelog_begins_with_this_version() {
    let changelog = read("CHANGELOG.md");
    let heading =
        changelog.lines().find_map(|line| line.strip_prefix("## ")).expect("CHANGELOG.md has no `## version`");
    let version = heading.trim_start_matches('[').split([']', ' ']).next().unwrap();
    assert_eq!(version, VERSION, "left: the first heading of CHANGELOG.md, right: Cargo.toml");
}

#[test]
fn the_lock_file_has_this_version() {
    let lock = read("Cargo.lock");
    let entry = format!("[[package]]\nname = \"{NAME}\"\nversion = \"{VERSION}\"\n");
    assert!(lock.contains(&entry), "Cargo.lock has another version of {NAME} than {VERSION}");
}

/// Whoever copies `rxseal = "…"` from a text must get this release, and the same with a satellite.
#[test]
fn dependency_lines_name_this_version() {
    for (path, text) in texts() {
        for line in text.lines().map(str::trim_start) {
            let package = PACKAGES.iter().find(|package| line.starts_with(&format!("{} = ", package.name())));
            let named = line.split('"').find(|part| part.starts_with(|c: char| c.is_ascii_digit()));
            let (Some(package), Some(named)) = (package, named) else { continue };
            let fits = named == package.version() || named == major_and_minor(package.version());
            assert!(fits, "{}: `{line}` is not {}", path.display(), package.version());
        }
    }
    let supported = major_and_minor(VERSION);
    assert!(read("SECURITY.md").contains(supported), "SECURITY.md does not name {supported}");
}

fn major_and_minor(version: &str) -> &str {
    version.rsplit_once('.').unwrap().0
}

#[test]
fn the_readme_names_the_msrv() {
    assert!(!MSRV.is_empty(), "Cargo.toml has no rust-version");
    let readme = read("README.md");
    let named: Vec<_> =
        readme.match_indices("Rust 1.").map(|(at, _)| version_at(&readme[at + "Rust ".len()..])).collect();
    assert!(!named.is_empty(), "README.md does not say `Rust {MSRV}`");
    assert!(named.iter().all(|version| *version == MSRV), "README.md says Rust {named:?}, Cargo.toml {MSRV}");
}

fn version_at(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text[..end].trim_end_matches('.')
}

#[test]
fn the_readme_names_every_feature() {
    let (readme, features) = (read("README.md"), features());
    for feature in &features {
        assert!(readme.contains(&format!("`{feature}`")), "README.md does not name the feature `{feature}`");
    }
    // And none that does not exist: those end in the version of the crate they bind to.
    for word in code_spans(&readme).into_iter().filter(|word| looks_like_a_feature(word)) {
        assert!(features.contains(word), "README.md names `{word}`, which is no feature");
    }
}

/// `serde_with_3`: lower case, and the last part a number.
fn looks_like_a_feature(word: &str) -> bool {
    let is_lower = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    is_lower
        && word.rsplit_once('_').is_some_and(|(_, last)| !last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
}

#[test]
fn the_two_commands_stand_in_the_readme() {
    let readme = read("README.md");
    let commands: Vec<_> = readme.lines().map(str::trim).filter(|line| line.starts_with("cargo ")).collect();
    for wanted in ["cargo run --example pharmacy", "cargo test"] {
        let stands = commands.iter().any(|line| {
            let rest = line.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.trim_start().starts_with('#'))
        });
        assert!(stands, "README.md does not have `{wanted}` on a line of its own");
    }
}

/// What is there by now was promised in a text that nobody looked at again.
#[test]
fn the_readme_promises_nothing_for_later() {
    let readme = read("README.md").split_whitespace().collect::<Vec<_>>().join(" ");
    for promise in ["a later release", "a later version", "a future release", "not yet implemented"] {
        assert!(!readme.contains(promise), "README.md says `{promise}`: is it there by now?");
    }
}

/// GitHub and crates.io show the lines that only rustdoc hides.
#[test]
fn programs_in_a_readme_are_shown_whole() {
    let mut problems = Vec::new();
    for (path, text) in texts().into_iter().filter(|(path, _)| path.ends_with("README.md")) {
        let programs = text.split("```").skip(1).step_by(2).filter(|block| block.starts_with("rust"));
        for line in programs.flat_map(str::lines).filter(|line| *line == "#" || line.trim_start().starts_with("# ")) {
            problems.push(format!("{}: {line}", path.display()));
        }
    }
    assert!(problems.is_empty(), "hidden lines:\n{}", problems.join("\n"));
}

/// Commands that a text tells to type: `--test NAME`, `-p PACKAGE` and `--features A,B` name what cargo knows.
#[test]
fn every_named_program_exists() {
    let mut known: BTreeSet<_> = PACKAGES.iter().flat_map(Package::targets).collect();
    known.extend(PACKAGES.iter().map(|package| ("package", package.name())));
    known.extend(PACKAGES.iter().flat_map(Package::features).map(|feature| ("feature", feature)));
    let kinds = [
        ("--features ", "feature"),
        ("--example ", "example"),
        ("--bench ", "bench"),
        ("--test ", "test"),
        ("--bin ", "bin"),
        ("-p ", "package"),
        ("--package ", "package"),
    ];
    let mut wrong = Vec::new();
    for (path, text) in texts() {
        for line in text.lines().filter(|line| line.contains("cargo ")) {
            for (flag, kind) in kinds {
                for (at, _) in line.match_indices(flag) {
                    let rest = &line[at + flag.len()..];
                    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-,".contains(c);
                    let names = &rest[..rest.find(|c| !is_part(c)).unwrap_or(rest.len())];
                    // `--test NAME` is any.
                    let is_any = |name: &str| name.bytes().all(|byte| byte.is_ascii_uppercase());
                    let unknown = names.split(',').filter(|name| !is_any(name) && !known.contains(&(kind, name)));
                    wrong.extend(unknown.map(|name| format!("{}: `{flag}{name}`", path.display())));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "the workspace has none of these:\n{}", wrong.join("\n"));
}

/// `.ci/run clippy`, in code and texts: there is such a part.
#[test]
fn every_named_part_of_ci_exists() {
    let script = read(".ci/run");
    let mut named = 0;
    for (path, text) in sources() {
        for (at, found) in text.match_indices(concat!("`.ci/", "run ")) {
            let part = text[at + found.len()..].split([' ', '`']).find(|word| *word != "full").unwrap();
            let is_part = script.contains(&format!("\n    [{part}]=")) || ["", "help"].contains(&part);
            assert!(is_part, "{}: .ci/run has no part `{part}`", path.display());
            named += 1;
        }
    }
    assert!(named > 2, "the sources were not understood");
}

/// A part that no list has is never run, and nobody would notice.
#[test]
fn every_part_of_ci_is_run() {
    let script = read(".ci/run");
    let mut listed = Vec::new();
    for list in ["LANDING", "FULL_ONLY", "LAST"] {
        let line = script.lines().find_map(|line| line.strip_prefix(&format!("{list}=("))).unwrap();
        listed.extend(line.trim_end_matches(')').split(' '));
    }
    let functions = script.lines().filter_map(|line| line.strip_prefix("part_")?.strip_suffix("() {"));
    // A part with servers calls the second half of itself.
    let mut parts: Vec<_> = functions.filter(|part| !part.ends_with("with_servers")).collect();
    let helped = script.lines().filter_map(|line| Some(line.strip_prefix("    [")?.split_once("]=")?.0));
    let mut helped: Vec<_> = helped.collect();
    for names in [&mut listed, &mut parts, &mut helped] {
        names.sort_unstable();
    }
    assert!(parts.len() > 25, ".ci/run was not understood: {parts:?}");
    assert_eq!(parts, listed, "left: the functions of .ci/run, right: its lists");
    assert_eq!(parts, helped, "left: the functions of .ci/run, right: its help");
    let workflow = read(".github/workflows/ci.yml");
    assert!(workflow.contains("run: bash .ci/run $LEVEL"), "the workflow does not run all parts");
}

/// Markdown's `code` between backticks, on one line.
pub fn code_spans(text: &str) -> Vec<&str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2)).collect()
}

/// The lines that README opens with are too few to be a program, so rustdoc does not compile them: a test has each of them.
#[test]
fn the_opening_is_compiled() {
    let code = |line: &str| line.split("//").next().unwrap().trim().to_owned();
    let program: Vec<_> = read("tests/api/opening.rs").lines().map(code).collect();
    let readme = read("README.md");
    let opening = readme.split("```rust,ignore\n").nth(1).unwrap().split("```").next().unwrap();
    assert!(opening.lines().count() > 5, "the opening of README.md was not understood");
    for line in opening.lines().map(code) {
        assert!(program.contains(&line), "tests/api/opening.rs does not have this line of README.md: {line}");
    }
    assert_eq!(readme.matches("rust,ignore").count(), 7, "what else is not compiled?");
}

/// And what it shows of the service is in the service, line by line.
#[test]
fn the_walk_shows_the_service() {
    let lines = |text: &str| text.lines().map(str::trim).map(str::to_owned).collect::<Vec<_>>();
    let service: Vec<_> = ["records.rs", "routes.rs", "search.rs", "watch.rs"]
        .map(|file| lines(&read(format!("examples/service/{file}"))))
        .into();
    let readme = read("README.md");
    let blocks: Vec<_> =
        readme.split("```rust,ignore\n").skip(2).map(|block| lines(block.split("```").next().unwrap())).collect();
    assert_eq!(blocks.len(), 6, "the walk through the service was not understood");
    for block in blocks {
        let is_there = service.iter().any(|file| file.windows(block.len()).any(|found| found == block));
        assert!(is_there, "examples/service does not have these lines of README.md:\n{}", block.join("\n"));
    }
}

/// "one of 29 in phi": the vocabulary grows, and its table and the README with it.
#[test]
fn the_vocabulary_is_counted() {
    let source = read("src/phi.rs");
    let declared: Vec<_> = source.lines().filter_map(|line| line.trim().strip_prefix("pub ")).collect();
    assert!(declared.len() >= 24, "src/phi.rs was not understood");
    for line in &declared {
        let (name, id) = line.split_once(" = \"").unwrap();
        let row = format!("| [`{name}`] | `{}` |", id.split('"').next().unwrap());
        assert!(source.contains(&row), "the table of src/phi.rs has no row {row}");
        let search = line.split_once("search: ").map_or("compound only", |(_, search)| search.trim_end_matches(" };"));
        let row = format!("| [`{name}`] | {search} |");
        assert!(source.contains(&row), "the second table of src/phi.rs has no row {row}");
    }
    let rows = source.lines().filter(|line| line.starts_with("//! | [`")).count();
    assert_eq!(rows, 2 * declared.len(), "left: rows of the two tables of src/phi.rs, right: twice the markers");
    let counted = format!("one of {} in [`phi`]", declared.len());
    assert!(read("README.md").contains(&counted), "README.md does not say `{counted}`");
}

/// Why a crate is here stands beside it; an optional one is explained by its feature.
#[test]
fn every_dependency_and_feature_has_its_reason() {
    let manifest = read("Cargo.toml");
    let dependencies = entries(section(&manifest, "[dependencies]"));
    assert!(dependencies.iter().any(|(_, line)| line.starts_with("aes-gcm")), "Cargo.toml was not understood");
    for (_, line) in dependencies {
        assert!(line.contains('#') || line.contains("optional = true"), "Cargo.toml: `{line}` has no reason beside it");
    }
    for (above, line) in entries(section(&manifest, "[features]")) {
        let explained = above.starts_with("## ") || line.starts_with("default ");
        assert!(explained, "Cargo.toml: the feature `{line}` has no `##` line above it");
    }
}

/// Each line with an entry, and the line above it.
fn entries(section: &str) -> Vec<(&str, &str)> {
    let mut above = "";
    let mut found = Vec::new();
    for line in section.lines().map(str::trim) {
        if !line.is_empty() && !line.starts_with('#') {
            found.push((above, line));
        }
        above = line;
    }
    found
}

fn features() -> BTreeSet<String> {
    let manifest = read("Cargo.toml");
    let lines = section(&manifest, "[features]").lines().filter(|line| !line.starts_with('#'));
    let names = lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name.trim().to_owned());
    let names: BTreeSet<_> = names.filter(|name| name != "default").collect();
    assert!(names.len() >= 5, "Cargo.toml was not understood: {names:?}");
    names
}

/// The lines of one table of the manifest.
fn section<'t>(manifest: &'t str, heading: &str) -> &'t str {
    let start = manifest.find(&format!("\n{heading}\n")).expect("the table is there") + heading.len() + 2;
    let rest = &manifest[start..];
    &rest[..rest.find("\n[").unwrap_or(rest.len())]
}

/// `FORMAT 3.2`, in code, comments and texts: the rule is there.
#[test]
fn every_cited_rule_of_the_format_exists() {
    let format = read("docs/FORMAT.md");
    let mut cited = 0;
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (at, _) in text.match_indices("FORMAT ") {
            let rest = text[at + "FORMAT ".len()..].trim_start_matches("section ");
            for rule in numbers(rest) {
                cited += 1;
                if !has_rule(&format, rule) {
                    wrong.push(format!("{}: FORMAT {rule}", path.display()));
                }
            }
        }
    }
    for (id, rules) in promises() {
        wrong
            .extend(rules.into_iter().filter(|rule| !has_rule(&format, rule)).map(|rule| format!("{id}: rule {rule}")));
    }
    assert!(cited > 200, "the sources were not understood: {cited} rules");
    assert!(wrong.is_empty(), "docs/FORMAT.md has no such rule:\n{}", wrong.join("\n"));
}

fn has_rule(format: &str, rule: &str) -> bool {
    match rule.contains('.') {
        true => format.contains(&format!("\n- **{rule}** ")) || format.contains(&format!("\n### {rule} ")),
        false => format.contains(&format!("\n## {rule}. ")),
    }
}

/// The numbers of `8.1, 8.2 and 9.3; T5`: those that come one after the other.
fn numbers(mut text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    loop {
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let number = text[..end].trim_end_matches('.');
        if number.is_empty() {
            return found;
        }
        found.push(number);
        let rest = &text[number.len()..];
        let Some(next) = [", ", " and ", " to ", " or "].iter().find_map(|word| rest.strip_prefix(word)) else {
            return found;
        };
        // A number that begins something else, such as a length in bytes, has no point in it.
        let is_rule = next
            .split([' ', ',', ')', ';', ':', '\n'])
            .next()
            .is_some_and(|word| word.trim_end_matches('.').contains('.'));
        if !is_rule {
            return found;
        }
        text = next;
    }
}

/// `T14` and `N31`, in comments and texts: the promise and the gap are there.
#[test]
fn every_cited_promise_and_gap_exists() {
    let model = read("docs/THREAT-MODEL.md");
    let defined: BTreeSet<_> = ids(&model).filter(|id| model.contains(&format!("**{id}**"))).collect();
    let mut wrong = Vec::new();
    let mut cited = 0;
    for (path, text) in sources() {
        let is_code = path.extension().is_some_and(|extension| extension == "rs");
        for line in text.lines() {
            let line = if is_code { line.split_once("//").map_or("", |(_, comment)| comment) } else { line };
            for id in ids(line) {
                cited += 1;
                if !defined.contains(id) {
                    wrong.push(format!("{}: {id}", path.display()));
                }
            }
        }
    }
    assert!(cited > 200, "the sources were not understood: {cited} promises and gaps");
    assert!(wrong.is_empty(), "docs/THREAT-MODEL.md has no such promise or gap:\n{}", wrong.join("\n"));
}

/// "T1 to T46" says all of them, so it has to end where they end.
#[test]
fn ranges_of_promises_and_gaps_are_whole() {
    let model = read("docs/THREAT-MODEL.md");
    for letter in ["T", "N"] {
        let defined = ids(&model).filter(|id| id.starts_with(letter) && model.contains(&format!("**{id}**")));
        let last = defined.filter_map(|id| id[1..].parse::<u32>().ok()).max().unwrap();
        let range = format!("{letter}1 to {letter}{last}");
        assert!(read("SECURITY.md").contains(&range), "SECURITY.md does not say {range}");
        let range = format!("**{letter}1** to **{letter}{last}**");
        assert!(model.contains(&range), "docs/THREAT-MODEL.md does not say {range}");
    }
}

/// Each promise is named by a test that proves it, in the text above it: "T8 to T12" names all of these.
#[test]
fn every_promise_is_named_by_a_test() {
    let mut named = BTreeSet::new();
    for (path, text) in sources() {
        let in_tests = path
            .components()
            .any(|part| part.as_os_str().to_str().is_some_and(|name| name.trim_end_matches(".rs").ends_with("tests")));
        let is_test = in_tests || text.contains("#[cfg(test)]");
        for line in text.lines().filter(|line| is_test && line.trim_start().starts_with("//")) {
            let mut last: Option<(usize, u32)> = None;
            for id in ids(line).filter(|id| id.starts_with('T')) {
                let (at, number) = (id.as_ptr().addr() - line.as_ptr().addr(), id[1..].parse::<u32>().unwrap());
                let first = match last {
                    Some((end, first)) if &line[end..at] == " to " => first,
                    _ => number,
                };
                named.extend(first..=number);
                last = Some((at + id.len(), number));
            }
        }
    }
    let numbers = promises().into_iter().map(|(id, _)| id[1..].parse::<u32>().unwrap());
    let unnamed: Vec<_> = numbers.filter(|number| !named.contains(number)).collect();
    assert!(unnamed.is_empty(), "no test names the promises {unnamed:?}");
}

/// The words that SECURITY.md gives to search for are words of the public interface.
#[test]
fn words_to_search_for_exist() {
    let security = read("SECURITY.md");
    let line = security.lines().find(|line| line.contains("without the words")).expect("SECURITY.md names words");
    let names: String =
        sources().into_iter().filter(|(path, _)| path.starts_with("src")).map(|(_, text)| text).collect();
    for word in code_spans(line) {
        let found = names.match_indices("pub fn ").any(|(at, found)| {
            let name = &names[at + found.len()..];
            name[..name.find(['(', '<']).unwrap_or_default()].contains(word)
        });
        assert!(found, "SECURITY.md: no public function has `{word}` in its name");
    }
}

/// What stands in the column *Rule* of the promises, by the number of the promise.
fn promises() -> Vec<(String, Vec<String>)> {
    let model = read("docs/THREAT-MODEL.md");
    let rows = model.lines().filter(|line| line.starts_with("| **T"));
    let rows: Vec<_> = rows
        .map(|row| {
            let cells: Vec<_> = row.trim_end_matches(" |").split(" | ").collect();
            let rules = cells.last().unwrap().split(", ").filter(|rule| rule.starts_with(|c: char| c.is_ascii_digit()));
            (cells[0].trim_matches(['|', '*', ' ']).to_owned(), rules.map(str::to_owned).collect())
        })
        .collect();
    assert!(rows.len() > 50, "docs/THREAT-MODEL.md was not understood");
    rows
}

/// `T14` and `N3`, as words.
fn ids(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '<').filter(|word| {
        let number = word.strip_prefix(['T', 'N']).unwrap_or_default();
        (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit()) && !number.starts_with('0')
    })
}

/// Everything that cites: code, tests and texts, with their paths from the root.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders: Vec<_> =
        ["src", "crates", "tests", "examples", "benches", "fuzz", "docs", ".ci"].map(|name| root().join(name)).into();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                folders.push(path);
            } else if path.extension().is_some_and(|end| ["rs", "md", "py"].iter().any(|known| end == *known)) {
                found.push(path);
            }
        }
    }
    found.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)));
    found.retain(|path| path.is_file());
    let named = |path: PathBuf| (path.strip_prefix(root()).unwrap().to_owned(), fs::read_to_string(&path).unwrap());
    found.into_iter().map(named).collect()
}

/// Every text for people, with its path.
pub fn texts() -> Vec<(PathBuf, String)> {
    let mut paths: Vec<_> = ["CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(|name| root().join(name)).into();
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    paths.extend(docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    paths.extend(PACKAGES.iter().map(|package| package.folder().join("README.md")));
    paths.extend(["golden", "vectors"].map(|folder| root().join("tests").join(folder).join("README.md")));
    paths.retain(|path| path.is_file());
    assert!(paths.len() > 15, "the texts were not found");
    paths.into_iter().map(|path| (path.clone(), fs::read_to_string(path).expect("the text is there"))).collect()
}

//! What every page of a report must be: valid HTML that loads nothing, runs nothing and is not large.

use std::collections::BTreeSet;
use std::path::Path;

use html5ever::tendril::TendrilSink as _;
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::{QuirksMode, TreeBuilderOpts};
use html5ever::{Attribute, ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Elements that a page may have. None of them runs or loads anything.
const ELEMENTS: &[&str] = &[
    "b", "body", "circle", "defs", "em", "figure", "g", "h1", "h2", "head", "html", "li", "line", "meta", "p",
    "pattern", "polygon", "polyline", "rect", "small", "style", "svg", "table", "tbody", "td", "text", "th", "thead",
    "title", "tr", "ul",
];
/// Attributes that a page may have: no address, no event handler, no style.
const ATTRIBUTES: &[&str] = &[
    "aria-hidden",
    "aria-label",
    "charset",
    "class",
    "content",
    "cx",
    "cy",
    "fill",
    "fill-opacity",
    "font-family",
    "font-size",
    "height",
    "http-equiv",
    "id",
    "lang",
    "name",
    "patternTransform",
    "patternUnits",
    "points",
    "r",
    "role",
    "scope",
    "stroke",
    "stroke-dasharray",
    "stroke-width",
    "text-anchor",
    "viewBox",
    "width",
    "x",
    "x1",
    "x2",
    "y",
    "y1",
    "y2",
];
const LARGEST: usize = 200 * 1024;

/// Fails unless the page is what every page must be. Answers its text, line by line.
///
/// If `RXSEAL_PAGES` names a folder, the page is left there as `NAME.html`: `.ci/run full pictures` makes a picture of it. A name ends in `-ordinary` if
/// the page has to fit on one sheet of paper.
pub fn check(name: &str, html: &str) -> String {
    if let Some(folder) = std::env::var_os("RXSEAL_PAGES") {
        std::fs::write(Path::new(&folder).join(format!("{name}.html")), html).unwrap();
    }
    let problems = problems(html);
    assert!(problems.is_empty(), "{name}: {problems:#?}");
    let mut text = String::new();
    text_below(&parsed(html).document, &mut text);
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// What is wrong with a page.
#[must_use]
pub fn problems(html: &str) -> Vec<String> {
    let dom = parsed(html);
    let mut found: Vec<_> = dom.errors.borrow().iter().map(|error| format!("no valid HTML: {error}")).collect();
    let mut want = |holds: bool, what: &str| {
        if !holds {
            found.push(what.to_owned());
        }
    };
    want(dom.quirks_mode.get() == QuirksMode::NoQuirks, "no doctype");
    want(html.len() < LARGEST, &format!("{} bytes", html.len()));
    want(html.contains("<html lang=\"en\">"), "no language");
    want(
        !html.chars().any(|letter| letter != '\n' && is_unseen(letter)),
        "a letter that nobody sees, or that turns others around",
    );
    let mut seen = Seen::default();
    look(&dom.document, &mut seen);
    for title in ["title", "h1"] {
        if seen.elements.iter().filter(|element| *element == title).count() != 1 {
            found.push(format!("not one {title}"));
        }
    }
    found.extend(seen.references.difference(&seen.ids).map(|id| format!("nothing has the id {id}")));
    found.extend(seen.problems);
    found
}

fn parsed(html: &str) -> RcDom {
    let options = ParseOpts {
        tokenizer: TokenizerOpts { exact_errors: true, ..TokenizerOpts::default() },
        tree_builder: TreeBuilderOpts { exact_errors: true, ..TreeBuilderOpts::default() },
    };
    parse_document(RcDom::default(), options).one(html)
}

#[derive(Default)]
struct Seen {
    elements: Vec<String>,
    ids: BTreeSet<String>,
    references: BTreeSet<String>,
    problems: Vec<String>,
}

fn look(node: &Handle, seen: &mut Seen) {
    match &node.data {
        NodeData::Element { name, attrs, .. } => {
            let name = name.local.to_string();
            if !ELEMENTS.contains(&name.as_str()) {
                seen.problems.push(format!("the element {name}"));
            }
            let attrs = attrs.borrow();
            for attribute in attrs.iter() {
                look_at_attribute(&name, attribute, seen);
            }
            let has = |wanted: &str| attrs.iter().any(|attribute| &*attribute.name.local == wanted);
            if name == "svg" && !has("aria-label") && !has("aria-hidden") {
                seen.problems.push("a chart that says nothing to who cannot see it".to_owned());
            }
            seen.elements.push(name);
        }
        NodeData::Text { contents } => {
            if node
                .parent
                .take()
                .inspect(|parent| node.parent.set(Some(parent.clone())))
                .and_then(|parent| parent.upgrade())
                .is_some_and(|parent| is_style(&parent))
            {
                look_at_addresses("style", &contents.borrow(), seen);
            }
        }
        NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => seen.problems.push("a comment".to_owned()),
        NodeData::Document | NodeData::Doctype { .. } => {}
    }
    for child in node.children.borrow().iter() {
        look(child, seen);
    }
}

fn is_style(node: &Handle) -> bool {
    matches!(&node.data, NodeData::Element { name, .. } if &*name.local == "style")
}

fn look_at_attribute(element: &str, attribute: &Attribute, seen: &mut Seen) {
    let (name, value) = (&*attribute.name.local, &*attribute.value);
    if !ATTRIBUTES.contains(&name) {
        seen.problems.push(format!("the attribute {name} of {element}"));
    }
    if name == "id" && !seen.ids.insert(value.to_owned()) {
        seen.problems.push(format!("two elements have the id {value}"));
    }
    // What a chart says is words, and not an address.
    if name != "aria-label" {
        look_at_addresses(name, value, seen);
    }
}

/// A reference may be to the page itself alone.
fn look_at_addresses(place: &str, value: &str, seen: &mut Seen) {
    if ["//", "@import", "@font-face", "expression", "javascript:", "data:"]
        .iter()
        .any(|address| value.contains(address))
    {
        seen.problems.push(format!("{place} reaches out: {value}"));
    }
    for after in value.split("url(").skip(1) {
        match after.strip_prefix('#').and_then(|id| id.split_once(')')) {
            Some((id, _)) => drop(seen.references.insert(id.to_owned())),
            None => seen.problems.push(format!("{place} reaches out: {value}")),
        }
    }
}

fn is_unseen(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn text_below(node: &Handle, text: &mut String) {
    match &node.data {
        NodeData::Text { contents } => text.push_str(&contents.borrow()),
        NodeData::Element { name, .. } if matches!(&*name.local, "head" | "style") => return,
        _ => {}
    }
    for child in node.children.borrow().iter() {
        text_below(child, text);
    }
    if matches!(&node.data, NodeData::Element { name, .. } if matches!(&*name.local, "h1" | "h2" | "li" | "p" | "td" | "th" | "tr"))
    {
        text.push('\n');
    }
}

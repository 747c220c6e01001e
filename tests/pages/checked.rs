//! The check itself finds what must not be in a page.

use rxseal_html::{Page, Text, Tone};
use rxseal_tests_pages::{check, problems};

fn page() -> Page {
    Page::new("A report", "made today")
}

#[test]
fn a_page_of_every_block_is_valid() {
    let mut page = page();
    page.verdict(Tone::Caution, Text::new("a ").strong("b").to_write("c"));
    page.red_line("red");
    page.figures([("1", "one")]);
    page.nothing("nothing");
    page.split(&rxseal_html::Split::new().part(rxseal_html::Shade::Unsure, "a", 1).part(
        rxseal_html::Shade::Caution,
        "b",
        0,
    ));
    page.line(&rxseal_html::Line::new("counts", 0, 10, []).mark(3, "m"));
    page.table(&rxseal_html::Table::new(["a"]));
    let text = check("every-block", &page.into_html());
    assert!(text.contains("a bc\n"), "{text}");
}

#[test]
fn what_must_not_be_in_a_page_is_found() {
    let html = page().into_html();
    assert_eq!(problems(&html), [""; 0]);
    for bad in [
        "<script>1</script>",
        "<p onclick=\"x()\">a</p>",
        "<img src=\"a.png\" alt=\"\">",
        "<p style=\"color:red\">a</p>",
        "<a href=\"https://example.org\">a</a>",
        "<svg width=\"1\" aria-label=\"a\"><rect fill=\"url(https://example.org/a)\"/></svg>",
        "<svg width=\"1\" aria-label=\"a\"><rect fill=\"url(#nowhere)\"/></svg>",
        "<svg width=\"1\"></svg>",
        "<p>a</b></p>",
        "<table><p>a</p></table>",
        "<p id=\"caution\">a</p>",
        "<p>a & b &nope;</p>",
        "<p>\u{202e}a</p>",
        "<!-- a -->",
        "<h1>again</h1>",
        &"<p>a</p>".repeat(30_000),
    ] {
        let with = html.replace("</body>", &format!("{bad}</body>"));
        assert_ne!(problems(&with), [""; 0], "{}", &bad[..bad.len().min(60)]);
    }
}

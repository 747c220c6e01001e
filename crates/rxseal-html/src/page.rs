//! The frame of a page, and its blocks from the top down.

use crate::shade::PATTERNS;
use crate::text::{Text, escaped};
use crate::{Bars, Line, Split, Table};

/// One HTML page. Each call adds a block below the others.
#[derive(Clone, Debug)]
pub struct Page {
    html: String,
}

/// How serious a first sentence is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Something bad has happened.
    Alarm,
    /// Something bad may have happened, or may happen.
    Caution,
    /// Neither.
    Neutral,
}

impl Page {
    /// A page with this title. `about` is the small line below it: of what, when and by whom it was made.
    #[must_use]
    pub fn new(title: &str, about: &str) -> Self {
        let (title, about) = (escaped(title), escaped(about));
        let mut html = String::with_capacity(16 * 1024);
        for part in [HEAD, "<title>", &title, "</title>\n<style>\n", STYLE, "</style>\n</head>\n<body>\n"] {
            html.push_str(part);
        }
        for part in [PATTERNS, "<h1>", &title, " <small>", &about, "</small></h1>\n"] {
            html.push_str(part);
        }
        Self { html }
    }

    /// The sentence that a reader in a hurry reads: it comes first.
    pub fn verdict(&mut self, tone: Tone, sentence: impl Into<Text>) {
        let begin = match tone {
            Tone::Alarm => "<p class=\"verdict alarm\">",
            Tone::Caution => "<p class=\"verdict caution\">",
            Tone::Neutral => "<p class=\"verdict\">",
        };
        self.block(begin, &sentence.into(), "</p>\n");
    }

    /// A red line: what somebody must do something about.
    pub fn red_line(&mut self, sentence: impl Into<Text>) {
        self.block("<p class=\"red\">", &sentence.into(), "</p>\n");
    }

    /// Key figures, each a number or a day with what it says. Three to five fit beside each other.
    pub fn figures<F: Into<Text>, S: Into<Text>>(&mut self, figures: impl IntoIterator<Item = (F, S)>) {
        self.html.push_str("<ul class=\"figures\">");
        for (figure, says) in figures {
            self.block("<li><b>", &figure.into(), "</b>");
            self.block("", &says.into(), "</li>");
        }
        self.html.push_str("</ul>\n");
    }

    /// The heading of what follows.
    pub fn heading(&mut self, heading: impl Into<Text>) {
        self.block("<h2>", &heading.into(), "</h2>\n");
    }

    /// A paragraph.
    pub fn text(&mut self, text: impl Into<Text>) {
        self.block("<p>", &text.into(), "</p>\n");
    }

    /// A paragraph in small letters.
    pub fn small(&mut self, text: impl Into<Text>) {
        self.block("<p class=\"small\">", &text.into(), "</p>\n");
    }

    /// A sentence in the place of a table or a chart that would be empty: it says why.
    pub fn nothing(&mut self, sentence: impl Into<Text>) {
        self.block("<p class=\"nothing\">", &sentence.into(), "</p>\n");
    }

    /// A table of names and what is said of each.
    pub fn facts<N: Into<Text>, S: Into<Text>>(&mut self, facts: impl IntoIterator<Item = (N, S)>) {
        self.html.push_str("<table class=\"facts\"><tbody>\n");
        for (name, says) in facts {
            self.block("<tr><th scope=\"row\">", &name.into(), "</th>");
            self.block("<td>", &says.into(), "</td></tr>\n");
        }
        self.html.push_str("</tbody></table>\n");
    }

    /// A table.
    pub fn table<const N: usize>(&mut self, table: &Table<N>) {
        table.write(&mut self.html);
    }

    /// A chart of one bar for each kind.
    pub fn bars<const N: usize>(&mut self, bars: &Bars<N>) {
        bars.write(&mut self.html);
    }

    /// A chart of one bar.
    pub fn split(&mut self, split: &Split) {
        split.write(&mut self.html);
    }

    /// A chart of counts over time.
    pub fn line(&mut self, line: &Line) {
        line.write(&mut self.html);
    }

    /// The whole page as HTML.
    #[must_use]
    pub fn into_html(mut self) -> String {
        self.html.push_str("</body>\n</html>\n");
        self.html
    }

    fn block(&mut self, begin: &str, text: &Text, end: &str) {
        for part in [begin, text.html(), end] {
            self.html.push_str(part);
        }
    }
}

const STYLE: &str = include_str!("style.css");

// The policy lets a browser load and run nothing, whatever a page has.
const HEAD: &str = concat!(
    "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n",
    "<meta name=\"viewport\" content=\"width=device-width\">\n"
);

//! What a drill could not try, so that nothing is proven of it.

use serde_json::{Value, json};

#[derive(Clone)]
pub struct Undecided {
    pub code: &'static str,
    pub source: String,
    pub place: Option<String>,
    pub text: String,
}

impl Undecided {
    /// Of a whole source.
    pub fn of(source: &str, code: &'static str, text: impl Into<String>) -> Self {
        Self { code, source: source.into(), place: None, text: text.into() }
    }

    pub fn as_text(&self) -> String {
        let place = self.place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
        format!("undecided  {}  {}{place}: {}", self.code, self.source, self.text)
    }

    pub fn as_json(&self) -> Value {
        json!({ "code": self.code, "source": self.source, "place": self.place, "text": self.text })
    }
}

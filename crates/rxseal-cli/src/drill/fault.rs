//! What is wrong, so that a drill failed.

/// One thing that is wrong.
pub struct Fault {
    pub code: &'static str,
    /// The source, or the keyspace.
    pub of: String,
    pub text: String,
}

impl Fault {
    pub fn new(code: &'static str, of: &str, text: impl Into<String>) -> Self {
        Self { code, of: of.to_owned(), text: text.into() }
    }
}

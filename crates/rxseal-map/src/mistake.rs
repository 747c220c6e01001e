//! What is wrong with the text of a map.

use std::error::Error;
use std::fmt;
use std::path::{Path, PathBuf};

/// One mistake in a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    pub(crate) line: usize,
    pub(crate) key: Box<str>,
    pub(crate) text: Box<str>,
}

impl Mistake {
    /// The line of the file, from 1 on. 0 if it is about the file as a whole.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The key that it is about, such as `source.sealed.drug`. Empty if it is about no key.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// What is wrong, and what to do.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// `line 7, source.sealed.drug: ..`
impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, &*self.key) {
            (0, _) => {}
            (line, "") => write!(f, "line {line}: ")?,
            (line, key) => write!(f, "line {line}, {key}: ")?,
        }
        f.write_str(&self.text)
    }
}

/// Why a map was not read: all its mistakes, in the order of the file. There is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    path: Option<PathBuf>,
    all: Vec<Mistake>,
}

impl Mistakes {
    pub(crate) fn new(path: Option<&Path>, mut all: Vec<Mistake>) -> Self {
        all.sort_by_key(|mistake| mistake.line);
        Self { path: path.map(Path::to_owned), all }
    }

    /// Of the file as a whole.
    pub(crate) fn of_file(path: &Path, text: String) -> Self {
        Self::new(Some(path), vec![Mistake { line: 0, key: "".into(), text: text.into() }])
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &Mistake> {
        self.all.iter()
    }
}

/// The file, and a line for each mistake.
impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", path.display())?;
        }
        for (at, mistake) in self.all.iter().enumerate() {
            let before = if at == 0 { "" } else { "\n" };
            write!(f, "{before}{mistake}")?;
        }
        Ok(())
    }
}

impl Error for Mistakes {}

/// With the code `invalid-map`, and the mistakes as its source.
impl From<Mistakes> for rxseal::Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::invalid_map(mistakes)
    }
}

//! Questions on a terminal.

use std::io::{self, IsTerminal as _, Write as _};

use crate::failure::Failure;

/// Whether there is a person to ask.
pub fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Whether the person says yes. Everything else is a no.
pub fn says_yes(question: &str) -> Result<bool, Failure> {
    let mut error = io::stderr().lock();
    write!(error, "{question} [y/N] ")?;
    error.flush()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer)?;
    Ok(["y", "yes"].contains(&answer.trim().to_ascii_lowercase().as_str()))
}

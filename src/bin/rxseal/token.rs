//! `rxseal token inspect`.

use std::fs;
use std::io::{self, Read};

use rxseal::Token;
use serde_json::json;

use crate::args::Token as Command;
use crate::failure::Failure;
use crate::output::{Output, table};

/// More than the largest sealed value as text; what is longer is something else.
const MAX_INPUT: u64 = 64 * 1024 * 1024;

pub fn inspect(command: &Command, output: &Output) -> Result<(), Failure> {
    let Command::Inspect { token, file } = command;
    let tokens = match (token, file) {
        (Some(text), _) => vec![text.trim().parse()?],
        (None, Some(path)) => {
            let opened =
                fs::File::open(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            read_all(opened)?
        }
        (None, None) => read_all(io::stdin().lock())?,
    };
    let rows = tokens.iter().map(|token: &Token| {
        [letter(token).to_string(), token.key_id().to_string(), token.as_bytes().len().to_string()]
    });
    let text = table(["suite", "key", "bytes"], rows);
    let value: Vec<_> = tokens
        .iter()
        .map(|token| {
            json!({ "suite": letter(token).to_string(), "key": token.key_id().to_string(), "bytes": token.as_bytes().len() })
        })
        .collect();
    Ok(output.say(&text, &json!(value))?)
}

/// One sealed value as bytes, or one as text on each line.
fn read_all(input: impl Read) -> Result<Vec<Token>, Failure> {
    let mut bytes = Vec::new();
    input.take(MAX_INPUT).read_to_end(&mut bytes)?;
    if let Ok(token) = Token::try_from(bytes.as_slice()) {
        return Ok(vec![token]);
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Failure::Usage("the input is neither a sealed value nor text".to_owned()))?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let tokens = lines
        .map(|(at, line)| {
            let token = line.trim().trim_matches('"').parse::<Token>();
            token.map_err(|error| Failure::Checked(format!("line {}: {error}", at.saturating_add(1))))
        })
        .collect::<Result<Vec<_>, _>>()?;
    if tokens.is_empty() { Err(Failure::Usage("the input is empty".to_owned())) } else { Ok(tokens) }
}

/// The letter after `rxs` in its text.
fn letter(token: &Token) -> char {
    token.to_string().chars().nth(3).unwrap_or('?')
}

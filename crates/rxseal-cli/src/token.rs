//! `rxseal token inspect`.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};

use rxseal::Token;
use serde_json::json;

use crate::args::Token as Command;
use crate::failure::Failure;
use crate::output::{Output, table};

/// More than the largest sealed value as text; a longer line is something else.
const MAX_TOKEN: u64 = 64 * 1024 * 1024;
/// What every sealed value begins with as bytes, and no text does.
const FIRST_BYTE: u8 = 0xAF;

pub fn inspect(command: &Command, output: &Output) -> Result<(), Failure> {
    let Command::Inspect { token, file } = command;
    let tokens = match (token, file) {
        (Some(text), _) => vec![text.trim().parse()?],
        (None, Some(path)) => {
            let opened =
                fs::File::open(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            read_all(BufReader::new(opened))?
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

/// One sealed value as bytes, or one as text on each line; a stream of any length.
fn read_all(mut input: impl BufRead) -> Result<Vec<Token>, Failure> {
    if input.fill_buf()?.first() == Some(&FIRST_BYTE) {
        let mut bytes = Vec::new();
        input.take(MAX_TOKEN).read_to_end(&mut bytes)?;
        return Ok(vec![Token::try_from(bytes.as_slice())?]);
    }
    let mut tokens = Vec::new();
    for at in 1_u64.. {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_TOKEN).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = str::from_utf8(&line).unwrap_or("?").trim().trim_matches('"');
        if !text.is_empty() {
            let token = text.parse::<Token>();
            tokens.push(token.map_err(|error| Failure::Checked(format!("line {at}: {error}")))?);
        }
    }
    if tokens.is_empty() {
        Err(Failure::Usage("the input is empty: it must have a token".to_owned()))
    } else {
        Ok(tokens)
    }
}

/// The letter after `rxs` in its text.
fn letter(token: &Token) -> char {
    token.to_string().chars().nth(3).unwrap_or('?')
}

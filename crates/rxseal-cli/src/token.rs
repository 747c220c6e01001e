//! `rxseal token inspect`.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};

use rxseal::{RecordTag, Token};
use serde_json::json;

use crate::args::Token as Command;
use crate::failure::Failure;
use crate::output::{Output, table};

/// More than the largest sealed value as text; a longer line is something else.
const MAX_TOKEN: u64 = 64 * 1024 * 1024;
/// What every sealed value begins with as bytes, and no text does.
const FIRST_BYTE: u8 = 0xAF;
/// What a record tag begins with, as text and as bytes, and its length (FORMAT 14.1).
const TAG_BEGINS: &str = "rxrS";
const TAG_MAGIC: [u8; 3] = [0xAF, 0x1A, 0xD2];
const TAG_LEN: usize = 48;

/// What is under a key.
enum Sealed {
    Token(Token),
    Tag(RecordTag),
}

impl Sealed {
    fn of_text(text: &str) -> Result<Self, rxseal::Error> {
        if text.starts_with(TAG_BEGINS) { text.parse().map(Self::Tag) } else { text.parse().map(Self::Token) }
    }

    fn of_bytes(bytes: &[u8]) -> Result<Self, rxseal::Error> {
        if bytes.starts_with(&TAG_MAGIC) {
            RecordTag::try_from(bytes).map(Self::Tag)
        } else {
            Token::try_from(bytes).map(Self::Token)
        }
    }

    fn suite(&self) -> String {
        match self {
            // The letter after `rxs` in its text.
            Self::Token(token) => token.to_string().chars().nth(3).unwrap_or('?').to_string(),
            Self::Tag(_) => "record tag".to_owned(),
        }
    }

    fn key(&self) -> String {
        match self {
            Self::Token(token) => token.key_id().to_string(),
            Self::Tag(tag) => tag.key_id().map(|key| key.to_string()).unwrap_or_default(),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Token(token) => token.as_bytes().len(),
            Self::Tag(_) => TAG_LEN,
        }
    }

    fn json(&self) -> serde_json::Value {
        let mut json = json!({ "suite": self.suite(), "key": self.key(), "bytes": self.bytes() });
        if let (Self::Tag(tag), Some(members)) = (self, json.as_object_mut()) {
            members.insert("version".to_owned(), tag.version().into());
            members.insert("cover".to_owned(), tag.cover().into());
        }
        json
    }
}

pub fn inspect(command: &Command, output: &Output) -> Result<(), Failure> {
    let Command::Inspect { token, file } = command;
    let all = match (token, file) {
        (Some(text), _) => vec![Sealed::of_text(text.trim())?],
        (None, Some(path)) => {
            let opened =
                fs::File::open(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
            read_all(BufReader::new(opened))?
        }
        (None, None) => read_all(io::stdin().lock())?,
    };
    let tags = all.iter().any(|one| matches!(one, Sealed::Tag(_)));
    let rows = || all.iter().map(|one| [one.suite(), one.key(), one.bytes().to_string()]);
    let text = if tags {
        let numbers = |one: &Sealed| match one {
            Sealed::Token(_) => [String::new(), String::new()],
            Sealed::Tag(tag) => [tag.version().to_string(), tag.cover().to_string()],
        };
        let rows = rows().zip(&all).map(|([suite, key, bytes], one)| {
            let [version, cover] = numbers(one);
            [suite, key, bytes, version, cover]
        });
        table(["suite", "key", "bytes", "version", "cover"], rows)
    } else {
        table(["suite", "key", "bytes"], rows())
    };
    let value: Vec<_> = all.iter().map(Sealed::json).collect();
    Ok(output.say(&text, &json!(value))?)
}

/// One sealed value as bytes, or one as text on each line; a stream of any length.
fn read_all(mut input: impl BufRead) -> Result<Vec<Sealed>, Failure> {
    if input.fill_buf()?.first() == Some(&FIRST_BYTE) {
        let mut bytes = Vec::new();
        input.take(MAX_TOKEN).read_to_end(&mut bytes)?;
        return Ok(vec![Sealed::of_bytes(&bytes)?]);
    }
    let mut tokens = Vec::new();
    for at in 1_u64.. {
        let mut line = Vec::new();
        if input.by_ref().take(MAX_TOKEN).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = str::from_utf8(&line).unwrap_or("?").trim().trim_matches('"');
        if !text.is_empty() {
            let sealed = Sealed::of_text(text);
            tokens.push(sealed.map_err(|error| Failure::Checked(format!("line {at}: {error}")))?);
        }
    }
    if tokens.is_empty() {
        Err(Failure::Usage("the input is empty: it must have a token".to_owned()))
    } else {
        Ok(tokens)
    }
}

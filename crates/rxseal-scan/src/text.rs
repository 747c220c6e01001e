//! What is in a text that nobody declared: tokens, and numbers that look like a patient's.
//!
//! A number alone proves little: one of ten numbers of ten digits passes the check of an NPI, and a time in seconds has ten digits. So
//! everything but a social security number with its dashes needs a word beside it that says what it is, or a whole column of its like.

mod forms;
mod words;

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use rxseal::KeyId;

use crate::keys::Keys;
use crate::kind::{Certainty, Kind};
use crate::sealed::{Blocks, Form, HEAD_LETTERS, is_letter};

pub(crate) use forms::Checked;
pub(crate) use words::{Word, Words};

/// Something in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hit {
    /// A token or a record tag, and whether its length is one that tokens have. With a letter in front of it, it may be chance.
    Token(KeyId, bool, Certainty),
    /// A token that was cut off or changed.
    Damaged(Certainty),
    /// What looks like a patient's number.
    Like(Kind),
}

/// With fewer letters behind its head, the beginning of a token is too little to be told from a word.
const REST: usize = 8;
/// Of the letter `c`, with which words such as `rxscheduler` begin.
const REST_AFTER_C: usize = 24;

/// What tokens and record tags begin with. To prepare the search takes longer than most values.
static BEGINNING: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(b"rx"));

/// Finds tokens. Calls `hit` with each, and where it is.
pub(crate) fn find_tokens(text: &[u8], keys: &Keys, blocks: &Blocks, hit: &mut dyn FnMut(Range<usize>, Hit)) {
    let mut behind = 0;
    for at in BEGINNING.find_iter(text) {
        let Some(rest) = text.get(at..).filter(|rest| at >= behind && begins_as_one(rest)) else { continue };
        let len = letters_len(rest);
        let Some(run) = rest.get(..len).and_then(|run| std::str::from_utf8(run).ok()) else { continue };
        let is_joined = at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|before| is_letter(*before));
        let key = run.get(4..HEAD_LETTERS).and_then(|key| key.parse::<KeyId>().ok());
        let is_known = key.is_some_and(|key| keys.has(key));
        let certainty = if is_joined && !is_known { Certainty::Possible } else { Certainty::Certain };
        let found = match Form::of_text(run) {
            Form::Token(key, payload) => Hit::Token(key, blocks.fit(payload), certainty),
            Form::Tag(key) => Hit::Token(key, true, certainty),
            Form::Damaged if is_known => Hit::Damaged(Certainty::Certain),
            Form::Damaged if !is_joined && is_no_word(run) => Hit::Damaged(Certainty::Possible),
            Form::Damaged | Form::Other => continue,
        };
        behind = at.saturating_add(len);
        hit(at..behind, found);
    }
}

/// How many letters of base64url a text begins with. By sixteen, for which the compiler has one step.
fn letters_len(text: &[u8]) -> usize {
    let whole = text
        .as_chunks::<16>()
        .0
        .iter()
        .take_while(|letters| letters.iter().fold(true, |all, byte| all & is_letter(*byte)));
    let len = whole.count().saturating_mul(16);
    let rest = text.get(len..).unwrap_or_default();
    len.saturating_add(rest.iter().take_while(|byte| is_letter(**byte)).count())
}

fn begins_as_one(rest: &[u8]) -> bool {
    matches!(rest, [b'r', b'x', b's', b'X' | b'x' | b'c', ..] | [b'r', b'x', b'r', b'S', ..])
}

/// Letters as chance makes them, and no word makes.
fn is_no_word(run: &str) -> bool {
    let head = run.as_bytes().get(..4).unwrap_or_default();
    let rest = run.as_bytes().get(4..).unwrap_or_default();
    let least = if head == b"rxsc" { REST_AFTER_C } else { REST };
    let has = |is: fn(&u8) -> bool| rest.iter().any(is);
    rest.len() >= least.saturating_add(HEAD_LETTERS).saturating_sub(4)
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// Finds tokens, and what looks like a patient's number in the text between them.
pub(crate) fn find(text: &[u8], keys: &Keys, blocks: &Blocks, words: &Words, hit: &mut dyn FnMut(Range<usize>, Hit)) {
    let mut from = 0;
    find_tokens(text, keys, blocks, &mut |range, found| {
        // What its letters look like is chance.
        if matches!(found, Hit::Token(_, _, Certainty::Certain)) {
            find_numbers_in(text, from..range.start, words, hit);
            from = range.end;
        }
        hit(range, found);
    });
    find_numbers_in(text, from..text.len(), words, hit);
}

fn find_numbers_in(text: &[u8], part: Range<usize>, words: &Words, hit: &mut dyn FnMut(Range<usize>, Hit)) {
    let begin = part.start;
    find_numbers(text.get(part).unwrap_or_default(), words, &mut |at, found| {
        hit(at.start.saturating_add(begin)..at.end.saturating_add(begin), found);
    });
}

/// Finds what looks like a patient's number: a social security number with dashes, and what a word in front of it names.
pub(crate) fn find_numbers(text: &[u8], words: &Words, hit: &mut dyn FnMut(Range<usize>, Hit)) {
    for dash in memchr::memchr_iter(b'-', text) {
        if let Some(range) = forms::ssn_around(text, dash) {
            hit(range, Hit::Like(Kind::Ssn));
        }
    }
    words.each(text, &mut |word, end| {
        let Some((begin, len)) = forms::behind_word(text, end, word) else { return };
        // It was found by its dashes.
        let is_dashed = word == Word::Ssn && text.get(begin.saturating_add(3)) == Some(&b'-');
        if !is_dashed {
            hit(begin..begin.saturating_add(len), Hit::Like(word.kind()));
        }
    });
}

/// What a whole value is if the name of its column says it.
pub(crate) fn is_whole(value: &[u8], word: Word) -> bool {
    let value = value.trim_ascii();
    forms::at(value, word) == Some(value.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        find_tokens(text.as_bytes(), &Keys::default(), &Blocks::new([]), &mut |_, hit| hits.push(hit));
        hits
    }

    fn numbers(text: &str) -> Vec<Kind> {
        let mut kinds = Vec::new();
        find_numbers(text.as_bytes(), &Words::new(), &mut |_, hit| {
            if let Hit::Like(kind) = hit {
                kinds.push(kind);
            }
        });
        kinds
    }

    #[test]
    fn words_that_begin_as_tokens_are_none() {
        for text in
            ["rxscheduler-Prod-7f9c is up", "rxsX-ray", "rxs", "GET /rxscan/Page2?x=1", "rxrS and more", "rx rx rxs"]
        {
            assert_eq!(tokens(text), [], "{text}");
        }
        assert_eq!(tokens("cut: rxsXAbCdEf12Zz09pQ7-tt"), [Hit::Damaged(Certainty::Possible)]);
    }

    #[test]
    fn numbers_are_looked_for_between_tokens() {
        let token = format!("rxsXAAAAAAAA{}", "npi-1234567893-A".repeat(5));
        let text = format!("ssn 078-05-1120 {token} npi 1234567893,{token}");
        let mut hits = Vec::new();
        find(text.as_bytes(), &Keys::default(), &Blocks::any(), &Words::new(), &mut |range, hit| {
            let Hit::Token(_, true, Certainty::Certain) = hit else { return hits.push(text[range].to_owned()) };
            assert_eq!(text[range], token);
        });
        assert_eq!(hits, ["078-05-1120", "1234567893"]);
    }

    #[test]
    fn the_letters_of_a_token_end_where_they_end() {
        for len in 0..70 {
            for behind in ["", " ", "=", "é", "/more-letters-behind-it"] {
                assert_eq!(letters_len([&"aZ9-_".repeat(14)[..len], behind].concat().as_bytes()), len);
            }
        }
    }

    #[test]
    fn numbers_need_a_word_that_says_what_they_are() {
        for (text, kinds) in [
            ("ssn 078-05-1120.", &[Kind::Ssn][..]),
            ("078-05-1120", &[Kind::Ssn]),
            ("SSN: 078051120", &[Kind::Ssn]),
            ("social security number 078051120", &[Kind::Ssn]),
            ("078051120", &[]),
            ("000-12-3456 900-12-3456 666-12-3456 123-00-4567 123-45-0000", &[]),
            ("a078-05-1120 078-05-11201 1078-05-1120 078-05-1120-4", &[]),
            ("550e8400-e29b-41d4-a716-446655440000 2026-11-30T10:00:00", &[]),
            ("npi=1234567893", &[Kind::Npi]),
            ("\"npi\":\"1234567893\"", &[Kind::Npi]),
            ("npi=1234567890", &[]),
            ("1234567893", &[]),
            ("prescriberNpi: 1234567893", &[Kind::Npi]),
            ("DEA# AB1234563", &[Kind::Dea]),
            ("dea AB1234567", &[]),
            ("idea AB1234563", &[]),
            ("dob=1980-02-29", &[Kind::BirthDate]),
            ("born 2/29/1980", &[Kind::BirthDate]),
            ("date of birth is 29.02.1980", &[Kind::BirthDate]),
            ("birthDate\\\":\\\"1980-02-29\\\"", &[Kind::BirthDate]),
            ("dob=1980-13-29 born 1980", &[]),
            ("2026-11-30 dob missing", &[]),
            ("phone: (555) 234-5678", &[Kind::Phone]),
            ("tel +1 555.234.5678", &[Kind::Phone]),
            ("phone 5552345678", &[Kind::Phone]),
            ("{\"system\":\"phone\",\"value\":\"(555) 234-5678\"}", &[Kind::Phone]),
            ("phone=555-1234 telemetry 5552345678 phone verified in 1234 ms", &[]),
            ("email: jane.doe+rx@mail.example", &[Kind::Email]),
            ("email sent to 3 users", &[]),
            ("ndc 00093-7146-56", &[Kind::Ndc]),
            ("ndc: 00093714656", &[Kind::Ndc]),
            ("ndc 123", &[]),
            ("phone:\n5552345678", &[]),
        ] {
            assert_eq!(numbers(text), kinds, "{text}");
        }
    }

    #[test]
    fn a_column_may_say_what_its_values_are() {
        assert_eq!(Word::of_column("patient_ssn"), Some(Word::Ssn));
        assert_eq!(Word::of_column("BirthDate"), Some(Word::Birth));
        assert_eq!(Word::of_column("prescriberNPI"), Some(Word::Npi));
        assert_eq!(Word::of_column("ideal"), None);
        assert!(is_whole(b" 078051120 ", Word::Ssn) && is_whole(b"078-05-1120", Word::Ssn));
        assert!(!is_whole(b"078051120 and more", Word::Ssn));
    }
}

//! How numbers are written, and their checks.

use std::ops::Range;

use super::words::Word;

/// A number of a form whose check digits could be made by chance once in ten. A column in which all values pass is no chance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Checked {
    shaped: u64,
    passed: u64,
    others: u64,
}

impl Checked {
    /// So many values that all pass are chance once in a hundred million columns.
    const ENOUGH: u64 = 8;

    pub(crate) fn add(&mut self, value: &[u8], word: Word) {
        let value = value.trim_ascii();
        let is_shaped = match word {
            Word::Npi => value.len() == 10 && value.iter().all(u8::is_ascii_digit),
            Word::Dea => {
                value.len() == 9
                    && value.iter().skip(2).all(u8::is_ascii_digit)
                    && value.first().is_some_and(u8::is_ascii_alphabetic)
            }
            _ => false,
        };
        let count = match (is_shaped, is_shaped && at(value, word) == Some(value.len())) {
            (false, _) => &mut self.others,
            (true, passed) => {
                self.passed = self.passed.saturating_add(u64::from(passed));
                &mut self.shaped
            }
        };
        *count = count.saturating_add(1);
    }

    /// How many numbers the column has, if it is one of them.
    pub(crate) fn count(&self) -> Option<u64> {
        (self.others == 0 && self.shaped >= Self::ENOUGH && self.passed == self.shaped).then_some(self.passed)
    }
}

/// Where the number behind a word begins, and its length. The word ends at `end`.
pub(super) fn behind_word(text: &[u8], end: usize, word: Word) -> Option<(usize, usize)> {
    const NEAR: usize = 12;
    const FILLERS: &[&[u8]] = &[
        b"number", b"no", b"nr", b"num", b"is", b"was", b"of", b"birth", b"the", b"patient", b"id", b"address",
        b"date", b"value",
    ];
    let mut at = end;
    // `phone number is`, `date of birth:`
    for _ in 0..3 {
        at = skip(text, at, NEAR)?;
        let rest = text.get(at..)?;
        if let Some(len) = self::at(rest, word) {
            return Some((at, len));
        }
        let letters = rest.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(rest.len());
        let filler = rest.get(..letters)?;
        if !FILLERS.iter().any(|known| known.eq_ignore_ascii_case(filler)) {
            return None;
        }
        at = at.saturating_add(letters);
    }
    None
}

/// Over what is between a word and its number, on one line.
fn skip(text: &[u8], at: usize, near: usize) -> Option<usize> {
    let rest = text.get(at..)?;
    let is_between = |byte: &u8| !byte.is_ascii_alphanumeric() && !b"+(\n\r".contains(byte);
    let len = rest.iter().take(near).position(|byte| !is_between(byte))?;
    at.checked_add(len)
}

/// The length of the number at the beginning of a text.
pub(super) fn at(text: &[u8], word: Word) -> Option<usize> {
    let mut cursor = Cursor { text, at: 0 };
    let whole = match word {
        Word::Ssn => ssn(&mut cursor),
        Word::Npi => npi(&mut cursor),
        Word::Dea => dea(&mut cursor),
        Word::Birth => date(&mut cursor),
        Word::Phone => phone(&mut cursor),
        Word::Email => email(&mut cursor),
        Word::Ndc => ndc(&mut cursor),
    };
    whole.map(|()| cursor.at)
}

/// A social security number whose first dash is here, with nothing around it that would make it something else.
pub(super) fn ssn_around(text: &[u8], dash: usize) -> Option<Range<usize>> {
    let begin = dash.checked_sub(3)?;
    // Most dashes are in something else: one look says so.
    if text.get(dash.checked_add(3)?) != Some(&b'-') {
        return None;
    }
    let is_around = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte);
    if begin.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|byte| is_around(*byte)) {
        return None;
    }
    let mut cursor = Cursor { text: text.get(begin..)?, at: 0 };
    ssn(&mut cursor)?;
    let behind = cursor.peek().unwrap_or(b' ');
    let is_number = behind == b'.' && cursor.text.get(cursor.at.saturating_add(1)).is_some_and(u8::is_ascii_digit);
    (!b"-_/".contains(&behind) && !is_number).then(|| begin..begin.saturating_add(cursor.at))
}

struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn eat(&mut self, set: &[u8]) -> bool {
        let is_one = self.peek().is_some_and(|byte| set.contains(&byte));
        self.at = self.at.saturating_add(usize::from(is_one));
        is_one
    }

    /// How many digits are next.
    fn run(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// So many digits and no more.
    fn digits(&mut self, many: usize) -> Option<u64> {
        (self.run() == many).then(|| self.first_digits(many))?
    }

    /// So many digits, behind which may be more.
    fn first_digits(&mut self, many: usize) -> Option<u64> {
        let end = self.at.checked_add(many)?;
        let digits = std::str::from_utf8(self.text.get(self.at..end)?).ok()?;
        let number = digits.parse().ok().filter(|_| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.at = end;
        Some(number)
    }

    /// No letter and no digit is next.
    fn ends(&self) -> Option<()> {
        let is_more = self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (!is_more).then_some(())
    }
}

/// The Social Security Administration gives no other numbers.
fn ssn(cursor: &mut Cursor<'_>) -> Option<()> {
    let area = cursor.first_digits(3)?;
    let separator = cursor.peek().filter(|byte| b"- ".contains(byte));
    let mut between = || separator.is_none_or(|separator| cursor.eat(&[separator]));
    if !between() {
        return None;
    }
    let group = cursor.first_digits(2)?;
    if separator.is_some_and(|separator| !cursor.eat(&[separator])) {
        return None;
    }
    let serial = cursor.first_digits(4)?;
    let is_one = area != 0 && area != 666 && area < 900 && group != 0 && serial != 0;
    is_one.then(|| cursor.ends())?
}

/// Ten digits, with a check digit (ISO 7812) over them behind `80840`, which adds 24 to the sum.
fn npi(cursor: &mut Cursor<'_>) -> Option<()> {
    let number = cursor.digits(10)?;
    let begins_well = matches!(number.checked_div(1_000_000_000)?, 1 | 2);
    let (mut sum, mut rest, mut doubled) = (24_u64, number, false);
    for _ in 0..10 {
        let digit = rest.checked_rem(10)?;
        let worth = if doubled { digit.saturating_mul(2) } else { digit };
        sum = sum.saturating_add(if worth > 9 { worth.saturating_sub(9) } else { worth });
        rest = rest.checked_div(10)?;
        doubled = !doubled;
    }
    (begins_well && sum.checked_rem(10) == Some(0)).then(|| cursor.ends())?
}

/// Two letters and seven digits: the last is that of (first + third + fifth) + 2 (second + fourth + sixth).
fn dea(cursor: &mut Cursor<'_>) -> Option<()> {
    if !cursor.eat(b"ABCDEFGHJKLMPRSTUXabcdefghjklmprstux") || !cursor.peek()?.is_ascii_alphanumeric() {
        return None;
    }
    cursor.at = cursor.at.checked_add(1)?;
    let number = cursor.digits(7)?;
    let digit = |place: u32| number.checked_div(10_u64.checked_pow(place)?)?.checked_rem(10);
    let odd = digit(6)?.checked_add(digit(4)?)?.checked_add(digit(2)?)?;
    let even = digit(5)?.checked_add(digit(3)?)?.checked_add(digit(1)?)?;
    let is_one = odd.checked_add(even.checked_mul(2)?)?.checked_rem(10) == digit(0);
    is_one.then(|| cursor.ends())?
}

/// `1980-02-29`, `19800229`, `2/29/1980`, `29.02.1980`, `02-29-1980`.
fn date(cursor: &mut Cursor<'_>) -> Option<()> {
    let is_day = |year: u64, month: u64, day: u64| {
        (1880..2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day)
    };
    let is_one = match cursor.run() {
        8 => {
            let (year, month, day) = (cursor.first_digits(4)?, cursor.first_digits(2)?, cursor.first_digits(2)?);
            is_day(year, month, day)
        }
        4 => {
            let year = cursor.digits(4)?;
            let separator = cursor.peek().filter(|byte| b"-/.".contains(byte))?;
            cursor.eat(&[separator]);
            let month = cursor.digits(2)?;
            if !cursor.eat(&[separator]) {
                return None;
            }
            is_day(year, month, cursor.digits(2)?)
        }
        len @ 1..=2 => {
            let first = cursor.digits(len)?;
            let separator = cursor.peek().filter(|byte| b"-/.".contains(byte))?;
            cursor.eat(&[separator]);
            let second = cursor.run().clamp(1, 2);
            let second = cursor.digits(second)?;
            if !cursor.eat(&[separator]) {
                return None;
            }
            let year = cursor.digits(4)?;
            is_day(year, first, second) || is_day(year, second, first)
        }
        _ => false,
    };
    // A time may follow.
    (is_one && !cursor.peek().is_some_and(|byte| byte.is_ascii_digit())).then_some(())
}

/// A number of the North American plan, with its area code.
fn phone(cursor: &mut Cursor<'_>) -> Option<()> {
    const BETWEEN: &[u8] = b" -.";
    if cursor.eat(b"+") {
        cursor.eat(b"1").then_some(())?;
        cursor.eat(BETWEEN);
    } else if cursor.run() == 11 {
        cursor.eat(b"1").then_some(())?;
    }
    cursor.eat(b"(");
    let area = cursor.first_digits(3)?;
    cursor.eat(b")");
    cursor.eat(BETWEEN);
    let exchange = cursor.first_digits(3)?;
    cursor.eat(BETWEEN);
    cursor.digits(4)?;
    (area >= 200 && exchange >= 200).then(|| cursor.ends())?
}

fn email(cursor: &mut Cursor<'_>) -> Option<()> {
    let rest = cursor.text.get(cursor.at..)?;
    let is_local = |byte: &u8| byte.is_ascii_alphanumeric() || b"._%+-".contains(byte);
    let local = rest.iter().take(64).take_while(|byte| is_local(byte)).count();
    let domain = rest.get(local..)?.strip_prefix(b"@")?;
    let len = domain.iter().take(255).take_while(|byte| byte.is_ascii_alphanumeric() || b".-".contains(byte)).count();
    let domain = domain.get(..len)?;
    let dot = domain.iter().rposition(|byte| *byte == b'.')?;
    cursor.at = cursor.at.checked_add(local)?.checked_add(1)?.checked_add(len)?;
    (local > 0 && dot > 0 && len > dot.saturating_add(2)).then_some(())
}

/// `0093-7146-56` and its like, or eleven digits.
fn ndc(cursor: &mut Cursor<'_>) -> Option<()> {
    let labeler = cursor.run();
    if labeler == 11 {
        cursor.digits(11)?;
        return cursor.ends();
    }
    let mut part = |many: Range<usize>, dash: bool| {
        let run = cursor.run();
        let is_one = many.contains(&run) && cursor.digits(run).is_some() && (!dash || cursor.eat(b"-"));
        is_one.then_some(())
    };
    part(4..6, true)?;
    part(3..5, true)?;
    part(1..3, false)?;
    cursor.ends()
}

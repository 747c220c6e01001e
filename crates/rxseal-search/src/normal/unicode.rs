//! Unicode 16, from committed tables that neither std nor a crate can move: what a code point is, lower case, NFKD and NFC.

mod classes;
mod code_class;
mod combining;
mod composed;
mod decomposed;
mod lower;

use classes::CLASSES;
pub(crate) use code_class::Class;
use combining::COMBINING;
use composed::COMPOSED;
use decomposed::{DECOMPOSED, POOL};
use lower::LOWER;

pub(crate) fn class(c: char) -> Class {
    run(&CLASSES, c).unwrap_or(Class::Refused)
}

/// The simple lower-case mapping.
pub(crate) fn lower(c: char) -> char {
    let found = LOWER.binary_search_by_key(&u32::from(c), |(upper, _)| *upper).ok();
    found.and_then(|at| LOWER.get(at)).map_or(c, |(_, small)| *small)
}

/// Hands out the NFKD of one code point; the caller orders marks.
pub(crate) fn decompose<E>(c: char, mut each: impl FnMut(char) -> Result<(), E>) -> Result<(), E> {
    if let Some([lead, vowel, tail]) = hangul_parts(c) {
        for jamo in [lead, vowel, tail].into_iter().flatten() {
            each(jamo)?;
        }
        return Ok(());
    }
    match piece(c) {
        Some(piece) => piece.chars().try_for_each(each),
        None => each(c),
    }
}

/// Orders the marks of decomposed text and composes it in place, as NFC does. Returns how many code points are left.
pub(crate) fn compose(text: &mut [char]) -> usize {
    order(text);
    let mut kept = 0_usize;
    let mut starter: Option<usize> = None;
    let mut last_class = 0_u8;
    for at in 0..text.len() {
        let Some(&c) = text.get(at) else { break };
        let class = combining(c);
        let open = starter.filter(|&start| start.saturating_add(1) == kept || (last_class != 0 && last_class < class));
        let pair =
            open.and_then(|start| text.get(start).and_then(|&first| composite(first, c)).map(|both| (start, both)));
        if let Some((start, both)) = pair {
            put(text, start, both);
            continue;
        }
        if class == 0 {
            starter = Some(kept);
        }
        last_class = class;
        put(text, kept, c);
        kept = kept.saturating_add(1);
    }
    kept
}

fn put(text: &mut [char], at: usize, c: char) {
    if let Some(place) = text.get_mut(at) {
        *place = c;
    }
}

/// Canonical ordering: marks of one run go up by their class, and keep their order if it is the same.
fn order(text: &mut [char]) {
    let mut from = 0_usize;
    while let Some(rest) = text.get_mut(from..).filter(|rest| !rest.is_empty()) {
        let starters = rest.iter().take_while(|c| combining(**c) == 0).count();
        let (_, marks_on) = rest.split_at_mut(starters);
        let marks = marks_on.iter().take_while(|c| combining(**c) != 0).count();
        let (run, _) = marks_on.split_at_mut(marks);
        // In place, so that no copy of a name stays in the heap: std's stable sort may allocate.
        for at in 1..run.len() {
            let mut place = at;
            while let Some([before, after]) = place.checked_sub(1).and_then(|lower| run.get_mut(lower..=place)) {
                if combining(*before) <= combining(*after) {
                    break;
                }
                std::mem::swap(before, after);
                place = place.saturating_sub(1);
            }
        }
        from = from.saturating_add(starters).saturating_add(marks);
    }
}

fn combining(c: char) -> u8 {
    if c < '\u{300}' { 0 } else { run(&COMBINING, c).unwrap_or(0) }
}

/// The value of the run that the code point is in.
fn run<T: Copy>(runs: &[(u32, T)], c: char) -> Option<T> {
    let after = runs.partition_point(|(start, _)| *start <= u32::from(c));
    after.checked_sub(1).and_then(|at| runs.get(at)).map(|(_, value)| *value)
}

fn piece(c: char) -> Option<&'static str> {
    let at = DECOMPOSED.binary_search_by_key(&u32::from(c), |(code, _)| *code).ok()?;
    let start = usize::from(DECOMPOSED.get(at)?.1);
    let end = DECOMPOSED.get(at.checked_add(1)?).map_or(POOL.len(), |(_, next)| usize::from(*next));
    POOL.get(start..end)
}

fn composite(first: char, second: char) -> Option<char> {
    if let Some(syllable) = hangul_composite(first, second) {
        return Some(syllable);
    }
    let key = (u32::from(first), u32::from(second));
    let at = COMPOSED.binary_search_by_key(&key, |(first, second, _)| (*first, *second)).ok()?;
    COMPOSED.get(at).map(|(_, _, both)| *both)
}

// Hangul syllables are computed: Unicode 16, section 3.12.
const SYLLABLES: u32 = 0xAC00;
const LEADS: u32 = 0x1100;
const VOWELS: u32 = 0x1161;
const TAILS: u32 = 0x11A7;
const LEAD_COUNT: u32 = 19;
const VOWEL_COUNT: u32 = 21;
const TAIL_COUNT: u32 = 28;
const SYLLABLE_COUNT: u32 = LEAD_COUNT * VOWEL_COUNT * TAIL_COUNT;

/// The jamo of a syllable; the tail may be missing.
fn hangul_parts(c: char) -> Option<[Option<char>; 3]> {
    let index = within(c, SYLLABLES, SYLLABLE_COUNT)?;
    let tail = index.checked_rem(TAIL_COUNT)?;
    let open = index.checked_div(TAIL_COUNT)?;
    let jamo =
        |base: u32, offset: Option<u32>| offset.and_then(|offset| base.checked_add(offset)).and_then(char::from_u32);
    let lead = jamo(LEADS, open.checked_div(VOWEL_COUNT));
    let vowel = jamo(VOWELS, open.checked_rem(VOWEL_COUNT));
    Some([lead, vowel, jamo(TAILS, Some(tail).filter(|tail| *tail != 0))])
}

fn hangul_composite(first: char, second: char) -> Option<char> {
    if let (Some(lead), Some(vowel)) = (within(first, LEADS, LEAD_COUNT), within(second, VOWELS, VOWEL_COUNT)) {
        let open = lead.checked_mul(VOWEL_COUNT)?.checked_add(vowel)?;
        return char::from_u32(open.checked_mul(TAIL_COUNT)?.checked_add(SYLLABLES)?);
    }
    let open = within(first, SYLLABLES, SYLLABLE_COUNT)?;
    let tail = within(second, TAILS, TAIL_COUNT)?;
    if tail == 0 || open.checked_rem(TAIL_COUNT)? != 0 {
        return None;
    }
    char::from_u32(u32::from(first).checked_add(tail)?)
}

fn within(c: char, base: u32, count: u32) -> Option<u32> {
    u32::from(c).checked_sub(base).filter(|offset| *offset < count)
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn decomposed(text: &str) -> Vec<char> {
        let mut chars = Vec::new();
        for c in text.chars() {
            decompose(c, |c| {
                chars.push(c);
                Ok::<_, ()>(())
            })
            .unwrap();
        }
        chars
    }

    fn nfc(text: &str) -> String {
        let mut chars = decomposed(text);
        let kept = compose(&mut chars);
        chars[..kept].iter().collect()
    }

    /// `unicode/tables.py` prints the digest, and computes it without the tables.
    #[test]
    fn every_assigned_code_point_is_as_unicode_16_has_it() {
        let mut digest = Sha256::new();
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let name = match class(c) {
                Class::Letter => "L",
                Class::Separator => "S",
                Class::Ignored => "I",
                Class::Refused if is_assigned(c) => "R",
                Class::Refused => continue,
            };
            let form: String = decomposed(c.encode_utf8(&mut [0; 4])).into_iter().collect();
            let is_common = matches!(c, '\u{3400}'..'\u{F900}' | '\u{20000}'..);
            let composed = if is_common { String::new() } else { nfc(&format!("e\u{327}{c}\u{301}\u{93C}{c}")) };
            digest.update(format!("{:X} {name} {} {form} {composed}\n", u32::from(c), lower(c)));
        }
        let found: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(found, "42b9090b668eb77aea50fdffce6fc4a47b198cb16071e5ac52d57f9a87ff0a99");
    }

    /// Of those that are refused, control characters and those for private use are assigned.
    fn is_assigned(c: char) -> bool {
        c.is_control() || matches!(c, '\u{E000}'..='\u{F8FF}' | '\u{F0000}'..='\u{FFFFD}' | '\u{100000}'..='\u{10FFFD}')
    }

    #[test]
    fn marks_are_ordered_and_composed() {
        for (text, wanted) in [
            ("a\u{323}\u{302}", "ậ"),
            ("a\u{302}\u{323}", "ậ"),
            ("각", "각"),
            ("\u{1100}\u{1161}\u{11A8}", "각"),
            ("か\u{3099}", "が"),
            ("\u{1161}\u{1100}", "\u{1161}\u{1100}"),
        ] {
            assert_eq!(nfc(text), wanted, "{text:?}");
        }
    }
}

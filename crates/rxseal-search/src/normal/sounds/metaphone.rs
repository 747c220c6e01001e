//! Double Metaphone, after Lawrence Philips ("The double metaphone search algorithm", C/C++ Users Journal, June 2000), on the letters a to z.
//!
//! The crates that have it copy the name to the heap and leave it there. This one keeps nothing but the codes, which it wipes.

use zeroize::Zeroize;

/// The codes of a name: the primary one, and the alternate one if it differs.
#[derive(Default)]
pub(super) struct Codes {
    primary: Code,
    alternate: Code,
}

impl Codes {
    /// The codes that are not empty, each once.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let (primary, alternate) = (self.primary.as_slice(), self.alternate.as_slice());
        let other = Some(alternate).filter(|code| *code != primary);
        std::iter::once(primary).chain(other).filter(|code| !code.is_empty())
    }

    fn is_complete(&self) -> bool {
        self.primary.len == MAX_LEN && self.alternate.len == MAX_LEN
    }

    fn add(&mut self, both: &str) {
        self.add_two(both, both);
    }

    fn add_two(&mut self, primary: &str, alternate: &str) {
        self.primary.add(primary);
        self.alternate.add(alternate);
    }
}

/// Adds the codes of a name of small letters to empty ones, in their place: a move would leave a copy behind.
pub(super) fn write_codes(letters: &[u8], codes: &mut Codes) {
    let mut name = Name { letters, at: 0, is_slavic: is_slavic(letters), codes };
    if name.starts(&["gn", "kn", "pn", "wr", "ps"]) {
        name.at = 1;
    }
    while name.at < letters.len() && !name.codes.is_complete() {
        let read = name.read();
        name.at = name.at.saturating_add(read);
    }
}

const MAX_LEN: usize = 4;

#[derive(Default)]
struct Code {
    signs: [u8; MAX_LEN],
    len: usize,
}

impl Code {
    fn as_slice(&self) -> &[u8] {
        self.signs.get(..self.len).unwrap_or_default()
    }

    fn add(&mut self, signs: &str) {
        for sign in signs.bytes() {
            if let Some(place) = self.signs.get_mut(self.len) {
                *place = sign;
                self.len = self.len.saturating_add(1);
            }
        }
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        self.signs.zeroize();
    }
}

/// A name that is spelled in a Slavic or Germanic way.
fn is_slavic(letters: &[u8]) -> bool {
    letters.iter().any(|letter| matches!(letter, b'w' | b'k')) || letters.windows(2).any(|pair| pair == b"cz")
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

struct Name<'a> {
    letters: &'a [u8],
    at: usize,
    is_slavic: bool,
    codes: &'a mut Codes,
}

impl Name<'_> {
    /// Reads the letters at the present place, and says how many.
    fn read(&mut self) -> usize {
        match self.ahead(0) {
            b'a' | b'e' | b'i' | b'o' | b'u' | b'y' => {
                if self.at == 0 {
                    self.codes.add("A");
                }
                1
            }
            b'b' => self.plain("P", b"b"),
            b'c' => self.c(),
            b'd' => self.d(),
            b'f' => self.plain("F", b"f"),
            b'g' => self.g(),
            b'h' => self.h(),
            b'j' => self.j(),
            b'k' => self.plain("K", b"k"),
            b'l' => self.l(),
            b'm' => self.m(),
            b'n' => self.plain("N", b"n"),
            b'p' if self.ahead(1) == b'h' => self.sound("F", 2),
            b'p' => self.plain("P", b"pb"),
            b'q' => self.plain("K", b"q"),
            b'r' => self.r(),
            b's' => self.s(),
            b't' => self.t(),
            b'v' => self.plain("F", b"v"),
            b'w' => self.w(),
            b'x' => self.x(),
            b'z' => self.z(),
            _ => 1,
        }
    }

    fn c(&mut self) -> usize {
        if self.is_hard_ch() {
            return self.sound("K", 2);
        }
        if self.at == 0 && self.has(&["caesar"]) {
            return self.sound("S", 2);
        }
        if self.has(&["ch"]) {
            return self.ch();
        }
        if self.has(&["cz"]) && !self.has_from(2, &["wicz"]) {
            return self.sounds("S", "X", 2);
        }
        if self.has_after(1, &["cia"]) {
            return self.sound("X", 3);
        }
        if self.has(&["cc"]) && !(self.at == 1 && self.behind(1) == b'm') {
            return self.cc();
        }
        if self.has(&["ck", "cg", "cq"]) {
            return self.sound("K", 2);
        }
        if self.has(&["cio", "cie", "cia"]) {
            return self.sounds("S", "X", 2);
        }
        if self.has(&["ci", "ce", "cy"]) {
            return self.sound("S", 2);
        }
        let is_double = matches!(self.ahead(1), b'c' | b'k' | b'q') && !self.has_after(1, &["ce", "ci"]);
        self.sound("K", if is_double { 2 } else { 1 })
    }

    fn is_hard_ch(&self) -> bool {
        if self.has(&["chia"]) {
            return true;
        }
        self.at > 1
            && !is_vowel(self.behind(2))
            && self.has_from(1, &["ach"])
            && (!matches!(self.ahead(2), b'i' | b'e') || self.has_from(2, &["bacher", "macher"]))
    }

    fn ch(&mut self) -> usize {
        if self.at > 0 && self.has(&["chae"]) {
            return self.sounds("K", "X", 2);
        }
        if self.is_greek_ch() || self.is_germanic_ch() {
            return self.sound("K", 2);
        }
        if self.at == 0 {
            return self.sound("X", 2);
        }
        if self.starts(&["mc"]) { self.sound("K", 2) } else { self.sounds("X", "K", 2) }
    }

    fn is_greek_ch(&self) -> bool {
        self.at == 0 && self.has_after(1, &["harac", "haris", "hor", "hym", "hia", "hem"]) && !self.starts(&["chore"])
    }

    fn is_germanic_ch(&self) -> bool {
        let is_after_vowel = self.at == 0 || matches!(self.behind(1), b'a' | b'o' | b'u' | b'e');
        self.starts(&["sch"])
            || self.has_from(2, &["orches", "archit", "orchid"])
            || (self.at > 1 && matches!(self.ahead(2), b't' | b's'))
            || (is_after_vowel
                && (matches!(self.ahead(2), b'l' | b'r' | b'n' | b'm' | b'b' | b'h' | b'f' | b'v' | b'w')
                    || self.left() == 2))
    }

    fn cc(&mut self) -> usize {
        if !matches!(self.ahead(2), b'i' | b'e' | b'h') || self.has_after(2, &["hu"]) {
            return self.sound("K", 2);
        }
        let is_two = (self.at == 1 && self.behind(1) == b'a') || self.has_from(1, &["uccee", "ucces"]);
        self.sound(if is_two { "KS" } else { "X" }, 3)
    }

    fn d(&mut self) -> usize {
        match (self.ahead(1), self.ahead(2)) {
            (b'g', b'i' | b'e' | b'y') => self.sound("J", 3),
            (b'g', _) => self.sound("TK", 2),
            (b't' | b'd', _) => self.sound("T", 2),
            _ => self.sound("T", 1),
        }
    }

    fn g(&mut self) -> usize {
        if self.ahead(1) == b'h' {
            return self.gh();
        }
        if self.ahead(1) == b'n' {
            return match () {
                () if self.at == 1 && is_vowel(self.behind(1)) && !self.is_slavic => self.sounds("KN", "N", 2),
                () if !self.has_after(2, &["ey"]) && !self.is_slavic => self.sounds("N", "KN", 2),
                () => self.sound("KN", 2),
            };
        }
        if self.has_after(1, &["li"]) && !self.is_slavic {
            return self.sounds("KL", "L", 2);
        }
        let is_first =
            self.at == 0 && self.has_after(1, &["y", "es", "ep", "eb", "el", "ib", "il", "in", "ie", "ei", "er", "ey"]);
        let is_ger = self.has_after(1, &["er", "y"])
            && !self.starts(&["danger", "ranger", "manger"])
            && !matches!(self.behind(1), b'e' | b'i')
            && !self.has_from(1, &["rgy", "ogy"]);
        if is_first || is_ger {
            return self.sounds("K", "J", 2);
        }
        if matches!(self.ahead(1), b'e' | b'i' | b'y') || self.has_from(1, &["aggi", "oggi"]) {
            return match () {
                () if self.starts(&["sch"]) || self.has_after(1, &["et"]) => self.sound("K", 2),
                () if self.has_after(1, &["ier"]) => self.sound("J", 2),
                () => self.sounds("J", "K", 2),
            };
        }
        self.plain("K", b"g")
    }

    fn gh(&mut self) -> usize {
        if self.at == 0 {
            return self.sound(if self.ahead(2) == b'i' { "J" } else { "K" }, 2);
        }
        if !is_vowel(self.behind(1)) {
            return self.sound("K", 2);
        }
        let is_silent = matches!(self.behind(2), b'b' | b'h' | b'd')
            || matches!(self.behind(3), b'b' | b'h' | b'd')
            || matches!(self.behind(4), b'b' | b'h');
        if is_silent {
            return 2;
        }
        match (self.behind(3), self.behind(1)) {
            (b'c' | b'g' | b'l' | b'r' | b't', b'u') => self.sound("F", 2),
            (_, b'i') => 2,
            _ => self.sound("K", 2),
        }
    }

    fn h(&mut self) -> usize {
        let is_heard = (self.at == 0 || is_vowel(self.behind(1))) && is_vowel(self.ahead(1));
        if is_heard { self.sound("H", 2) } else { 1 }
    }

    fn j(&mut self) -> usize {
        if self.has(&["jose"]) {
            return if self.letters.len() == 4 { self.sound("H", 1) } else { self.sounds("J", "H", 1) };
        }
        if self.at == 0 {
            self.codes.add_two("J", "A");
        } else if is_vowel(self.behind(1)) && !self.is_slavic && matches!(self.ahead(1), b'a' | b'o') {
            self.codes.add_two("J", "H");
        } else if self.left() == 1 {
            self.codes.add_two("J", " ");
        } else if !matches!(self.ahead(1), b'l' | b't' | b'k' | b's' | b'n' | b'm' | b'b' | b'z')
            && !matches!(self.behind(1), b's' | b'k' | b'l')
        {
            self.codes.add("J");
        }
        if self.ahead(1) == b'j' { 2 } else { 1 }
    }

    fn l(&mut self) -> usize {
        if self.ahead(1) != b'l' {
            return self.sound("L", 1);
        }
        let is_last = self.left() == 3 && self.has_from(1, &["illo", "illa", "alle"]);
        let is_spanish = self.ends(&["as", "os", "a", "o"]) && self.has_from(1, &["alle"]);
        self.sounds("L", if is_last || is_spanish { "" } else { "L" }, 2)
    }

    fn m(&mut self) -> usize {
        let is_silent_b = self.has_from(1, &["umb"]) && (self.left() == 2 || self.has_after(2, &["er"]));
        self.sound("M", if is_silent_b || self.ahead(1) == b'm' { 2 } else { 1 })
    }

    fn r(&mut self) -> usize {
        let is_french = self.at > 3
            && self.left() == 1
            && !self.is_slavic
            && self.has_from(2, &["ie"])
            && !self.has_from(4, &["me", "ma"]);
        self.sounds(if is_french { "" } else { "R" }, "R", if self.ahead(1) == b'r' { 2 } else { 1 })
    }

    fn s(&mut self) -> usize {
        if self.has_from(1, &["isl", "ysl"]) {
            return 1;
        }
        if self.at == 0 && self.has(&["sugar"]) {
            return self.sounds("X", "S", 1);
        }
        if self.has(&["sh"]) {
            let is_germanic = self.has_after(1, &["heim", "hoek", "holm", "holz"]);
            return self.sound(if is_germanic { "S" } else { "X" }, 2);
        }
        if self.has(&["sio", "sia"]) {
            return self.sounds("S", if self.is_slavic { "S" } else { "X" }, 3);
        }
        if self.ahead(1) == b'z' {
            return self.sounds("S", "X", 2);
        }
        if self.at == 0 && matches!(self.ahead(1), b'm' | b'n' | b'l' | b'w') {
            return self.sounds("S", "X", 1);
        }
        if self.has(&["sc"]) {
            return self.sc();
        }
        let is_french = self.left() == 1 && self.has_from(2, &["ai", "oi"]);
        self.sounds(if is_french { "" } else { "S" }, "S", if self.ahead(1) == b's' { 2 } else { 1 })
    }

    fn sc(&mut self) -> usize {
        match self.ahead(2) {
            b'h' if self.has_after(3, &["er", "en"]) => self.sounds("X", "SK", 3),
            b'h' if self.has_after(3, &["oo", "uy", "ed", "em"]) => self.sound("SK", 3),
            b'h' if self.at == 0 && !is_vowel(self.ahead(3)) && self.ahead(3) != b'w' => self.sounds("X", "S", 3),
            b'h' => self.sound("X", 3),
            b'i' | b'e' | b'y' => self.sound("S", 3),
            _ => self.sound("SK", 3),
        }
    }

    fn t(&mut self) -> usize {
        if self.has(&["tion", "tia", "tch"]) {
            return self.sound("X", 3);
        }
        if self.has(&["th", "tth"]) {
            let is_hard = self.has_after(2, &["om", "am"]) || self.starts(&["sch"]);
            return if is_hard { self.sound("T", 2) } else { self.sounds("0", "T", 2) };
        }
        self.plain("T", b"td")
    }

    fn w(&mut self) -> usize {
        if self.ahead(1) == b'r' {
            return self.sound("R", 2);
        }
        if self.at == 0 && is_vowel(self.ahead(1)) {
            return self.sounds("A", "F", 1);
        }
        if self.at == 0 && self.ahead(1) == b'h' {
            return self.sound("A", 1);
        }
        let is_final = self.left() == 1 && is_vowel(self.behind(1));
        if is_final || self.has_from(1, &["ewski", "ewsky", "owski", "owsky"]) || self.starts(&["sch"]) {
            return self.sounds("", "F", 1);
        }
        if self.has(&["wicz", "witz"]) { self.sounds("TS", "FX", 4) } else { 1 }
    }

    fn x(&mut self) -> usize {
        if self.at == 0 {
            return self.sound("S", 1);
        }
        let is_french = self.left() == 1 && (self.has_from(3, &["iau", "eau"]) || self.has_from(2, &["au", "ou"]));
        self.sound(if is_french { "" } else { "KS" }, if matches!(self.ahead(1), b'c' | b'x') { 2 } else { 1 })
    }

    fn z(&mut self) -> usize {
        if self.ahead(1) == b'h' {
            return self.sound("J", 2);
        }
        let is_ts = self.has_after(1, &["zo", "zi", "za"]) || (self.is_slavic && self.at > 0 && self.behind(1) != b't');
        self.sounds("S", if is_ts { "TS" } else { "S" }, if self.ahead(1) == b'z' { 2 } else { 1 })
    }

    /// One sound, for this letter and for one of `also` after it.
    fn plain(&mut self, both: &str, also: &[u8]) -> usize {
        let is_double = also.contains(&self.ahead(1));
        self.sound(both, if is_double { 2 } else { 1 })
    }

    fn sound(&mut self, both: &str, letters: usize) -> usize {
        self.codes.add(both);
        letters
    }

    fn sounds(&mut self, primary: &str, alternate: &str, letters: usize) -> usize {
        self.codes.add_two(primary, alternate);
        letters
    }

    /// How many letters are left, with the present one.
    fn left(&self) -> usize {
        self.letters.len().saturating_sub(self.at)
    }

    /// The letter so many places on, or 0.
    fn ahead(&self, by: usize) -> u8 {
        self.letters.get(self.at.saturating_add(by)).copied().unwrap_or_default()
    }

    fn behind(&self, by: usize) -> u8 {
        self.at.checked_sub(by).and_then(|at| self.letters.get(at)).copied().unwrap_or_default()
    }

    fn has(&self, words: &[&str]) -> bool {
        self.has_after(0, words)
    }

    fn has_after(&self, by: usize, words: &[&str]) -> bool {
        begins(self.letters.get(self.at.saturating_add(by)..), words)
    }

    /// Whether one of the words is there, `by` letters before the present one.
    fn has_from(&self, by: usize, words: &[&str]) -> bool {
        begins(self.at.checked_sub(by).and_then(|at| self.letters.get(at..)), words)
    }

    fn starts(&self, words: &[&str]) -> bool {
        begins(Some(self.letters), words)
    }

    fn ends(&self, words: &[&str]) -> bool {
        words.iter().any(|word| self.letters.ends_with(word.as_bytes()))
    }
}

fn begins(letters: Option<&[u8]>, words: &[&str]) -> bool {
    letters.is_some_and(|letters| words.iter().any(|word| letters.starts_with(word.as_bytes())))
}

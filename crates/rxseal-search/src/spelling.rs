//! Other spellings of a name that is searched for: `Mueller` for `Müller`, and the other way.

use zeroize::Zeroizing;

/// Vowels with two dots, and how they are written without.
const VOWELS: [(&str, &str, &str); 6] =
    [("ä", "ae", "a"), ("ö", "oe", "o"), ("ü", "ue", "u"), ("Ä", "Ae", "A"), ("Ö", "Oe", "O"), ("Ü", "Ue", "U")];

/// The name as it is written, with `ae`, `oe` and `ue` for vowels with two dots, and with the plain vowel for these pairs. The normal form of a
/// vowel with two dots is the plain one, and that of `ß` is `ss`, so `Müller`, `Mueller` and `MULLER` find each other.
pub(crate) fn spellings(name: &str) -> Vec<Zeroizing<String>> {
    let (mut longer, mut shorter) = (String::from(name), String::from(name));
    for (dotted, pair, vowel) in VOWELS {
        longer = replaced(longer, dotted, pair);
        shorter = replaced(replaced(shorter, pair, vowel), &pair.to_uppercase(), &vowel.to_uppercase());
    }
    let mut all = vec![Zeroizing::new(String::from(name))];
    for other in [longer, shorter].map(Zeroizing::new) {
        if !all.contains(&other) {
            all.push(other);
        }
    }
    all
}

/// Replaces and wipes. `to` is no longer than `from`, so the copy never grows, which would leave a part of the name behind.
fn replaced(text: String, from: &str, to: &str) -> String {
    let text = Zeroizing::new(text);
    let mut copy = String::with_capacity(text.len());
    for (at, piece) in text.split(from).enumerate() {
        if at > 0 {
            copy.push_str(to);
        }
        copy.push_str(piece);
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What grows leaves a copy behind.
    #[test]
    fn no_spelling_grows() {
        let mueller = "Mueller-Schroeder ".repeat(20);
        for name in ["Mueller", "M\u{fc}ller", "\u{c4}rger", mueller.as_str()] {
            for spelling in spellings(name) {
                assert!(spelling.capacity() <= name.len(), "{name}");
            }
        }
    }

    #[test]
    fn other_spellings() {
        let of = |name| spellings(name).iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(of("Müller"), ["Müller", "Mueller"]);
        assert_eq!(of("Mueller"), ["Mueller", "Muller"]);
        assert_eq!(of("SCHROEDER"), ["SCHROEDER", "SCHRODER"]);
        assert_eq!(of("Smith"), ["Smith"]);
    }
}

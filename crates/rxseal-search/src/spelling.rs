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

/// Replaces and wipes.
fn replaced(text: String, from: &str, to: &str) -> String {
    Zeroizing::new(text).replace(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings() {
        let of = |name| spellings(name).iter().map(|name| name.to_string()).collect::<Vec<_>>();
        assert_eq!(of("Müller"), ["Müller", "Mueller"]);
        assert_eq!(of("Mueller"), ["Mueller", "Muller"]);
        assert_eq!(of("SCHROEDER"), ["SCHROEDER", "SCHRODER"]);
        assert_eq!(of("Smith"), ["Smith"]);
    }
}

//! Patients who do not exist: every run makes the same ones.

use crate::pharmacy::Patient;

const GIVEN: &str = "Aaliyah, Adaeze, Amara, Arjun, Beatrix, Carlos, Chidi, Deborah, Dmitri, Eleanor, Emeka, Fatima, Giulia, Hiroshi, \
    Imani, Ingrid, Jamal, Kamala, Kwame, Latoya, Leila, Magdalena, Miguel, Naomi, Oksana, Padraig, Priya, Rosalind, Tamika, Xiomara, Zainab";
const FAMILY: &str = "Abdullahi, Adeyemi, Albrecht, Almeida, Banerjee, Baptiste, Begay, Blackwood, Castellanos, Chaudhary, Delacroix, \
    Eriksen, Fitzgerald, Fujimoto, Goldstein, Haddad, Henderson, Ivanova, Kowalczyk, Krishnan, Lindqvist, Mbeki, Montgomery, Nakamura, \
    Okafor, Papadakis, Quispe, Reyes, Rosenthal, Saito, Thompson, Underwood, Villanueva, Whitehorse, Yamamoto, Zielinski";
const DRUGS: &str = "lisinopril 10 MG Oral Tablet, amlodipine 5 MG Oral Tablet, warfarin sodium 5 MG Oral Tablet, sertraline 50 MG Oral Tablet, \
    levothyroxine sodium 0.075 MG Oral Tablet, metformin hydrochloride 500 MG Oral Tablet, lithium carbonate 300 MG Oral Capsule, \
    omeprazole 20 MG Delayed Release Oral Capsule, apixaban 5 MG Oral Tablet, tacrolimus 1 MG Oral Capsule";
const DIRECTIONS: &str = "Take 1 by mouth once daily., Take 1 by mouth every morning., Take 1 by mouth twice daily with meals., \
    Take 1 by mouth at bedtime.";

/// A pseudonym: it is readable in the table and in the log.
pub fn id(number: usize) -> String {
    format!("P-{number:05}")
}

/// The patient with this number.
pub fn patient(number: usize) -> Patient {
    let pick = |list: &str, at: usize| {
        let list: Vec<_> = list.split(", ").collect();
        list[at % list.len()].to_owned()
    };
    let name = |at: usize| format!("{} {}", pick(GIVEN, at), pick(FAMILY, at / 7 + at * 5));
    Patient {
        id: id(number),
        name: name(number),
        born: format!("{}-{:02}-{:02}", 1931 + number * 13 % 88, 1 + number * 5 % 12, 1 + number * 11 % 28),
        phone: format!("555-{:03}-{:04}", 200 + number / 10_000, number % 10_000),
        drug: pick(DRUGS, number * 3 + number / 10),
        directions: pick(DIRECTIONS, number),
        prescriber: format!("Dr. {}", name(number % 40 + 1000)),
        filled_at: format!("2026-{:02}-{:02}", 1 + number * 7 % 12, 1 + number * 3 % 28),
    }
}

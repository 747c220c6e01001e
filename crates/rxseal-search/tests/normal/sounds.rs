//! Codes of Double Metaphone: 10,000 by their digest, which the crate rphonetic 4.0.0 made, and names that sound alike.

use rxseal_search::normal::{Family, NormalForm, Normalizes, Sounds};
use sha2::{Digest, Sha256};

use crate::support::{Draw, parts};

#[test]
fn ten_thousand_codes_are_those_of_another_implementation() {
    let mut draw = Draw(10_000);
    let mut digest = Sha256::new();
    for _ in 0..10_000 {
        let name: String = (0..=draw.below(5)).map(|_| *draw.one(&PIECES)).collect();
        digest.update(format!("{name} {}\n", parts::<Sounds>(&name)));
    }
    let found: String = digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(found, "3174b85bca46a66260345a4993394a4b7b803908340f281d6d00bab2e1712e41");
}

#[test]
fn names_that_sound_alike_share_a_code() {
    let pairs: Vec<(&str, &str)> = PAIRS.split_whitespace().map(|pair| pair.split_once('/').unwrap()).collect();
    assert!(pairs.len() >= 100);
    let lost: Vec<_> = pairs.iter().filter(|(one, other)| !form(one).sounds_like(&form(other))).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let different =
        [("Smith", "Jones"), ("García", "Lopez"), ("Meyer", "Miller"), ("Lee", "Li2"), ("王", "王"), ("", "")];
    for (one, other) in different {
        assert!(!form(one).sounds_like(&form(other)), "{one} {other}");
    }
}

#[test]
fn only_letters_a_to_z_have_a_code() {
    for name in ["王", "Иванов", "Smith 2", "김", "", "unknown", "Əliyev"] {
        assert_eq!(parts::<Sounds>(name), "", "{name}");
    }
    assert_eq!(parts::<Sounds>("Gómez"), parts::<Sounds>("GOMEZ"));
    assert_eq!(parts::<Sounds>("Øster"), parts::<Sounds>("Oster"));
    assert_eq!(parts::<Sounds>("Smith\u{0}"), "!not-indexable");
}

fn form(name: &str) -> NormalForm {
    let mut form = NormalForm::new();
    <Family>::write(name, &mut form).unwrap();
    form
}

/// What the rules of Double Metaphone look for, and single letters.
const PIECES: [&str; 96] = [
    "a", "e", "i", "o", "u", "y", "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "q", "r", "s", "t", "v",
    "w", "x", "z", "ch", "sch", "ck", "gh", "gn", "kn", "ph", "th", "wicz", "witz", "ewski", "owsky", "jose", "caesar",
    "cia", "cio", "cc", "cz", "acci", "ach", "bacher", "macher", "chae", "harac", "orch", "orches", "archit", "orchid",
    "hor", "hem", "dg", "dge", "er", "gy", "danger", "ogy", "aggi", "et", "ier", "ugh", "laugh", "umb", "umber", "isl",
    "sugar", "heim", "holm", "sio", "sia", "sz", "sm", "scho", "scher", "sci", "tion", "tia", "tch", "tth", "tham",
    "thom", "wr", "wh", "eau", "aux", "zh", "zo", "illo", "alle", "rie", "ois",
];

const PAIRS: &str = "
    Meyer/Meier Meyer/Myer Meyer/Maier Smith/Schmidt Smith/Smyth Smith/Smithe Schmidt/Schmitt Schneider/Snyder
    Schneider/Snider Stephens/Stevens Steven/Stephen Philips/Phillips Philip/Filip Thomson/Tomson
    Johnson/Jonson Johnston/Jonston Nielsen/Neilson Olsen/Olson Hansen/Hanson Larsen/Larson Petersen/Peterson
    Andersen/Anderson Christensen/Christenson Jansen/Janson Clark/Clarke Brown/Browne Green/Greene White/Whyte
    Reed/Reid Reid/Read Lee/Leigh Allen/Allan Allen/Alan Katherine/Catherine Catherine/Kathryn Karl/Carl Kris/Chris
    Erik/Eric Marc/Mark Jeffrey/Jeffry Geoffrey/Jeffrey Brian/Bryan Aaron/Aron Sara/Sarah Ann/Anne
    Teresa/Theresa Gonzalez/Gonzales Rodriguez/Rodrigues Hernandez/Hernandes Fernandez/Fernandes Martinez/Martines
    Lopez/Lopes Perez/Peres Sanchez/Sanches Ramirez/Ramires Gomez/Gomes Vasquez/Vazquez Velasquez/Velazquez
    Jimenez/Jimenes Nguyen/Nguyén Hussein/Husain Hussein/Hussain Mohammed/Muhammad Mohamed/Mohammed Ahmad/Ahmed
    Ali/Aly Abdulla/Abdullah Yusuf/Yousef Ibrahim/Ebrahim Khan/Kahn Cohen/Kohen Levi/Levy Weiss/Weis Weisz/Weiss
    Kaufman/Kauffmann Hofmann/Hoffman Wagner/Wagener Becker/Beker Fischer/Fisher Schultz/Shultz Schulz/Shulz
    Schwartz/Shwartz Schaefer/Schafer Kowalski/Kowalsky Wojcik/Woijcik Petrov/Petroff Ivanov/Ivanoff
    Romanov/Romanoff Tchaikovsky/Tchaikovski McDonald/MacDonald Mckenzie/MacKenzie McLean/MacLean McKay/MacKay
    Knight/Night Wright/Right Rite/Wright Knox/Nox Pfeiffer/Pfeifer Catalano/Katalano Rossi/Rosi 
    Peña/Pena Muñoz/Munoz Zhao/Jao Xu/Su Ng/Nge Tsai/Tsay O'Brien/O’Brian O'Neill/O'Neal Hughes/Hues
    Leroux/Lerou Beaux/Beau Thibault/Tibault";

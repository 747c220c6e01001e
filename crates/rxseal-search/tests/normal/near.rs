//! Edits, against a table of distances.

use rxseal_search::Like;
use rxseal_search::normal::{Exact, NormalForm, Normalizes};

use crate::support::Draw;

#[test]
fn two_forms_are_as_near_as_their_distance() {
    let mut draw = Draw(2);
    let mut found = [0_u32; 4];
    for _ in 0..20_000 {
        let one = word(&mut draw);
        let other = if draw.below(3) == 0 { word(&mut draw) } else { edited(&one, &mut draw) };
        let distance = distance(&one, &other);
        found[distance.min(3)] += 1;
        let is_alike = !one.is_empty() && !other.is_empty();
        for most in 0..4 {
            let wanted = is_alike && distance <= most.min(2);
            assert_eq!(form(&one).is_within_edits(&form(&other), most), wanted, "{one:?} {other:?} {most}");
            let [one, other] = [&one, &other].map(|word| word.iter().collect::<String>());
            let is_like = Like::<Exact>::new(one.as_str()).is_ok_and(|like| like.is_within_edits(most, other.as_str()));
            assert_eq!(is_like, is_alike && distance <= most, "{one:?} {other:?} {most}");
        }
    }
    assert!(found.iter().all(|count| *count > 1_000), "{found:?}");
}

fn form(letters: &[char]) -> NormalForm {
    let mut form = NormalForm::new();
    Exact::write(letters.iter().collect::<String>().as_str(), &mut form).unwrap();
    form
}

fn word(draw: &mut Draw) -> Vec<char> {
    (0..draw.below(7)).map(|_| *draw.one(&['a', 'b', 'é'])).collect()
}

fn edited(word: &[char], draw: &mut Draw) -> Vec<char> {
    let mut word = word.to_vec();
    for _ in 0..draw.below(4) {
        let at = draw.below(u32::try_from(word.len()).unwrap() + 1) as usize;
        match draw.below(4) {
            0 => word.insert(at, 'c'),
            1 if at < word.len() => drop(word.remove(at)),
            2 if at < word.len() => word[at] = 'z',
            3 if at + 1 < word.len() => word.swap(at, at + 1),
            _ => {}
        }
    }
    word
}

/// Optimal string alignment, as textbooks have it.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut table = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            table[i][j] = match (i, j) {
                (0, n) | (n, 0) => n,
                _ => {
                    let same = usize::from(one[i - 1] != other[j - 1]);
                    let least = (table[i - 1][j] + 1).min(table[i][j - 1] + 1).min(table[i - 1][j - 1] + same);
                    let is_swap = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
                    if is_swap { least.min(table[i - 2][j - 2] + 1) } else { least }
                }
            };
        }
    }
    table[one.len()][other.len()]
}

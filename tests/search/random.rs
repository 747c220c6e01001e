//! Many random patients: every query finds all who are sought, and nobody else comes out.

use std::collections::HashMap;
use std::ops::Range;

use rxseal::index::{Index, StoredIndex};
use rxseal::phi::{BirthDate, FamilyName, GivenName, Phone};
use rxseal::{Access, Error, Keyring, Purpose, Sealed};
use rxseal_search::normal::Family;
use rxseal_search::{Find, IndexQuery, Like, indexes};

use crate::draw::Draw;

rxseal::fields! {
    pub Body = "person.body" in Identity { search: never };
    pub OtherName = "person.other-name" in Identity { search: whole };
}

#[derive(Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Person {
    id: u32,
    last_name: String,
    other_names: Vec<String>,
    first_name: String,
    birth_date: String,
    phone: Option<String>,
}

indexes! {
    for Person as "person" {
        pub Born = "person.born": date(birth_date: BirthDate), bits 9;
        pub Last = "person.last": family(last_name: FamilyName), bits 9, slots us_surnames_1 by record;
        pub First = "person.first": given(first_name: GivenName), bits 9, slots us_given_1 by |person| &person.id;
        pub AnyLast = "person.names": family_parts(last_name: FamilyName, other_names: OtherName), bits 9,
            slots us_surnames_1 by record;
        pub Sound = "person.sound": sounds(last_name: FamilyName), bits 9;
        pub Called = "person.phone": phone(phone: Phone), bits 12;
        pub LastBorn = "person.last-born": (family(last_name: FamilyName), date(birth_date: BirthDate)), bits 12;
    }
}

/// What a person is, whatever it is spelled like.
struct Truth {
    last: usize,
    second: Option<usize>,
    other: Option<usize>,
    first: usize,
    day: usize,
    phone: Option<usize>,
}

/// With a seed of its own in each test.
struct Dice(Draw);

impl Dice {
    fn roll(&mut self, range: Range<usize>) -> usize {
        range.start + self.0.below(range.len())
    }

    /// Low numbers are common, as names are.
    fn roll_skewed(&mut self, len: usize) -> usize {
        let high = self.roll(0..len) + 1;
        self.roll(0..high)
    }

    fn in_100(&mut self, percent: usize) -> bool {
        self.roll(0..100) < percent
    }

    /// Another spelling of the same name.
    fn spell(&mut self, name: &str) -> String {
        let accented = self.in_100(10);
        let name: String = name
            .chars()
            .map(|c| match c {
                'e' if accented => 'é',
                'o' if accented => 'ö',
                'n' if accented => 'ñ',
                c => c,
            })
            .collect();
        let second = name.char_indices().nth(1).map_or(name.len(), |(at, _)| at);
        let (head, tail) = name.split_at(second);
        match self.roll(0..5) {
            0 => name.to_uppercase(),
            1 => head.to_uppercase() + tail,
            2 => format!(" {name} "),
            3 => format!("{head}'{tail}"),
            _ => name,
        }
    }
}

/// Common last names, which have slots, and as many others.
fn last_names() -> Vec<String> {
    let common = rxseal_search::slots::US_SURNAMES_1.entries().iter().map(|(name, _)| (*name).to_owned());
    let mut names: Vec<_> = common.filter(|name| name.len() > 4).collect();
    for start in ["brax", "dorv", "gelm", "hask", "jurn", "kolp", "melv", "nirg", "quam", "torb"] {
        for middle in ["a", "e", "i", "o", "u", "al", "en", "ir", "os", "um"] {
            for end in ["bert", "dahl", "feld", "hurst", "kamp", "land", "mann", "stett", "tick", "wyl"] {
                names.push(format!("{start}{middle}{end}"));
            }
        }
    }
    names
}

fn first_names() -> Vec<String> {
    rxseal_search::slots::US_GIVEN_1
        .entries()
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .filter(|n| n.len() > 2)
        .collect()
}

fn day(number: usize) -> String {
    let (year, month, day) = (1940 + number / 336, 1 + number / 28 % 12, 1 + number % 28);
    format!("{year}-{month:02}-{day:02}")
}

fn phone(number: usize) -> String {
    format!("555{:07}", 2_000_000 + number)
}

struct Table {
    people: Vec<Person>,
    truths: Vec<Truth>,
    bodies: Vec<Sealed<Person, Body>>,
    rows: Vec<PersonIndexes>,
    keys: Keyring,
    access: Access,
    lasts: Vec<String>,
    firsts: Vec<String>,
}

/// The rows of each value, of one index.
type Column = HashMap<Vec<u8>, Vec<usize>>;

impl Table {
    fn of(len: usize) -> Self {
        let (lasts, firsts, mut dice) = (last_names(), first_names(), Dice(Draw(2026)));
        let (mut people, mut truths) = (Vec::new(), Vec::new());
        for id in 0..len {
            let truth = Truth {
                last: dice.roll_skewed(lasts.len()),
                second: dice.in_100(8).then(|| dice.roll_skewed(lasts.len())),
                other: dice.in_100(15).then(|| dice.roll_skewed(lasts.len())),
                first: dice.roll_skewed(firsts.len()),
                day: dice.roll(0..336 * 60),
                phone: dice.in_100(80).then(|| dice.roll(0..len)),
            };
            let mut last_name = dice.spell(&lasts[truth.last]);
            if let Some(second) = truth.second {
                last_name = format!("{last_name}{}{}", ["-", " ", " - "][dice.roll(0..3)], dice.spell(&lasts[second]));
            }
            let phone = truth.phone.map(|number| {
                let digits = phone(number);
                match dice.roll(0..3) {
                    0 => format!("({}) {}-{}", &digits[..3], &digits[3..6], &digits[6..]),
                    1 => format!("+1{digits}"),
                    _ => digits,
                }
            });
            people.push(Person {
                id: u32::try_from(id).unwrap(),
                last_name,
                other_names: truth.other.iter().map(|other| dice.spell(&lasts[*other])).collect(),
                first_name: dice.spell(&firsts[truth.first]),
                birth_date: day(truth.day),
                phone,
            });
            truths.push(truth);
        }
        let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved();
        let records: Vec<_> = people.iter().map(|person| keys.record("person", person.id).unwrap()).collect();
        let bodies = rxseal::page::seal_page(&records, |at, pass| pass.seal_field(&people[at])).unwrap();
        let indexer = keys.indexer().unwrap();
        let rows = people.iter().zip(&records).map(|(person, record)| indexer.index(record, person).unwrap()).collect();
        let access = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
        Self { people, truths, bodies, rows, keys, access, lasts, firsts }
    }

    fn column<I: Index<Record = Person>>(&self, stored: impl Fn(&PersonIndexes) -> &I::Stored) -> Column {
        let mut column = Column::new();
        for (at, row) in self.rows.iter().enumerate() {
            for value in stored(row).values() {
                column.entry(value.as_bytes().to_vec()).or_default().push(at);
            }
        }
        column
    }

    /// Searches, and compares with who is sought. Gives the candidates and how many were expected.
    fn search<I: rxseal_search::SearchIndex<Record = Person>>(
        &self,
        column: &Column,
        query: &IndexQuery<I>,
        is_sought: impl Fn(&Truth) -> bool,
    ) -> (usize, f64) {
        let mut candidates: Vec<_> =
            query.values().iter().filter_map(|value| column.get(value.as_bytes())).flatten().copied().collect();
        candidates.sort_unstable();
        candidates.dedup();
        let hits = query.hits_of(
            candidates.iter().copied(),
            &self.access,
            |at| self.keys.record("person", self.people[*at].id),
            |at, candidate| candidate.pass().open_field(&self.bodies[*at]),
        );
        let mut found: Vec<_> = hits.map(|hit| usize::try_from(hit.unwrap().id).unwrap()).collect();
        found.sort_unstable();
        let sought: Vec<_> = (0..self.truths.len()).filter(|at| is_sought(&self.truths[*at])).collect();
        assert!(found == sought, "{} by {query:?}: {} found, {} sought", I::DEFINITION.id(), found.len(), sought.len());
        let others = (self.people.len() - sought.len()) as f64;
        let share = query.values().len() as f64 / f64::from(1_u32 << I::DEFINITION.bits());
        (candidates.len(), sought.len() as f64 + others * share)
    }
}

/// Checks that the candidates of many queries are as many as expected.
fn check_forecast(what: &str, counts: impl Iterator<Item = (usize, f64)>) {
    let (candidates, expected) = counts.fold((0, 0.0), |(sum, of), (count, expected)| (sum + count, of + expected));
    let ratio = candidates as f64 / expected;
    println!("{what}: {candidates} candidates, {expected:.0} expected, {ratio:.3}");
    // 10 %, or 5 standard deviations where there are few.
    let tolerance = (5.0 / expected.sqrt()).max(0.1);
    assert!((ratio - 1.0).abs() < tolerance, "{what}: {candidates} candidates, {expected:.0} expected");
}

#[test]
fn no_hit_is_missed_and_no_stranger_comes_out() -> Result<(), Error> {
    let full = std::env::var_os("RXSEAL_FULL").is_some();
    let (table, queries) = if full { (Table::of(100_000), 400) } else { (Table::of(20_000), 60) };
    let (indexer, mut dice) = (table.keys.indexer()?, Dice(Draw(7)));
    let mut people = |count: usize| (0..count).map(|_| dice.roll(0..table.people.len())).collect::<Vec<_>>();

    let column = table.column::<Born>(|row| &row.born);
    check_forecast(
        "birth date",
        people(queries).into_iter().map(|at| {
            let day = table.truths[at].day;
            table.search(&column, &indexer.find::<Born>(self::day(day).as_str()).unwrap(), |truth| truth.day == day)
        }),
    );

    let column = table.column::<Last>(|row| &row.last);
    check_forecast(
        "last name",
        people(queries).into_iter().map(|at| {
            let Truth { last, second, .. } = table.truths[at];
            let query = indexer.find::<Last>(table.people[at].last_name.as_str()).unwrap();
            table.search(&column, &query, |truth| (truth.last, truth.second) == (last, second))
        }),
    );

    let column = table.column::<First>(|row| &row.first);
    check_forecast(
        "first name",
        people(queries).into_iter().map(|at| {
            let first = table.truths[at].first;
            let query = indexer.find::<First>(table.firsts[first].as_str()).unwrap();
            table.search(&column, &query, |truth| truth.first == first)
        }),
    );

    let column = table.column::<Called>(|row| &row.called);
    check_forecast(
        "phone",
        people(queries * 2).into_iter().filter_map(|at| {
            let number = table.truths[at].phone?;
            // One in five has none, and is in no row of the column.
            let query = indexer.find::<Called>(phone(number).as_str()).unwrap();
            let (candidates, _) = table.search(&column, &query, |truth| truth.phone == Some(number));
            let callable = table.truths.iter().filter(|truth| truth.phone.is_some()).count();
            let same = table.truths.iter().filter(|truth| truth.phone == Some(number)).count();
            Some((candidates, same as f64 + (callable - same) as f64 / 4096.0))
        }),
    );

    let column = table.column::<LastBorn>(|row| &row.last_born);
    check_forecast(
        "last name and birth date",
        people(queries * 2).into_iter().map(|at| {
            let Truth { last, second, day, .. } = table.truths[at];
            let sought = (table.people[at].last_name.as_str(), table.people[at].birth_date.as_str());
            let query = indexer.find::<LastBorn>(sought).unwrap();
            table.search(&column, &query, |truth| (truth.last, truth.second, truth.day) == (last, second, day))
        }),
    );

    let column = table.column::<AnyLast>(|row| &row.any_last);
    for at in people(queries) {
        let last = table.truths[at].last;
        let query = indexer.find::<AnyLast>(table.lasts[last].as_str())?;
        table.search(&column, &query, |truth| {
            truth.last == last || truth.second == Some(last) || truth.other == Some(last)
        });
    }

    // Who sounds alike is a matter of the code, so the truth is who has the same name; the others only may be there.
    let column = table.column::<Sound>(|row| &row.sound);
    for at in people(queries / 4) {
        let name = &table.people[at].last_name;
        let query = indexer.find::<Sound>(name.as_str())?;
        let like = Like::<Family>::new(name.as_str())?;
        let alike: Vec<_> = table.people.iter().map(|person| like.sounds_like(&person.last_name)).collect();
        let sought: Vec<_> = (0..alike.len()).filter(|at| alike[*at]).collect();
        let found: std::collections::BTreeSet<_> =
            query.values().iter().filter_map(|value| column.get(value.as_bytes())).flatten().copied().collect();
        assert!(sought.iter().all(|at| found.contains(at) && query.matches(&table.people[*at])));
        assert!(found.iter().all(|at| alike[*at] == query.matches(&table.people[*at])));
    }
    Ok(())
}

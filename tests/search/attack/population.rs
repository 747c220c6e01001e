//! Patients whose names are as common as in the United States.

use rxseal_search::slots::US_GIVEN_1;

/// Shares of 1/100,000 of the 3,000 commonest names, by `shares.py`.
const COMMON: &str = include_str!("us_surnames.tsv");
/// The rarer names: as many as make the Census' list and 300,000 more. Each is rarer than the one before it, by a power of its rank such
/// that all shares together are 1.
const ALL_NAMES: usize = 388_799;
const POWER: f64 = 1.1332;
/// The same of first names.
const ALL_GIVEN_NAMES: usize = 25_163;
const GIVEN_POWER: f64 = 1.54;

/// Names of which a clinic may have many more patients than the country.
pub const HISPANIC: &[&str] = &[
    "garcia",
    "martinez",
    "rodriguez",
    "hernandez",
    "lopez",
    "gonzalez",
    "perez",
    "sanchez",
    "rivera",
    "ramirez",
    "torres",
    "flores",
    "diaz",
    "gomez",
    "ortiz",
    "cruz",
    "morales",
    "reyes",
    "ramos",
    "ruiz",
    "gutierrez",
    "vasquez",
    "mendoza",
    "castillo",
    "jimenez",
    "moreno",
    "romero",
    "herrera",
    "medina",
    "aguilar",
    "garza",
    "castro",
    "vargas",
    "alvarez",
    "chavez",
    "rivas",
    "soto",
    "delgado",
];
/// The same.
pub const ASIAN: &[&str] =
    &["nguyen", "lee", "kim", "tran", "chen", "wong", "le", "yang", "chang", "wang", "pham", "li"];

/// Names and how common they are.
pub struct Names {
    names: Vec<String>,
    /// Of all people, for each name.
    shares: Vec<f64>,
}

impl Names {
    pub fn of_the_us() -> Self {
        let mut names = Vec::new();
        let mut shares: Vec<f64> = Vec::new();
        for line in COMMON.lines() {
            let (name, share) = line.split_once('\t').unwrap();
            names.push(name.to_owned());
            shares.push(share.parse().unwrap());
        }
        Self { names, shares }.and_rarer(ALL_NAMES, POWER)
    }

    /// First names. The slot table says their shares well enough for the size of a table: it is not attacked here.
    pub fn given_in_the_us() -> Self {
        let mut common = US_GIVEN_1.entries().to_vec();
        common.sort_by_key(|(_, slots)| std::cmp::Reverse(*slots));
        let (names, shares) =
            common.into_iter().map(|(name, slots)| (name.to_owned(), (f64::from(slots) - 0.5) / 4096.0)).unzip();
        Self { names, shares }.and_rarer(ALL_GIVEN_NAMES, GIVEN_POWER)
    }

    /// With rarer ones, the last of which has the rank `all`.
    fn and_rarer(mut self, all: usize, power: f64) -> Self {
        let (common, least) = (self.names.len(), *self.shares.last().unwrap());
        for rank in common + 1..=all {
            self.names.push(rare(rank));
            self.shares.push(least * (rank as f64 / common as f64).powf(-power));
        }
        self.whole()
    }

    /// With so many times more people of these names.
    pub fn with_more(mut self, group: &[&str], times: f64) -> Self {
        for (name, share) in self.names.iter().zip(&mut self.shares) {
            if group.contains(&name.as_str()) {
                *share *= times;
            }
        }
        self.whole()
    }

    pub fn name(&self, at: u32) -> &str {
        &self.names[at as usize]
    }

    pub fn shares(&self) -> impl Iterator<Item = (&str, f64)> {
        self.names.iter().map(String::as_str).zip(self.shares.iter().copied())
    }

    /// The commonest names first.
    pub fn commonest(&self, most: usize) -> Vec<u32> {
        let mut order: Vec<_> = (0..self.names.len() as u32).collect();
        order.sort_by(|a, b| self.shares[*b as usize].total_cmp(&self.shares[*a as usize]));
        order.truncate(most);
        order
    }

    /// The name of each of so many patients.
    pub fn patients(&self, patients: usize, seed: u64) -> Vec<u32> {
        let mut dice = Dice(seed ^ 0x9a_71_e4);
        let ends = self.ends();
        (0..patients).map(|_| at(&ends, dice.share()) as u32).collect()
    }

    /// Where the share of each name ends, if they lie one behind the other between 0 and 1.
    fn ends(&self) -> Vec<f64> {
        let mut up_to = 0.0;
        let end = |share: &f64| {
            up_to += share;
            up_to
        };
        self.shares.iter().map(end).collect()
    }

    fn whole(mut self) -> Self {
        let sum: f64 = self.shares.iter().sum();
        self.shares.iter_mut().for_each(|share| *share /= sum);
        self
    }
}

/// Names to draw from.
pub struct Drawn {
    ends: Vec<f64>,
    names: Names,
}

impl From<Names> for Drawn {
    fn from(names: Names) -> Self {
        Self { ends: names.ends(), names }
    }
}

impl Drawn {
    /// The name of a person who is drawn by a number between 0 and 1.
    pub fn name(&self, share: f64) -> &str {
        &self.names.names[at(&self.ends, share)]
    }
}

fn at(ends: &[f64], share: f64) -> usize {
    ends.partition_point(|end| *end < share).min(ends.len() - 1)
}

/// Numbers that look random, the same for one seed.
pub struct Dice(pub u64);

impl Dice {
    /// Between 0 and 1.
    pub fn share(&mut self) -> f64 {
        // xorshift64*
        self.0 = self.0.wrapping_add(0x2545_f491_4f6c_dd1d);
        let mut x = self.0;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        x = x.wrapping_mul(0x2545_f491_4f6c_dd1d);
        x ^= x >> 31;
        (x.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// A name that nobody has: its rank in letters.
fn rare(mut rank: usize) -> String {
    let mut name = "zq".to_owned();
    while rank > 0 {
        name.push(char::from(b'a' + (rank % 26) as u8));
        rank /= 26;
    }
    name
}

//! Prescriptions of people who do not exist: names, drugs and directions as a pharmacy has them.
//!
//! Every run makes the same ones, and the first thousand are the same however many you ask for. That is only for test
//! data: keys and nonces never come from here.

use rxseal::RecordTag;

use crate::prescription::{Prescription, Source};

/// Makes the first `count` prescriptions.
pub fn prescriptions(count: usize) -> Vec<Prescription> {
    (0..count).map(prescription).collect()
}

fn prescription(number: usize) -> Prescription {
    let mut draw = Draw::new(1, number);
    // A new patient after every seventh prescription or so.
    let patient = draw.below(number / 7 + 1);
    let (drug, directions) = draw.pick(DRUGS);
    let (name, birth_date) = person(patient);
    Prescription {
        id: String::new(),
        patient: String::new(),
        authored: (2019 + draw.below(7)).to_string(),
        patient_name: name.into(),
        birth_date: birth_date.into(),
        drug: (*drug).to_owned().into(),
        // Every fifth comes without directions: "as discussed".
        directions: (draw.below(5) > 0).then(|| (*draw.pick(directions)).to_owned()),
        prescriber: prescriber(draw.below(40)).into(),
        tag: RecordTag::new(),
        source: Source {
            patient: format!("MRN-{:07}", 4_100_000 + 37 * patient),
            request: format!("made-up-{number:07}"),
        }
        .into(),
    }
}

fn person(number: usize) -> (String, String) {
    let mut draw = Draw::new(2, number);
    let (given, family) = (draw.name(GIVEN), draw.name(FAMILY));
    let initial = draw.pick(&["A.", "C.", "E.", "G.", "J.", "L.", "M.", "R.", "S.", "T."]);
    let name = if draw.below(2) == 0 { format!("{given} {initial} {family}") } else { format!("{given} {family}") };
    (name, format!("{}-{:02}-{:02}", 1931 + draw.below(88), 1 + draw.below(12), 1 + draw.below(28)))
}

fn prescriber(number: usize) -> String {
    let mut draw = Draw::new(3, number);
    format!("Dr. {} {}", draw.name(GIVEN), draw.name(FAMILY))
}

/// Draws that repeat: a linear congruential generator (Knuth's MMIX constants).
struct Draw(u64);

impl Draw {
    fn new(stream: u64, number: usize) -> Self {
        let mut draw = Self((number as u64) << 8 | stream);
        // Neighbouring numbers are far apart after a few steps.
        (0..4).for_each(|_| _ = draw.next());
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<'l, T>(&mut self, list: &'l [T]) -> &'l T {
        &list[self.below(list.len())]
    }

    fn name<'l>(&mut self, names: &'l str) -> &'l str {
        let names: Vec<&str> = names.split(", ").collect();
        names[self.below(names.len())]
    }
}

const GIVEN: &str = "\
    Aaliyah, Abigail, Adaeze, Aleksander, Amara, Ana María, Arjun, Beatrix, Benjamin, Carlos, Chidi, Chloë, \
    Daniel, Deborah, Dmitri, Eleanor, Emeka, Esther, Fatima, Florence, Gabriela, Giulia, Hannah, Harold, \
    Hiroshi, Imani, Ingrid, Jamal, Jasmine, Joaquín, Kamala, Kenji, Kwame, Latoya, Leila, Lucía, Magdalena, \
    Malik, Marguerite, Mei-Ling, Miguel, Nadia, Naomi, Nguyet, Oksana, Olumide, Padraig, Priya, Rafael, \
    Rosalind, Ruth, Samir, Sinéad, Søren, Tamika, Theodore, Valentina, Winifred, Xiomara, Yusuf, Zainab, Zoë";

const FAMILY: &str = "\
    Abdullahi, Adeyemi, Albrecht, Almeida, Andersson, Banerjee, Baptiste, Begay, Blackwood, Callahan, \
    Castellanos, Chaudhary, Chen-Ramirez, D'Angelo, Delacroix, Díaz, Eriksen, Fitzgerald, Friedman, Fujimoto, \
    García, Goldstein, Greenfield, Gutiérrez, Haddad, Henderson, Hofmann, Ibrahim, Ivanova, Jackson, Jørgensen, \
    Kaczmarek, Kowalczyk, Krishnan, Lindqvist, MacKenzie, Mbeki, McAllister, Montgomery, Moreau, Nakamura, \
    Nguyen, O'Sullivan, Okafor, Okonkwo, Papadakis, Peña, Petrov, Quispe, Ramachandran, Reyes, Robinson, \
    Rosenthal, Saito, Schwartz, Silva, Sorensen, Thompson, Tran, Underwood, Van der Berg, Villanueva, \
    Washington, Whitehorse, Yamamoto, Zielinski";

/// A drug as RxNorm writes it, and how it may be taken.
type Drug = (&'static str, &'static [&'static str]);

const ONCE: &[&str] = &[
    "Take 1 tablet by mouth once daily.",
    "Take one tablet by mouth every morning.",
    "1 tab PO QD",
    "Take 1 tablet by mouth at bedtime.",
];
const TWICE: &[&str] = &[
    "Take 1 tablet by mouth twice daily with meals.",
    "Take one tablet by mouth two times a day, morning and evening, with food.",
    "1 tab PO BID",
];
const CAPSULE: &[&str] =
    &["Take 1 capsule by mouth once daily.", "Take 1 capsule by mouth twice daily.", "1 cap PO QHS"];
const PAIN: &[&str] = &[
    "Take 1 tablet by mouth every 6 hours as needed for pain. Do not take more than 4 tablets in 24 hours.",
    "Take 1 to 2 tablets by mouth every 4 to 6 hours as needed for pain.",
    "Take as needed.",
];
const COURSE: &[&str] = &[
    "Take 1 capsule by mouth three times daily for 10 days. Finish all of it, even if you feel better.",
    "Take 1 by mouth every 12 hours for 7 days.",
];
const INHALED: &[&str] = &[
    "Inhale 2 puffs by mouth every 4 to 6 hours as needed for wheezing or shortness of breath. Shake well.",
    "Inhale 1 puff twice daily. Rinse mouth after use.",
];
const INJECTED: &[&str] = &[
    "Inject 20 units under the skin once daily at bedtime. Rotate injection sites.",
    "Inject under the skin before meals as per sliding scale: 150-200 2 units, 201-250 4 units, 251-300 6 units, \
     301-350 8 units, above 350 call the clinic.",
];
const WEEKLY: &[&str] = &[
    "Take 1 tablet by mouth once a week with a full glass of water, 30 minutes before food. Stay upright.",
    "Inject once a week on the same day.",
];
const OUTSIDE: &[&str] =
    &["Apply a thin layer to the affected area twice daily.", "Instill 1 drop in each eye at bedtime."];
const CHILD: &[&str] = &["Give 5 mL by mouth every 12 hours for 10 days. Shake well, keep in the refrigerator."];

const DRUGS: &[Drug] = &[
    ("lisinopril 10 MG Oral Tablet", ONCE),
    ("lisinopril 20 MG Oral Tablet [Zestril]", ONCE),
    ("amlodipine 5 MG Oral Tablet", ONCE),
    ("amlodipine 10 MG / valsartan 160 MG Oral Tablet", ONCE),
    ("hydrochlorothiazide 25 MG Oral Tablet", ONCE),
    ("24 HR metoprolol succinate 100 MG Extended Release Oral Tablet", ONCE),
    ("carvedilol 12.5 MG Oral Tablet", TWICE),
    ("losartan potassium 50 MG Oral Tablet", ONCE),
    ("furosemide 40 MG Oral Tablet", ONCE),
    ("simvastatin 20 MG Oral Tablet", ONCE),
    ("atorvastatin 40 MG Oral Tablet [Lipitor]", ONCE),
    ("clopidogrel 75 MG Oral Tablet", ONCE),
    ("warfarin sodium 5 MG Oral Tablet", ONCE),
    ("apixaban 5 MG Oral Tablet [Eliquis]", TWICE),
    ("aspirin 81 MG Delayed Release Oral Tablet", ONCE),
    ("24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet", TWICE),
    ("glipizide 5 MG Oral Tablet", TWICE),
    ("empagliflozin 10 MG Oral Tablet [Jardiance]", ONCE),
    ("3 ML insulin glargine 100 UNT/ML Pen Injector [Lantus]", INJECTED),
    ("insulin isophane, human 70 UNT/ML / insulin, regular, human 30 UNT/ML Injectable Suspension [Humulin]", INJECTED),
    ("0.5 ML semaglutide 2 MG/ML Auto-Injector [Wegovy]", WEEKLY),
    ("levothyroxine sodium 0.075 MG Oral Tablet", ONCE),
    ("alendronic acid 70 MG Oral Tablet", WEEKLY),
    ("methotrexate 2.5 MG Oral Tablet", WEEKLY),
    ("prednisone 10 MG Oral Tablet", ONCE),
    ("tacrolimus 1 MG Oral Capsule", CAPSULE),
    ("omeprazole 20 MG Delayed Release Oral Capsule", CAPSULE),
    ("sertraline 50 MG Oral Tablet", ONCE),
    ("24 HR venlafaxine 75 MG Extended Release Oral Capsule", CAPSULE),
    ("fluoxetine 20 MG Oral Capsule", CAPSULE),
    ("quetiapine 100 MG Oral Tablet", ONCE),
    ("lithium carbonate 300 MG Oral Capsule", CAPSULE),
    ("alprazolam 0.5 MG Oral Tablet", PAIN),
    ("gabapentin 300 MG Oral Capsule", CAPSULE),
    ("levetiracetam 500 MG Oral Tablet", TWICE),
    ("buprenorphine 8 MG / naloxone 2 MG Sublingual Film [Suboxone]", ONCE),
    ("acetaminophen 325 MG / oxycodone hydrochloride 5 MG Oral Tablet [Percocet]", PAIN),
    ("ibuprofen 400 MG Oral Tablet", PAIN),
    ("tramadol hydrochloride 50 MG Oral Tablet", PAIN),
    ("sumatriptan 50 MG Oral Tablet", PAIN),
    ("amoxicillin 500 MG Oral Capsule", COURSE),
    ("amoxicillin 80 MG/ML Oral Suspension", CHILD),
    ("amoxicillin 875 MG / clavulanate 125 MG Oral Tablet", COURSE),
    ("nitrofurantoin, macrocrystals 25 MG / nitrofurantoin, monohydrate 75 MG Oral Capsule [Macrobid]", COURSE),
    ("valacyclovir 500 MG Oral Tablet", ONCE),
    ("emtricitabine 200 MG / tenofovir disoproxil fumarate 300 MG Oral Tablet [Truvada]", ONCE),
    ("200 ACTUAT albuterol 0.09 MG/ACTUAT Metered Dose Inhaler [ProAir]", INHALED),
    ("120 ACTUAT budesonide 0.16 MG/ACTUAT / formoterol fumarate 0.0045 MG/ACTUAT Metered Dose Inhaler", INHALED),
    ("latanoprost 0.05 MG/ML Ophthalmic Solution", OUTSIDE),
    ("triamcinolone acetonide 1 MG/ML Topical Cream", OUTSIDE),
    ("0.3 ML epinephrine 1 MG/ML Auto-Injector [EpiPen]", PAIN),
    ("{28 (norethindrone 0.35 MG Oral Tablet) } Pack [Errin 28 Day]", ONCE),
];

//! What a report says: `exposure.json` is this, and the page, the letter and the list of patients are made from it.

use serde::{Serialize, Serializer};

use crate::day::Day;
use crate::state::State;

/// What a theft exposed. Its JSON is the file `exposure.json`.
///
/// It has numbers, names of places and ids of keys. The id of a patient is in the list of patients only.
#[derive(Clone, Debug, Serialize)]
pub struct Exposure {
    /// The version of this form: 1.
    pub rxseal_exposure: u8,
    /// The report's name. It is the day of discovery unless the maker said another.
    pub name: String,
    /// What made it, such as `rxseal 0.2.0`.
    pub tool: String,
    /// When it was made, in Unix seconds.
    pub made: u64,
    /// Who made it.
    pub by: Option<String>,
    /// The keyspaces of the map.
    pub keyspaces: Vec<String>,
    /// The day on which the theft was discovered.
    pub discovered: Day,
    /// The last day for letters: 60 calendar days after the discovery.
    pub deadline: Day,
    /// The totals.
    pub totals: Totals,
    /// Patients by kind of data: the classes of sealed fields, and then the kinds of readable columns.
    pub classes: Vec<ClassPatients>,
    /// A row for each thing that was stolen, and for each of its parts.
    pub taken: Vec<Taken>,
    /// What the stolen identity opened, hour by hour, if a log was given and an identity was stolen.
    pub timeline: Option<Timeline>,
    /// How much the log of openings covers. `None` if no log was given.
    pub audit: Option<AuditCover>,
    /// What was done against the theft, as the log has it.
    pub mitigation: Vec<Mitigation>,
    /// What the report rests on and no file proves.
    pub assumed: Vec<Assumed>,
    /// The files that were read.
    pub inputs: Vec<Input>,
    /// Patients by state or jurisdiction, if a column says it.
    pub states: Option<Vec<(String, u64)>>,
    /// Why something is undecided.
    pub doubts: Vec<Doubt>,
}

impl Exposure {
    /// The text of `exposure.json`.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Nothing in it fails to be written: its keys are texts and its numbers are whole.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// Numbers of different patients.
#[derive(Clone, Debug, Serialize)]
pub struct Totals {
    /// All patients that the sources and the log name.
    pub patients: u64,
    /// Those of whom something is [readable](State::Readable) or was [plaintext](State::Plaintext). Readable columns are not counted here.
    pub proven: u64,
    /// Those of whom nobody can say that nothing was read: `proven`, and who could be read, is guessable or is undecided.
    pub at_most: u64,
    /// Each patient by the worst state of any class.
    #[serde(serialize_with = "as_object")]
    pub by_state: Vec<(State, u64)>,
    /// Those of whom readable columns were taken, such as dates of fills.
    pub clear: u64,
    /// Whether there may be more patients, since a source could not be read to its end.
    pub is_patients_at_least: bool,
}

/// The patients of one kind of data.
#[derive(Clone, Debug, Serialize)]
pub struct ClassPatients {
    /// The class of sealed fields, such as `identity`; or the kind of a readable column, such as `date`.
    pub class: String,
    /// Whether it is the kind of a readable column.
    pub is_clear: bool,
    /// How many different patients are in each state. The sum is `totals.patients`.
    #[serde(serialize_with = "as_object")]
    pub patients: Vec<(State, u64)>,
}

/// One thing that was stolen, or a part of it.
#[derive(Clone, Debug, Serialize)]
pub struct Taken {
    /// As it was said: `data:dump.ndjson`.
    pub stolen: String,
    /// What it is: `copy of table prescriptions (20,114,090 rows)`.
    pub what: String,
    /// What it opens, in a sentence.
    pub opens: String,
    /// Of how many patients it has something.
    pub patients: u64,
    /// Whether there may be more.
    pub is_at_least: bool,
    /// How many of its tokens are under which key.
    pub tokens_by_key: Vec<KeyTokens>,
}

/// How many tokens are under a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KeyTokens {
    /// The id of the key.
    pub key: String,
    /// How many tokens.
    pub tokens: u64,
    /// Whether the key was taken too.
    pub is_taken: bool,
}

/// What the stolen identity opened, step by step.
#[derive(Clone, Debug, Serialize)]
pub struct Timeline {
    /// The actor or the host.
    pub of: String,
    /// When the first step begins, in Unix seconds.
    pub from: u64,
    /// Seconds of a step.
    pub step: u64,
    /// Different patients whose data was opened in each step.
    pub patients: Vec<u64>,
    /// The least and the most in the same hour of the 28 days before. `None` if the log has none of these days.
    pub usual: Vec<Option<(u64, u64)>>,
    /// From when to when it was stolen, in Unix seconds.
    pub stolen: Option<(u64, u64)>,
    /// When a budget refused it, for the first time in a step.
    pub refused: Vec<u64>,
    /// When an operator froze it.
    pub frozen: Vec<u64>,
}

/// How much the log covers.
#[derive(Clone, Debug, Serialize)]
pub struct AuditCover {
    /// `whole`, `tampered` or `incomplete`.
    pub verdict: String,
    /// The time of the first event, in Unix seconds.
    pub from: u64,
    /// The time of the last event.
    pub to: u64,
    /// How many events it has.
    pub events: u64,
    /// How many chains it has.
    pub chains: u64,
    /// Each finding of the verifier, in a sentence.
    pub findings: Vec<String>,
    /// How many unlockings of keyrings it has.
    pub unlocks: u64,
    /// Whether they were compared with the log of the key service. Where the two differ, it is among the findings.
    pub has_service_log: bool,
    /// Whether checkpoints that were kept elsewhere were given.
    pub has_checkpoints: bool,
    /// Which lines say that data was viewed.
    pub viewed: Vec<Viewed>,
}

/// Lines of a chain by which data was viewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Viewed {
    /// The chain.
    pub chain: String,
    /// The number of the first such line.
    pub first: u64,
    /// The number of the last one.
    pub last: u64,
    /// How many such lines there are from the first to the last.
    pub lines: u64,
}

/// Something that was done against the theft.
#[derive(Clone, Debug, Serialize)]
pub struct Mitigation {
    /// When, in Unix seconds.
    pub at: u64,
    /// What was done.
    pub what: String,
    /// Who did it.
    pub who: Option<String>,
}

/// Something that the report rests on and no file proves.
#[derive(Clone, Debug, Serialize)]
pub struct Assumed {
    /// What is assumed.
    pub text: String,
    /// Who stated it.
    pub by: Option<String>,
}

/// A file or a database that was read.
#[derive(Clone, Debug, Serialize)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its SHA-256 in hexadecimal. A database has none.
    pub sha256: Option<String>,
    /// How many bytes it has.
    pub bytes: Option<u64>,
}

/// Why something is undecided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// A stable code, such as `token-damaged`.
    pub code: &'static str,
    /// Where it is.
    pub place: Option<String>,
    /// How many values or lines it is about.
    pub count: Option<u64>,
    /// What it is, in a sentence.
    pub text: String,
}

/// Each state and its number, as members of an object.
fn as_object<S: Serializer>(counts: &[(State, u64)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(counts.iter().map(|(state, count)| (state, count)))
}

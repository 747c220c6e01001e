//! One cell of the matrix: a value in a form, at a place, in a format.

use std::collections::BTreeMap;

use rxseal::{Access, Purpose, Record, RecordReader, Sealed};

use serde::Serialize;

use crate::cases::Case;
use crate::erased::{Leaf, Read, read_row, reading_as};
use crate::formats::{Format, Problem};
use crate::rows::{Flat, Form, Marker, Tagged, Untagged, attribute, content, element};

/// How a field is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    With,
    Phi,
    Sealed,
    Each,
    Parts,
}

impl Way {
    pub const ALL: [Self; 5] = [Self::With, Self::Phi, Self::Sealed, Self::Each, Self::Parts];
}

/// Where the row with the field stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Alone,
    Flatten,
    Tag,
    Untagged,
    /// Of XML.
    Attribute,
    /// `$text` of XML.
    Content,
}

impl Place {
    /// Those that a format has.
    pub fn of(format: Format) -> &'static [Self] {
        match format {
            Format::QuickXml => {
                &[Self::Alone, Self::Flatten, Self::Tag, Self::Untagged, Self::Attribute, Self::Content]
            }
            Format::SerdeXmlRs => &[Self::Alone, Self::Flatten, Self::Tag, Self::Untagged, Self::Attribute],
            _ => &[Self::Alone, Self::Flatten, Self::Tag, Self::Untagged],
        }
    }
}

/// What became of a value that was sealed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    Kept,
    /// While it was sealed, with this code.
    Refused(String),
    /// While it was sealed, and nothing says why.
    NotWritten(String),
    /// When it was read, with this code: a loss.
    Late(String),
    /// Read as another value: a loss that nobody notices.
    Changed,
}

pub struct Cell {
    pub place: Place,
    pub way: Way,
    pub format: Format,
    pub plain: bool,
    /// `None` if nobody looked.
    pub sealed: Option<Outcome>,
}

impl Cell {
    pub fn name(&self) -> String {
        format!("{} {:?} {:?}", self.format.name(), self.place, self.way)
    }

    /// Whether it holds the value once, and not in a list or map.
    pub fn is_for_one(&self) -> bool {
        matches!(self.way, Way::With)
    }
}

/// Rows of one keyring and record.
pub struct Bench {
    record: Record,
    open: RecordReader,
}

impl Bench {
    #[expect(clippy::new_without_default, reason = "it makes keys")]
    pub fn new() -> Self {
        let keys = rxseal::testing::insecure_keyring("pharmacy-17").expect("a keyring").unobserved();
        let record = keys.record("prescription", "RX-1001").expect("a record");
        let open = record.opened_by(&Access::new("user:kim.rph", Purpose::TREAT).expect("an access"));
        Self { record, open }
    }

    /// What becomes of a case that is sealed and opened alone, by code that is compiled for its type as a user's is.
    pub fn direct(&self, case: &Case) -> Outcome {
        case.values.iter().map(|value| (case.direct)(value, &self.record, &self.open)).max().unwrap_or(Outcome::Kept)
    }

    /// The cells of a case: alone, each way; elsewhere one way, another one for each case and format, or all of them if `all`.
    pub fn cells(&self, number: usize, case: &Case, all: bool) -> Vec<Cell> {
        let mut cells = Vec::new();
        for (format_number, format) in Format::ALL.into_iter().enumerate() {
            for (place_number, place) in Place::of(format).iter().enumerate() {
                let turn = number.wrapping_add(format_number).wrapping_add(place_number) % Way::ALL.len();
                for (way_number, way) in Way::ALL.into_iter().enumerate() {
                    if *place == Place::Alone || all || way_number == turn {
                        cells.push(self.cell(format, *place, way, &case.values, case.read));
                    }
                }
            }
        }
        cells
    }

    /// One cell, for values that are read as this.
    pub fn cell(&self, format: Format, place: Place, way: Way, values: &[Leaf], read: Read<Leaf>) -> Cell {
        type Alone<R> = R;
        macro_rules! of {
            ($module:ident, $around:ident) => {
                match way {
                    Way::With => {
                        self.both::<$around<$module::Plain<Leaf>>, $around<$module::With>>(format, place, values)
                    }
                    Way::Phi => {
                        self.both::<$around<$module::Plain<Leaf>>, $around<$module::Typed>>(format, place, values)
                    }
                    Way::Sealed => {
                        self.both::<$around<$module::Plain<Leaf>>, $around<$module::Token>>(format, place, values)
                    }
                    Way::Each => {
                        self.both::<$around<$module::Plain<Vec<Leaf>>>, $around<$module::List>>(format, place, values)
                    }
                    Way::Parts => self.both::<$around<$module::Plain<BTreeMap<String, Leaf>>>, $around<$module::Map>>(
                        format, place, values,
                    ),
                }
            };
        }
        let (plain, sealed) = reading_as(read, || match place {
            Place::Alone => of!(element, Alone),
            Place::Flatten => of!(element, Flat),
            Place::Tag => of!(element, Tagged),
            Place::Untagged => of!(element, Untagged),
            Place::Attribute => of!(attribute, Alone),
            Place::Content => of!(content, Alone),
        });
        Cell { place, way, format, plain, sealed }
    }

    fn both<P: Form, S: Form>(&self, format: Format, place: Place, values: &[Leaf]) -> (bool, Option<Outcome>) {
        let plain = self.plain::<P>(format, values);
        // Where the format fails by itself there is nothing to compare with; but one look at each value, since a loss that
        // plain serde has too is one to tell users of.
        let look = plain || (place == Place::Alone && format == Format::JsonText);
        (plain, look.then(|| self.sealed::<S>(format, values)))
    }

    /// Whether plain serde keeps every value.
    fn plain<R: Form>(&self, format: Format, values: &[Leaf]) -> bool {
        values.iter().all(|value| {
            let Ok(row) = R::with(value, &self.record) else { return false };
            let Ok(bytes) = write(format, &row) else { return false };
            read_row::<R, _>(|| format.read(&bytes)).is_ok_and(|row| matches!(row.holds(value, &self.open), Ok(true)))
        })
    }

    /// The worst that became of one of the values.
    fn sealed<R: Form>(&self, format: Format, values: &[Leaf]) -> Outcome {
        values.iter().map(|value| self.sealed_one::<R>(format, value)).max().unwrap_or(Outcome::Kept)
    }

    fn sealed_one<R: Form>(&self, format: Format, value: &Leaf) -> Outcome {
        // Whether the value can be sealed at all: the code of a format's own error cannot be asked for.
        if let Err(error) = Sealed::<Leaf, Marker>::seal(&self.record, value) {
            return Outcome::Refused(error.code().as_str().to_owned());
        }
        let row = match R::with(value, &self.record) {
            Ok(row) => row,
            Err(error) => return Outcome::Refused(error.code().as_str().to_owned()),
        };
        let bytes = match write(format, &self.record.sealing(&row)) {
            Ok(bytes) => bytes,
            Err(problem) => return Outcome::NotWritten(problem.0),
        };
        match self.open.run_opening(|| read_row::<R, _>(|| format.read(&bytes))) {
            Ok(row) => match row.holds(value, &self.open) {
                Ok(true) => Outcome::Kept,
                Ok(false) => Outcome::Changed,
                Err(error) => Outcome::Late(error.code().as_str().to_owned()),
            },
            Err(error) => Outcome::Late(error.code().as_str().to_owned()),
        }
    }
}

/// toml tries each value on a serializer that fails, to find out what it is. The erased traits tell of that too late: a failed
/// `serialize_str` looks as if the token had been taken, and the second time is a repeat.
fn write<R: Serialize>(format: Format, row: &R) -> Result<Vec<u8>, Problem> {
    match format {
        Format::Toml => format.write(row),
        _ => format.write(row as &dyn erased_serde::Serialize),
    }
}

//! One cell of the matrix: a value in a form, at a place, in a format.

use std::collections::BTreeMap;

use rxseal::{Access, Keyring, Purpose, Record, RecordAccess, Sealed};

use crate::cases::Case;
use crate::erased::{Leaf, read_row, reading_as};
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

/// Rows of one keyring and record.
pub struct Bench {
    record: Record,
    open: RecordAccess,
}

impl Bench {
    #[expect(clippy::new_without_default, reason = "it makes keys")]
    pub fn new() -> Self {
        let keys = Keyring::insecure_for_tests("pharmacy-17").expect("a keyring").unobserved();
        let record = keys.record("prescription", "RX-1001").expect("a record");
        let open = record.access(&Access::new("user:kim.rph", Purpose::TREAT).expect("an access"));
        Self { record, open }
    }

    /// Every cell of a case.
    pub fn cells(&self, case: &Case) -> Vec<Cell> {
        let mut cells = Vec::new();
        reading_as(case.read, || {
            for format in Format::ALL {
                macro_rules! at {
                    ($place:expr, $module:ident, $around:ident) => {
                        self.place::<
                            $around<$module::Plain<Leaf>>,
                            $around<$module::Plain<Vec<Leaf>>>,
                            $around<$module::Plain<BTreeMap<String, Leaf>>>,
                            $around<$module::With>,
                            $around<$module::Typed>,
                            $around<$module::Token>,
                            $around<$module::List>,
                            $around<$module::Map>,
                        >($place, format, case, &mut cells)
                    };
                }
                type Alone<R> = R;
                at!(Place::Alone, element, Alone);
                at!(Place::Flatten, element, Flat);
                at!(Place::Tag, element, Tagged);
                at!(Place::Untagged, element, Untagged);
                if matches!(format, Format::QuickXml) {
                    at!(Place::Attribute, attribute, Alone);
                    at!(Place::Content, content, Alone);
                }
                if matches!(format, Format::SerdeXmlRs) {
                    at!(Place::Attribute, attribute, Alone);
                }
            }
        });
        cells
    }

    fn place<One: Form, Many: Form, ByLine: Form, A: Form, B: Form, C: Form, D: Form, E: Form>(
        &self,
        place: Place,
        format: Format,
        case: &Case,
        cells: &mut Vec<Cell>,
    ) {
        let one = self.plain::<One>(format, case);
        let many = self.plain::<Many>(format, case);
        let by_line = self.plain::<ByLine>(format, case);
        let sealed: [(Way, bool, fn(&Self, Format, &Case) -> Outcome); 5] = [
            (Way::With, one, Self::sealed::<A>),
            (Way::Phi, one, Self::sealed::<B>),
            (Way::Sealed, one, Self::sealed::<C>),
            (Way::Each, many, Self::sealed::<D>),
            (Way::Parts, by_line, Self::sealed::<E>),
        ];
        for (way, plain, sealed) in sealed {
            // Where the format fails by itself there is nothing to compare with; but one look at each value, since a loss that
            // plain serde has too is one to tell users of.
            let look = plain || (place == Place::Alone && format == Format::JsonText);
            cells.push(Cell { place, way, format, plain, sealed: look.then(|| sealed(self, format, case)) });
        }
    }

    /// Whether plain serde keeps every value of the case.
    fn plain<R: Form>(&self, format: Format, case: &Case) -> bool {
        case.values.iter().all(|value| {
            let Ok(row) = R::with(value, &self.record) else { return false };
            let Ok(bytes) = write(format, &row) else { return false };
            read_row::<R, _>(|| format.read(&bytes))
                .is_ok_and(|row| matches!(row.holds(value, &self.open), Ok(true)))
        })
    }

    /// The worst that became of a value of the case.
    fn sealed<R: Form>(&self, format: Format, case: &Case) -> Outcome {
        case.values.iter().map(|value| self.sealed_one::<R>(format, value)).max().unwrap_or(Outcome::Kept)
    }

    fn sealed_one<R: Form>(&self, format: Format, value: &Leaf) -> Outcome {
        // Whether the value can be sealed at all: the code of a format's own error cannot be asked for.
        if let Err(error) = Sealed::<Leaf, Marker>::seal(&self.record, value) {
            return Outcome::Refused(error.code().to_owned());
        }
        let row = match R::with(value, &self.record) {
            Ok(row) => row,
            Err(error) => return Outcome::Refused(error.code().to_owned()),
        };
        let bytes = match write(format, &self.record.sealing(&row)) {
            Ok(bytes) => bytes,
            Err(problem) => return Outcome::NotWritten(problem.0),
        };
        match self.open.run_opening(|| read_row::<R, _>(|| format.read(&bytes))) {
            Ok(row) => match row.holds(value, &self.open) {
                Ok(true) => Outcome::Kept,
                Ok(false) => Outcome::Changed,
                Err(error) => Outcome::Late(error.code().to_owned()),
            },
            Err(error) => Outcome::Late(error.code().to_owned()),
        }
    }
}

fn write(format: Format, row: &dyn erased_serde::Serialize) -> Result<Vec<u8>, Problem> {
    format.write(row)
}


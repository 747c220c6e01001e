//! A source of a map: every value by what the map says of its place.

mod spot;

use rxseal_map::__private::said;
use rxseal_map::{Addresses, Source, Spot, Value, Visitor, read_source};

pub use spot::is_plain_name;

use crate::cell::SealedPlace;
use crate::finding::Undecided;
use crate::report::Report;
use crate::rules::Rules;
use spot::{Place, What};

pub(crate) async fn scan(rules: &Rules, source: &Source, addresses: &Addresses) -> Report {
    let mut table = Table { rules, source, spots: Vec::new(), report: Report::default() };
    let read = read_source(source, addresses, &mut table).await;
    let Table { spots, mut report, .. } = table;
    report.name = source.name().into();
    match read {
        Ok(read) => {
            report.rows = read.rows;
            if let Some(doubt) = read.doubt {
                report.undecided.push(Undecided::new("doubted", doubt));
            }
            if read.rows == 0 && !source.empty().is_all() {
                let text = "it has no rows: another database, a mistyped name or hidden rows look the same. If it should have none, say `empty = true` in the map";
                report.undecided.push(Undecided::new("no-rows", text));
            }
        }
        Err(error) => {
            let text = format!("it could not be read to its end, so what was found is a least count: {}", said(&error));
            report.undecided.push(Undecided::new("not-read", text));
        }
    }
    spot::end(spots, rules, source, &mut report);
    report.findings.sort_by(|a, b| (a.certainty, &a.place, a.kind).cmp(&(b.certainty, &b.place, b.kind)));
    report
}

struct Table<'s> {
    rules: &'s Rules,
    source: &'s Source,
    spots: Vec<Place>,
    report: Report,
}

impl Visitor for Table<'_> {
    fn spot(&mut self, spot: Spot<'_>) -> Option<usize> {
        let of_field = |field: &str| self.rules.field(self.source.record(), field);
        let place = match spot {
            Spot::Sealed(sealed) => {
                Place::new(sealed.place(), What::Sealed(SealedPlace::of_field(of_field(sealed.field()))))
            }
            Spot::Tag(place) => Place::new(place, What::Sealed(SealedPlace::of_tags())),
            Spot::Index(index) => Place::new(index.place(), What::index()),
            // What is in documents is read with them.
            Spot::Clear(place, kind) if place.pointer().is_some() => Place::new(place, What::InDocument(kind)),
            Spot::Clear(place, kind) => Place::new(place, What::readable(place.column(), Some(kind))),
            Spot::Document(column) => Place::of_column(column, What::document()),
            Spot::Undeclared(column) => Place::of_column(column, What::readable(column, None)),
            _ => return None,
        };
        self.spots.push(place);
        self.spots.len().checked_sub(1)
    }

    fn value(&mut self, spot: usize, value: Value<'_>) {
        if let Some(place) = self.spots.get_mut(spot) {
            place.add(value, self.rules, &mut self.report);
        }
    }

    fn absent(&mut self, _: usize, _: u64) {}
}

//! Tables of PostgreSQL: the server counts whole columns, and documents are read one by one.

use rxseal::Error;
use rxseal_postgres::__private::rows_by_keyspace;
use rxseal_postgres::{count_index_postgres, count_postgres, describe_postgres, scan_postgres};

use crate::addresses::Addresses;
use crate::count::tally::{Tally, Value};
use crate::counts::{ColumnCounts, IndexPlaceCounts, PlaceCounts, SourceCounts};
use crate::place::Place;
use crate::source::{Indexed, Sealed, Source};

pub(crate) async fn tokens(source: &Source, table: &str, addresses: &Addresses) -> Result<SourceCounts, Error> {
    let url = url(source, addresses)?;
    let mut counted = SourceCounts::default();
    let places = source.sealed().iter().map(|sealed| (sealed.place(), Some(sealed.field())));
    for (place, field) in places.chain(source.tag().map(|tag| (tag, None))) {
        if place.pointer().is_none() {
            let counts = count_postgres(url, table, place.column()).await?;
            counted.places.push(PlaceCounts { place: place.clone(), field: field.map(Into::into), counts });
        }
    }
    for column in documents(source.sealed().iter().map(Sealed::place).chain(source.tag())) {
        let of_column = scan(url, table, column, Tally::of_tokens(source).only(column)).await?.into_tokens();
        counted.places.extend(of_column.places);
        counted.documents.extend(of_column.documents);
    }
    let order = |place: &Place| source.sealed().iter().position(|sealed| sealed.place() == place).unwrap_or(usize::MAX);
    counted.places.sort_by_key(|counted| order(&counted.place));
    counted.strays = strays(source, url, table).await?;
    if let Some(place) = source.keyspace().column() {
        if place.pointer().is_none() {
            for (name, rows) in rows_by_keyspace(url, table, place.column()).await? {
                counted.keyspaces.add(Some(&name), u64::try_from(rows).unwrap_or_default());
            }
        } else {
            let tally = Tally::of_keyspaces(source);
            counted.keyspaces = scan(url, table, place.column(), tally).await?.into_tokens().keyspaces;
        }
    }
    Ok(counted)
}

/// Tokens in the columns that the map does not call sealed.
async fn strays(source: &Source, url: &str, table: &str) -> Result<Vec<ColumnCounts>, Error> {
    let mut strays = Vec::new();
    let own = source.sealed().iter().map(Sealed::place).chain(source.index().iter().map(Indexed::place));
    let own: Vec<_> = own.chain(source.tag()).map(Place::column).collect();
    let Some(described) = describe_postgres(url, table).await? else { return Ok(strays) };
    for column in described.columns() {
        if own.contains(&column.name()) || WITHOUT_TEXT.contains(&column.base()) {
            continue;
        }
        let counts = count_postgres(url, table, column.name()).await?;
        if counts.total() > 0 {
            strays.push(ColumnCounts { column: column.name().into(), counts });
        }
    }
    Ok(strays)
}

/// The types in which no token can be.
const WITHOUT_TEXT: &[&str] = &[
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "numeric",
    "bool",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "uuid",
    "oid",
    "money",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "bit",
    "varbit",
    "point",
    "box",
    "circle",
    "path",
    "polygon",
    "line",
    "lseg",
    "pg_lsn",
    "xid",
    "xid8",
    "tsvector",
    "_int2",
    "_int4",
    "_int8",
    "_float4",
    "_float8",
    "_numeric",
    "_bool",
    "_date",
    "_uuid",
    "_timestamp",
    "_timestamptz",
];

pub(crate) async fn index_values(
    source: &Source,
    table: &str,
    addresses: &Addresses,
) -> Result<Vec<IndexPlaceCounts>, Error> {
    let url = url(source, addresses)?;
    let mut places = Vec::new();
    for index in source.index() {
        if index.place().pointer().is_none() {
            let counts = count_index_postgres(url, table, index.place().column()).await?;
            places.push(IndexPlaceCounts { place: index.place().clone(), index: index.index().into(), counts });
        }
    }
    for column in documents(source.index().iter().map(Indexed::place)) {
        let tally = scan(url, table, column, Tally::of_index_values(source).only(column)).await?;
        places.extend(tally.into_index_values());
    }
    Ok(places)
}

fn url<'a>(source: &Source, addresses: &'a Addresses) -> Result<&'a str, Error> {
    addresses.postgres().ok_or_else(|| {
        let text =
            "the address of its PostgreSQL database is not given: use `Addresses::with_postgres`, or --postgres URL";
        Error::from_store(false, format!("{}: {text}", source.name()))
    })
}

/// The columns in whose documents places are, each once.
fn documents<'s>(places: impl Iterator<Item = &'s Place>) -> Vec<&'s str> {
    let mut columns: Vec<_> = places.filter(|place| place.pointer().is_some()).map(Place::column).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

async fn scan(url: &str, table: &str, column: &str, mut tally: Tally) -> Result<Tally, Error> {
    let at = tally.column(column);
    let doubt = scan_postgres(url, table, column, |value| {
        tally.add(at, value.map_or(Value::Null, Value::Text));
        tally.end_row();
    });
    tally.doubt = doubt.await?;
    Ok(tally)
}

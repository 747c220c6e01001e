//! Tables of PostgreSQL: the server counts whole columns, and documents are read one by one.

use rxseal::Error;
use rxseal_postgres::__private::rows_by_keyspace;
use rxseal_postgres::{count_index_postgres, count_postgres, describe_postgres};

use super::tally::Tally;
use crate::addresses::Addresses;
use crate::counts::{ColumnCounts, IndexPlaceCounts, PlaceCounts, SourceCounts};
use crate::place::Place;
use crate::read::{read_postgres_column, url, without_tokens};
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
        let of_column = scan(source, addresses, column, Tally::of_tokens(source).only(column)).await?.into_tokens();
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
            let tally = scan(source, addresses, place.column(), Tally::of_keyspaces()).await?;
            counted.keyspaces = tally.into_tokens().keyspaces;
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
        if own.contains(&column.name()) || without_tokens(column.base()) {
            continue;
        }
        let counts = count_postgres(url, table, column.name()).await?;
        if counts.total() > 0 {
            strays.push(ColumnCounts { column: column.name().into(), counts });
        }
    }
    Ok(strays)
}

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
        let tally = scan(source, addresses, column, Tally::of_index_values().only(column)).await?;
        places.extend(tally.into_index_values());
    }
    Ok(places)
}

/// The columns in whose documents places are, each once.
fn documents<'s>(places: impl Iterator<Item = &'s Place>) -> Vec<&'s str> {
    let mut columns: Vec<_> = places.filter(|place| place.pointer().is_some()).map(Place::column).collect();
    columns.sort_unstable();
    columns.dedup();
    columns
}

async fn scan(source: &Source, addresses: &Addresses, column: &str, mut tally: Tally) -> Result<Tally, Error> {
    tally.read = read_postgres_column(source, addresses, column, &mut tally).await?;
    Ok(tally)
}

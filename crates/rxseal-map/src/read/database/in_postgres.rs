//! Tables of PostgreSQL: the columns of every row as text.

use rxseal::Error;
use rxseal_postgres::{describe_postgres, scan_postgres};
use zeroize::Zeroizing;

use crate::addresses::Addresses;
use crate::read::router::Router;
use crate::read::value::Value;
use crate::source::Source;

/// Reads all columns, or one.
pub(crate) async fn read(
    source: &Source,
    table: &str,
    addresses: &Addresses,
    only: Option<&str>,
    router: &mut Router<'_>,
) -> Result<(), Error> {
    let url = url(source, addresses)?;
    let wrong = |what: String| Error::from_store(false, format!("{}: {what}", source.name()));
    let described = describe_postgres(url, table).await?;
    let described = described.ok_or_else(|| wrong("there is no such table, or the role may not see it".to_owned()))?;
    if let Some(absent) =
        router.needed().find(|needed| !described.columns().iter().any(|column| column.name() == *needed))
    {
        return Err(wrong(format!("the table has no column {absent}")));
    }
    let columns = described.columns().iter().filter(|column| only.is_none_or(|only| column.name() == only));
    let columns: Vec<_> = columns.filter_map(|column| Some((router.wanted(column.name())?, column))).collect();
    let names: Vec<_> = columns.iter().map(|(_, column)| column.name()).collect();
    let mut bytes = Zeroizing::new(Vec::new());
    router.read.doubt = scan_postgres(url, table, &names, |row| {
        for (text, (at, column)) in row.iter().zip(&columns) {
            match text {
                None => router.add(*at, Value::Null),
                Some(text) if column.base() == "bytea" => match decode(text, &mut bytes) {
                    Some(()) => router.add(*at, Value::Bytes(&bytes)),
                    None => router.add(*at, Value::Text(text)),
                },
                Some(text) => router.add(*at, Value::Text(text)),
            }
        }
        router.end_row();
    })
    .await?;
    Ok(())
}

/// The bytes that the server writes as `\x6a61`.
fn decode(text: &str, bytes: &mut Zeroizing<Vec<u8>>) -> Option<()> {
    let digits = text.strip_prefix("\\x")?;
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let len = digits.len().checked_div(2)?;
    if bytes.len() < len {
        // A vector that grows would leave its bytes behind.
        *bytes = Zeroizing::new(vec![0; len]);
    }
    bytes.truncate(len);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
    }
    rest.is_empty().then_some(())
}

/// Whether no token can be in a column of this type.
pub(crate) fn without_tokens(base: &str) -> bool {
    WITHOUT_TEXT.contains(&base)
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

pub(crate) fn url<'a>(source: &Source, addresses: &'a Addresses) -> Result<&'a str, Error> {
    addresses.postgres().ok_or_else(|| {
        let text =
            "the address of its PostgreSQL database is not given: use `Addresses::with_postgres`, or --postgres URL";
        Error::from_store(false, format!("{}: {text}", source.name()))
    })
}

//! `Sealed` as a column of diesel on SQLite.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Binary, Text};
use rxseal::RecordTag;

use crate::support::*;

mod schema {
    diesel::table! {
        rx (id) {
            id -> BigInt,
            t -> Nullable<Text>,
            b -> Nullable<Binary>,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = schema::rx, treat_none_as_null = true)]
struct Row {
    id: i64,
    t: Option<SealedDrug>,
    b: Option<SealedDrug>,
}

#[derive(Debug, QueryableByName)]
struct Raw {
    #[diesel(sql_type = Text)]
    t: SealedDrug,
    #[diesel(sql_type = Binary)]
    b: SealedDrug,
}

fn sqlite() -> SqliteConnection {
    let mut db = SqliteConnection::establish(":memory:").unwrap();
    db.batch_execute("CREATE TABLE rx (id INTEGER PRIMARY KEY, t TEXT, b BLOB)").unwrap();
    db
}

#[test]
fn sqlite_holds_both_forms_and_null() {
    use schema::rx::dsl;
    let mut db = sqlite();
    let keys = keyring();
    let sealed = drug(&keys, 1);
    let rows = [Row { id: 1, t: Some(sealed.clone()), b: Some(sealed.clone()) }, Row { id: 2, t: None, b: None }];
    diesel::insert_into(dsl::rx).values(&rows[0]).execute(&mut db).unwrap();
    diesel::insert_into(dsl::rx).values(rows[1].clone()).execute(&mut db).unwrap();
    let read: Vec<Row> = dsl::rx.select(Row::as_select()).order(dsl::id).load(&mut db).unwrap();
    assert_eq!(read, rows);
    opens(&keys, 1, read[0].t.as_ref().unwrap());
    let raw: Raw = diesel::sql_query("SELECT t, b FROM rx WHERE t = ? AND b = ?")
        .bind::<Text, _>(&sealed)
        .bind::<Binary, _>(sealed.token())
        .get_result(&mut db)
        .unwrap();
    assert!(raw.t == sealed && raw.b == sealed);
    let kinds: String =
        diesel::select(diesel::dsl::sql::<Text>("(SELECT typeof(t) || typeof(b) FROM rx WHERE id = 1)"))
            .get_result(&mut db)
            .unwrap();
    assert_eq!(kinds, "textblob");

    // Both columns read either form: what rusqlite writes are bytes, whatever the column.
    let bytes = sealed.token().as_bytes();
    diesel::sql_query("UPDATE rx SET t = ?, b = ? WHERE id = 1")
        .bind::<Binary, _>(bytes)
        .bind::<Text, _>(&sealed.token().to_string())
        .execute(&mut db)
        .unwrap();
    let b: Option<SealedDrug> = dsl::rx.select(dsl::b).filter(dsl::id.eq(1)).first(&mut db).unwrap();
    assert_eq!(b, Some(sealed.clone()));

    // An update of another column saves what does not open back as it is.
    let moved = Row { id: 2, t: Some(sealed.clone()), b: Some(sealed.clone()) };
    diesel::update(dsl::rx.find(2)).set(&moved).execute(&mut db).unwrap();
    diesel::update(dsl::rx.find(2)).set(dsl::t.eq(sealed.to_text())).execute(&mut db).unwrap();
    let read: Row = dsl::rx.find(2).select(Row::as_select()).first(&mut db).unwrap();
    assert_eq!(read, moved);
}

#[test]
fn anything_else_is_refused_and_never_quoted() {
    use schema::rx::dsl;
    let mut db = sqlite();
    for value in not_tokens(&drug(&keyring(), 1)) {
        db.batch_execute("DELETE FROM rx").unwrap();
        diesel::sql_query("INSERT INTO rx VALUES (1, ?, ?)")
            .bind::<Text, _>(&value)
            .bind::<Binary, _>(value.as_bytes())
            .execute(&mut db)
            .unwrap();
        let t = dsl::rx.select(dsl::t).first::<Option<SealedDrug>>(&mut db).unwrap_err();
        let b = dsl::rx.select(dsl::b).first::<Option<SealedDrug>>(&mut db).unwrap_err();
        assert_eq!([code(&t, &value), code(&b, &value)], [Some("not-a-token"); 2]);
    }
}

#[test]
fn a_record_tag_is_a_column_too() {
    use diesel::select;
    let mut db = sqlite();
    let tag: RecordTag = TAG.parse().unwrap();
    let text: RecordTag = select(tag.into_sql::<Text>()).get_result(&mut db).unwrap();
    let bytes: RecordTag = select(tag.into_sql::<Binary>()).get_result(&mut db).unwrap();
    assert_eq!([text, bytes], [tag, tag]);
    assert!(select(RecordTag::new().into_sql::<Text>()).get_result::<RecordTag>(&mut db).is_err());
}

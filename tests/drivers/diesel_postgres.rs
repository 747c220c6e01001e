//! `Sealed` as a column of diesel on PostgreSQL, by diesel-async. To diesel a domain is its base type.

use diesel::prelude::*;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};

use crate::support::*;

mod schema {
    diesel::table! {
        rx (id) {
            id -> BigInt,
            t -> Nullable<Text>,
            b -> Nullable<Binary>,
            dt -> Nullable<Text>,
            db -> Nullable<Binary>,
            v -> Nullable<Varchar>,
            ts -> Nullable<Array<Text>>,
            bs -> Nullable<Array<Nullable<Binary>>>,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Queryable, Selectable, Insertable)]
#[diesel(table_name = schema::rx)]
struct Row {
    id: i64,
    t: Option<SealedDrug>,
    b: Option<SealedDrug>,
    dt: Option<SealedDrug>,
    db: Option<SealedDrug>,
    v: Option<SealedDrug>,
    ts: Option<Vec<SealedDrug>>,
    bs: Option<Vec<Option<SealedDrug>>>,
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn postgres_holds_both_forms_domains_lists_and_null() {
    use schema::rx::dsl;
    let schema = Schema::with_table().await;
    let mut db = AsyncPgConnection::establish(&schema.url()).await.unwrap();
    let keys = keyring();
    let sealed = drug(&keys, 1);
    let one = || Some(sealed.clone());
    let rows = [
        Row {
            id: 1,
            t: one(),
            b: one(),
            dt: one(),
            db: one(),
            v: one(),
            ts: Some(vec![sealed.clone(); 2]),
            bs: Some(vec![one(), None]),
        },
        Row { id: 2, t: None, b: None, dt: None, db: None, v: None, ts: None, bs: None },
    ];
    for row in &rows {
        diesel::insert_into(dsl::rx).values(row).execute(&mut db).await.unwrap();
    }
    let read: Vec<Row> = dsl::rx.select(Row::as_select()).order(dsl::id).load(&mut db).await.unwrap();
    assert_eq!(read, rows);
    opens(&keys, 1, read[0].dt.as_ref().unwrap());
    let by_domain = dsl::rx.filter(dsl::dt.eq(&sealed)).select(dsl::db).first::<Option<SealedDrug>>(&mut db);
    assert_eq!(by_domain.await.unwrap(), one());

    // A domain refuses plaintext, and its error does not quote a parameter.
    let update = diesel::update(dsl::rx).set(dsl::dt.eq(CANARY)).execute(&mut db).await;
    assert_eq!(code(&update.unwrap_err(), CANARY), None);
    for value in not_tokens(&sealed) {
        let values = (dsl::t.eq(&value), dsl::b.eq(value.as_bytes()), dsl::ts.eq(vec![&value]));
        diesel::update(dsl::rx.find(1)).set(values).execute(&mut db).await.unwrap();
        let t = dsl::rx.find(1).select(dsl::t).first::<Option<SealedDrug>>(&mut db).await.unwrap_err();
        let b = dsl::rx.find(1).select(dsl::b).first::<Option<SealedDrug>>(&mut db).await.unwrap_err();
        let ts = dsl::rx.find(1).select(dsl::ts).first::<Option<Vec<SealedDrug>>>(&mut db).await.unwrap_err();
        assert_eq!([code(&t, &value), code(&b, &value), code(&ts, &value)], [Some("not-a-token"); 3]);
    }
    schema.drop().await;
}

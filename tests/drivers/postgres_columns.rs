//! `Sealed` and `Token` as columns of tokio-postgres: text, bytes, domains over them, arrays and NULL.

use rxseal::{RecordTag, Token};
use tokio_postgres::types::FromSqlOwned;

use crate::support::*;

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn each_column_gets_the_form_of_its_type() {
    let schema = Schema::with_table().await;
    let db = schema.client().await;
    let keys = keyring();
    let drugs = [drug(&keys, 1), drug(&keys, 1)];
    let (one, list) = (&drugs[0], &drugs[..]);
    let insert = "INSERT INTO rx VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    db.execute(insert, &[&1_i64, one, one, one, one, one, &list, &list, &list]).await.unwrap();

    let row = db.query_one("SELECT * FROM rx", &[]).await.unwrap();
    for column in ["t", "b", "dt", "db", "v"] {
        let read: SealedDrug = row.get(column);
        assert_eq!(read, *one, "{column}");
        opens(&keys, 1, &read);
        assert_eq!(row.get::<_, Token>(column), *one.token());
        assert_eq!(row.get::<_, Option<SealedDrug>>(column), Some(one.clone()));
    }
    for column in ["ts", "bs", "dts"] {
        assert_eq!(row.get::<_, Vec<SealedDrug>>(column), drugs, "{column}");
        assert_eq!(row.get::<_, Vec<Option<SealedDrug>>>(column), drugs.clone().map(Some), "{column}");
    }
    // The forms themselves.
    let stored = db.query_one("SELECT t, dt, b, db::bytea AS db FROM rx", &[]).await.unwrap();
    let text = one.token().to_string();
    assert_eq!([stored.get::<_, String>("t"), stored.get("dt")], [text.clone(), text.clone()]);
    assert_eq!([stored.get::<_, Vec<u8>>("b"), stored.get("db")], [one.token().as_bytes(), one.token().as_bytes()]);

    // What a plain string is refused for: the type of the parameter is the domain.
    assert!(db.execute("UPDATE rx SET dt = $1", &[&text]).await.is_err());
    assert_eq!(db.execute("UPDATE rx SET dt = $1 WHERE dt = $1", &[one.token()]).await.unwrap(), 1);
    assert_eq!(db.execute("UPDATE rx SET dts[1] = $1, v = $2", &[one, &one.to_text()]).await.unwrap(), 1);
    schema.drop().await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn a_record_tag_is_a_column_too() {
    let schema = Schema::with_table().await;
    let db = schema.client().await;
    let tag: RecordTag = TAG.parse().unwrap();
    db.execute("INSERT INTO rx (id, t, b, v) VALUES (1, $1, $1, $1)".replace("$1", "NULL").as_str(), &[])
        .await
        .unwrap();
    for column in ["t", "b", "v"] {
        let read = |row: tokio_postgres::Row| row.try_get::<_, RecordTag>(0);
        let select = format!("SELECT {column} FROM rx");
        let missing = read(db.query_one(&select, &[]).await.unwrap()).unwrap_err();
        assert_eq!(code(&missing, ""), Some("tag-missing"), "{column}");
        let update = format!("UPDATE rx SET {column} = $1");
        assert!(db.execute(&update, &[&RecordTag::new()]).await.is_err());
        db.execute(&update, &[&tag]).await.unwrap();
        assert_eq!(read(db.query_one(&select, &[]).await.unwrap()).unwrap(), tag);
    }
    let stored = db.query_one("SELECT t, octet_length(b) FROM rx", &[]).await.unwrap();
    assert_eq!((stored.get(0), stored.get(1)), (TAG, 48));
    schema.drop().await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn null_is_an_option() {
    let schema = Schema::with_table().await;
    let db = schema.client().await;
    let (none, list) = (None::<SealedDrug>, vec![None::<SealedDrug>]);
    let insert = "INSERT INTO rx VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    db.execute(insert, &[&1_i64, &none, &none, &none, &none, &none, &list, &list, &list]).await.unwrap();
    let row = db.query_one("SELECT * FROM rx", &[]).await.unwrap();
    for column in ["t", "b", "dt", "db", "v"] {
        assert_eq!(row.get::<_, Option<SealedDrug>>(column), None, "{column}");
        let error = row.try_get::<_, SealedDrug>(column).unwrap_err();
        assert_eq!(code(&error, ""), Some("not-a-token"), "{column}");
    }
    for column in ["ts", "bs", "dts"] {
        assert_eq!(row.get::<_, Vec<Option<SealedDrug>>>(column), [None], "{column}");
        assert_eq!(code(&row.try_get::<_, Vec<SealedDrug>>(column).unwrap_err(), ""), Some("not-a-token"), "{column}");
    }
    schema.drop().await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn anything_else_is_refused_and_never_quoted() {
    fn refused<C: FromSqlOwned>(row: &tokio_postgres::Row, column: &str, value: &str) -> Option<&'static str> {
        let error = row.try_get::<_, C>(column).err().unwrap_or_else(|| panic!("{column} was read"));
        code(&error, value)
    }
    let schema = Schema::with_table().await;
    let db = schema.client().await;
    let token = drug(&keyring(), 1);
    for value in not_tokens(&token) {
        let insert = "INSERT INTO rx (id, t, b, v, ts) VALUES (1, $1, $2, $3, $4) ON CONFLICT (id) DO UPDATE \
                      SET (t, b, v, ts) = (excluded.t, excluded.b, excluded.v, excluded.ts)";
        let bytes = value.as_bytes();
        db.execute(insert, &[&value, &bytes, &value, &vec![&value]]).await.unwrap();
        let row = db.query_one("SELECT t, b, v, ts FROM rx", &[]).await.unwrap();
        for column in ["t", "b", "v"] {
            assert_eq!(refused::<SealedDrug>(&row, column, &value), Some("not-a-token"), "{column}");
            assert_eq!(refused::<Token>(&row, column, &value), Some("not-a-token"), "{column}");
            // An option forgives an absent token, never a wrong one.
            assert_eq!(refused::<Option<SealedDrug>>(&row, column, &value), Some("not-a-token"), "{column}");
        }
        assert_eq!(refused::<Vec<SealedDrug>>(&row, "ts", &value), Some("not-a-token"));

        // The domain's own refusal names no value either, since the value is a parameter.
        for (domain, cast) in [("dt", "$1::text"), ("db", "convert_to($1::text, 'UTF8')")] {
            let update = format!("UPDATE rx SET {domain} = {cast}");
            let error = db.execute(&update, &[&value]).await.err();
            if value.starts_with("rxs") && domain == "dt" && !value.contains(' ') {
                continue;
            }
            assert_eq!(code(&error.expect(domain), &value), None, "{domain}");
        }
    }
    // The driver's own check, of the type of the column.
    let row = db.query_one("SELECT id FROM rx", &[]).await.unwrap();
    assert_eq!(refused::<SealedDrug>(&row, "id", CANARY), None);
    assert!(db.execute("UPDATE rx SET id = $1", &[&token]).await.is_err());
    // And a field's error names the field.
    let row = db.query_one("SELECT t FROM rx", &[]).await.unwrap();
    let error = row.try_get::<_, SealedDrug>("t").unwrap_err();
    let own = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<rxseal::Error>()).unwrap();
    assert_eq!(own.field_id(), Some("phi.rx.drug"));
    schema.drop().await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn what_does_not_open_is_saved_back_byte_for_byte() {
    let schema = Schema::with_table().await;
    let db = schema.client().await;
    // Of another record.
    let moved = drug(&keyring(), 2);
    db.execute("INSERT INTO rx (id, t, b, dt, db) VALUES (1, $1, $1, $1, $1)".replace("$1", "NULL").as_str(), &[])
        .await
        .unwrap();
    for column in ["t", "b", "dt", "db"] {
        let update = format!("UPDATE rx SET {column} = $1");
        db.execute(&update, &[&moved]).await.unwrap();
        let select = format!("SELECT {column}, {column}::text FROM rx");
        let before = db.query_one(&select, &[]).await.unwrap();
        let read: SealedDrug = before.get(0);
        db.execute(&update, &[&read]).await.unwrap();
        let after = db.query_one(&select, &[]).await.unwrap();
        assert_eq!(before.get::<_, String>(1), after.get::<_, String>(1), "{column}");
    }
    schema.drop().await;
}

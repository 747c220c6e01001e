//! On PostgreSQL: tokio-postgres, sqlx, diesel and sea-orm, with domains and arrays.

use rxseal::index::{IndexSet, IndexValue};
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, Set};
use sqlx::{Connection as _, Row as _};

use super::{AnyName, BornOn, OTHERS, born, names};
use crate::support::{Schema, code};

type Born = IndexValue<BornOn>;

/// With domains, of which the drivers see the base types.
async fn table() -> Schema {
    let schema = Schema::new().await;
    let db = schema.client().await;
    let table = "
        CREATE DOMAIN born_ix AS bytea CHECK (octet_length(VALUE) = 5);
        CREATE DOMAIN names_ix AS bytea[] CHECK (cardinality(VALUE) <= 8);
        CREATE TABLE patient (id BIGINT PRIMARY KEY, born_ix born_ix, names_ix names_ix);
        CREATE INDEX ON patient (born_ix);
        CREATE INDEX ON patient USING gin (names_ix);";
    db.batch_execute(table).await.unwrap();
    schema
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn tokio_postgres_has_values_sets_and_null() {
    let schema = table().await;
    let db = schema.client().await;
    let insert = "INSERT INTO patient VALUES ($1, $2, $3)";
    db.execute(insert, &[&1_i64, &born(), &names()]).await.unwrap();
    db.execute(insert, &[&2_i64, &None::<Born>, &None::<IndexSet<AnyName>>]).await.unwrap();

    let rows = db.query("SELECT born_ix, names_ix, born_ix::text AS hex FROM patient ORDER BY id", &[]).await.unwrap();
    assert_eq!((rows[0].get::<_, Option<Born>>(0), rows[0].get::<_, IndexSet<AnyName>>(1)), (Some(born()), names()));
    assert_eq!(
        (rows[1].get::<_, Option<Born>>(0), rows[1].get::<_, IndexSet<AnyName>>(1)),
        (None, IndexSet::default())
    );
    assert_eq!(rows[0].get::<_, &str>("hex"), "\\xc0b81f9c6c");
    let asked = [born()];
    let found = db.query_one("SELECT id FROM patient WHERE born_ix = any($1)", &[&asked.as_slice()]).await.unwrap();
    assert_eq!(found.get::<_, i64>(0), 1);
    let found = db
        .query_one("SELECT id FROM patient WHERE names_ix && $1", &[&names().as_slice()[..1].to_vec()])
        .await
        .unwrap();
    assert_eq!(found.get::<_, i64>(0), 1);

    let error = rows[1].try_get::<_, Born>(0).unwrap_err();
    assert_eq!(code(&error, ""), Some("index-unreadable"));
    for other in OTHERS {
        let text = String::from_utf8_lossy(other).into_owned();
        let row = db.query_one("SELECT $1::bytea, $2::text, ARRAY[$1::bytea]", &[&other, &text]).await.unwrap();
        let errors = [row.try_get::<_, Option<Born>>(0).unwrap_err(), row.try_get::<_, Option<Born>>(1).unwrap_err()];
        assert_eq!(errors.map(|error| code(&error, &text)), [Some("index-unreadable"); 2]);
        let error = row.try_get::<_, IndexSet<AnyName>>(2).unwrap_err();
        assert_eq!(code(&error, &text), Some("index-unreadable"));
    }
    schema.drop().await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn sqlx_has_values_sets_and_null() {
    let schema = table().await;
    let mut db = sqlx::PgConnection::connect(&schema.url()).await.unwrap();
    let insert = "INSERT INTO patient VALUES ($1, $2, $3)";
    sqlx::query(insert).bind(1_i64).bind(born()).bind(names()).execute(&mut db).await.unwrap();
    sqlx::query(insert).bind(2_i64).bind(None::<Born>).bind(None::<IndexSet<AnyName>>).execute(&mut db).await.unwrap();

    let select = "SELECT born_ix, names_ix FROM patient ORDER BY id";
    let rows: Vec<(Option<Born>, IndexSet<AnyName>)> = sqlx::query_as(select).fetch_all(&mut db).await.unwrap();
    assert_eq!(rows, [(Some(born()), names()), (None, IndexSet::default())]);
    let asked = "SELECT id FROM patient WHERE born_ix = any($1) AND names_ix && $2";
    let found = sqlx::query(asked).bind(vec![born()]).bind(names().as_slice()).fetch_one(&mut db).await.unwrap();
    assert_eq!(found.get::<i64, _>(0), 1);
    for other in OTHERS {
        let text = String::from_utf8_lossy(other).into_owned();
        let row = sqlx::query("SELECT $1, $2, ARRAY[$1]").bind(other).bind(&text).fetch_one(&mut db).await.unwrap();
        let errors = [row.try_get::<Option<Born>, _>(0).unwrap_err(), row.try_get::<Option<Born>, _>(1).unwrap_err()];
        assert_eq!(errors.map(|error| code(&error, &text)), [Some("index-unreadable"); 2]);
        let error = row.try_get::<IndexSet<AnyName>, _>(2).unwrap_err();
        assert_eq!(code(&error, &text), Some("index-unreadable"));
    }
    schema.drop().await;
}

mod diesel_rows {
    use super::*;
    use diesel::prelude::*;
    use diesel_async::{AsyncConnection as _, AsyncPgConnection, RunQueryDsl};

    diesel::table! {
        patient (id) {
            id -> BigInt,
            born_ix -> Nullable<Binary>,
            // As `diesel print-schema` writes it.
            names_ix -> Nullable<Array<Nullable<Binary>>>,
        }
    }

    #[derive(Debug, PartialEq, Queryable, Selectable, Insertable)]
    #[diesel(table_name = patient)]
    struct Row {
        id: i64,
        born_ix: Option<Born>,
        names_ix: IndexSet<AnyName>,
    }

    #[tokio::test]
    #[ignore = "needs .ci/servers"]
    async fn diesel_has_values_sets_and_null() {
        use patient::dsl;
        let schema = table().await;
        let mut db = AsyncPgConnection::establish(&schema.url()).await.unwrap();
        let full = Row { id: 1, born_ix: Some(born()), names_ix: names() };
        let empty = Row { id: 2, born_ix: None, names_ix: IndexSet::default() };
        for row in [&full, &empty] {
            diesel::insert_into(dsl::patient).values(row).execute(&mut db).await.unwrap();
        }
        diesel::insert_into(dsl::patient).values(dsl::id.eq(3)).execute(&mut db).await.unwrap();
        let rows: Vec<Row> = dsl::patient.select(Row::as_select()).order(dsl::id).load(&mut db).await.unwrap();
        assert_eq!(rows, [full, empty, Row { id: 3, born_ix: None, names_ix: IndexSet::default() }]);
        let asked = dsl::patient.select(dsl::id).filter(dsl::born_ix.eq_any([born()]));
        assert_eq!(asked.load::<i64>(&mut db).await.unwrap(), [1]);
        schema.drop().await;
    }
}

mod entity {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "patient")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub born_ix: Option<Born>,
        pub names_ix: IndexSet<AnyName>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn sea_orm_has_values_sets_and_null() {
    let schema = table().await;
    let db = sea_orm::Database::connect(schema.url()).await.unwrap();
    let full = entity::Model { id: 1, born_ix: Some(born()), names_ix: names() };
    let empty = entity::Model { id: 2, born_ix: None, names_ix: IndexSet::default() };
    for row in [&full, &empty] {
        let row = row.clone().into_active_model().reset_all();
        entity::Entity::insert(row).exec_without_returning(&db).await.unwrap();
    }
    let bare = entity::ActiveModel { id: Set(3), ..Default::default() };
    entity::Entity::insert(bare).exec_without_returning(&db).await.unwrap();
    let rows = entity::Entity::find().all(&db).await.unwrap();
    assert_eq!(rows, [full, empty, entity::Model { id: 3, born_ix: None, names_ix: IndexSet::default() }]);
    let asked = entity::Entity::find().filter(entity::Column::BornIx.is_in([born()]));
    assert_eq!(asked.one(&db).await.unwrap().unwrap().id, 1);
    schema.drop().await;
}

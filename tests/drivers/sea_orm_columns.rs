//! `Sealed` as a column of sea-orm, on SQLite and PostgreSQL.

use rxseal::RecordTag;
use rxseal::columns::SealedText;
use rxseal::phi::Drug;
use sea_orm::entity::prelude::*;
use sea_orm::{
    ActiveValue, ConnectionTrait, Database, DatabaseConnection, IntoActiveModel, QueryOrder, Schema as SeaSchema,
    Statement,
};

use crate::support::*;

mod entity {
    use super::*;

    /// With the derives that sea-orm's generator writes.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "rx")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub t: Option<SealedText<String, Drug>>,
        pub b: Option<SealedDrug>,
        pub dt: Option<SealedText<String, Drug>>,
        pub db: Option<SealedDrug>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::{ActiveModel, Column, Entity, Model};

async fn sqlite() -> DatabaseConnection {
    let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let db = Database::connect(options).await.unwrap();
    // The column types that the entity says.
    let table = SeaSchema::new(db.get_database_backend()).create_table_from_entity(Entity);
    db.execute(&table).await.unwrap();
    db
}

#[tokio::test]
async fn sqlite_holds_both_forms_and_null() {
    holds_both_forms_and_null(&sqlite().await).await;
}

#[tokio::test]
#[ignore = "needs .ci/servers"]
async fn postgres_holds_both_forms_domains_and_null() {
    let schema = Schema::with_table().await;
    holds_both_forms_and_null(&Database::connect(schema.url()).await.unwrap()).await;
    schema.drop().await;
}

async fn holds_both_forms_and_null(db: &DatabaseConnection) {
    let keys = keyring();
    let sealed = drug(&keys, 1);
    let one = Model {
        id: 1,
        t: Some(sealed.to_text()),
        b: Some(sealed.clone()),
        dt: Some(sealed.to_text()),
        db: Some(sealed.clone()),
    };
    let none = Model { id: 2, t: None, b: None, dt: None, db: None };
    for row in [&one, &none] {
        let row = row.clone().into_active_model().reset_all();
        Entity::insert(row).exec_without_returning(db).await.unwrap();
    }
    let rows = Entity::find().order_by_asc(Column::Id).all(db).await.unwrap();
    assert_eq!(rows, [one.clone(), none]);
    opens(&keys, 1, rows[0].b.as_ref().unwrap());
    opens(&keys, 1, rows[0].dt.as_ref().unwrap().sealed());

    let found = Entity::find().filter(Column::B.eq(sealed.clone())).filter(Column::T.eq(sealed.to_text()));
    assert_eq!(found.one(db).await.unwrap(), Some(one.clone()));
    // An update of one column leaves the others as they are.
    let other = drug(&keys, 1);
    let change =
        ActiveModel { id: ActiveValue::Unchanged(1), b: ActiveValue::Set(Some(other.clone())), ..Default::default() };
    let updated = change.update(db).await.unwrap();
    assert_eq!(updated, Model { b: Some(other.clone()), ..one });

    // Each reads the other's form.
    let select = "SELECT t AS b, b AS t FROM rx WHERE id = 1";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), select)).await.unwrap().unwrap();
    assert_eq!(row.try_get::<SealedDrug>("", "b").unwrap(), sealed);
    assert_eq!(row.try_get::<SealedText<String, Drug>>("", "t").unwrap(), other.to_text());
    let select = "SELECT t, b FROM rx WHERE id = 2";
    let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), select)).await.unwrap().unwrap();
    assert!(row.try_get::<SealedDrug>("", "b").is_err());

    let tag: RecordTag = TAG.parse().unwrap();
    let select = Statement::from_sql_and_values(db.get_database_backend(), "SELECT $1 AS tag", [tag.into()]);
    assert_eq!(db.query_one_raw(select).await.unwrap().unwrap().try_get::<RecordTag>("", "tag").unwrap(), tag);
    for value in not_tokens(&sealed) {
        let values = [value.as_str().into(), value.as_bytes().to_vec().into()];
        let update = "UPDATE rx SET t = $1, b = $2 WHERE id = 1";
        db.execute_raw(Statement::from_sql_and_values(db.get_database_backend(), update, values)).await.unwrap();
        let select = Statement::from_string(db.get_database_backend(), "SELECT t, b FROM rx WHERE id = 1");
        let row = db.query_one_raw(select).await.unwrap().unwrap();
        for column in ["t", "b"] {
            let error = row.try_get::<Option<SealedDrug>>("", column).unwrap_err();
            assert_eq!(code_of(&error, &value), Some("not-a-token"), "{column}");
        }
        assert!(Entity::find_by_id(1).one(db).await.is_err());
    }
}

/// sea-orm does not give the cause of its error as the error's source.
fn code_of(error: &sea_orm::DbErr, value: &str) -> Option<&'static str> {
    assert_eq!(code(error, value), None);
    let sea_orm::DbErr::TryIntoErr { source, .. } = error else { panic!("{error:?}") };
    code(&**source, value)
}

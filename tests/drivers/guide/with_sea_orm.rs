use rxseal::columns::SealedText;
use rxseal::{Sealed, phi};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, IntoActiveModel, QueryOrder};

use crate::support::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rx")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub rx_number: i64,
    pub drug: SealedText<String, phi::Drug>, // a column of type text
    pub directions: Option<Sealed<String, phi::Directions>>, // a column of type bytea
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

pub async fn insert(db: &impl ConnectionTrait, rx: Model) -> Result<(), DbErr> {
    Entity::insert(rx.into_active_model().reset_all()).exec_without_returning(db).await?;
    Ok(())
}

pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Model>, DbErr> {
    Entity::find().order_by_asc(Column::RxNumber).all(db).await
}

#[tokio::test]
async fn the_guide_works() {
    let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
    options.max_connections(1);
    let db = sea_orm::Database::connect(options).await.unwrap();
    let table = "CREATE TABLE rx (rx_number INTEGER PRIMARY KEY, drug TEXT NOT NULL, directions BLOB)";
    db.execute_unprepared(table).await.unwrap();
    let keys = keyring();
    let directions = Sealed::seal(&record(&keys, 1), "daily").unwrap();
    let row = |rx_number, directions| Model { rx_number, drug: drug(&keys, rx_number).into(), directions };
    insert(&db, row(1, Some(directions))).await.unwrap();
    insert(&db, row(2, None)).await.unwrap();
    let rows = all(&db).await.unwrap();
    for row in &rows {
        opens(&keys, row.rx_number, row.drug.sealed());
    }
    assert!(rows[0].directions.is_some() && rows[1].directions.is_none());
}

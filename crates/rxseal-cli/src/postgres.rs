//! What is in PostgreSQL. A URL with a password in it is refused.

use std::sync::Arc;

use rxseal::count::{IndexCounts, KeyCounts};
use rxseal::store::{KeyringStore, SubjectKeyStore};
use rxseal_postgres::{PostgresStore, PostgresSubjectStore, count_index_postgres, count_postgres};

use crate::failure::Failure;
use crate::url::without_password;

/// `None` if its table is not there and may not be made.
pub async fn keyrings(url: &str, may_create: bool) -> Result<Option<Arc<dyn KeyringStore>>, Failure> {
    without_password(url)?;
    if may_create {
        return Ok(Some(Arc::new(PostgresStore::connect(url).await?)));
    }
    let store = PostgresStore::connect_existing(url).await?;
    Ok(store.map(|store| -> Arc<dyn KeyringStore> { Arc::new(store) }))
}

/// `None` if its table is not there and may not be made.
pub async fn subjects(url: &str, may_create: bool) -> Result<Option<Arc<dyn SubjectKeyStore>>, Failure> {
    without_password(url)?;
    if may_create {
        return Ok(Some(Arc::new(PostgresSubjectStore::connect(url).await?)));
    }
    let store = PostgresSubjectStore::connect_existing(url).await?;
    Ok(store.map(|store| -> Arc<dyn SubjectKeyStore> { Arc::new(store) }))
}

pub async fn count(url: &str, table: &str, column: &str) -> Result<KeyCounts, Failure> {
    Ok(count_postgres(url, table, column).await?)
}

pub async fn count_index(url: &str, table: &str, column: &str) -> Result<IndexCounts, Failure> {
    Ok(count_index_postgres(url, table, column).await?)
}

//! What this build was installed without: each says how to get it.

#[cfg(not(feature = "postgres"))]
pub mod postgres {
    #![expect(clippy::unused_async, reason = "as the one that is built")]

    use std::sync::Arc;

    use rxseal::count::{IndexCounts, KeyCounts};
    use rxseal::store::{KeyringStore, SubjectKeyStore};

    use crate::failure::Failure;

    pub async fn keyrings(_: &str, _: bool) -> Result<Option<Arc<dyn KeyringStore>>, Failure> {
        Err(super::without("PostgreSQL", "postgres"))
    }

    pub async fn subjects(_: &str, _: bool) -> Result<Option<Arc<dyn SubjectKeyStore>>, Failure> {
        Err(super::without("PostgreSQL", "postgres"))
    }

    pub async fn count(_: &str, _: &str, _: &str) -> Result<KeyCounts, Failure> {
        let without = super::without("PostgreSQL", "postgres");
        Err(Failure::Usage(format!("{without}. Or print the SQL with --sql, and run it yourself")))
    }

    pub fn log<T>() -> Result<T, Failure> {
        Err(super::without("PostgreSQL", "postgres"))
    }

    pub fn jobs<T>() -> Result<T, Failure> {
        Err(super::without("PostgreSQL", "postgres"))
    }

    pub async fn count_index(_: &str, _: &str, _: &str) -> Result<IndexCounts, Failure> {
        Err(super::without("PostgreSQL", "postgres"))
    }
}

#[cfg(not(feature = "postgres"))]
fn without(what: &str, feature: &str) -> crate::failure::Failure {
    crate::failure::Failure::Usage(format!(
        "{what} is not in this build: install it with `cargo install rxseal-cli --features {feature}`"
    ))
}

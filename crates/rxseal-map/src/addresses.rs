//! Where databases are.

/// Where the databases are whose addresses are not in a map.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    postgres: Option<String>,
}

impl Addresses {
    /// The PostgreSQL database with the tables of all `postgres:` sources, by its URL. Take a role that reads every row.
    #[must_use]
    pub fn with_postgres(self, url: impl Into<String>) -> Self {
        Self { postgres: Some(url.into()) }
    }

    /// The URL of the PostgreSQL database.
    pub(crate) fn postgres(&self) -> Option<&str> {
        self.postgres.as_deref()
    }
}

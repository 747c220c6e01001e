//! The life of index roots: a new one is staged and promoted, or made primary at once. They go as keys do.

use std::time::{Duration, SystemTime};

use super::KeyringAdmin;
use crate::clock::unix_seconds;
use crate::error::Error;
use crate::id::KeyId;
use crate::key::{KeyUse, KeyringFile};
use crate::observe::KeyChange;

impl KeyringAdmin {
    /// Adds a pre-active index root. Every search asks for its values too, and nothing is written under it yet, so that no program misses a
    /// row when another one begins to write. If several processes hold the keyring, this is the first half of a rotation, and
    /// [`promote_index_root`](Self::promote_index_root) is the second.
    ///
    /// ```
    /// # async fn rotation(admin: rxseal::keys::KeyringAdmin) -> Result<(), rxseal::Error> {
    /// use std::time::{Duration, SystemTime};
    ///
    /// let (_, root) = admin.stage_index_root("pharmacy-17").await?;
    /// // Ten minutes later, when every program has it:
    /// admin.promote_index_root("pharmacy-17", root, SystemTime::now(), Duration::from_secs(600)).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// `state-refused` if an index root is staged already; the others of [`stage`](Self::stage).
    pub async fn stage_index_root(&self, keyspace: &str) -> Result<(KeyringFile, KeyId), Error> {
        let (opened, over) = self.open(keyspace).await?;
        let (file, id) = opened.stage(KeyUse::Index, &self.indexes, self.clock.unix_now())?;
        Ok((self.publish(file, over, KeyChange::IndexRootStaged(id)).await?, id))
    }

    /// Makes a staged index root the primary, which new index values are written under, and deactivates the one before it: searches still ask
    /// for its values. Then index the stored rows anew; when none is left under the former index root, it may be
    /// [destroyed](Self::destroy).
    ///
    /// # Errors
    ///
    /// Those of [`promote`](Self::promote), of an index root.
    pub async fn promote_index_root(
        &self,
        keyspace: &str,
        root: KeyId,
        now: SystemTime,
        staging_time: Duration,
    ) -> Result<KeyringFile, Error> {
        let (opened, over) = self.open(keyspace).await?;
        let file = opened.promote(KeyUse::Index, root, unix_seconds(now), staging_time)?;
        self.publish(file, over, KeyChange::IndexRootPromoted(root)).await
    }

    /// Makes a new primary index root at once, and deactivates the one before it. Use it if only one process holds the keyring: others do
    /// not find what is written under the new index root until they refresh.
    ///
    /// # Errors
    ///
    /// Those of [`rotate`](Self::rotate).
    pub async fn rotate_index_root(&self, keyspace: &str) -> Result<(KeyringFile, KeyId), Error> {
        let (opened, over) = self.open(keyspace).await?;
        let (file, id) = opened.rotate(KeyUse::Index, &self.indexes, self.clock.unix_now())?;
        Ok((self.publish(file, over, KeyChange::IndexRootRotated(id)).await?, id))
    }
}

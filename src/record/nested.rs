//! Finding what earlier releases sealed inside other values.

use super::reader::{OpenPass, RecordReader, TokenForm};
use crate::error::Error;
use crate::field::Field;
use crate::id::KeyId;
use crate::payload;
use crate::token::Token;

impl RecordReader {
    /// The keys of the tokens, and of the wrapped subject keys, *inside* the value of a token: one for each of them, in their
    /// order; none where there is nothing to do.
    ///
    /// Sealing refuses such a value (`token-inside`), but release 0.1.0 took one that had a sealed field inside. It opens. But
    /// no count sees the keys inside, and the inner fields are lost with them: **ask for these before a key is destroyed**. Open
    /// what has some with its old type, and seal it as one that is plain inside. A token inside a token inside a token is told of
    /// when its outer one is gone.
    ///
    /// An opening, of which the observer hears. The value itself is not returned.
    ///
    /// ```
    /// use rxseal::phi::Note;
    /// # fn main() -> Result<(), rxseal::Error> {
    /// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
    /// # let rec = keys.record("prescription", "RX-1001")?;
    /// # let token = rec.seal::<Note>(&vec!["takes it with food"])?;
    /// let access = rxseal::Access::new("job:before-destroy", rxseal::Purpose::HOPERAT)?;
    /// let nested = rec.opened_by(&access).nested_keys::<Note>(&token)?;
    /// assert!(nested.is_empty(), "{} sealed fields inside, under {nested:?}", nested.len());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`open`](Self::open), but for `type-mismatch`.
    pub fn nested_keys<F: Field>(&self, token: &Token) -> Result<Vec<KeyId>, Error> {
        self.open_fields(|pass| pass.nested_keys::<F>(token))
    }
}

impl OpenPass<'_> {
    /// As [`RecordReader::nested_keys`]: for a page of rows, with [`open_page`](crate::page::open_page).
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::nested_keys`].
    pub fn nested_keys<F: Field>(&mut self, token: &Token) -> Result<Vec<KeyId>, Error> {
        let Self { core, state } = self;
        let keys = &core.shared().keys;
        let nested = TokenForm::Bytes(token.as_bytes()).with_room(|token, room| {
            let content = state.open::<F>(core, token, room)?;
            Ok(payload::nested_keys(content, |key_id| keys.knows(key_id)))
        });
        nested.map_err(|error| core.located::<F>(error)).inspect_err(|error| state.note_failure(error))
    }
}

//! Finds tokens that earlier releases sealed inside other values.

use super::reader::{OpenPass, RecordReader, TokenForm};
use crate::error::Error;
use crate::field::{Declaration, Field};
use crate::id::KeyId;
use crate::payload;
use crate::token::Token;

impl RecordReader {
    /// The key ids of the tokens, and of the wrapped subject keys, *inside* the value of a token. There is one for each of them, in their
    /// order, and none if there is nothing to do.
    ///
    /// Sealing refuses such a value (`token-inside`), but release 0.1.0 accepted one that had a sealed field inside. It still opens. But
    /// no count sees the keys inside, and the inner fields are lost with these keys. So **call this before you destroy a key**. If it
    /// returns any key id, open the value with its old type and seal it as a type that is plain inside. Of tokens that are nested
    /// three deep, the innermost shows only after that.
    ///
    /// This is an opening, and the observer is told of it. The value itself is not returned.
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
    /// Those of [`open`](Self::open), except `type-mismatch`.
    pub fn nested_keys<F: Field>(&self, token: &Token) -> Result<Vec<KeyId>, Error> {
        self.open_alone(|pass| pass.nested_keys::<F>(token))
    }
}

impl OpenPass<'_> {
    /// The same as [`RecordReader::nested_keys`], for a page of rows with [`open_page`](crate::page::open_page).
    ///
    /// # Errors
    ///
    /// Those of [`RecordReader::nested_keys`].
    pub fn nested_keys<F: Field>(&mut self, token: &Token) -> Result<Vec<KeyId>, Error> {
        let Self { core, state } = self;
        let field = Declaration::of::<F>();
        let keys = &core.shared().keys;
        let nested = TokenForm::Bytes(token.as_bytes()).with_room(|token, room| {
            let content = state.open(field, core, token, room)?;
            Ok(payload::nested_keys(content, |key_id| keys.knows(key_id)))
        });
        nested.map_err(|error| core.located(field.id, error)).inspect_err(|error| state.note_failed_field(error))
    }
}

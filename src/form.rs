//! The three forms of a field: `Sealing` for plain types, `Phi` for values that stay silent, `Sealed` for tokens that stay
//! sealed.

mod each;
mod index_value;
mod parts;
mod phi_value;
mod plain_reader;
mod plain_struct;
mod record_tag;
mod sealed;
mod sealing;
#[cfg(feature = "serde_with_3")]
mod serde_with;
mod token_reader;
mod typed;
mod wipe;

pub use each::Each;
pub use parts::Parts;
pub(crate) use parts::check_parts;
pub use phi_value::Phi;
pub use plain_struct::{read_plaintext, write_plaintext};
pub use sealed::{Sealed, SealedFrom};
pub use sealing::{OpenAs, SealAs, Sealing};
pub(crate) use token_reader::{Wanted, read_token};
pub use wipe::{NotWiped, Wipe};

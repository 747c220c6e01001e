// Where docs.rs finds what README.md links. The first definition of a label counts (CommonMark 4.7).
#![doc = include_str!("links.md")]
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![warn(
    explicit_outlives_requirements,
    meta_variable_misuse,
    missing_debug_implementations,
    redundant_lifetimes,
    rust_2018_idioms,
    trivial_casts,
    trivial_numeric_casts,
    unnameable_types,
    unreachable_pub,
    unused_lifetimes,
    unused_qualifications
)]
// Untrusted input reaches all of the library: it does not panic, wrap around or cut off. Its unit tests may.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::get_unwrap,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_in_result,
        clippy::unwrap_used
    ),
    warn(
        clippy::pedantic,
        clippy::allow_attributes,
        clippy::allow_attributes_without_reason,
        clippy::dbg_macro,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::todo,
        clippy::unimplemented
    ),
    allow(
        clippy::elidable_lifetime_names,
        clippy::many_single_char_names,
        clippy::single_match_else,
        clippy::struct_field_names,
        reason = "a matter of taste, and ours is another"
    )
)]

mod access;
mod admin;
mod aead;
mod backend;
mod clock;
mod codec;
pub mod columns;
mod context;
pub mod count;
mod disk;
mod error;
mod field;
mod form;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod handles;
mod id;
pub mod index;
#[cfg(any(feature = "schemars_1", feature = "utoipa_5"))]
mod json_schema;
mod kdf;
mod key;
mod keyring;
#[cfg(unix)]
mod local_start;
mod loopback;
#[cfg(feature = "keyring-manager")]
mod manager;
pub mod migrating;
pub mod observe;
mod payload;
pub mod phi;
pub mod provider;
mod random;
mod read_through;
mod record;
mod record_tag;
pub mod records;
mod root_key;
#[cfg(feature = "tokio_1")]
mod runtime;
pub mod schema;
mod scope;
mod scratch;
mod secret;
pub mod store;
mod subject_admin;
#[cfg(feature = "subject-keys")]
mod subject_keys;
#[cfg(any(test, feature = "insecure-test-keys"))]
pub mod testing;
mod token;
#[cfg(test)]
mod vector_tests;

// A program of records
pub use access::{Access, Purpose, Recipient};
pub use error::{Error, ErrorCode};
pub use field::Field;
pub use form::{Each, Parts, Phi, Sealed, Sealing};
pub use handles::{Opener, RecordType, Sealer};
pub use id::{Class, FieldId, Identifier, KeyId};
pub use keyring::Keyring;
pub use record::{Record, RecordReader};
pub use record_tag::RecordTag;
pub use records::{PhiRecord, SealedRecord};
pub use root_key::run_local;
#[cfg(feature = "derive")]
#[doc = include_str!("records/derive.md")]
pub use rxseal_derive::PhiRecord;
#[cfg(feature = "derive")]
pub use rxseal_derive::Wipe;
pub use scope::{accept_plaintext, expose_plaintext};
pub use token::Token;

/// Keyrings: their files, how they are unlocked, and the life of the keys in them.
///
/// A program of records needs nothing of this but [`Unlocked`](keys::Unlocked), which says whether somebody hears of its openings.
/// Operators and deployment jobs make, rotate and destroy keys with a [`KeyringAdmin`](keys::KeyringAdmin). A service of many
/// tenants lets a `KeyringManager` (feature `keyring-manager`) unlock their keyrings and keep them up to date.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let (roots, first) = rxseal::testing::insecure_keyring_file("pharmacy-17")?;
/// use rxseal::keys::KeyringAdmin;
/// use rxseal::store::{KeyringStore, MemoryStore};
/// use rxseal::{Keyring, run_local};
/// let store = MemoryStore::default();
/// # run_local(store.put(&first, None))?;
/// let admin = KeyringAdmin::new(store, roots.clone());
/// let (stored, new_key) = run_local(admin.rotate("pharmacy-17"))?;
///
/// let keys = run_local(Keyring::unlock("pharmacy-17", &roots, &stored))?.unobserved();
/// assert_eq!(keys.primary_key(), new_key);
/// # Ok(())
/// # }
/// ```
pub mod keys {
    pub use crate::admin::{KeyringAdmin, RemainingUse, WrapCheck};
    pub use crate::aead::Suite;
    pub use crate::backend::Backend;
    pub use crate::key::{KeyInfo, KeyState, KeyUse, KeyringFile, WrapInfo};
    pub use crate::keyring::{UnlockOptions, Unlocked};
    #[cfg(feature = "keyring-manager")]
    pub use crate::manager::{KeyringManager, KeyringManagerBuilder};
}

/// Root keys: what unlocks a keyring.
///
/// A program names the root keys that it trusts in a [`RootKeys`](root::RootKeys). A [`RootKeyFile`](root::RootKeyFile) (Unix) or an
/// environment variable ([`LocalRootKey`](root::LocalRootKey)) is enough for one machine. In production take one of the crates
/// [rxseal-aws-kms](https://docs.rs/rxseal-aws-kms), [rxseal-vault](https://docs.rs/rxseal-vault) and
/// [rxseal-pkcs11](https://docs.rs/rxseal-pkcs11), or implement [`RootKey`](root::RootKey) for a key service of your own.
///
/// ```no_run
/// use rxseal::root::{RootKeyFile, RootKeys};
/// // The first one that answers unlocks; the second is an escrow key for the day when the first is lost.
/// let roots = RootKeys::from(RootKeyFile::new("/etc/pharmacy/root.key").load()?)
///     .and(RootKeyFile::new("/mnt/escrow/root.key").load()?);
/// # Ok::<(), rxseal::Error>(())
/// ```
pub mod root {
    pub use crate::root_key::LocalRootKey;
    #[cfg(unix)]
    pub use crate::root_key::RootKeyFile;
    pub use crate::root_key::{RootKey, RootKeys};
}

/// The keys of single patients, which can be shredded.
///
/// Give a record a subject, and its fields need the patient's own key beside the keyring. Destroy that key with a
/// [`SubjectAdmin`](subjects::SubjectAdmin), and every copy of the patient's fields is gone, in every backup. A service keeps the keys
/// in a [`SubjectKeyStore`](store::SubjectKeyStore) and gets them from a `SubjectKeys` (feature `subject-keys`).
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// use rxseal::phi::Drug;
/// let (patient, wrapped) = keys.create_subject_key("P-7")?;
/// // Store `wrapped`, apart from the data.
/// let record = keys.record("prescription", "RX-1001")?.subject(&patient)?;
/// let token = record.seal::<Drug>("warfarin 5 MG")?;
///
/// let patient = keys.unwrap_subject_key("P-7", &wrapped)?;
/// let record = keys.record("prescription", "RX-1001")?.subject(&patient)?;
/// # let access = rxseal::Access::new("user:kim.rph", rxseal::Purpose::TREAT)?;
/// let drug: String = record.opened_by(&access).open::<Drug, _>(&token)?;
/// # assert_eq!(drug, "warfarin 5 MG");
/// # Ok(())
/// # }
/// ```
pub mod subjects {
    pub use crate::key::{SubjectKey, WrappedSubjectKey};
    pub use crate::subject_admin::{IndexToClear, Reapplied, RewrapReport, ShredLog, ShredReceipt, SubjectAdmin};
    #[cfg(feature = "subject-keys")]
    pub use crate::subject_keys::{LoadedSubjects, SubjectKeys};
}

/// Sealing, opening and resealing many records at once, field by field.
///
/// An import, an export or a job works by page: random bytes are drawn once for 256 records, and the observer hears of one opening
/// for the whole page. Each function calls a closure for every record, with its place and a pass. The closure returns
/// [`Error`]; the functions with `try_` in their name take one with an error type of its own. For one record there are
/// [`Record::seal_fields`](crate::Record::seal_fields) and [`RecordReader::open_fields`](crate::RecordReader::open_fields), with the same
/// passes.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// # let access = rxseal::Access::new("job:label-printer", rxseal::Purpose::TREAT)?;
/// use rxseal::page::{open_page, seal_page};
/// use rxseal::{Sealed, phi};
/// struct Row {
///     drug: Sealed<String, phi::Drug>,
///     directions: Sealed<String, phi::Directions>,
/// }
/// let texts = [("warfarin 5 MG", "one daily"), ("lisinopril 10 MG", "two daily")];
/// let records = [keys.record("prescription", 1001)?, keys.record("prescription", 1002)?];
/// let rows = seal_page(&records, |at, pass| {
///     let (drug, directions) = texts[at];
///     Ok(Row { drug: pass.seal_field(drug)?, directions: pass.seal_field(directions)? })
/// })?;
/// let drugs = open_page(&records, &access, |at, pass| pass.open_field(&rows[at].drug))?;
/// assert_eq!(drugs, ["warfarin 5 MG", "lisinopril 10 MG"]);
/// # Ok(())
/// # }
/// ```
pub mod page {
    pub use crate::record::{
        Backfilled, BackfilledRow, Candidate, OpenPass, RebindPass, ResealPass, SealPass, open_candidates, open_page,
        rebind_page, reseal_page, seal_page, try_open_page, try_rebind_page, try_reseal_page, try_seal_page,
    };
}

/// Roles as types: whether a record may seal, open or both.
///
/// A record of a keyring does both, one of a [`Sealer`] only seals, one of an [`Opener`] only opens. What
/// a role lacks does not compile. You need these names to write a function or a type of your own that takes records of any role.
///
/// ```
/// # fn main() -> Result<(), rxseal::Error> {
/// # let keys = rxseal::testing::insecure_keyring("pharmacy-17")?.unobserved();
/// use rxseal::roles::MaySeal;
/// use rxseal::{Error, Record, Token, phi::Drug};
///
/// fn intake<R: MaySeal>(record: &Record<R>, drug: &str) -> Result<Token, Error> {
///     record.seal::<Drug>(drug)
/// }
/// intake(&keys.record("prescription", 1001)?, "warfarin 5 MG")?;
/// intake(&keys.sealer().record("prescription", 1001)?, "warfarin 5 MG")?;
/// # Ok(())
/// # }
/// ```
pub mod roles {
    pub use crate::record::{IndexOnly, MayOpen, MaySeal, NotAuthentic, OpenOnly, Role, SealAndOpen, SealOnly};
}

/// What the forms of a field are made with. A program rarely names these.
///
/// [`Wipe`](forms::Wipe) says how a [`Phi`] overwrites a type of yours, and [`NotWiped`](forms::NotWiped) that it cannot.
/// [`SealAs`](forms::SealAs), [`OpenAs`](forms::OpenAs) and [`SealedFrom`](forms::SealedFrom) are the bounds of [`Sealing`] and its like.
/// The others are what
/// `record.sealing(..)`, `opening()` and [`expose_plaintext`] return.
///
/// ```
/// use rxseal::forms::NotWiped;
/// use rxseal::{Phi, phi};
///
/// /// A `SystemTime` is a type of another crate, and cannot be wiped: the program says so.
/// struct Fill {
///     filled: Phi<NotWiped<std::time::SystemTime>, phi::FillDate>,
/// }
/// ```
pub mod forms {
    pub use crate::form::{NotWiped, OpenAs, SealAs, SealedFrom, Wipe};
    pub use crate::scope::{ExposedPlaintext, RecordOpening, RecordSealing};
}

/// What macros write. No program names anything of it.
#[doc(hidden)]
pub mod __private {
    pub use crate::field::private::{Declaration, all_distinct, declaration, starts_with};
    pub use crate::form::{read_plaintext, write_plaintext};
    pub use crate::id::joined_id;
    pub use crate::index::{check_index, check_searchable};
    pub use crate::records::{
        BoundValue, CannotWipe, ClearField, ClearOf, ContentOf, Describer, FieldIds, HiddenField, IndexOf, IsOption,
        Known, ListOf, NoContent, NoList, NoSubject, RecordIds, RecordOpener, RecordSealer, RowIndexer, ScaledValue,
        SubjectOf, TokenChange, TokenVisit, Unindexed, Wiping, assert_columns, assert_made_of, assert_not_made_of,
        assert_record_type, assert_unique, highest, sum,
    };
    pub use serde;
    #[cfg(feature = "utoipa_5")]
    pub use utoipa;
}

//! Every way in which a call can fail, with its text and its code.

use thiserror::Error;

use super::code::ErrorCode;

/// Why a keyring file, a root key or a name was refused. It is constant text, so it never quotes input.
pub(crate) type Reason = &'static str;

/// No variant has a payload: see "No unwritten room" in `secret`. Details are in fields of the `Error`, which are always written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum ErrorKind {
    // Tokens and values
    #[error("this is not an rxseal token; plaintext is never read in place of a sealed value")]
    NotAToken,
    #[error(
        "no rxseal token could be read here: the input is something else or is cut off, or the format cannot return it; \
         plaintext is never read in place of a sealed value"
    )]
    Unreadable,
    #[cfg(any(
        feature = "diesel_2",
        feature = "postgres_types_0_2",
        feature = "rusqlite_0_39",
        feature = "sea_orm_2",
        feature = "sqlx_0_9"
    ))]
    #[error("the column does not hold an rxseal token")]
    NoTokenInColumn,
    #[error(
        "the value is plaintext, and this keyring has no permit to read the field's plaintext: seal it, or give the keyring \
         a `ReadThrough` while the column is being migrated"
    )]
    PlaintextNotPermitted,
    #[error(
        "the permit to read or write plaintext of the field has ended: finish the migration, or have a later day approved \
         and put it into the code"
    )]
    ReadThroughEnded,
    #[error(
        "the value was read as plaintext and is not written back as plaintext: call `rewrite` for it, which seals it, and \
         write what that returns"
    )]
    PlaintextHeld,
    #[error(
        "the token cannot be opened: it was changed, or sealed for another record, field or tenant, or with another \
         subject or none; rxseal cannot tell which"
    )]
    OpenFailed,
    #[error("the key is not in this keyring: load its newest generation, or check the keyspace and the key id")]
    UnknownKey,
    #[error("the index root is not in this keyring: load its newest generation, or check the keyspace and the id")]
    UnknownIndexRoot,
    #[error(
        "the key is marked compromised, so what is under it may be forged: to accept that, use `open_compromised`, \
         `reseal_compromised` or `rewrap_subject_key_compromised`"
    )]
    KeyCompromised,
    #[error("the key was destroyed, and everything sealed under it is lost")]
    KeyDestroyed,
    #[error("the sealed value is authentic, but not of the type that was asked for")]
    TypeMismatch,
    #[error("the input is not a value of the field's type: it is of another type, missing or cut off")]
    ValueMismatch,
    #[error("the value is larger than the field's limit")]
    TooLarge,
    #[error("a float that is infinite or not a number cannot be sealed, because JSON has no text for it")]
    NotFinite,
    #[error(
        "the value cannot be sealed: its Serialize failed, it nests deeper than 100 levels, a map in it has keys that \
         JSON cannot hold or writes alike, or an option in it would be read as absent (`Some(None)`, `Some(())`)"
    )]
    Unrepresentable,
    #[error(
        "the value would not come back: its `Deserialize` refuses or changes what its `Serialize` writes. Make its serde \
         attributes fit each other (only debug builds check this)"
    )]
    NotReadBack,
    #[error(
        "the value is itself a token, a wrapped subject key or a record tag: open it first, or store it beside the sealed \
         fields, a token in a field of type `Sealed`"
    )]
    TokenAsPlaintext,
    #[error(
        "the value contains a token, a wrapped subject key, a record tag or a field that is sealed on its own; inside a \
         sealed value no reseal, count or destruction of a key could see it. Use plain types inside it, seal such fields \
         beside it, or seal `expose_plaintext(&value)`"
    )]
    TokenInside,
    #[error(
        "a `Phi` cannot be sealed as a value or inside one: seal it with `phi.seal(&record)` and open it with \
         `sealed.open_phi(&reader)`. Inside a struct that is sealed as one value, use plain types, or seal \
         `expose_plaintext(&value)`"
    )]
    PhiInside,

    // Record tags
    #[error(
        "the record has no tag: its column is null or empty, or the record was never sealed. Seal a new record before \
         you store it, and compare a stored row with its backups"
    )]
    TagMissing,
    #[error(
        "this is not a record tag, but cut off or another value: find out what wrote it, and restore the row from a backup"
    )]
    NotATag,
    #[error(
        "the record is not as it was sealed: a field, a bound value or the tag was changed, removed, or taken from another \
         record or an older state of this one; rxseal cannot tell which. Compare the row with its backups; \
         `open_unverified` still reads it"
    )]
    TagRefused,
    #[error(
        "the record is older than the minimum that was asked for: compare it with its backups, since an old row may have been \
         put back, or reseal it if it was never resealed"
    )]
    TagTooOld,
    #[error(
        "the record's tag covers fields that this program does not know: deploy the newer release that made the tag"
    )]
    CoverUnknown,
    #[error("a clear value cannot be covered by a record tag")]
    ClearRefused,
    #[error("the cell is not what the schema says of its field")]
    CellRefused,
    #[error(
        "the record's tag has the highest version that there is, so no further one can be made: find out what sealed it so often"
    )]
    VersionSpent,

    // Search
    #[error("the value cannot be indexed")]
    NotIndexable,
    #[error("the number's check digit is wrong: correct the number, or declare the index `lenient`")]
    BadCheckDigit,
    #[error("nothing is left to search for: ask for more input. A search for nothing never finds everything")]
    EmptyQuery,
    #[error("the query asks for more than 1,024 values: ask for fewer inputs at once")]
    QueryTooLarge,
    #[error(
        "this is no value of the index: it is of another index, cut off, or was made under a definition that is not listed"
    )]
    IndexUnreadable,
    #[error("the index has slots, and nothing says whose they are: give the record its subject")]
    IndexOwnerMissing,
    #[error(
        "the stored index value is not that of the record: the field or the column was changed without the other, or the \
         row was never indexed. Index the row anew"
    )]
    IndexStale,
    #[error(
        "two index roots or definitions of the index make values with one prefix, so nobody could tell them apart: destroy \
         the index root if it is staged, or change the definition"
    )]
    IndexPrefixCollision,
    #[error("the index is of another record type than the record: use an index of the record's own type")]
    IndexMismatch,
    #[error("the keyring was unlocked without its index roots: unlock it with `UnlockOptions::with_index_roots()`")]
    IndexRootsMissing,

    // Scopes and roles
    #[error(
        "a sealed field was written or read outside of a scope. To write, use `record.sealing(&value)` or `run_sealing`; \
         to read, `record.opened_by(&access).opening()` or `run_opening`; for an authorised client, `expose_plaintext` or \
         `accept_plaintext`"
    )]
    ScopeMissing,
    #[error(
        "a task wrote or read a sealed field in a scope that another task entered. Run no other task inside a scope's \
         closure (`block_on` does): await it first, then enter the scope"
    )]
    ScopeOfAnotherTask,
    #[error("the active scope")]
    WrongDirection,
    #[error("this sealer or opener is limited to classes that do not include this field's")]
    ClassLocked,
    #[error("the observer refused this opening")]
    RefusedByObserver,
    #[error("the work inside the scope failed")]
    WorkFailed,
    #[error(
        "the input is not valid: it is malformed or cut off, or something in it is missing, unknown or of another type"
    )]
    InvalidInput,

    // Misuse by the program
    #[error(
        "this field id was already sealed in this pass, and two tokens of one field in one record could be swapped. Put \
         repeated values into one list or one `Each`, or give each its own `record.part(..)`; if a format writes each row \
         twice (csv with headers, bincode 1), use `record.sealing(&row)` instead of `run_sealing`"
    )]
    FieldRepeated,
    #[error("a program may use at most 32 classes")]
    TooManyClasses,
    #[error("a plaintext scope cannot be nested in another scope, and no other scope can be nested in it")]
    PlaintextNested,
    #[error(
        "this provider waits for a network or a device: await the call in your async runtime instead of `run_local`"
    )]
    RuntimeNeeded,
    #[error("the subject key is of another keyspace, or the record already has a subject")]
    SubjectMismatch,
    #[error("the records are of different keyspaces, or of keyrings that were unlocked separately")]
    KeyspaceMismatch,

    // Names and settings
    #[error("is not valid")]
    InvalidId,
    #[error("the access is not valid")]
    InvalidAccess,

    #[error("the schema is not valid")]
    InvalidSchema,

    // Keyrings
    #[error("the keyring file is not valid")]
    InvalidKeyring,
    #[error("the keyring file is of another keyspace than the one asked for")]
    KeyringMismatch,
    #[error(
        "the keyring file is of an older generation than the minimum asked for, or than one that was seen before. If a \
         backup was put back, put the newest generation back"
    )]
    KeyringTooOld,
    #[error(
        "an older keyring was restored and then changed, and what was sealed in between is lost with it. Put the newest \
         generation back, or restart every program to accept the loss; the stored keyring was not made from the newest \
         one seen here"
    )]
    KeyringForked,
    #[error(
        "the keyring does not contain the pinned key: check the fingerprint, and whether this is the right keyring"
    )]
    PinMismatch,
    #[error("this keyring was made for other root keys than those given: give one of the root keys that wrap it")]
    RootKeyForeign,
    #[error("the keyring file has no wrap of this root key: add it, or do not rely on it")]
    NoSuchWrap,
    #[error(
        "no trusted root key unlocks this keyring: the wrap or the body was changed, or the provider returned a wrong key"
    )]
    UnlockFailed,
    #[error("the key cannot change to that state")]
    StateRefused,
    #[error("the index root cannot change to that state")]
    IndexRootStateRefused,
    #[error("clock skew: a stored time is in the future of this machine's clock, so one of two clocks is wrong")]
    ClockSkew,

    #[error(
        "tokens or subject keys are still under the key and would be lost with it; reseal and rewrap them, and count \
         again"
    )]
    KeyInUse,
    #[error(
        "index values are still under the index root, and no search would find them without it; index the rows anew, and \
         count again"
    )]
    IndexRootInUse,
    #[error("the count of zero proves nothing")]
    NotCounted,

    // Stores
    #[error(
        "the stored keyring or subject is not what this change was made from, because somebody else changed it. Nothing \
         was written: look at what is stored, and repeat the change"
    )]
    StoreConflict,
    #[error("the change is stored, but could not be read back: look at it before you repeat it")]
    StoredUnread,
    #[error("a keyring of this keyspace is stored already: use that one, or check the keyspace and the store")]
    KeyringExists,
    #[error("no keyring of this keyspace is stored: create it, or restore its file from a backup")]
    KeyringMissing,
    #[error(
        "the root key is there, but no keyring of this keyspace is: restore the keyring's file from its backup, because a \
         new keyring opens nothing that the old one sealed. For a new keyspace under this root key, call \
         `KeyringAdmin::create` once"
    )]
    KeyringLost,
    #[error(
        "the subject's key must be kept: a legal hold is on it, or its records must be kept until a time that has not \
         passed"
    )]
    SubjectRetained,
    #[error("that time has passed already and would keep nothing: give a later one, or none to end the retention")]
    RetentionPast,
    #[error(
        "a program may still hold the subject's key and write index values of it: clear the columns again when the receipt is effective, \
         and confirm it then"
    )]
    ClearedTooEarly,
    #[error(
        "the subject's key was shredded: everything sealed with it is lost for good, and the subject gets no other key"
    )]
    SubjectShredded,
    #[error("no key of this subject is stored, because nothing was sealed with it or its store was lost")]
    SubjectMissing,
    #[error(
        "the record has a subject, and no keys of subjects were given: load them, and use `keys.with_subjects(&loaded)`"
    )]
    SubjectsNotGiven,
    #[error(
        "records of this type are sealed with the key of their subject, and this record has none: give it with \
         `record.subject(&key)`, or make the record with `record_with(id, &key)`"
    )]
    SubjectNotGiven,
    #[error("the store is unavailable")]
    StoreUnavailable,
    #[error("the store refused the call")]
    StoreRefused,
    #[error("a file cannot be used at the moment")]
    FileUnavailable,
    #[error("a file cannot be used")]
    FileRefused,

    // The map
    #[error(
        "the map, which says where sealed data lies, has mistakes: correct each, since what a map leaves out is not counted"
    )]
    InvalidMap,
    // Jobs
    #[error("the job cannot be planned or run as it was asked for")]
    JobRefused,
    #[error("the worker does not have what the job was planned with")]
    JobMismatch,
    #[error(
        "the job stopped, because there is more plaintext than it left: find the program that writes it, then resume the job"
    )]
    JobStopped,

    // Root keys and subject keys
    #[error("the root key is not valid")]
    InvalidRootKey,
    #[error(
        "somebody else can read or change a file with a secret (a root key, a PIN, a token): give it to the user of this \
         process or to root, with mode 0600. If its group has to read it (0640, as with Kubernetes' fsGroup), call \
         `allow_group_read()`, or give the command --allow-group-read"
    )]
    RootKeyPermissions,
    #[error("the root key cannot be read or written")]
    RootKeyIo,
    #[error(
        "the folder holds keyrings, but the root key file is missing: restore it from its backup, because a new root key \
         unlocks none of them. To start again with nothing, name an empty folder for the keyrings"
    )]
    RootKeyMissing,
    #[error(
        "the root key would be inside the folder of the keyrings, so that one theft or one backup gets both. Name a path for \
         the root key outside of that folder"
    )]
    KeysTogether,
    #[error("the wrapped subject key is not valid")]
    InvalidSubjectKey,
    #[error("the wrapped subject key does not open: it was changed, or it is of another subject, keyspace or key")]
    SubjectKeyRefused,
    #[error("the root key provider is unavailable")]
    ProviderUnavailable,
    #[error("the root key provider refused the call")]
    ProviderRefused,
    #[error("the operating system gave no random bytes, so nothing was written")]
    RandomFailed,
    #[error("the cryptographic backend failed: it has no memory, or its self-test failed")]
    BackendFailed,
}

impl ErrorKind {
    pub(crate) fn code(self) -> ErrorCode {
        match self {
            Self::NotAToken
            | Self::Unreadable
            | Self::PlaintextNotPermitted
            | Self::ReadThroughEnded
            | Self::PlaintextHeld => ErrorCode::NotAToken,
            #[cfg(any(
                feature = "diesel_2",
                feature = "postgres_types_0_2",
                feature = "rusqlite_0_39",
                feature = "sea_orm_2",
                feature = "sqlx_0_9"
            ))]
            Self::NoTokenInColumn => ErrorCode::NotAToken,
            Self::OpenFailed => ErrorCode::OpenFailed,
            Self::UnknownKey | Self::UnknownIndexRoot => ErrorCode::UnknownKey,
            Self::KeyCompromised => ErrorCode::KeyCompromised,
            Self::KeyDestroyed => ErrorCode::KeyDestroyed,
            Self::TypeMismatch => ErrorCode::TypeMismatch,
            Self::ValueMismatch => ErrorCode::ValueMismatch,
            Self::TooLarge => ErrorCode::TooLarge,
            Self::NotFinite => ErrorCode::NotFinite,
            Self::Unrepresentable => ErrorCode::Unrepresentable,
            Self::NotReadBack => ErrorCode::NotReadBack,
            Self::TokenAsPlaintext => ErrorCode::TokenAsPlaintext,
            Self::TokenInside | Self::PhiInside => ErrorCode::TokenInside,
            Self::TagMissing => ErrorCode::TagMissing,
            Self::NotATag => ErrorCode::NotATag,
            Self::TagRefused => ErrorCode::TagRefused,
            Self::TagTooOld => ErrorCode::TagTooOld,
            Self::CoverUnknown => ErrorCode::CoverUnknown,
            Self::ClearRefused => ErrorCode::ClearRefused,
            Self::CellRefused => ErrorCode::CellRefused,
            Self::VersionSpent => ErrorCode::Unrepresentable,
            Self::NotIndexable => ErrorCode::NotIndexable,
            Self::BadCheckDigit => ErrorCode::BadCheckDigit,
            Self::EmptyQuery => ErrorCode::EmptyQuery,
            Self::QueryTooLarge => ErrorCode::QueryTooLarge,
            Self::IndexUnreadable => ErrorCode::IndexUnreadable,
            Self::IndexOwnerMissing => ErrorCode::IndexOwnerMissing,
            Self::IndexRootsMissing => ErrorCode::IndexRootsMissing,
            Self::IndexStale => ErrorCode::IndexStale,
            Self::IndexPrefixCollision => ErrorCode::IndexPrefixCollision,
            Self::IndexMismatch => ErrorCode::IndexMismatch,
            Self::ScopeMissing | Self::ScopeOfAnotherTask => ErrorCode::ScopeMissing,
            Self::WrongDirection => ErrorCode::WrongDirection,
            Self::ClassLocked => ErrorCode::ClassLocked,
            Self::RefusedByObserver => ErrorCode::RefusedByObserver,
            Self::WorkFailed => ErrorCode::WorkFailed,
            Self::InvalidInput => ErrorCode::InvalidInput,
            Self::FieldRepeated => ErrorCode::FieldRepeated,
            Self::TooManyClasses => ErrorCode::TooManyClasses,
            Self::PlaintextNested => ErrorCode::PlaintextNested,
            Self::RuntimeNeeded => ErrorCode::RuntimeNeeded,
            Self::SubjectMismatch => ErrorCode::SubjectMismatch,
            Self::KeyspaceMismatch => ErrorCode::KeyspaceMismatch,
            Self::InvalidId => ErrorCode::InvalidId,
            Self::InvalidAccess => ErrorCode::InvalidAccess,
            Self::InvalidSchema => ErrorCode::InvalidSchema,
            Self::InvalidKeyring => ErrorCode::InvalidKeyring,
            Self::KeyringMismatch => ErrorCode::KeyringMismatch,
            Self::KeyringTooOld | Self::KeyringForked => ErrorCode::KeyringTooOld,
            Self::PinMismatch => ErrorCode::PinMismatch,
            Self::RootKeyForeign | Self::NoSuchWrap | Self::UnlockFailed => ErrorCode::UnlockFailed,
            Self::StateRefused | Self::IndexRootStateRefused => ErrorCode::StateRefused,
            Self::ClockSkew => ErrorCode::ClockSkew,
            Self::KeyInUse | Self::IndexRootInUse => ErrorCode::KeyInUse,
            Self::NotCounted => ErrorCode::NotCounted,
            Self::StoreConflict | Self::KeyringExists => ErrorCode::StoreConflict,
            Self::StoredUnread => ErrorCode::StoredUnread,
            Self::KeyringMissing | Self::KeyringLost => ErrorCode::KeyringMissing,
            Self::JobRefused => ErrorCode::JobRefused,
            Self::JobMismatch => ErrorCode::JobMismatch,
            Self::JobStopped => ErrorCode::JobStopped,
            Self::SubjectRetained => ErrorCode::SubjectRetained,
            Self::RetentionPast => ErrorCode::RetentionPast,
            Self::ClearedTooEarly => ErrorCode::ClearedTooEarly,
            Self::SubjectShredded => ErrorCode::SubjectShredded,
            Self::SubjectMissing | Self::SubjectsNotGiven | Self::SubjectNotGiven => ErrorCode::SubjectMissing,
            Self::StoreUnavailable | Self::FileUnavailable => ErrorCode::StoreUnavailable,
            Self::StoreRefused | Self::FileRefused => ErrorCode::StoreRefused,
            Self::InvalidMap => ErrorCode::InvalidMap,
            Self::InvalidRootKey => ErrorCode::InvalidRootKey,
            Self::RootKeyPermissions => ErrorCode::RootKeyPermissions,
            Self::RootKeyIo => ErrorCode::RootKeyIo,
            Self::RootKeyMissing => ErrorCode::RootKeyMissing,
            Self::KeysTogether => ErrorCode::KeysTogether,
            Self::InvalidSubjectKey => ErrorCode::InvalidSubjectKey,
            Self::SubjectKeyRefused => ErrorCode::SubjectKeyRefused,
            Self::ProviderUnavailable => ErrorCode::ProviderUnavailable,
            Self::ProviderRefused => ErrorCode::ProviderRefused,
            Self::RandomFailed => ErrorCode::RandomFailed,
            Self::BackendFailed => ErrorCode::BackendFailed,
        }
    }

    /// Whether the cause never quotes what the caller was parsing: it is the path of a file, and why the file is unfit.
    pub(crate) fn has_own_cause(self) -> bool {
        matches!(
            self,
            Self::InvalidKeyring
                | Self::KeyringMismatch
                | Self::RootKeyForeign
                | Self::UnlockFailed
                | Self::FileUnavailable
                | Self::FileRefused
                | Self::InvalidRootKey
                | Self::RootKeyPermissions
                | Self::RootKeyIo
                | Self::RootKeyMissing
                | Self::KeyringLost
                | Self::KeysTogether
        )
    }

    pub(crate) fn is_api_misuse(self) -> bool {
        matches!(
            self,
            Self::FieldRepeated
                | Self::NotReadBack
                | Self::SubjectsNotGiven
                | Self::SubjectNotGiven
                | Self::TooManyClasses
                | Self::PlaintextNested
                | Self::RuntimeNeeded
                | Self::SubjectMismatch
                | Self::KeyspaceMismatch
                | Self::IndexMismatch
                | Self::IndexOwnerMissing
                | Self::IndexRootsMissing
        )
    }

    /// Whether the error of a serde adapter fails its whole scope even if the format or the type swallowed it
    /// (an untagged enum, `DefaultOnError`). All do except two: an untagged enum tries its variants, and a value that is not a
    /// `T` tells it to try the next.
    pub(crate) fn is_sticky(self) -> bool {
        !matches!(self, Self::TypeMismatch | Self::ValueMismatch)
    }
}

//! Every way in which a call can fail, with its text and its code.

use thiserror::Error;

/// Why a keyring file, a root key or a name was refused: constant text, so that no input is ever quoted.
pub(crate) type Reason = &'static str;

/// None of them holds anything: see "No unwritten room" in `secret`. What some of them say besides is in fields of the `Error`, which
/// are always written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum ErrorKind {
    // Tokens and values
    #[error("this is not an rxseal token; a plaintext value is never read where a sealed one belongs")]
    NotAToken,
    #[error(
        "no rxseal token could be read here: what stands here is something else or cut off, or the format cannot give it; a plaintext \
         value is never read where a sealed one belongs"
    )]
    Unreadable,
    #[cfg(any(feature = "rusqlite_0_39", feature = "sqlx_0_9"))]
    #[error("the column holds no rxseal token")]
    NoTokenInColumn,
    #[error(
        "the token cannot be opened: it was sealed for another record, field or tenant, with another subject or with none, or it \
             was changed; which of these cannot be told"
    )]
    OpenFailed,
    #[error("the key is not in this keyring: load its newest generation, or check the keyspace and the key's id")]
    UnknownKey,
    #[error(
        "the key is marked compromised: use the call that says so (`open_compromised`, `reseal_compromised`, \
         `rewrap_subject_key_compromised`); what it yields may be forged"
    )]
    KeyCompromised,
    #[error("the key was destroyed: what was sealed under it is gone")]
    KeyDestroyed,
    #[error("the sealed value is authentic but not of the asked type")]
    TypeMismatch,
    #[error("what was sent is no value of the field's type: it is of another type, missing or cut off")]
    ValueMismatch,
    #[error("the value is larger than the field's limit")]
    TooLarge,
    #[error("a float that is not a number or infinite cannot be sealed: JSON has no text for it and would lose it")]
    NotFinite,
    #[error(
        "the value cannot be sealed: its Serialize failed, it nests deeper than 100 levels, a map in it has keys that JSON cannot \
             hold or writes alike, or an option in it is present but would be read as absent (`Some(None)`, `Some(())`)"
    )]
    Unrepresentable,
    #[error(
        "the value is itself a sealed token or a wrapped subject key: open it first, or keep it beside the sealed fields, in a field \
             of type `Sealed`"
    )]
    TokenAsPlaintext,
    #[error(
        "the value holds a token or a wrapped subject key, or has a field that is sealed on its own: inside a sealed value no reseal, \
             count or destruction of a key could see it. Use plain types inside it, put the sealed fields beside it, or seal \
             `expose_plaintext(&value)`; what an earlier release sealed so, open and seal as such a value"
    )]
    TokenInside,

    // Scopes and roles
    #[error(
        "a sealed field was written or read outside of a scope: use `record.sealing(&value)` or `run_sealing` to \
             write, `record.opened_by(&access).opening()` or `run_opening` to read, `expose_plaintext` or `accept_plaintext` \
             for an authorised client"
    )]
    ScopeMissing,
    #[error(
        "a task wrote or read a sealed field in a scope that another task has entered: do not run other tasks inside the closure of a \
             scope (`block_on` does); await first, and enter the scope afterwards"
    )]
    ScopeOfAnotherTask,
    #[error("the active scope")]
    WrongDirection,
    #[error("the class of this field is outside what this sealer or opener was limited to")]
    ClassLocked,
    #[error("the observer refused this opening")]
    RefusedByObserver,
    #[error("the work inside the scope failed")]
    WorkFailed,
    #[error(
        "what was read is not valid: it is malformed or cut off, or something in it is missing, unknown or of another type"
    )]
    InvalidInput,

    // Misuse by the program
    #[error(
        "this field id was already sealed in this pass: two tokens of one field in one record could be swapped. Put \
             the repeated values under one marker as a list or as one `Each`, or give each its own `record.part(..)`. Where a format \
             writes each row twice (csv with headers, bincode 1), use `record.sealing(&row)` instead of `run_sealing`"
    )]
    FieldRepeated,
    #[error("a program may use at most 32 classes")]
    TooManyClasses,
    #[error("a plaintext scope cannot be nested in another scope, nor another scope in it")]
    PlaintextNested,
    #[error(
        "this provider waits for a network or a device: await the call in your async runtime instead of `run_local`"
    )]
    RuntimeNeeded,
    #[error("the subject key is of another keyspace, or the record has a subject already")]
    SubjectMismatch,
    #[error("the records are of different keyspaces, or of keyrings that were unlocked apart")]
    KeyspaceMismatch,

    // Names and settings
    #[error("is not valid")]
    InvalidId,
    #[error("the access is not valid")]
    InvalidAccess,

    // Keyrings
    #[error("the keyring file is not valid")]
    InvalidKeyring,
    #[error("the keyring file is of another keyspace than the one asked for")]
    KeyringMismatch,
    #[error(
        "the keyring file is of an older generation than the minimum asked for, or than one that was seen before: was a backup put \
             back? Its newest generation is needed"
    )]
    KeyringTooOld,
    #[error(
        "the stored keyring was not made from the newest one that was seen here: an older one was restored and changed after that. What \
             was sealed or settled since is lost with it: put the newest generation back, or restart every program to accept the loss"
    )]
    KeyringForked,
    #[error("the keyring does not contain the pinned key")]
    PinMismatch,
    #[error("no trusted root key has a wrap in this keyring file: it is wrapped by others")]
    RootKeyForeign,
    #[error("the keyring file has no wrap of this root key: add it, or do not rely on it")]
    NoSuchWrap,
    #[error(
        "no trusted root key unlocks this keyring: the wrap or the body was changed, or the provider gave a wrong key"
    )]
    UnlockFailed,
    #[error("the key cannot change to that state")]
    StateRefused,
    #[error(
        "clock skew: a time that was written down is in the future for this machine, so one of two clocks is wrong"
    )]
    ClockSkew,

    #[error(
        "tokens or subject keys are still under the key, and would be lost: reseal and rewrap them first, and count again"
    )]
    KeyInUse,
    #[error("a zero was counted that says nothing")]
    NotCounted,

    // Stores
    #[error(
        "what is stored (the keyring, or what is known of the subject) is not what this change was made from: somebody else changed \
             it. Nothing was written: look at it and repeat the change"
    )]
    StoreConflict,
    #[error("the change is stored, but could not be read back: look at it before you repeat it")]
    StoredUnread,
    #[error("a keyring of this keyspace is stored already: look at that one")]
    KeyringExists,
    #[error("no keyring of this keyspace is stored: create it, or restore its file from a backup")]
    KeyringMissing,
    #[error(
        "the root key is there, but no keyring of this keyspace is: restore the keyring's file from its backup, since a new keyring \
         opens nothing of the old one. For a new keyspace under this root key call `KeyringAdmin::create` once"
    )]
    KeyringLost,
    #[error(
        "the subject's key must be kept: a legal hold is on it, or the time for which its records must be kept has not passed"
    )]
    SubjectRetained,
    #[error("that time has passed already, and would keep nothing: say a later one, or none to let go")]
    RetentionPast,
    #[error("the subject's key was shredded: what was sealed with it is gone for good, and it gets no other key")]
    SubjectShredded,
    #[error("no key of this subject is stored: nothing was sealed with it, or its store was lost")]
    SubjectMissing,
    #[error("the store is unavailable")]
    StoreUnavailable,
    #[error("the store refused")]
    StoreRefused,

    // Root keys and subject keys
    #[error("the root key is not valid")]
    InvalidRootKey,
    #[error(
        "a file with a secret (a root key, a PIN, a token) can be read or changed by somebody else: give it to the user of this \
             process or to root, with mode 0600. For one that a group reads (0640, as Kubernetes' fsGroup has it) call \
             `allow_group_read()`, or give the command --allow-group-read"
    )]
    RootKeyPermissions,
    #[error("the root key cannot be read or written")]
    RootKeyIo,
    #[error(
        "the folder holds keyrings, but the root key file is not there: restore it from its backup, since a new root key unlocks none \
         of them. To start anew, name an empty folder for the keyrings"
    )]
    RootKeyMissing,
    #[error(
        "the root key would be inside the folder of the keyrings, where one theft or one backup has both. Name a path outside of that \
         folder for the root key"
    )]
    KeysTogether,
    #[error("the wrapped subject key is not valid")]
    InvalidSubjectKey,
    #[error("the wrapped subject key does not open: it is of another subject, keyspace or key, or it was changed")]
    SubjectKeyRefused,
    #[error("the root key provider is unavailable")]
    ProviderUnavailable,
    #[error("the root key provider refused")]
    ProviderRefused,
    #[error("the operating system gave no random bytes; nothing was written")]
    RandomFailed,
    #[error("the cryptographic backend failed: it has no memory, or its self-test failed")]
    BackendFailed,
}

impl ErrorKind {
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotAToken | Self::Unreadable => "not-a-token",
            #[cfg(any(feature = "rusqlite_0_39", feature = "sqlx_0_9"))]
            Self::NoTokenInColumn => "not-a-token",
            Self::OpenFailed => "open-failed",
            Self::UnknownKey => "unknown-key",
            Self::KeyCompromised => "key-compromised",
            Self::KeyDestroyed => "key-destroyed",
            Self::TypeMismatch => "type-mismatch",
            Self::ValueMismatch => "value-mismatch",
            Self::TooLarge => "too-large",
            Self::NotFinite => "not-finite",
            Self::Unrepresentable => "unrepresentable",
            Self::TokenAsPlaintext => "token-as-plaintext",
            Self::TokenInside => "token-inside",
            Self::ScopeMissing | Self::ScopeOfAnotherTask => "scope-missing",
            Self::WrongDirection => "wrong-direction",
            Self::ClassLocked => "class-locked",
            Self::RefusedByObserver => "refused-by-observer",
            Self::WorkFailed => "work-failed",
            Self::InvalidInput => "invalid-input",
            Self::FieldRepeated => "field-repeated",
            Self::TooManyClasses => "too-many-classes",
            Self::PlaintextNested => "plaintext-nested",
            Self::RuntimeNeeded => "runtime-needed",
            Self::SubjectMismatch => "subject-mismatch",
            Self::KeyspaceMismatch => "keyspace-mismatch",
            Self::InvalidId => "invalid-id",
            Self::InvalidAccess => "invalid-access",
            Self::InvalidKeyring => "invalid-keyring",
            Self::KeyringMismatch => "keyring-mismatch",
            Self::KeyringTooOld => "keyring-too-old",
            Self::KeyringForked => "keyring-too-old",
            Self::PinMismatch => "pin-mismatch",
            Self::RootKeyForeign | Self::NoSuchWrap | Self::UnlockFailed => "unlock-failed",
            Self::StateRefused => "state-refused",
            Self::ClockSkew => "clock-skew",
            Self::KeyInUse => "key-in-use",
            Self::NotCounted => "not-counted",
            Self::StoreConflict | Self::KeyringExists => "store-conflict",
            Self::StoredUnread => "stored-unread",
            Self::KeyringMissing | Self::KeyringLost => "keyring-missing",
            Self::SubjectRetained => "subject-retained",
            Self::RetentionPast => "retention-past",
            Self::SubjectShredded => "subject-shredded",
            Self::SubjectMissing => "subject-missing",
            Self::StoreUnavailable => "store-unavailable",
            Self::StoreRefused => "store-refused",
            Self::InvalidRootKey => "invalid-root-key",
            Self::RootKeyPermissions => "root-key-permissions",
            Self::RootKeyIo => "root-key-io",
            Self::RootKeyMissing => "root-key-missing",
            Self::KeysTogether => "keys-together",
            Self::InvalidSubjectKey => "invalid-subject-key",
            Self::SubjectKeyRefused => "subject-key-refused",
            Self::ProviderUnavailable => "provider-unavailable",
            Self::ProviderRefused => "provider-refused",
            Self::RandomFailed => "random-failed",
            Self::BackendFailed => "backend-failed",
        }
    }

    /// Whether the cause never quotes what a caller was parsing: it is the path of a file, and why it is unfit.
    pub(crate) fn has_own_cause(self) -> bool {
        matches!(
            self,
            Self::InvalidRootKey
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
                | Self::TooManyClasses
                | Self::PlaintextNested
                | Self::RuntimeNeeded
                | Self::SubjectMismatch
                | Self::KeyspaceMismatch
        )
    }

    /// Whether the error of a serde adapter fails its whole scope even where the format or the type swallowed it
    /// (an untagged enum, `DefaultOnError`). All do but two: a value that is not a `T` is how a legal
    /// untagged enum looks for its variant.
    pub(crate) fn is_sticky(self) -> bool {
        !matches!(self, Self::TypeMismatch | Self::ValueMismatch)
    }
}

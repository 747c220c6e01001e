//! Which exit status goes with which code. The help and docs/COMMAND.md show this list, and tests/cli holds both to it.

use rxseal::ErrorCode;

pub const USAGE: u8 = 2;
pub const FAILED: u8 = 1;

pub struct Status {
    pub exit: u8,
    pub meaning: &'static str,
    /// Of the library: `ErrorCode` says what each means.
    pub codes: &'static [ErrorCode],
    /// Of the command alone.
    pub own: &'static [&'static str],
}

pub const STATUSES: &[Status] = &[
    Status { exit: 0, meaning: "done", codes: &[], own: &[] },
    Status {
        exit: FAILED,
        meaning: "failed: something is missing, damaged or invalid",
        codes: &[
            ErrorCode::BackendFailed,
            ErrorCode::BadCheckDigit,
            ErrorCode::CellRefused,
            ErrorCode::ClassLocked,
            ErrorCode::ClearRefused,
            ErrorCode::CoverUnknown,
            ErrorCode::EmptyQuery,
            ErrorCode::FieldRepeated,
            ErrorCode::IndexMismatch,
            ErrorCode::IndexOwnerMissing,
            ErrorCode::IndexPrefixCollision,
            ErrorCode::IndexRootsMissing,
            ErrorCode::IndexStale,
            ErrorCode::IndexUnreadable,
            ErrorCode::InvalidAccess,
            ErrorCode::InvalidId,
            ErrorCode::InvalidInput,
            ErrorCode::InvalidKeyring,
            ErrorCode::InvalidMap,
            ErrorCode::InvalidRootKey,
            ErrorCode::InvalidSchema,
            ErrorCode::InvalidSubjectKey,
            ErrorCode::JobMismatch,
            ErrorCode::JobRefused,
            ErrorCode::JobStopped,
            ErrorCode::KeyringMismatch,
            ErrorCode::KeyringMissing,
            ErrorCode::KeysTogether,
            ErrorCode::KeyspaceMismatch,
            ErrorCode::NotATag,
            ErrorCode::NotAToken,
            ErrorCode::NotFinite,
            ErrorCode::NotIndexable,
            ErrorCode::NotReadBack,
            ErrorCode::OpenFailed,
            ErrorCode::PinMismatch,
            ErrorCode::PlaintextNested,
            ErrorCode::QueryTooLarge,
            ErrorCode::RefusedByObserver,
            ErrorCode::RootKeyIo,
            ErrorCode::RootKeyMissing,
            ErrorCode::RootKeyPermissions,
            ErrorCode::RuntimeNeeded,
            ErrorCode::ScopeMissing,
            ErrorCode::SubjectKeyRefused,
            ErrorCode::SubjectMismatch,
            ErrorCode::SubjectMissing,
            ErrorCode::TagMissing,
            ErrorCode::TagRefused,
            ErrorCode::TagTooOld,
            ErrorCode::TokenAsPlaintext,
            ErrorCode::TokenInside,
            ErrorCode::TooLarge,
            ErrorCode::TooManyClasses,
            ErrorCode::TypeMismatch,
            ErrorCode::UnknownKey,
            ErrorCode::Unrepresentable,
            ErrorCode::ValueMismatch,
            ErrorCode::WorkFailed,
            ErrorCode::WrongDirection,
        ],
        own: &["check-failed", "invalid-key", "invalid-settings", "io", "log-failed", "not-read", "tampered"],
    },
    Status {
        exit: USAGE,
        meaning: "wrong usage: check options, variables and the configuration file",
        codes: &[],
        own: &["usage"],
    },
    Status {
        exit: 3,
        meaning: "somebody else changed the keyring or the subject: look at it, then try again",
        codes: &[ErrorCode::StoreConflict],
        own: &[],
    },
    Status {
        exit: 4,
        meaning: "a root key, a store or the audit log is unavailable: try again later",
        codes: &[ErrorCode::ProviderUnavailable, ErrorCode::RandomFailed, ErrorCode::StoreUnavailable],
        own: &["audit-unavailable"],
    },
    Status {
        exit: 5,
        meaning: "refused: a root key, a store, a key's state or use, or an older keyring forbids it",
        codes: &[
            ErrorCode::ClearedTooEarly,
            ErrorCode::ClockSkew,
            ErrorCode::KeyCompromised,
            ErrorCode::KeyDestroyed,
            ErrorCode::KeyInUse,
            ErrorCode::KeyringTooOld,
            ErrorCode::NotCounted,
            ErrorCode::ProviderRefused,
            ErrorCode::RetentionPast,
            ErrorCode::StateRefused,
            ErrorCode::StoreRefused,
            ErrorCode::SubjectRetained,
            ErrorCode::SubjectShredded,
            ErrorCode::UnlockFailed,
        ],
        own: &[],
    },
    Status {
        exit: 6,
        meaning: "the change WAS stored, then something failed: look before you repeat it",
        codes: &[ErrorCode::StoredUnread],
        own: &["unreported"],
    },
    Status {
        exit: 7,
        meaning: "not all is known: of a log, a scan, a drill, evidence or a report",
        codes: &[],
        own: &["incomplete", "undecided"],
    },
    Status {
        exit: BROKEN_PIPE,
        meaning: "the reader of the output went away; nothing was changed",
        codes: &[],
        own: &[],
    },
];

/// As a shell shows a program that SIGPIPE ended.
pub const BROKEN_PIPE: u8 = 141;

/// The exit status of a code, in whichever command it occurs.
pub fn status(code: &str) -> u8 {
    let has = |status: &&Status| status.own.contains(&code) || status.codes.iter().any(|known| known.as_str() == code);
    STATUSES.iter().find(has).map_or(FAILED, |status| status.exit)
}

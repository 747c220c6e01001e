//! Which exit status goes with which code. The help and docs/COMMAND.md show this list, and tests/cli holds both to it.

pub const USAGE: u8 = 2;
pub const FAILED: u8 = 1;

pub struct Status {
    pub exit: u8,
    pub meaning: &'static str,
    pub codes: &'static [&'static str],
}

pub const STATUSES: &[Status] = &[
    Status { exit: 0, meaning: "done", codes: &[] },
    Status {
        exit: FAILED,
        meaning: "failed: something is missing, damaged or invalid",
        codes: &[
            "backend-failed",
            "check-failed",
            "class-locked",
            "field-repeated",
            "invalid-access",
            "invalid-id",
            "invalid-input",
            "invalid-keyring",
            "invalid-root-key",
            "invalid-subject-key",
            "io",
            "keyring-mismatch",
            "keyring-missing",
            "keys-together",
            "keyspace-mismatch",
            "not-a-token",
            "not-finite",
            "open-failed",
            "pin-mismatch",
            "plaintext-nested",
            "refused-by-observer",
            "root-key-io",
            "root-key-missing",
            "root-key-permissions",
            "runtime-needed",
            "scope-missing",
            "subject-key-refused",
            "subject-mismatch",
            "subject-missing",
            "token-as-plaintext",
            "token-inside",
            "too-large",
            "too-many-classes",
            "type-mismatch",
            "unknown-key",
            "unrepresentable",
            "value-mismatch",
            "work-failed",
            "wrong-direction",
        ],
    },
    Status {
        exit: USAGE,
        meaning: "wrong usage: check options, variables and the configuration file",
        codes: &["usage"],
    },
    Status {
        exit: 3,
        meaning: "somebody else changed the keyring or the subject: look at it, then try again",
        codes: &["store-conflict"],
    },
    Status {
        exit: 4,
        meaning: "a root key or a store is unavailable: try again later",
        codes: &["provider-unavailable", "random-failed", "store-unavailable"],
    },
    Status {
        exit: 5,
        meaning: "refused: a root key, a store, a key's state or use, or an older keyring forbids it",
        codes: &[
            "clock-skew",
            "key-compromised",
            "key-destroyed",
            "key-in-use",
            "keyring-too-old",
            "not-counted",
            "provider-refused",
            "retention-past",
            "state-refused",
            "store-refused",
            "subject-retained",
            "subject-shredded",
            "unlock-failed",
        ],
    },
    Status {
        exit: 6,
        meaning: "the change WAS stored, then something failed: look before you repeat it",
        codes: &["stored-unread", "unreported"],
    },
    Status { exit: BROKEN_PIPE, meaning: "the reader of the output went away; nothing was changed", codes: &[] },
];

/// As a shell shows a program that SIGPIPE ended.
pub const BROKEN_PIPE: u8 = 141;

/// The exit status of a code, in whichever command it occurs.
pub fn status(code: &str) -> u8 {
    STATUSES.iter().find(|status| status.codes.contains(&code)).map_or(FAILED, |status| status.exit)
}

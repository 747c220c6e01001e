//! The stable codes of errors: one table of what each means and what to do.

use std::fmt;

macro_rules! error_codes {
    ($($(#[$docs:meta])* $variant:ident = $text:literal,)*) => {
        /// What went wrong, for programs: see [`Error::code`](crate::Error::code). Codes are added, and never renamed.
        ///
        /// As text ([`as_str`](Self::as_str)) a code is what logs, metrics, events and the command `rxseal` show, and what FORMAT 13
        /// names. Match on the codes that your program can do something about, and treat the others alike.
        ///
        /// ```
        /// use rxseal::ErrorCode;
        ///
        /// let error = "Jane Doe".parse::<rxseal::Token>().unwrap_err();
        /// let answer = match error.code() {
        ///     ErrorCode::NotAToken => "this row was never sealed",
        ///     ErrorCode::KeyDestroyed | ErrorCode::SubjectShredded => "this is gone for good",
        ///     _ => "this cannot be opened",
        /// };
        /// assert_eq!(answer, "this row was never sealed");
        /// assert_eq!(error.code(), rxseal::ErrorCode::NotAToken);
        /// ```
        #[non_exhaustive]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $(#[doc = concat!("`", $text, "`:")] $(#[$docs])* $variant,)*
        }

        impl ErrorCode {
            /// Every code of this release, for example to set a metric of each to zero.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as text, such as `open-failed`. It stays the same for ever.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}

error_codes! {
    // Tokens and values
    /// what was read is plaintext, another format or cut off. Look at how the value got there; a plaintext value is never read
    /// where a sealed one belongs.
    NotAToken = "not-a-token",
    /// the token was sealed for another record, field, tenant or subject, or it was changed. Check the ids that the record is made
    /// of, then suspect the row.
    OpenFailed = "open-failed",
    /// the key is not in this keyring. Load its newest generation, or check the keyspace and the key's id.
    UnknownKey = "unknown-key",
    /// the key is marked compromised. Decide about each value, with the calls that have `compromised` in their name.
    KeyCompromised = "key-compromised",
    /// the key was destroyed. Everything sealed under it is gone for good.
    KeyDestroyed = "key-destroyed",
    /// the token is authentic but holds a value of another type. Open it as the type that it was sealed as.
    TypeMismatch = "type-mismatch",
    /// what a client sent is not a value of the field's type. Refuse the request.
    ValueMismatch = "value-mismatch",
    /// the value is larger than the field's limit. Refuse it, or keep it in a field with a larger limit.
    TooLarge = "too-large",
    /// a float is infinite or not a number. JSON has no text for it: store it another way.
    NotFinite = "not-finite",
    /// JSON cannot hold the value: it nests too deeply, has such keys or an ambiguous option, or its `Serialize` failed. Change its
    /// type.
    Unrepresentable = "unrepresentable",
    /// the type's `Deserialize` does not read what its `Serialize` writes. Mend its serde attributes; only debug builds check this, when a
    /// record struct is sealed.
    NotReadBack = "not-read-back",
    /// the value is itself a token, a wrapped subject key or a record tag. Open it first, or store it next to the sealed fields.
    TokenAsPlaintext = "token-as-plaintext",
    /// a token, a wrapped subject key, a record tag or a sealed field is inside the value. Use plain types in there.
    TokenInside = "token-inside",

    // Record tags
    /// the record has no tag where one is needed: its column is null or empty, or it was never sealed. Suspect the row.
    TagMissing = "tag-missing",
    /// what was read is not a record tag: it is cut off, another value or another format. Look at how it got there.
    NotATag = "not-a-tag",
    /// the record is not as it was sealed: a field, a bound value or the tag was changed, removed, or taken from another record or
    /// from an older state of this one. Check that your program writes the new tag with each field, then look at the row and at its
    /// backups; `open_unverified` still reads it.
    TagRefused = "tag-refused",
    /// the record is authentic but older than the caller allows: an old row was put back, or it was never resealed. Compare it with
    /// its backups.
    TagTooOld = "tag-too-old",
    /// the tag covers fields that this program does not know. A newer release wrote the record: deploy that release.
    CoverUnknown = "cover-unknown",
    /// a clear value that a tag is to cover has no text that every database keeps. Round it, or give it a scale.
    ClearRefused = "clear-refused",
    /// a cell of a column is not what the schema says of the field: a date that does not exist, `abc` for a number, text for bytes. Correct the
    /// row, or the schema.
    CellRefused = "cell-refused",

    // Search
    /// a value has no normal form by which it could be found. The text says what shape is wanted. If the value came with a request,
    /// refuse the request.
    NotIndexable = "not-indexable",
    /// a number such as an NPI has a wrong check digit. Correct it, or declare the index `lenient`.
    BadCheckDigit = "bad-check-digit",
    /// nothing is left of the search input. Ask for more input.
    EmptyQuery = "empty-query",
    /// the query asks for more than 1,024 values. Ask for fewer inputs at once.
    QueryTooLarge = "query-too-large",
    /// a stored value is not of this index, or was made under an index root or a definition that the program does not have. Load the
    /// newest keyring, then look at the column.
    IndexUnreadable = "index-unreadable",
    /// a stored index value is not that of its record. Index the row anew.
    IndexStale = "index-stale",
    /// two index roots or definitions of an index make values with one prefix. Destroy the staged index root and stage another one.
    IndexPrefixCollision = "index-prefix-collision",
    /// an index of one record type was used for a record of another. Use an index of the record's own type.
    IndexMismatch = "index-mismatch",
    /// an index with slots does not know whose they are. Give the record a subject, or declare the person.
    IndexOwnerMissing = "index-owner-missing",
    /// the keyring was unlocked without index roots. Unlock it with them.
    IndexRootsMissing = "index-roots-missing",

    // Scopes and roles
    /// a sealed field was written or read outside of a scope. Use `record.sealing(&value)` or `record.opened_by(&access)`.
    ScopeMissing = "scope-missing",
    /// a field was read in a scope that seals, or written in one that opens. Enter the other scope.
    WrongDirection = "wrong-direction",
    /// the field's class is outside what this sealer or opener was limited to. Whoever asked may not see it.
    ClassLocked = "class-locked",
    /// the observer refused this opening. Its reason is the error's source.
    RefusedByObserver = "refused-by-observer",
    /// the closure of a scope failed. Its own error is the error's source.
    WorkFailed = "work-failed",
    /// what was read is malformed or cut off, or a value is missing or of another type. Refuse the request, or look at the row.
    InvalidInput = "invalid-input",

    // Misuse by the program
    /// one field id was sealed twice in one record. Seal repeated values as one list or `Each`, or in parts of the record.
    FieldRepeated = "field-repeated",
    /// the program uses more than 32 classes. Use fewer.
    TooManyClasses = "too-many-classes",
    /// a plaintext scope is inside another scope, or another scope is inside a plaintext scope. Leave one before you
    /// enter the other.
    PlaintextNested = "plaintext-nested",
    /// the root key or the store waits for a network. Await the call in a runtime instead of `run_local`.
    RuntimeNeeded = "runtime-needed",
    /// the subject key belongs to another keyspace, or the record already has a subject.
    SubjectMismatch = "subject-mismatch",
    /// the records belong to different keyspaces, or to keyrings that were unlocked separately. Make them from one
    /// keyring.
    KeyspaceMismatch = "keyspace-mismatch",

    // Names and settings
    /// an id or a name is not valid. If it came with a request, refuse the request.
    InvalidId = "invalid-id",
    /// the actor or the purpose of an access is not valid.
    InvalidAccess = "invalid-access",
    /// the file that says where sealed data lies has mistakes. Its source lists all of them, each with its line.
    InvalidMap = "invalid-map",
    /// a schema file is not valid, or two record types of a program cannot be in one schema. Write it again with the program.
    InvalidSchema = "invalid-schema",

    // Keyrings
    /// the keyring file is damaged. Restore it from a backup.
    InvalidKeyring = "invalid-keyring",
    /// the keyring file belongs to another keyspace than the one asked for. Check which file is where.
    KeyringMismatch = "keyring-mismatch",
    /// the stored keyring is older than one that was seen before, or was made from an older one. Put the newest generation back.
    KeyringTooOld = "keyring-too-old",
    /// the keyring lacks the key that the program insists on. Do not use this keyring before you know why.
    PinMismatch = "pin-mismatch",
    /// no trusted root key unlocks the keyring. Check which root keys it is wrapped by; then the keyring or a wrap was changed.
    UnlockFailed = "unlock-failed",
    /// the key cannot change to that state now. The text says why, and [`Error::time_left`](crate::Error::time_left) how long to
    /// wait.
    StateRefused = "state-refused",
    /// a time that was written down is in this machine's future. Set the clock that is wrong.
    ClockSkew = "clock-skew",
    /// tokens or subject keys are still under the key, or index values under the index root. Reseal and rewrap them, or index the rows
    /// anew, and count again.
    KeyInUse = "key-in-use",
    /// a count of zero proves nothing: nothing was counted, too early, or for another key. Count again.
    NotCounted = "not-counted",

    // Stores
    /// somebody else changed the keyring or the subject meanwhile, and nothing was written. Look at it and repeat the change.
    StoreConflict = "store-conflict",
    /// the change is stored but could not be read back. Look at it before you repeat it.
    StoredUnread = "stored-unread",
    /// no keyring of this keyspace is stored. Create it, or restore its file from a backup.
    KeyringMissing = "keyring-missing",
    /// a legal hold or a retention time forbids shredding the subject.
    SubjectRetained = "subject-retained",
    /// the retention time is already in the past. Give a later one, or none.
    RetentionPast = "retention-past",
    /// the subject's index columns were cleared while programs could still write to them. Clear them again later.
    ClearedTooEarly = "cleared-too-early",
    /// the subject's key was shredded. Everything sealed with it is gone for good.
    SubjectShredded = "subject-shredded",
    /// no key of this subject is stored. Nothing was sealed with it, or its store was lost.
    SubjectMissing = "subject-missing",
    /// the store did not answer. Repeat the call later.
    StoreUnavailable = "store-unavailable",
    /// the store refused. The error's source says why; repeating does not help.
    StoreRefused = "store-refused",

    // Jobs
    /// a job cannot be planned or run as it was asked for. The error's source says why.
    JobRefused = "job-refused",
    /// the worker has another map, schema or operation than the job was planned with, or another keyring. Give it the same, or plan a new
    /// job.
    JobMismatch = "job-mismatch",
    /// the job stopped, because the number of plaintext values rose. Find the program that writes plaintext, then resume.
    JobStopped = "job-stopped",

    // Root keys and subject keys
    /// the root key is not valid. Restore the file or the variable.
    InvalidRootKey = "invalid-root-key",
    /// somebody else can read or change a file with a secret. Give it to this process's user, with mode 0600.
    RootKeyPermissions = "root-key-permissions",
    /// the root key file cannot be read or written. The error's source names it and says why.
    RootKeyIo = "root-key-io",
    /// there are keyrings, but the root key file is missing. Restore it from its backup.
    RootKeyMissing = "root-key-missing",
    /// the root key would be in the folder of the keyrings. Name a path outside of it.
    KeysTogether = "keys-together",
    /// this is not a wrapped subject key. Restore it from a backup.
    InvalidSubjectKey = "invalid-subject-key",
    /// the wrapped subject key belongs to another subject, keyspace or key, or it was changed.
    SubjectKeyRefused = "subject-key-refused",
    /// the provider of the root key did not answer. Repeat the call later.
    ProviderUnavailable = "provider-unavailable",
    /// the provider of the root key refused. The error's source says why; repeating does not help.
    ProviderRefused = "provider-refused",
    /// the operating system gave no random bytes, and nothing was written. Repeat the call later.
    RandomFailed = "random-failed",
    /// the cryptographic backend has no memory, or its self-test failed. Restart, or use another backend.
    BackendFailed = "backend-failed",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

-- The wrapped key of each subject (patient), and which of them were shredded. Keep it apart from the data, with short backups.
CREATE TABLE IF NOT EXISTS rxseal_subject_keys (
    keyspace     TEXT    NOT NULL,
    subject      TEXT    NOT NULL,
    wrapped      BLOB,
    shredded_at  INTEGER,
    retain_until INTEGER,
    legal_hold   INTEGER NOT NULL DEFAULT 0 CHECK (legal_hold IN (0, 1)),
    PRIMARY KEY (keyspace, subject),
    CHECK (wrapped IS NULL OR (typeof(wrapped) = 'blob' AND shredded_at IS NULL))
) WITHOUT ROWID;

-- The wrapped key of each subject (patient), and which of them were shredded. Keep it apart from the data, with short backups.
-- The role that rxseal uses needs: GRANT SELECT, INSERT, UPDATE ON rxseal_subject_keys TO ...;
CREATE TABLE IF NOT EXISTS rxseal_subject_keys (
    keyspace     TEXT    NOT NULL,
    subject      TEXT    COLLATE "C" NOT NULL,
    wrapped      BYTEA,
    shredded_at  BIGINT,
    retain_until BIGINT,
    legal_hold   BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (keyspace, subject),
    CHECK (wrapped IS NULL OR shredded_at IS NULL)
);

-- Jobs over tables of this database. Names and numbers, and never a value.
CREATE TABLE IF NOT EXISTS rxseal_job (
    job            TEXT    NOT NULL PRIMARY KEY,
    op             TEXT    NOT NULL,
    at             TEXT    NOT NULL,
    spec           TEXT    NOT NULL,
    spec_digest    BLOB    NOT NULL,
    generation     INTEGER NOT NULL,
    target         TEXT    NOT NULL,
    state          TEXT    NOT NULL,
    rows_total     INTEGER NOT NULL,
    plain_at_start INTEGER,              -- NULL: the next worker counts it
    created        TEXT    NOT NULL
);
-- A range of ids: from `lo` on, and before `hi`. The first has no lower bound, and the last no upper one.
CREATE TABLE IF NOT EXISTS rxseal_chunk (
    job      TEXT    NOT NULL,
    no       INTEGER NOT NULL,
    lo       TEXT,
    hi       TEXT,
    state    TEXT    NOT NULL DEFAULT 'todo',
    worker   TEXT,
    rows     INTEGER NOT NULL DEFAULT 0,
    written  INTEGER NOT NULL DEFAULT 0,
    skipped  INTEGER NOT NULL DEFAULT 0,
    retried  INTEGER NOT NULL DEFAULT 0,
    failed   INTEGER NOT NULL DEFAULT 0,
    sealed   INTEGER NOT NULL DEFAULT 0,
    unsealed INTEGER NOT NULL DEFAULT 0,
    at       TEXT,
    PRIMARY KEY (job, no)
);
-- A row that a job left as it was, and why.
CREATE TABLE IF NOT EXISTS rxseal_fault (
    id     INTEGER PRIMARY KEY,
    job    TEXT    NOT NULL,
    chunk  INTEGER NOT NULL,
    row_id TEXT    NOT NULL,
    field  TEXT    NOT NULL,
    reason TEXT    NOT NULL
);
CREATE INDEX IF NOT EXISTS rxseal_fault_of_chunk ON rxseal_fault (job, chunk);
-- How many values an unseal may open, and under which name that was approved. `opened` are those of chunks that are done.
CREATE TABLE IF NOT EXISTS rxseal_approval (
    no      INTEGER PRIMARY KEY,
    job     TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    allowed INTEGER NOT NULL,
    opened  INTEGER NOT NULL DEFAULT 0,
    since   TEXT    NOT NULL,
    UNIQUE (job, name)
);
-- What the chunks that workers are at open, or were at when they were lost.
CREATE TABLE IF NOT EXISTS rxseal_opening (
    job    TEXT    NOT NULL,
    name   TEXT    NOT NULL,
    chunk  INTEGER NOT NULL,
    opened INTEGER NOT NULL,
    PRIMARY KEY (job, name, chunk)
);

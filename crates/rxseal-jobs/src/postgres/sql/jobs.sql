CREATE TABLE IF NOT EXISTS rxseal_job (
    job            text PRIMARY KEY,
    op             text NOT NULL,
    at             text NOT NULL,
    spec           jsonb NOT NULL,                      -- for people: names, and no value
    spec_digest    bytea NOT NULL,
    generation     bigint NOT NULL,                     -- of the keyring
    target         text NOT NULL,                       -- the key that the job seals with
    state          text NOT NULL DEFAULT 'running',
    rows_total     bigint NOT NULL,
    plain_at_start bigint,                              -- NULL: the next worker counts it
    created        timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE IF NOT EXISTS rxseal_chunk (
    job      text NOT NULL REFERENCES rxseal_job ON DELETE CASCADE,
    no       integer NOT NULL,
    lo       text,                                      -- the first key, as a JSON array; NULL is no bound
    hi       text,                                      -- the first key of the next chunk
    state    text NOT NULL DEFAULT 'todo',
    worker   text,
    rows     bigint NOT NULL DEFAULT 0,
    written  bigint NOT NULL DEFAULT 0,
    skipped  bigint NOT NULL DEFAULT 0,
    retried  bigint NOT NULL DEFAULT 0,
    failed   bigint NOT NULL DEFAULT 0,
    sealed   bigint NOT NULL DEFAULT 0,
    unsealed bigint NOT NULL DEFAULT 0,
    at       timestamptz,
    PRIMARY KEY (job, no)
);

CREATE INDEX IF NOT EXISTS rxseal_chunk_todo ON rxseal_chunk (job, no) WHERE state = 'todo';

CREATE TABLE IF NOT EXISTS rxseal_fault (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job    text NOT NULL REFERENCES rxseal_job ON DELETE CASCADE,
    chunk  integer NOT NULL,
    row_id text NOT NULL,                               -- the row's key, as a JSON array
    field  text NOT NULL,
    reason text NOT NULL                                -- a code, never a value
);

CREATE INDEX IF NOT EXISTS rxseal_fault_chunk ON rxseal_fault (job, chunk);

-- How many values an unseal may open, and under which name that was approved.
CREATE TABLE IF NOT EXISTS rxseal_approval (
    no      bigint GENERATED ALWAYS AS IDENTITY,
    job     text NOT NULL REFERENCES rxseal_job ON DELETE CASCADE,
    name    text NOT NULL,
    allowed bigint NOT NULL,
    opened  bigint NOT NULL DEFAULT 0,                  -- by chunks that are done
    since   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (job, name)
);

-- What the chunks that workers are at open, or were at when they were lost.
CREATE TABLE IF NOT EXISTS rxseal_opening (
    job    text NOT NULL,
    name   text NOT NULL,
    chunk  integer NOT NULL,
    opened bigint NOT NULL,
    PRIMARY KEY (job, name, chunk),
    FOREIGN KEY (job, name) REFERENCES rxseal_approval ON DELETE CASCADE
);

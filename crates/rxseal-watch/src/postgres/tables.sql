-- The log of rxseal-watch in PostgreSQL 14 or newer, encoding UTF8: docs/WATCH.md. Run it as a role that owns these tables and nothing
-- else uses, best in a database apart from the data. A row is added and never changed: triggers refuse the rest, to the owner too.
CREATE TABLE IF NOT EXISTS rxseal_audit_chain (
    chain text   NOT NULL PRIMARY KEY CHECK (chain ~ '^[0-9a-f]{16}$'),
    -- Unix milliseconds, and later than that of every chain before: the order of chains.
    start bigint NOT NULL UNIQUE CHECK (start >= 0)
);
CREATE TABLE IF NOT EXISTS rxseal_audit (
    chain    text   NOT NULL REFERENCES rxseal_audit_chain (chain),
    n        bigint NOT NULL CHECK (n >= 0),
    -- The patients of the line, to look them up. `rxseal audit verify` compares them with the line.
    subjects text[] NOT NULL,
    -- Hash, space and JSON as in a file. Never jsonb: the hash is over the bytes.
    line     text   NOT NULL,
    PRIMARY KEY (chain, n)
);
CREATE INDEX IF NOT EXISTS rxseal_audit_subjects ON rxseal_audit USING gin (subjects);
CREATE TABLE IF NOT EXISTS rxseal_audit_checkpoint (
    chain text   NOT NULL REFERENCES rxseal_audit_chain (chain),
    size  bigint NOT NULL CHECK (size > 0),
    note  text   NOT NULL,
    PRIMARY KEY (chain, size)
);

CREATE OR REPLACE FUNCTION rxseal_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rows of an audit log are added, and never changed or removed' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE OR REPLACE TRIGGER rxseal_audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON rxseal_audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION rxseal_audit_refuse();
CREATE OR REPLACE TRIGGER rxseal_audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON rxseal_audit
    FOR EACH STATEMENT EXECUTE FUNCTION rxseal_audit_refuse();
CREATE OR REPLACE TRIGGER rxseal_audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON rxseal_audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION rxseal_audit_refuse();
ALTER TABLE rxseal_audit_chain ENABLE ALWAYS TRIGGER rxseal_audit_only_grows;
ALTER TABLE rxseal_audit ENABLE ALWAYS TRIGGER rxseal_audit_only_grows;
ALTER TABLE rxseal_audit_checkpoint ENABLE ALWAYS TRIGGER rxseal_audit_only_grows;

-- Where a chain is, or the newest one: all that the writer may know of what was written.
CREATE OR REPLACE FUNCTION rxseal_audit_head(wanted text) RETURNS TABLE (chain text, start bigint, n bigint, hash text)
LANGUAGE sql STABLE SECURITY DEFINER BEGIN ATOMIC
    SELECT c.chain, c.start, l.n, left(l.line, 43)
    FROM rxseal_audit_chain AS c
    CROSS JOIN LATERAL (SELECT a.n, a.line FROM rxseal_audit AS a WHERE a.chain = c.chain ORDER BY a.n DESC LIMIT 1) AS l
    WHERE c.chain = wanted OR wanted IS NULL
    ORDER BY c.start DESC LIMIT 1;
END;
REVOKE ALL ON FUNCTION rxseal_audit_head(text) FROM PUBLIC;

-- The newest keyring file of each keyspace. Not secret, but whoever loses it loses every field under its keys.
-- The role that rxseal uses needs: GRANT SELECT, INSERT, UPDATE ON rxseal_keyrings TO ...;
CREATE TABLE IF NOT EXISTS rxseal_keyrings (
    keyspace   TEXT   NOT NULL PRIMARY KEY,
    generation BIGINT NOT NULL CHECK (generation >= 1),
    file       TEXT   NOT NULL
);

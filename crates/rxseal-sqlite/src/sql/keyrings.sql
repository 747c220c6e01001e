-- The newest keyring file of each keyspace. Not secret, but whoever loses it loses every field under its keys.
CREATE TABLE IF NOT EXISTS rxseal_keyrings (
    keyspace   TEXT    NOT NULL PRIMARY KEY,
    generation INTEGER NOT NULL CHECK (typeof(generation) = 'integer' AND generation >= 1),
    file       TEXT    NOT NULL CHECK (typeof(file) = 'text')
);

-- A sealed column is a BLOB. What else is here stays readable.
CREATE TABLE IF NOT EXISTS patient
    (tenant TEXT NOT NULL, id BLOB NOT NULL, name BLOB NOT NULL, born BLOB NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE IF NOT EXISTS prescription (
    tenant TEXT NOT NULL, rx_number INTEGER NOT NULL, patient BLOB NOT NULL,
    drug BLOB NOT NULL, directions BLOB NOT NULL, refills INTEGER NOT NULL, tag BLOB NOT NULL,
    PRIMARY KEY (tenant, rx_number));
-- From before this service sealed anything.
CREATE TABLE IF NOT EXISTS phone
    (tenant TEXT NOT NULL, patient BLOB NOT NULL, number TEXT NOT NULL, PRIMARY KEY (tenant, patient));

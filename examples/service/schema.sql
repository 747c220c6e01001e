-- A sealed column is a BLOB. What else is here stays readable. Rows are found by born_on and phone_is.
CREATE TABLE IF NOT EXISTS patient (
    tenant TEXT NOT NULL, id BLOB NOT NULL, first_name BLOB NOT NULL, last_name BLOB NOT NULL,
    born BLOB NOT NULL, born_on BLOB, phone BLOB, phone_is BLOB,
    PRIMARY KEY (tenant, id));
CREATE INDEX IF NOT EXISTS patient_born_on ON patient (tenant, born_on);
CREATE INDEX IF NOT EXISTS patient_phone_is ON patient (tenant, phone_is);
CREATE TABLE IF NOT EXISTS prescription (
    tenant TEXT NOT NULL, rx_number INTEGER NOT NULL, patient BLOB NOT NULL,
    drug BLOB NOT NULL, directions BLOB NOT NULL, refills INTEGER NOT NULL, tag BLOB NOT NULL,
    PRIMARY KEY (tenant, rx_number));
-- From before this service sealed anything.
CREATE TABLE IF NOT EXISTS phone
    (tenant TEXT NOT NULL, patient BLOB NOT NULL, number TEXT NOT NULL, PRIMARY KEY (tenant, patient));

//! No call returns plaintext without an `Access` (T38).

use rxseal::{Record, Token, phi::Drug};

fn main() {}

fn opens(record: Record, token: &Token) -> Result<String, rxseal::Error> {
    record.open::<Drug, String>(token)
}

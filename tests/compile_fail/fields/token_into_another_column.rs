//! What a typed pass gives fits the column of its marker and no other.

use rxseal::page::{OpenPass, ResealPass, SealPass};
use rxseal::{Error, Sealed, phi};

struct Row {
    home: Sealed<String, phi::Phone>,
    email: Sealed<String, phi::Email>,
}

fn seal(pass: &mut SealPass<'_>) -> Result<Row, Error> {
    let home: Sealed<String, phi::Phone> = pass.seal_field("555")?;
    let email = home.clone();
    Ok(Row { home, email })
}

fn open(pass: &mut OpenPass<'_>, row: &Row) -> Result<u32, Error> {
    pass.open_field(&row.home)
}

fn reseal(pass: &mut ResealPass<'_>, row: &Row) -> Result<Row, Error> {
    Ok(Row { home: pass.reseal_field(&row.email)?, email: pass.reseal_field(&row.email)? })
}

fn main() {}

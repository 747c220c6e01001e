//! A `Sealer` has no call that opens (T37).

use rxseal::{Access, Sealer, Token, phi::Drug};

fn main() {}

fn opens(sealer: Sealer, access: &Access, token: &Token) -> Result<(), rxseal::Error> {
    let record = sealer.record("refill", 1)?;
    let _ = record.opened_by(access);
    rxseal::page::open_page(&[record], access, |_, pass| pass.open::<Drug, String>(token))?;
    Ok(())
}

fn reseals(sealer: Sealer, token: &Token) -> Result<(), rxseal::Error> {
    sealer.record("refill", 1)?.reseal::<Drug>(token)?;
    Ok(())
}

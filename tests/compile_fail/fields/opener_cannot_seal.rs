//! An `Opener` has no call that seals (T37).

use rxseal::{Opener, phi::Drug};

fn main() {}

fn seals(opener: Opener) -> Result<(), rxseal::Error> {
    let record = opener.record("refill", 1)?;
    record.seal::<Drug>("warfarin")?;
    record.seal_text::<Drug>("warfarin")?;
    record.seal_fields(|pass| pass.seal::<Drug>("warfarin"))?;
    let _ = record.sealing("warfarin");
    rxseal::page::seal_page(&[record], |_, pass| pass.seal::<Drug>("warfarin"))?;
    Ok(())
}

fn reseals(opener: Opener, token: &rxseal::Token) -> Result<(), rxseal::Error> {
    opener.record("refill", 1)?.reseal::<Drug>(token)?;
    rxseal::Sealed::<String, Drug>::seal(&opener.record("refill", 1)?, "warfarin")?;
    Ok(())
}

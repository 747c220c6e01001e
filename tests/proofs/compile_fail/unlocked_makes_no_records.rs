//! A keyring opens nothing until the program said who hears of it (T38).

use rxseal::keys::Unlocked;

fn main() {}

fn opens(unlocked: Unlocked) -> Result<(), rxseal::Error> {
    unlocked.record("refill", 1)?;
    unlocked.opener();
    unlocked.sealer();
    Ok(())
}

//! A keyring opens nothing until the program has said who observes it (T38).

use rxseal::keys::Unlocked;

fn main() {}

fn opens(unlocked: Unlocked) -> Result<(), rxseal::Error> {
    unlocked.record("refill", 1)?;
    unlocked.opener();
    unlocked.sealer();
    Ok(())
}

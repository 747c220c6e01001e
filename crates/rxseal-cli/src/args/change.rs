//! What every change of a keyring takes. Comments here are the help that an operator reads.

use clap::Args as ClapArgs;

#[derive(ClapArgs)]
pub struct Change {
    /// Do everything except store the result, and print what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse a stored keyring that is older than this generation, which is the last that you know was live
    #[arg(long, value_name = "N")]
    pub min_generation: Option<u64>,
    /// Go on although the keyring has a time in the future: this machine's clock is right, and another machine's was wrong
    #[arg(long)]
    pub clock_is_right: bool,
}

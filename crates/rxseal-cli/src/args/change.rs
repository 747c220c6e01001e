//! What every change takes. Comments here are the help that an operator reads.

use clap::Args as ClapArgs;

/// A change of a keyring.
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
    #[command(flatten)]
    pub by: By,
}

/// Who does something, and why, for the audit log.
#[derive(ClapArgs)]
pub struct By {
    /// Why, for the audit log: 8 to 200 characters. Needed for a change if there is a log (--audit-log)
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    #[command(flatten)]
    pub who: Who,
}

/// Who does something, for the audit log.
#[derive(ClapArgs)]
pub struct Who {
    /// Who, for the audit log, such as user:lee.ops [env: RXSEAL_WHO] [default: user: and the name of who is logged in]
    #[arg(long, value_name = "ACTOR")]
    pub who: Option<String>,
}

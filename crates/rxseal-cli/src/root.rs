//! Root keys, as operators write them.

use std::sync::Arc;

use rxseal::root::{RootKey, RootKeys};
pub use rxseal_roots::RootSpec as Spec;

use crate::failure::{Failure, usage};

/// In the order that they were given.
pub fn trusted(roots: Vec<Arc<dyn RootKey>>) -> Result<RootKeys, Failure> {
    rxseal_roots::trusted(roots).map_or_else(
        || usage("no root key is given: use --root file:PATH, or set RXSEAL_ROOTS. `rxseal --help` lists the forms"),
        Ok,
    )
}

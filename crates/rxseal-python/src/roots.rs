//! Root keys, as operators write them, and the runtime that connecting to some of them needs.

use std::future::Future;

use pyo3::PyResult;
use rxseal::root::RootKeys;
use rxseal_roots::{RootSpec, SpecError, trusted};

use crate::error::{from_spec, refused};

/// Runs what may call over a network, on this thread.
pub(crate) fn run<T>(work: impl Future<Output = PyResult<T>>) -> PyResult<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|_| refused("runtime-needed", "the system gives no runtime for calls over a network"))?;
    runtime.block_on(work)
}

/// The root keys in their order. One that cannot be connected to is left out and `told`, as long as there is another.
pub(crate) async fn connect(specs: &[String], told: impl Fn(&SpecError)) -> PyResult<RootKeys> {
    let (mut roots, mut failed) = (Vec::new(), Vec::new());
    for spec in specs {
        let spec = RootSpec::parse(spec).map_err(|error| from_spec(&error))?;
        match spec.connect(false).await {
            Ok(root) => roots.push(root),
            Err(error) => failed.push(error),
        }
    }
    match (trusted(roots), failed.last()) {
        (Some(roots), _) => {
            failed.iter().for_each(told);
            Ok(roots)
        }
        (None, Some(error)) => Err(from_spec(error)),
        (None, None) => Err(refused("invalid-root-key", "no root key is given: roots=['file:PATH']")),
    }
}

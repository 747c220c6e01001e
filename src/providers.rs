//! Root keys: on this machine, and in key services.

mod local;
#[cfg(unix)]
mod root_key_file;

pub use local::LocalRootKey;
#[cfg(unix)]
pub use root_key_file::RootKeyFile;

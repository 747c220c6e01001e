//! Root keys. This release has those on this machine.

#[cfg(unix)]
mod key_file;
mod local;

#[cfg(unix)]
pub use key_file::KeyFile;
pub use local::LocalRootKey;

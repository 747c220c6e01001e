//! Root keys: on this machine, and in key services.

mod local;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(unix)]
mod root_key_file;

pub use local::LocalRootKey;
#[cfg(feature = "pkcs11")]
pub use pkcs11::{Pkcs11Key, Pkcs11KeyBuilder, Pkcs11Mechanism};
#[cfg(unix)]
pub use root_key_file::RootKeyFile;

//! Root keys: on this machine, and in key services.

#[cfg(feature = "aws-kms")]
mod aws_kms;
mod local;
#[cfg(feature = "pkcs11")]
mod pkcs11;
#[cfg(unix)]
mod root_key_file;
#[cfg(feature = "vault")]
mod vault;

#[cfg(feature = "aws-kms")]
pub use aws_kms::AwsKmsKey;
pub use local::LocalRootKey;
#[cfg(feature = "pkcs11")]
pub use pkcs11::{Pkcs11Key, Pkcs11KeyBuilder, Pkcs11Mechanism};
#[cfg(unix)]
pub use root_key_file::RootKeyFile;
#[cfg(feature = "vault")]
pub use vault::{VaultKey, VaultKeyBuilder};

//! Root keys: on this machine, and in key services.

#[cfg(feature = "aws-kms")]
mod aws_kms;
#[cfg(feature = "aws-kms")]
mod call;
#[cfg(unix)]
mod key_file;
mod local;
#[cfg(feature = "vault")]
mod vault;

#[cfg(feature = "aws-kms")]
pub use aws_kms::AwsKmsKey;
#[cfg(unix)]
pub use key_file::KeyFile;
pub use local::LocalRootKey;
#[cfg(feature = "vault")]
pub use vault::{VaultKey, VaultKeyBuilder};

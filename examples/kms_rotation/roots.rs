//! Which root key: a file of this machine, or a key service.

use std::path::Path;
use std::sync::Arc;

use clap::Subcommand;
use rxseal::{Error, KeyFile, RootKey};

#[derive(Subcommand)]
pub enum Root {
    /// A root key in AWS KMS, with the standard credentials
    #[cfg(feature = "aws-kms")]
    AwsKms {
        /// Key ARN, key id or alias/NAME
        key: String,
    },
    /// A root key in the Transit engine of Vault or OpenBao, with the token in VAULT_TOKEN
    #[cfg(feature = "vault")]
    Vault {
        /// Such as https://vault:8200
        address: String,
        /// The name of the key
        key: String,
    },
    /// A key file
    File {
        /// Where it is; made where there is none
        path: std::path::PathBuf,
    },
}

pub async fn connect(root: Option<Root>, folder: &Path) -> Result<Arc<dyn RootKey>, Error> {
    Ok(match root {
        None => Arc::new(KeyFile::new(folder.join("root.key")).load_or_create()?),
        Some(Root::File { path }) => Arc::new(KeyFile::new(path).load_or_create()?),
        #[cfg(feature = "aws-kms")]
        Some(Root::AwsKms { key }) => Arc::new(rxseal::AwsKmsKey::connect(&key).await?),
        #[cfg(feature = "vault")]
        Some(Root::Vault { address, key }) => {
            Arc::new(rxseal::VaultKey::builder(address, key).token_from_env("VAULT_TOKEN").build()?)
        }
    })
}

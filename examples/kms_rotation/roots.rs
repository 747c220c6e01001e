//! The root key: a file on this machine, a key service or an HSM.

use std::path::Path;
use std::sync::Arc;

use clap::Subcommand;
use rxseal::Error;
use rxseal::root::{RootKey, RootKeyFile};

#[derive(Subcommand)]
pub enum Root {
    /// A root key in AWS KMS, with the standard credentials
    #[cfg(feature = "aws-kms")]
    AwsKms {
        /// Key ARN, key id or alias/NAME
        key: String,
    },
    /// A root key in an HSM, with the PIN in RXSEAL_PKCS11_PIN
    #[cfg(feature = "pkcs11")]
    Pkcs11 {
        /// The HSM's PKCS#11 library, such as /usr/lib/softhsm/libsofthsm2.so
        library: std::path::PathBuf,
        /// Such as 'pkcs11:token=phi;object=phi-root'
        uri: String,
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
        /// Its path. It is created if it is missing
        path: std::path::PathBuf,
    },
}

pub async fn connect(root: Option<Root>, folder: &Path) -> Result<Arc<dyn RootKey>, Error> {
    Ok(match root {
        None => Arc::new(RootKeyFile::new(folder.join("root.key")).load_or_create()?),
        Some(Root::File { path }) => Arc::new(RootKeyFile::new(path).load_or_create()?),
        #[cfg(feature = "aws-kms")]
        Some(Root::AwsKms { key }) => Arc::new(rxseal_aws_kms::AwsKmsKey::connect(&key).await?),
        #[cfg(feature = "pkcs11")]
        Some(Root::Pkcs11 { library, uri }) => Arc::new(
            rxseal_pkcs11::Pkcs11Key::builder_from_uri(library, &uri)?.pin_from_env("RXSEAL_PKCS11_PIN").build()?,
        ),
        #[cfg(feature = "vault")]
        Some(Root::Vault { address, key }) => {
            Arc::new(rxseal_vault::VaultKey::builder(address, key).token_from_env("VAULT_TOKEN").build()?)
        }
    })
}

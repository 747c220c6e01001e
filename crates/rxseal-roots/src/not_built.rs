//! What this build is without: each says which feature brings it.

#[cfg(not(feature = "aws-kms"))]
pub(crate) mod aws_kms {
    #![expect(clippy::unused_async, reason = "as the one that is built")]

    use std::sync::Arc;

    use rxseal::root::RootKey;

    use crate::error::SpecError;

    pub(crate) async fn connect(_: &str) -> Result<Arc<dyn RootKey>, SpecError> {
        Err(SpecError::not_built("AWS KMS", "aws-kms"))
    }
}

#[cfg(not(feature = "pkcs11"))]
pub(crate) mod pkcs11 {
    use std::sync::Arc;

    use rxseal::root::RootKey;

    use crate::error::SpecError;
    use crate::options::Options;

    pub(crate) fn connect(_: &str, _: Options, _: bool) -> Result<Arc<dyn RootKey>, SpecError> {
        Err(SpecError::not_built("PKCS#11", "pkcs11"))
    }
}

#[cfg(not(feature = "vault"))]
pub(crate) mod vault {
    use std::sync::Arc;

    use rxseal::root::RootKey;

    use crate::error::SpecError;
    use crate::options::Options;

    pub(crate) fn connect(_: &str, _: Options, _: bool) -> Result<Arc<dyn RootKey>, SpecError> {
        Err(SpecError::not_built("Vault", "vault"))
    }
}

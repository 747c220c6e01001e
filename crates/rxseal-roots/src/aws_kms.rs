//! A root key in AWS KMS, as an operator writes it.

use std::sync::Arc;

use rxseal::root::RootKey;
use rxseal_aws_kms::AwsKmsKey;

use crate::error::SpecError;

/// With the credentials of the standard chain.
pub(crate) async fn connect(key: &str) -> Result<Arc<dyn RootKey>, SpecError> {
    Ok(Arc::new(AwsKmsKey::connect(key).await?))
}

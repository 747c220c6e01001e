//! No request leaves this machine without TLS, whatever the environment says.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_kms::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kms::error::BoxError;
use rxseal::Error;
use rxseal::provider::leads_away_in_clear;

/// The endpoints of the services that give the KEK or the credentials for it.
const VARIABLES: [&str; 4] =
    ["AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"];
const IGNORED: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// Checked before anything is sent.
pub(crate) fn refuse_clear_text(config: &SdkConfig) -> Result<(), Error> {
    let ignored = std::env::var(IGNORED).is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    let named = VARIABLES.iter().filter(|_| !ignored).filter_map(|variable| std::env::var(variable).ok());
    let is_clear = named.chain(config.endpoint_url().map(str::to_owned)).any(|url| leads_away_in_clear(&url));
    if !is_clear {
        return Ok(());
    }
    Err(Error::invalid_root_key(
        "the endpoint of AWS is `http://` to another machine: the KEK would travel in clear. Use `https://` in AWS_ENDPOINT_URL and the \
         profile's `endpoint_url`",
    ))
}

/// Checks each request too, since an endpoint may come from a source that the check above does not read (a profile's
/// `services`).
#[derive(Debug)]
pub(crate) struct NoClearText;

#[derive(Debug)]
pub(crate) struct ClearText;

impl fmt::Display for ClearText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the endpoint of AWS is http:// to another machine")
    }
}

impl std::error::Error for ClearText {}

impl Intercept for NoClearText {
    fn name(&self) -> &'static str {
        "NoClearText"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if leads_away_in_clear(context.request().uri()) { Err(ClearText.into()) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use aws_config::{BehaviorVersion, Region};
    use aws_credential_types::Credentials;
    use aws_credential_types::provider::SharedCredentialsProvider;

    use rxseal::run_local;

    use super::*;
    use crate::AwsKmsKey;
    use crate::key::{client, resolve};

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    fn config(endpoint: &str) -> SdkConfig {
        let credentials = Credentials::new("AKID", "s3cret", None, None, "test");
        SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-west-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .endpoint_url(endpoint)
            .build()
    }

    #[test]
    fn an_endpoint_in_clear_is_refused_before_its_use() {
        for (endpoint, good) in [
            ("https://kms.internal", true),
            ("http://127.0.0.1:5000", true),
            ("http://kms.internal", false),
            ("http://192.0.2.1:5000", false),
        ] {
            let key = run_local(AwsKmsKey::with_config(&config(endpoint), KEY));
            assert_eq!(
                key.as_ref().err().map(|error| error.code().as_str()),
                (!good).then_some("invalid-root-key"),
                "{endpoint}"
            );
        }
    }

    /// Where the check above was not asked, nothing is sent all the same: this address answers nobody.
    #[tokio::test]
    async fn no_request_leaves_in_clear() {
        let client = client(&config("http://192.0.2.1"), std::time::Duration::from_secs(5), 3);
        let error = resolve(&client, "alias/phi").await.unwrap_err();
        let text = std::error::Error::source(&error).unwrap().to_string();
        assert!(!error.is_retryable() && text.contains("nothing was sent"), "{text}");
    }
}

//! No request leaves this machine without TLS, whatever the environment says.

use aws_config::SdkConfig;
use aws_sdk_kms::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_kms::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_kms::error::BoxError;
use thiserror::Error;

use crate::error::{Error, ErrorKind};
use crate::loopback::leads_away_in_clear;

/// The endpoints of the services that give the KEK or the credentials for it.
const VARIABLES: [&str; 4] =
    ["AWS_ENDPOINT_URL_KMS", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_SSO", "AWS_ENDPOINT_URL_SSO_OIDC"];
const IGNORED: &str = "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS";

/// Said before anything is sent.
pub(super) fn refuse_clear_text(config: &SdkConfig) -> Result<(), Error> {
    let ignored = std::env::var(IGNORED).is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    let named = VARIABLES.iter().filter(|_| !ignored).filter_map(|variable| std::env::var(variable).ok());
    let is_clear = named.chain(config.endpoint_url().map(str::to_owned)).any(|url| leads_away_in_clear(&url));
    if !is_clear {
        return Ok(());
    }
    Err(ErrorKind::InvalidRootKey.because(
        "the endpoint of AWS is `http://` to another machine: the KEK would travel in clear. Use `https://` in AWS_ENDPOINT_URL and the \
         profile's `endpoint_url`",
    ))
}

/// The same of each request, since an endpoint may also come from a place that is not asked above (a profile's `services`).
#[derive(Debug)]
pub(super) struct NoClearText;

#[derive(Debug, Error)]
#[error("the endpoint of AWS is http:// to another machine")]
pub(super) struct ClearText;

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

//! Loads credentials before the first call, so that a program without any gets a clear error at its start and not a
//! call that times out.

use std::sync::Mutex;
use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

use crate::failure::Problem;

/// `config` with credentials that are already loaded.
pub(crate) async fn with_first_credentials(config: SdkConfig) -> Result<SdkConfig, Problem> {
    let provider = config.credentials_provider().ok_or(Problem::CredentialsMissing)?;
    let loaded = provider.provide_credentials().await.map_err(|error| Problem::of_credentials(&error))?;
    let first = FirstLoaded { first: Mutex::new(Some(loaded)), then: provider };
    Ok(config.into_builder().credentials_provider(SharedCredentialsProvider::new(first)).build())
}

/// Hands out the credentials that were loaded at the start, so that the provider is not asked twice: it may ask a
/// person for a code.
#[derive(Debug)]
struct FirstLoaded {
    first: Mutex<Option<Credentials>>,
    then: SharedCredentialsProvider,
}

impl ProvideCredentials for FirstLoaded {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        // Credentials that a panic left behind, or that expired before their use, are dropped and loaded again.
        let first = self.first.lock().ok().and_then(|mut first| first.take());
        match first.filter(|first| first.expiry().is_none_or(|expiry| expiry > SystemTime::now())) {
            Some(first) => future::ProvideCredentials::ready(Ok(first)),
            None => future::ProvideCredentials::new(self.then.provide_credentials()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use aws_credential_types::provider;
    use aws_credential_types::provider::error::CredentialsError;

    use rxseal::run_local;

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Counting(Arc<AtomicUsize>);

    impl Counting {
        async fn load(&self) -> provider::Result {
            match self.0.fetch_add(1, Ordering::Relaxed) {
                1 => Err(CredentialsError::not_loaded("the second time")),
                n => Ok(Credentials::new(format!("AKID{n}"), "canary", None, None, "test")),
            }
        }
    }

    impl ProvideCredentials for Counting {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            future::ProvideCredentials::new(self.load())
        }
    }

    fn first(config: SdkConfig) -> Result<SdkConfig, Problem> {
        run_local(async { Ok(with_first_credentials(config).await) }).unwrap()
    }

    #[test]
    fn nobody_is_asked_twice_at_the_start() {
        let counting = Counting::default();
        let config =
            SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(counting.clone())).build();
        let config = first(config).unwrap();
        let provider = config.credentials_provider().unwrap();
        assert!(!format!("{provider:?}").contains("canary"), "{provider:?}");
        let ask = || run_local(async { Ok(provider.provide_credentials().await) }).unwrap();
        assert_eq!(ask().unwrap().access_key_id(), "AKID0");
        assert_eq!(counting.0.load(Ordering::Relaxed), 1);
        ask().unwrap_err();
        assert_eq!(ask().unwrap().access_key_id(), "AKID2", "later ones are the provider's own");
    }

    #[test]
    fn without_any_it_is_said_at_once() {
        assert_eq!(first(SdkConfig::builder().build()).unwrap_err(), Problem::CredentialsMissing);
        let failing = Counting(Arc::new(AtomicUsize::new(1)));
        let config = SdkConfig::builder().credentials_provider(SharedCredentialsProvider::new(failing)).build();
        assert_eq!(first(config).unwrap_err(), Problem::CredentialsMissing);
    }
    #[test]
    fn what_expired_before_its_use_is_loaded_anew() {
        let counting = Counting::default();
        counting.0.store(2, Ordering::Relaxed);
        let expired = Credentials::new("AKIDOLD", "canary", None, Some(SystemTime::UNIX_EPOCH), "test");
        let then = SharedCredentialsProvider::new(counting);
        let provider = FirstLoaded { first: Mutex::new(Some(expired)), then };
        let asked = run_local(async { Ok(provider.provide_credentials().await) }).unwrap();
        assert_eq!(asked.unwrap().access_key_id(), "AKID2");
    }
}

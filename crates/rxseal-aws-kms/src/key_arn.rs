//! Which KMS key: its name as the caller writes it, in requests, and in keyring files.

use rxseal::Error;

const MAX_LEN: usize = 2048;

/// A key as the caller names it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyName {
    /// A complete ARN.
    Arn(KeyArn),
    /// A multi-region key in the configured region: the form in keyring files.
    AnyRegion(MultiRegionName),
    /// An alias or a key id, which KMS resolves.
    ToResolve { text: Box<str>, region: Option<Box<str>> },
}

impl KeyName {
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        if !(1..=MAX_LEN).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::invalid_root_key(NO_KEY));
        }
        if !text.contains(':') {
            return Ok(Self::ToResolve { text: text.into(), region: None });
        }
        let arn = Arn::parse(text).ok_or_else(|| Error::invalid_root_key(NO_KEY))?;
        match (arn.resource.strip_prefix("key/"), arn.region) {
            (Some(id), "") if is_multi_region(id) => Ok(Self::AnyRegion(MultiRegionName(text.into()))),
            (_, "") => Err(Error::invalid_root_key(NO_KEY)),
            (Some(_), _) => KeyArn::parse(text).map(Self::Arn).ok_or_else(|| Error::invalid_root_key(NO_KEY)),
            (None, region) if arn.resource.starts_with("alias/") => {
                Ok(Self::ToResolve { text: text.into(), region: Some(region.into()) })
            }
            (None, _) => Err(Error::invalid_root_key(NO_KEY)),
        }
    }

    /// The region in the name, which is the only one to ask.
    pub(crate) fn region(&self) -> Option<&str> {
        match self {
            Self::Arn(arn) => Some(&arn.region),
            Self::AnyRegion(_) => None,
            Self::ToResolve { region, .. } => region.as_deref(),
        }
    }
}

/// The ARN of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeyArn {
    full: Box<str>,
    name: Box<str>,
    region: Box<str>,
}

impl KeyArn {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let Arn { partition, region, account, resource } = Arn::parse(text)?;
        let id = resource.strip_prefix("key/")?;
        if region.is_empty() || id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
            return None;
        }
        // All replicas of a multi-region key hold the same key, and unwrap what any of them wrapped.
        let shared = is_multi_region(id).then(|| format!("arn:{partition}:kms::{account}:key/{id}").into());
        let name = shared.unwrap_or_else(|| text.into());
        Some(Self { full: text.into(), name, region: region.into() })
    }

    /// The form in requests.
    pub(crate) fn full(&self) -> &str {
        &self.full
    }

    /// The form in keyring files: without the region if the key is in several.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether `answered` is this key, or a replica of it.
    pub(crate) fn is_same_key(&self, answered: &str) -> bool {
        Self::parse(answered).is_some_and(|answered| answered.name == self.name)
    }
}

/// The name of a multi-region key, without a region.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MultiRegionName(Box<str>);

impl MultiRegionName {
    pub(crate) fn in_region(&self, region: &str) -> Option<KeyArn> {
        KeyArn::parse(&self.0.replacen(":kms::", &format!(":kms:{region}:"), 1))
    }
}

/// `arn:PARTITION:kms:REGION:ACCOUNT:RESOURCE`
struct Arn<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
    resource: &'a str,
}

impl<'a> Arn<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.split(':');
        let mut next = || parts.next();
        let (scheme, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        let plain =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        let whole = scheme == "arn"
            && partition.starts_with("aws")
            && service == "kms"
            && [partition, region].into_iter().all(plain)
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && parts.next().is_none();
        whole.then_some(Self { partition, region, account, resource })
    }
}

fn is_multi_region(id: &str) -> bool {
    id.starts_with("mrk-")
}

const NO_KEY: &str =
    "it does not name a key of AWS KMS: give the key's ARN, an alias (`alias/NAME` or its ARN) or a key id";

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    const PRIMARY: &str = "arn:aws-us-gov:kms:us-gov-west-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";
    const REPLICA: &str = "arn:aws-us-gov:kms:us-gov-east-1:111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab";

    #[test]
    fn replicas_share_a_name() {
        let [key, primary, replica] = [KEY, PRIMARY, REPLICA].map(|text| KeyArn::parse(text).unwrap());
        assert_eq!((key.full(), key.name()), (KEY, KEY));
        assert_eq!(primary.name(), "arn:aws-us-gov:kms::111122223333:key/mrk-1234abcd12ab34cd56ef1234567890ab");
        assert_eq!(primary.name(), replica.name());
        assert_eq!((primary.full(), replica.full()), (PRIMARY, REPLICA));
        assert!(primary.is_same_key(REPLICA) && replica.is_same_key(PRIMARY) && key.is_same_key(KEY));
        for other in [KEY, "", "1234abcd-12ab-34cd-56ef-1234567890ab", primary.name(), &PRIMARY.replace("1111", "4444")]
        {
            assert!(!primary.is_same_key(other), "{other}");
        }
        assert!(!key.is_same_key(&KEY.replace("eu-west-1", "eu-west-2")), "one that is not in several regions");
    }

    #[test]
    fn the_name_in_a_keyring_file_finds_the_replica_of_a_region() {
        let name = KeyArn::parse(PRIMARY).unwrap();
        let KeyName::AnyRegion(any) = KeyName::parse(name.name()).unwrap() else { panic!("it has no region") };
        assert_eq!(any.in_region("us-gov-east-1").unwrap().full(), REPLICA);
        assert_eq!(any.in_region("nowhere:else"), None);
    }

    #[test]
    fn what_kms_has_to_resolve() {
        for (text, region) in [
            ("alias/phi-root", None),
            ("1234abcd-12ab-34cd-56ef-1234567890ab", None),
            ("mrk-1234abcd12ab34cd56ef1234567890ab", None),
            ("arn:aws:kms:eu-west-1:111122223333:alias/phi-root", Some("eu-west-1")),
        ] {
            let name = KeyName::parse(text).unwrap();
            assert_eq!(name.region(), region);
            assert_eq!(name, KeyName::ToResolve { text: text.into(), region: region.map(Into::into) });
        }
        assert_eq!(KeyName::parse(KEY).unwrap().region(), Some("eu-west-1"));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in [
            "",
            "alias/with space",
            "alias/ä",
            "arn:aws:kms",
            "arn:aws:s3:::bucket",
            "arn:aws:kms:eu-west-1:111122223333:secret/1234",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms:eu-west-1:111122223333:key/a:b",
            "arn:aws:kms:eu-west-1:111122223333:key/a/b",
            "arn:aws:kms::111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms::111122223333:alias/phi-root",
            "arn:aws:kms:EU-WEST-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:1111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:azure:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            &"a".repeat(2049),
        ] {
            assert_eq!(KeyName::parse(text).unwrap_err().code().as_str(), "invalid-root-key", "{text}");
        }
    }
}

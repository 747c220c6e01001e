//! What a keyring file says without being unlocked: its keys, and the root keys that unlock it.

use rxseal::keys::{KeyState, KeyUse, KeyringFile, Suite};
use serde::Serialize;

use crate::answer::{Answer, Word};

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Ring {
    pub(crate) keyspace: String,
    pub(crate) generation: u64,
    pub(crate) stored_in: String,
    pub(crate) keys: Vec<KeyFacts>,
    /// Any one of them unlocks it.
    pub(crate) root_keys: Vec<RootFacts>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct KeyFacts {
    pub(crate) id: String,
    #[serde(rename = "use")]
    pub(crate) usage: &'static str,
    pub(crate) state: &'static str,
    pub(crate) primary: bool,
    pub(crate) algorithm: &'static str,
    pub(crate) nist_approved: bool,
    pub(crate) created: u64,
    pub(crate) changed: u64,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RootFacts {
    pub(crate) provider: String,
    pub(crate) name: String,
    /// Of a key in AWS, as its name says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) account: Option<String>,
    /// Whether it is apart from the data.
    pub(crate) apart: Answer,
}

/// What the machine shows of where things are.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Here {
    /// Some data is on this machine.
    pub(crate) data: bool,
    /// Whether a root key is in a file or a variable of this machine. Null if nobody named the root keys that it uses.
    pub(crate) root_key: Option<bool>,
}

impl Ring {
    pub(crate) fn of(file: &KeyringFile, stored_in: &str) -> Self {
        let mut keys: Vec<_> = file.keys().iter().collect();
        // In the file they are by id, which says nothing to a person.
        keys.sort_by_key(|key| (key.created(), key.id()));
        let keys = keys.into_iter().map(|key| {
            let (algorithm, nist_approved) = algorithm(key.usage(), key.suite());
            KeyFacts {
                id: key.id().to_string(),
                usage: key.usage().as_str(),
                state: key.state().as_str(),
                primary: key.is_primary(),
                algorithm,
                nist_approved,
                created: key.created(),
                changed: key.changed(),
            }
        });
        Self {
            keyspace: file.keyspace().to_owned(),
            generation: file.generation(),
            stored_in: stored_in.to_owned(),
            keys: keys.collect(),
            root_keys: file.wraps().map(|wrap| RootFacts::of(wrap.provider(), wrap.root_key())).collect(),
        }
    }

    /// Says of each root key whether it is apart from the data, as far as that is seen or stated.
    pub(crate) fn judge_places(&mut self, here: Here, stated: Option<(bool, &str)>) {
        let has_others = self.root_keys.iter().any(|root| !root.is_local());
        for root in &mut self.root_keys {
            root.apart = root.is_apart(here, has_others, stated);
        }
    }
}

impl KeyFacts {
    /// Whether the key still opens something.
    pub(crate) fn is_there(&self) -> bool {
        self.state != KeyState::Destroyed.as_str()
    }

    pub(crate) fn is_compromised(&self) -> bool {
        self.state == KeyState::Compromised.as_str()
    }
}

impl RootFacts {
    fn of(provider: &str, name: &str) -> Self {
        // arn:aws:kms:REGION:ACCOUNT:key/ID
        let arn: Vec<_> = name.split(':').collect();
        let of_arn = |at: usize| match (provider, &*arn) {
            ("aws-kms", ["arn", _, "kms", ..]) => arn.get(at).map(|part| (*part).to_owned()),
            _ => None,
        };
        let apart = Answer::stated_or_unknown(None, "");
        Self { provider: provider.to_owned(), name: name.to_owned(), region: of_arn(3), account: of_arn(4), apart }
    }

    /// Whether it is in a file or a variable of some machine.
    pub(crate) fn is_local(&self) -> bool {
        self.provider == "local"
    }

    /// `has_others` says whether a root key that is not local unlocks the keyring too, so that a machine can do without this one.
    fn is_apart(&self, here: Here, has_others: bool, stated: Option<(bool, &str)>) -> Answer {
        // The account of the services that imitate AWS.
        let is_real = self.account.as_ref().is_some_and(|account| !account.bytes().all(|digit| digit == b'0'));
        let is_said_no = stated.is_some_and(|(is_apart, _)| !is_apart);
        match &*self.provider {
            "local" if here.data && here.root_key == Some(true) => {
                Answer::observed(Word::No, "a root key and data are on the machine that made this evidence")
            }
            // Data is here, and so may be the file. Nobody's word alone says that it is not.
            "local" if here.data && !is_said_no && !(here.root_key == Some(false) && has_others) => {
                let why = "it is a file or a variable of some machine, the one that made this evidence has data, and nothing shows that it uses \
                           another root key";
                Answer::stated_or_unknown(None, why)
            }
            // Who says that it is not apart knows more than a name does.
            "aws-kms" if is_real && stated.is_none_or(|(is_apart, _)| is_apart) => {
                Answer::observed(Word::Yes, "its name is that of a key in AWS KMS, which keeps it")
            }
            "local" => Answer::stated_or_unknown(stated, "it is a file or a variable of some machine"),
            _ => Answer::stated_or_unknown(stated, "its name does not say where its provider is"),
        }
    }
}

/// What a key computes with, and whether that is made of NIST-approved algorithms.
fn algorithm(usage: KeyUse, suite: Option<Suite>) -> (&'static str, bool) {
    match (usage, suite) {
        (_, Some(Suite::Xaes256Gcm)) => ("XAES-256-GCM", true),
        (_, Some(Suite::XChaCha20Poly1305)) => ("XChaCha20-Poly1305", false),
        (KeyUse::Index, None) => ("HMAC-SHA-256", true),
        _ => ("unknown", false),
    }
}

//! The settings of a `VaultKey`, and their checks.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Certificate, Url, redirect, retry};
use rxseal::Error;
use rxseal::provider::{SecretFile, is_loopback};
use zeroize::Zeroizing;

use crate::client::Client;
use crate::key::VaultKey;
use crate::login::{AppRole, Login, Token};
use crate::transport::Transport;

const MAX_DEADLINE: Duration = Duration::from_secs(600);
const MAX_PATH: usize = 512;

/// Builds a [`VaultKey`]. Nothing is sent to the server before the key's first use.
#[must_use = "call `.build()`"]
pub struct VaultKeyBuilder {
    address: String,
    key: String,
    mount: String,
    namespace: Option<String>,
    label: Option<String>,
    ca_certificates: Vec<u8>,
    deadline: Duration,
    attempts: u32,
    auth: Option<Auth>,
    app_role_mount: String,
    allow_group_read: bool,
}

enum Auth {
    Token(Zeroizing<String>),
    Environment(String),
    File(PathBuf),
    AppRole { role_id: Zeroizing<String>, secret_id: Zeroizing<String> },
}

impl VaultKey {
    /// The Transit key with this name on the server at `address`, such as `https://vault:8200`.
    ///
    /// Next say how to log in, and call [`build`](VaultKeyBuilder::build).
    pub fn builder(address: impl Into<String>, key: impl Into<String>) -> VaultKeyBuilder {
        VaultKeyBuilder {
            address: address.into(),
            key: key.into(),
            mount: "transit".to_owned(),
            namespace: None,
            label: None,
            ca_certificates: Vec::new(),
            deadline: Duration::from_secs(5),
            attempts: 3,
            auth: None,
            app_role_mount: "approle".to_owned(),
            allow_group_read: false,
        }
    }
}

impl VaultKeyBuilder {
    /// The mount of the Transit engine. The default is `transit`.
    pub fn mount(mut self, mount: impl Into<String>) -> Self {
        self.mount = mount.into();
        self
    }

    /// The namespace of the Transit engine and of the login (OpenBao 2.3 or later, Vault Enterprise).
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Tells this key apart from a key with the same mount and name on another server, for keyrings that both unlock.
    /// The label becomes the end of the key's [name](VaultKey#names), as in `transit/phi-root@dc2`. Give a label to the
    /// second key and leave the first key as it is: a keyring does not find a wrap if the key's name has changed.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Trusts only these certificates for TLS: one or more, in PEM. Without this call, the system's certificates are
    /// trusted.
    pub fn ca_certificate_pem(mut self, pem: impl AsRef<[u8]>) -> Self {
        self.ca_certificates.extend_from_slice(pem.as_ref());
        self
    }

    /// How long a call may take with all its attempts and logins. The default is 5 seconds, the maximum 10 minutes.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// How many times a call that may succeed later is tried. The default is 3, the maximum 100.
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Uses this token. This crate does not renew it: something else must, or use [`token_file`](Self::token_file).
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.auth = Some(Auth::Token(Zeroizing::new(token.into())));
        self
    }

    /// Uses the token in this file, which Vault Agent or OpenBao Agent keeps fresh. The file is read for every call.
    ///
    /// It must belong to root or to the user of this process and have mode 0600, so run the agent as that user. A file
    /// that somebody else can read or change is refused with `root-key-permissions`.
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.auth = Some(Auth::File(path.into()));
        self
    }

    /// Also accepts a token file that its group may read (mode 0640).
    pub fn allow_group_read(mut self) -> Self {
        self.allow_group_read = true;
        self
    }

    /// Uses the token in this environment variable, such as `VAULT_TOKEN`. [`build`](Self::build) reads it. It is not
    /// renewed, as with [`token`](Self::token).
    pub fn token_from_env(mut self, variable: impl Into<String>) -> Self {
        self.auth = Some(Auth::Environment(variable.into()));
        self
    }

    /// Logs in with this AppRole. The token is kept until two thirds of its lifetime are over or until it is refused.
    /// Then there is another login, so the secret id must allow more than one (`secret_id_num_uses=0`).
    pub fn app_role(mut self, role_id: impl Into<String>, secret_id: impl Into<String>) -> Self {
        let (role_id, secret_id) = (Zeroizing::new(role_id.into()), Zeroizing::new(secret_id.into()));
        self.auth = Some(Auth::AppRole { role_id, secret_id });
        self
    }

    /// The mount of the AppRole auth method. The default is `approle`.
    pub fn app_role_mount(mut self, mount: impl Into<String>) -> Self {
        self.app_role_mount = mount.into();
        self
    }

    /// Checks the settings. This does not contact the server.
    ///
    /// # Errors
    ///
    /// `invalid-root-key` if an address, a name, a certificate, a token or a limit is not valid, or if no login was
    /// given. An address without TLS is refused unless it is `localhost` or a loopback address: the KEK would travel in
    /// clear.
    pub fn build(self) -> Result<VaultKey, Error> {
        let address = parse_address(&self.address)?;
        let key = one_segment(&self.key)?;
        let mount = segments(&self.mount, "the mount is not a path of letters, digits, `-`, `_` and `.`")?;
        let namespace = match &self.namespace {
            None => None,
            Some(text) => {
                Some(segments(text, "the namespace is not a path of letters, digits, `-`, `_` and `.`")?.to_owned())
            }
        };
        if self.deadline.is_zero() || self.deadline > MAX_DEADLINE {
            return Err(Error::invalid_root_key("the deadline is zero or more than 10 minutes"));
        }
        if !(1..=100).contains(&self.attempts) {
            return Err(Error::invalid_root_key("the number of attempts is not 1 to 100"));
        }
        let mut name = match &namespace {
            None => format!("{mount}/{key}"),
            Some(namespace) => format!("{namespace}/{mount}/{key}"),
        };
        if let Some(label) = &self.label {
            if !is_segment(label) {
                return Err(Error::invalid_root_key("the label is not a name of letters, digits, `-`, `_` and `.`"));
            }
            // No part of a path may contain an `@`, so two keys never get the same name.
            name.push('@');
            name.push_str(label);
        }
        let origin = match &namespace {
            None => address.clone(),
            Some(namespace) => format!("{address}, namespace {namespace}"),
        };
        let transport = Transport {
            http: http_client(&address, &self.ca_certificates)?,
            address,
            origin: Arc::from(origin),
            namespace: namespace.and_then(|namespace| HeaderValue::try_from(namespace).ok()),
            deadline: self.deadline,
            attempts: self.attempts,
        };
        let login = login(self.auth, &self.app_role_mount, self.allow_group_read)?;
        Ok(VaultKey::new(name, mount.to_owned(), key.to_owned(), Client { transport, login }))
    }
}

impl fmt::Debug for VaultKeyBuilder {
    /// Without the address: it is not checked yet and may be a URL with a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VaultKeyBuilder").field("mount", &self.mount).field("key", &self.key).finish_non_exhaustive()
    }
}

fn login(auth: Option<Auth>, app_role_mount: &str, allow_group_read: bool) -> Result<Login, Error> {
    let token = |text: &str| {
        let text = Zeroizing::new(text.trim_ascii().as_bytes().to_vec());
        Token::new(text)
            .map(Login::Token)
            .ok_or_else(|| Error::invalid_root_key("the token is empty, too long or not printable"))
    };
    match auth {
        None => {
            Err(Error::invalid_root_key("say how to log in: `token`, `token_file`, `token_from_env` or `app_role`"))
        }
        Some(Auth::Token(text)) => token(&text),
        Some(Auth::File(path)) => {
            let file = SecretFile::new(path);
            Ok(Login::File(if allow_group_read { file.allow_group_read() } else { file }))
        }
        Some(Auth::Environment(variable)) => {
            let text = std::env::var(&variable).map_err(|_| {
                Error::invalid_root_key("the environment variable for the token is not set, or is not text")
            })?;
            token(&Zeroizing::new(text))
        }
        Some(Auth::AppRole { role_id, secret_id }) => {
            if role_id.is_empty() || secret_id.is_empty() {
                return Err(Error::invalid_root_key("the role id or the secret id is empty"));
            }
            let mount =
                segments(app_role_mount, "the mount of AppRoles is not a path of letters, digits, `-`, `_` and `.`")?;
            Ok(Login::AppRole(Box::new(AppRole::new(role_id, secret_id, mount.to_owned()))))
        }
    }
}

/// The address without a slash at its end.
fn parse_address(text: &str) -> Result<String, Error> {
    let url =
        Url::parse(text).map_err(|_| Error::invalid_root_key("the address is not a URL such as https://vault:8200"))?;
    let host = url.host_str().ok_or_else(|| Error::invalid_root_key("the address names no host"))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(host) => {}
        "http" => {
            return Err(Error::invalid_root_key(
                "the address is `http://` to another machine: the KEK would travel in clear. Use `https://`",
            ));
        }
        _ => return Err(Error::invalid_root_key("the address does not begin with `https://`")),
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() || url.fragment().is_some() {
        return Err(Error::invalid_root_key("the address has more than a host, a port and a path"));
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn one_segment(key: &str) -> Result<&str, Error> {
    if is_segment(key) {
        Ok(key)
    } else {
        Err(Error::invalid_root_key("the key is not a name of letters, digits, `-`, `_` and `.`"))
    }
}

/// The one spelling of a path: without slashes at its start and end.
fn segments<'p>(path: &'p str, reason: &'static str) -> Result<&'p str, Error> {
    let path = path.trim_matches('/');
    if path.len() <= MAX_PATH && path.split('/').all(is_segment) {
        Ok(path)
    } else {
        Err(Error::invalid_root_key(reason))
    }
}

fn is_segment(segment: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=255).contains(&segment.len()) && segment.bytes().all(legal) && segment.bytes().any(|byte| byte != b'.')
}

fn http_client(address: &str, ca_certificates: &[u8]) -> Result<reqwest::Client, Error> {
    let mut http = reqwest::Client::builder()
        .tls_backend_rustls()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .referer(false)
        .no_proxy()
        .pool_idle_timeout(Duration::from_secs(10))
        .pool_max_idle_per_host(4);
    if !ca_certificates.is_empty() {
        let certificates = Certificate::from_pem_bundle(ca_certificates).unwrap_or_default();
        if certificates.is_empty() {
            return Err(Error::invalid_root_key("the CA certificates are not PEM, or the PEM holds none"));
        }
        http = http.tls_certs_only(certificates);
    } else if address.starts_with("http:") {
        // Otherwise this fails on a machine without certificates, even if none are needed.
        http = http.tls_certs_only([]);
    }
    http.build().map_err(|_| {
        Error::invalid_root_key(
            "TLS cannot be set up: this machine has no CA certificates (give that of the server: `ca_certificate_pem`, or \
                 VAULT_CACERT for the command), or those that were given are not valid",
        )
    })
}

#[cfg(test)]
mod tests {
    use rxseal::root::RootKey;

    use super::*;

    fn name(change: impl FnOnce(VaultKeyBuilder) -> VaultKeyBuilder) -> Result<String, String> {
        let builder = VaultKey::builder("https://vault:8200", "phi-root").token("s.secret-token");
        let root = change(builder).ca_certificate_pem("").build().map_err(|error| error.to_string())?;
        assert!(!format!("{root:?}").contains("secret"));
        Ok(root.name().to_owned())
    }

    #[test]
    fn names_are_stable() {
        assert_eq!(name(|b| b).unwrap(), "transit/phi-root");
        assert_eq!(name(|b| b.mount("/kms/phi/")).unwrap(), "kms/phi/phi-root");
        assert_eq!(name(|b| b.namespace("pharmacy/")).unwrap(), "pharmacy/transit/phi-root");
        assert_eq!(name(|b| b.label("dc2")).unwrap(), "transit/phi-root@dc2");
        assert_eq!(name(|b| b.namespace("pharmacy").label("dc2")).unwrap(), "pharmacy/transit/phi-root@dc2");
        for bad in ["", "dc 2", "dc@2", "dc/2", ".."] {
            assert!(name(|b| b.label(bad)).unwrap_err().contains("the label is not a name"), "{bad:?}");
        }
        let other = VaultKey::builder("http://127.0.0.1:8200/", "phi-root").token("x").build().unwrap();
        assert_eq!(other.name(), "transit/phi-root");
        assert_eq!(format!("{other:?}"), "VaultKey(transit/phi-root at http://127.0.0.1:8200)");
    }

    #[test]
    fn addresses() {
        for good in [
            "https://vault:8200",
            "https://vault.example/base/",
            "http://127.0.0.1:8200",
            "http://127.9.9.9",
            "http://[::1]:8200",
            "http://localhost:8200",
        ] {
            assert!(parse_address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "vault:8200",
            "//vault",
            "ftp://vault",
            "unix:///run/vault",
            "http://vault:8200",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://localhost@vault",
            "https://user:password@vault",
            "https://vault?x=1",
            "https://vault#x",
        ] {
            let error = parse_address(bad).unwrap_err();
            assert_eq!(error.code().as_str(), "invalid-root-key", "{bad}");
            assert!(!error.to_string().contains("password"));
        }
    }

    #[test]
    fn settings_that_are_none() {
        for bad in ["", "/", "a/../b", ".", "a b", "a?b", "a%2Fb", "a//b", "ä"] {
            assert!(name(|b| b.mount(bad)).unwrap_err().contains("the mount"), "{bad}");
            assert!(name(|b| b.namespace(bad)).unwrap_err().contains("the namespace"), "{bad}");
            assert!(name(|b| b.app_role("r", "s").app_role_mount(bad)).unwrap_err().contains("AppRoles"), "{bad}");
            let root = VaultKey::builder("https://vault", bad).token("t").build();
            assert!(root.unwrap_err().to_string().contains("the key"), "{bad}");
        }
        assert!(name(|b| b.deadline(Duration::ZERO)).unwrap_err().contains("deadline"));
        assert!(name(|b| b.attempts(0)).unwrap_err().contains("attempts"));
        assert!(name(|b| b.app_role("", "s")).unwrap_err().contains("role id"));
        assert!(name(|b| b.ca_certificate_pem("no PEM")).unwrap_err().contains("PEM"));
        for bad in ["", " ", "a b", "a\nb", "ä"] {
            assert!(name(|b| b.token(bad)).unwrap_err().contains("the token"), "{bad}");
        }
        assert!(name(|b| b.token_from_env("RXSEAL_NO_SUCH_VARIABLE")).unwrap_err().contains("environment"));
        let root = VaultKey::builder("https://vault", "k").build();
        assert!(root.unwrap_err().to_string().contains("how to log in"));
    }

    #[test]
    fn debug_shows_no_secret() {
        let builder = VaultKey::builder("https://user:password@vault", "phi-root").app_role("role", "secret-id");
        assert_eq!(format!("{builder:?}"), r#"VaultKeyBuilder { mount: "transit", key: "phi-root", .. }"#);
    }
}

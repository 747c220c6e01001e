//! A root key in an HSM, as an operator writes it.

use std::env;
use std::path::PathBuf;
use std::sync::Arc;

use rxseal::root::RootKey;
use rxseal_pkcs11::Pkcs11Key;

use crate::error::{SpecError, refuse};
use crate::options::{Options, named};

pub(crate) fn connect(uri: &str, mut options: Options, allow_group_read: bool) -> Result<Arc<dyn RootKey>, SpecError> {
    let own = |variable| env::var_os(variable).filter(|value| !value.is_empty());
    let library = options.take("module_path").map(Into::into).or_else(|| own("RXSEAL_PKCS11_MODULE"));
    let Some(library) = library else {
        return refuse(
            "no PKCS#11 library is given: set RXSEAL_PKCS11_MODULE (or the option module-path) to the path of the HSM's library, such as \
             /usr/lib/softhsm/libsofthsm2.so",
        );
    };
    let mut builder = Pkcs11Key::builder_from_uri(library, uri)?;
    if allow_group_read {
        builder = builder.allow_group_read();
    }
    if let Some(deadline) = options.deadline()? {
        builder = builder.deadline(deadline);
    }
    let (file, pin_env) = (options.take("pin_source"), options.take("pin_env"));
    let file = file.map(|path| PathBuf::from(path.strip_prefix("file:").unwrap_or(&path)));
    builder = match (file, pin_env, own("RXSEAL_PKCS11_PIN_FILE")) {
        (Some(path), None, _) => builder.pin_file(path),
        (None, Some(name), _) => builder.pin_from_env(named(&name, "pin_env")?),
        (None, None, Some(path)) => builder.pin_file(PathBuf::from(path)),
        (None, None, None) if own("RXSEAL_PKCS11_PIN").is_some() => builder.pin_from_env("RXSEAL_PKCS11_PIN"),
        (Some(_), Some(_), _) => return refuse("use pin-source or pin_env, not both"),
        _ => {
            return refuse(
                "no PIN is given for the HSM: set RXSEAL_PKCS11_PIN_FILE (or the option pin-source) to a file that holds it, or set RXSEAL_PKCS11_PIN (or the option pin_env)",
            );
        }
    };
    options.finish(&["module-path", "pin-source", "pin_env", "deadline"])?;
    Ok(Arc::new(builder.build()?))
}

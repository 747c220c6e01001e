//! The command `rxseal` against real services: the life of a keyring, and one line for each mistake. Run by .ci/servers.
#![allow(clippy::unwrap_used)]

#[path = "live/pkcs11/softhsm.rs"]
mod softhsm;

use std::env;
use std::net::TcpListener;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A keyring in PostgreSQL under root keys of Vault and AWS KMS.
struct Desk {
    root_vault: String,
    root_kms: String,
    keyspace: String,
}

impl Desk {
    fn new(name: &str) -> Self {
        let made =
            Command::new("python3").arg(concat!(env!("CARGO_MANIFEST_DIR"), "/.ci/key_services.py")).output().unwrap();
        assert!(made.status.success(), "needs .ci/servers: {}", String::from_utf8_lossy(&made.stderr));
        let key = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        Self {
            root_vault: format!("vault:{}/transit/{key}", server("RXSEAL_TEST_VAULT")),
            root_kms: format!("aws-kms:alias/{key}"),
            keyspace: format!("{name}-{key}"),
        }
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.env_clear().env("HOME", "/nonexistent").stdin(Stdio::null());
        command.env("RXSEAL_STORE", server("RXSEAL_TEST_POSTGRES"));
        command.env("RXSEAL_ROOTS", format!("{} {}", self.root_vault, self.root_kms));
        command.env("VAULT_TOKEN", server("RXSEAL_TEST_VAULT_TOKEN"));
        command.env("AWS_ENDPOINT_URL", server("RXSEAL_TEST_MOTO")).env("AWS_REGION", "us-east-1");
        command.env("AWS_ACCESS_KEY_ID", "test").env("AWS_SECRET_ACCESS_KEY", "test");
        command.args(arguments.replace("KEYSPACE", &self.keyspace).split_whitespace());
        command
    }

    #[track_caller]
    fn ok(&self, arguments: &str) -> String {
        let output = self.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

fn server(variable: &str) -> String {
    env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set: run `.ci/servers cargo test ..`"))
}

#[track_caller]
fn fails(output: &Output, exit: i32, part: &str) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(exit), "{text}");
    assert!(text.lines().count() == 1 && text.contains(part), "{part:?} is not in: {text}");
}

#[test]
#[ignore = "needs .ci/servers"]
fn the_life_of_a_keyring_in_services() {
    let desk = Desk::new("life");
    desk.ok("keyring init KEYSPACE");
    let shown = desk.ok("keyring inspect KEYSPACE");
    assert!(shown.contains("vault") && shown.contains("aws-kms"), "{shown}");
    assert!(desk.ok("keyring list").contains(&desk.keyspace));
    assert_eq!(desk.ok("keyring verify KEYSPACE").matches("unlocks").count(), 2);
    desk.ok("keyring stage KEYSPACE");
    desk.ok("keyring promote KEYSPACE --staged-for 0s");
    desk.ok(&format!("keyring rewrap KEYSPACE --to {} --yes", desk.root_kms));
    assert!(!desk.ok("keyring inspect KEYSPACE").contains("vault"));
    desk.ok(&format!("keyring root add KEYSPACE {}", desk.root_vault));
    assert_eq!(desk.ok("keyring verify KEYSPACE").matches("unlocks").count(), 2);
}

#[test]
#[ignore = "needs .ci/servers"]
fn each_trouble_with_a_service_is_one_line() {
    let desk = Desk::new("trouble");
    desk.ok("keyring init KEYSPACE");
    let only = |root: &str| {
        let mut command = desk.command("keyring rotate KEYSPACE");
        command.env("RXSEAL_ROOTS", root);
        command
    };
    // A token that Vault does not know, and none.
    fails(&only(&desk.root_vault).env("VAULT_TOKEN", "hvs.unknown-secret").output().unwrap(), 5, "provider refused");
    fails(&only(&desk.root_vault).env_remove("VAULT_TOKEN").output().unwrap(), 2, "VAULT_TOKEN");
    let text = only(&desk.root_vault).env("VAULT_TOKEN", "hvs.unknown-secret").output().unwrap().stderr;
    assert!(!String::from_utf8(text).unwrap().contains("unknown-secret"));
    // The other root key unlocks, since each is tried.
    assert!(
        desk.command("keyring rotate KEYSPACE").env("VAULT_TOKEN", "hvs.unknown").output().unwrap().status.success()
    );
    // Nobody listens there.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let key = desk.root_vault.rsplit('/').next().unwrap();
    fails(&only(&format!("vault:http://{free}/transit/{key}")).output().unwrap(), 4, "provider is unavailable");
    let down = desk.command("keyring list").env("RXSEAL_STORE", format!("postgres://rxseal@{free}/postgres")).output();
    fails(&down.unwrap(), 4, "store is unavailable");
    // Credentials that are not there.
    let none = only(&desk.root_kms)
        .env_remove("AWS_ACCESS_KEY_ID")
        .env_remove("AWS_SECRET_ACCESS_KEY")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .output();
    fails(&none.unwrap(), 5, "credentials");
    // Columns that are not there.
    let url = server("RXSEAL_TEST_POSTGRES");
    let counted = desk.command(&format!("count --postgres {url} --table no_such_table --column c")).output().unwrap();
    fails(&counted, 5, "no_such_table");
    assert!(desk.ok(&format!("count --postgres {url} --table rxseal_keyrings --column file")).contains("not a token"));
}

/// A Vault of its own, with the key `transit/phi-root`.
struct OwnVault {
    server: Child,
    address: String,
}

impl OwnVault {
    fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Command::new(server("RXSEAL_TEST_BAO"))
            .args(["server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root"])
            .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let vault = Self { server, address: format!("http://127.0.0.1:{port}") };
        let begun = Instant::now();
        while !vault.control(&["status"]).status.success() {
            assert!(begun.elapsed() < Duration::from_secs(30), "OpenBao did not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        assert!(vault.control(&["secrets", "enable", "transit"]).status.success());
        assert!(vault.control(&["write", "-f", "transit/keys/phi-root", "type=aes256-gcm96"]).status.success());
        vault
    }

    fn control(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(server("RXSEAL_TEST_BAO"));
        command.args(arguments).env("BAO_ADDR", &self.address).env("BAO_TOKEN", "root").output().unwrap()
    }

    /// A token that may do this with the key, and nothing else.
    fn token_for(&self, rights: &[&str]) -> String {
        let policy: String = rights
            .iter()
            .map(|right| format!("path \"transit/{right}/phi-root\" {{ capabilities = [\"update\"] }}\n"))
            .collect();
        let file = env::temp_dir().join(format!("rxseal-policy-{}-{}", std::process::id(), rights.len()));
        std::fs::write(&file, policy).unwrap();
        let name = format!("may-{}", rights.join("-"));
        assert!(self.control(&["policy", "write", &name, file.to_str().unwrap()]).status.success());
        std::fs::remove_file(file).unwrap();
        let made = self.control(&["token", "create", "-field=token", &format!("-policy={name}")]);
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }
}

impl Drop for OwnVault {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        let _ = self.server.wait().unwrap();
    }
}

/// One of the same mount and name in each of two Vaults: only a label tells them apart.
#[test]
#[ignore = "needs .ci/servers"]
fn two_vaults_in_one_command() {
    let (first, second) = (OwnVault::start(), OwnVault::start());
    let folder = env::temp_dir().join(format!("rxseal-two-vaults-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files = [("one", first.token_for(&["encrypt", "decrypt"])), ("two", second.token_for(&["encrypt", "decrypt"]))];
    for (name, token) in &files {
        std::fs::write(folder.join(name), token).unwrap();
        std::fs::set_permissions(folder.join(name), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let one = format!("vault:{}/transit/phi-root?token_file=one", first.address);
    let two = format!("vault:{}/transit/phi-root?token_file=two", second.address);
    let labelled = format!("{two}&label=dc2");
    let run = |roots: &[&str], arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command
            .env_clear()
            .current_dir(&folder)
            .env("RXSEAL_STORE", "file:rings")
            .env("RXSEAL_ROOTS", roots.join("\n"));
        command.args(arguments.split_whitespace()).output().unwrap()
    };
    let ok = |roots: &[&str], arguments: &str| {
        let output = run(roots, arguments);
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    ok(&[&one], "keyring init pharmacy-17");
    let refused = run(&[&one], &format!("keyring root add pharmacy-17 {two}"));
    assert!(!String::from_utf8_lossy(&refused.stderr).contains("already unlocks"));
    fails(&refused, 5, "`label`");
    ok(&[&one], &format!("keyring root add pharmacy-17 {labelled}"));
    let both = ok(&[&one, &labelled], "keyring verify pharmacy-17");
    assert!(both.matches("unlocks").count() == 2 && both.contains("transit/phi-root@dc2"), "{both}");
    assert_eq!(ok(&[&labelled], "keyring verify pharmacy-17").matches("unlocks").count(), 1);
    // What was wrapped before there was a label is found without one.
    fails(&run(&[&two], "keyring verify pharmacy-17"), 5, "do not unlock");
    ok(&[&one, &labelled], "keyring root remove pharmacy-17 vault transit/phi-root");
    ok(&[&labelled], "keyring verify pharmacy-17");
    // The same in a configuration file.
    let table = format!(
        "store = \"file:rings\"\n[[roots]]\nroot = \"vault:{}/transit/phi-root\"\nlabel = \"dc2\"\ntoken_file = \"two\"\n",
        second.address
    );
    std::fs::write(folder.join("rxseal.toml"), table).unwrap();
    ok(&[], "--config rxseal.toml keyring verify pharmacy-17");

    // What KEYS.md says: who may only unlock can rotate if it can write the store, and can wrap nothing.
    std::fs::write(folder.join("two"), second.token_for(&["decrypt"])).unwrap();
    ok(&[&labelled], "keyring rotate pharmacy-17");
    fails(&run(&[&labelled], "keyring rewrap pharmacy-17"), 5, "provider refused");
    fails(&run(&[&labelled], "keyring init pharmacy-18"), 5, "provider refused");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Each token has a PIN and a library of its own, which the root key's text names.
#[test]
#[ignore = "needs .ci/servers"]
fn two_hsm_tokens_in_one_command() {
    let folder = env::temp_dir().join(format!("rxseal-two-tokens-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    softhsm::write_pin(&folder.join("pin file"), softhsm::PIN);
    let tokens = [softhsm::Token::new(), softhsm::Token::new()];
    for token in &tokens {
        token.make(softhsm::Key::named("phi-root"));
    }
    let module = softhsm::library();
    let uri = |token: &softhsm::Token, pin: &str| {
        format!("pkcs11:token={};object=phi-root?module-path={}&{pin}&deadline=20s", token.label, module.display())
    };
    let roots = [uri(&tokens[0], "pin-source=file:pin%20file"), uri(&tokens[1], "pin_env=OTHER_PIN")].join("\n");
    let run = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.env_clear().current_dir(&folder).env("RXSEAL_STORE", "file:rings").env("RXSEAL_ROOTS", &roots);
        command.env("SOFTHSM2_CONF", env::var("SOFTHSM2_CONF").unwrap()).env("OTHER_PIN", softhsm::PIN);
        // What one root key says goes before what is said of all.
        command.env("RXSEAL_PKCS11_MODULE", "/nonexistent.so").env("RXSEAL_PKCS11_PIN", "0000");
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run("keyring init pharmacy-17");
    assert_eq!(run("keyring verify pharmacy-17").matches("unlocks").count(), 2);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
#[ignore = "needs .ci/servers"]
fn a_sealed_vault_says_so() {
    let vault = OwnVault::start();
    let folder = env::temp_dir().join(format!("rxseal-live-cli-{}", std::process::id()));
    let rxseal = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.env_clear().env("RXSEAL_STORE", format!("file:{}", folder.display())).env("VAULT_TOKEN", "root");
        command.env("RXSEAL_ROOTS", format!("vault:{}/transit/phi-root", vault.address));
        command.args(arguments.split_whitespace()).output().unwrap()
    };
    assert!(rxseal("keyring init pharmacy-17").status.success());
    assert!(vault.control(&["operator", "seal"]).status.success());
    fails(&rxseal("keyring rotate pharmacy-17"), 4, "unseal");
    std::fs::remove_dir_all(folder).unwrap();
}

/// As an operator meets it.
#[test]
#[ignore = "needs SoftHSM2"]
fn the_command() {
    let token = softhsm::Token::new();
    token.make(softhsm::Key { id: 1, ..softhsm::Key::named("phi-root") });
    let folder = softhsm::folder();
    let pin_file = folder.join(format!("{}-command.pin", token.label));
    softhsm::write_pin(&pin_file, &format!("{}\n", softhsm::PIN));
    let name = format!("token={};object=phi-root", token.label);
    let command = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.args(arguments.split(' ')).env("RXSEAL_PKCS11_MODULE", softhsm::library());
        command.env("RXSEAL_STORE", format!("file:{}", folder.join("rings").display()));
        command.env("RXSEAL_ROOTS", format!("pkcs11:{name}")).env("RXSEAL_PKCS11_PIN_FILE", &pin_file);
        command
    };
    for arguments in ["keyring init pharmacy-17", "keyring rotate pharmacy-17", "keyring verify pharmacy-17"] {
        let output = command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let shown = command("keyring inspect pharmacy-17").output().unwrap().stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("pkcs11") && shown.contains(&name), "{shown}");

    let fails = |command: &mut Command, exit, words: &[&str]| {
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(exit) && text.trim_end().lines().count() == 1, "{text}");
        assert!(words.iter().all(|word| text.contains(word)) && !text.contains("canary"), "{words:?} in: {text}");
        print!("{text}");
    };
    let rotate = || command("keyring rotate pharmacy-17");
    let mut wrong = rotate();
    wrong.env_remove("RXSEAL_PKCS11_PIN_FILE").env("RXSEAL_PKCS11_PIN", "canary-wrong-pin");
    fails(&mut wrong, 5, &["refuses the PIN"]);
    fails(rotate().env_remove("RXSEAL_PKCS11_PIN_FILE"), 2, &["RXSEAL_PKCS11_PIN_FILE"]);
    fails(rotate().env_remove("RXSEAL_PKCS11_MODULE"), 2, &["RXSEAL_PKCS11_MODULE"]);
    fails(rotate().env("RXSEAL_PKCS11_MODULE", "softhsm.so"), 1, &["absolute"]);
    fails(rotate().env("RXSEAL_PKCS11_MODULE", "/no/such/library.so"), 5, &["cannot be loaded"]);
    fails(rotate().env("RXSEAL_ROOTS", "pkcs11:token=phi;pin-value=1"), 1, &["pkcs11:token=LABEL;object=LABEL"]);
    let absent = format!("pkcs11:token={};object=absent", token.label);
    fails(command("keyring init pharmacy-18").env("RXSEAL_ROOTS", absent), 5, &["no AES key"]);
    fails(command("keyring init pharmacy-18").env("RXSEAL_ROOTS", "pkcs11:token=absent;id=%01"), 4, &["no token"]);
}

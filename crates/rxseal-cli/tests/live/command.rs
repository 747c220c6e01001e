//! The life of a keyring in services, and one line for each mistake.

use std::env;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};

use crate::keys::{admin_policy, service_policy};
use crate::servers::{KEY_SERVICES, output, server};
use crate::softhsm;
use crate::vault::OwnVault;

/// A keyring in PostgreSQL under root keys of Vault and AWS KMS.
struct Desk {
    root_vault: String,
    root_kms: String,
    keyspace: String,
}

impl Desk {
    fn new(name: &str) -> Self {
        let key = output(Command::new("python3").arg(KEY_SERVICES)).trim().to_owned();
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

/// One of the same mount and name in each of two Vaults: only a label tells them apart.
#[test]
#[ignore = "needs .ci/servers"]
fn two_vaults_in_one_command() {
    let (first, second) = (OwnVault::start(), OwnVault::start());
    let folder = env::temp_dir().join(format!("rxseal-two-vaults-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files = [("one", first.token_for(&admin_policy())), ("two", second.token_for(&admin_policy()))];
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
    std::fs::write(folder.join("two"), second.token_for(&service_policy())).unwrap();
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
    let module = softhsm::library();
    let root = |token: &softhsm::Token, pin: &str| {
        token.root(&format!("?module-path={}&{pin}&deadline=20s", module.display()))
    };
    let roots = [root(&tokens[0], "pin-source=file:pin%20file"), root(&tokens[1], "pin_env=OTHER_PIN")].join("\n");
    let run = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.env_clear().current_dir(&folder).env("RXSEAL_STORE", "file:rings").env("RXSEAL_ROOTS", &roots);
        command.env("SOFTHSM2_CONF", softhsm::configuration()).env("OTHER_PIN", softhsm::PIN);
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

#[test]
#[ignore = "needs .ci/servers"]
fn each_trouble_with_an_hsm_is_one_line() {
    let token = softhsm::Token::new();
    let folder = env::temp_dir().join(format!("rxseal-hsm-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let pin_file = folder.join("pin");
    softhsm::write_pin(&pin_file, &format!("{}\n", softhsm::PIN));
    let root = token.root("");
    let command = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.args(arguments.split(' ')).env("RXSEAL_PKCS11_MODULE", softhsm::library());
        command.env("RXSEAL_STORE", format!("file:{}", folder.join("rings").display()));
        command.env("RXSEAL_ROOTS", &root).env("RXSEAL_PKCS11_PIN_FILE", &pin_file);
        command
    };
    for arguments in ["keyring init pharmacy-17", "keyring rotate pharmacy-17", "keyring verify pharmacy-17"] {
        let output = command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let shown = command("keyring inspect pharmacy-17").output().unwrap().stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(shown.contains("pkcs11") && shown.contains(root.trim_start_matches("pkcs11:")), "{shown}");

    let fails = |command: &mut Command, exit, part| {
        let output = command.output().unwrap();
        fails(&output, exit, part);
        assert!(!String::from_utf8(output.stderr).unwrap().contains("canary"));
    };
    let rotate = || command("keyring rotate pharmacy-17");
    let mut wrong = rotate();
    wrong.env_remove("RXSEAL_PKCS11_PIN_FILE").env("RXSEAL_PKCS11_PIN", "canary-wrong-pin");
    fails(&mut wrong, 5, "refuses the PIN");
    fails(rotate().env_remove("RXSEAL_PKCS11_PIN_FILE"), 2, "RXSEAL_PKCS11_PIN_FILE");
    fails(rotate().env_remove("RXSEAL_PKCS11_MODULE"), 2, "RXSEAL_PKCS11_MODULE");
    fails(rotate().env("RXSEAL_PKCS11_MODULE", "softhsm.so"), 1, "absolute");
    fails(rotate().env("RXSEAL_PKCS11_MODULE", "/no/such/library.so"), 5, "cannot be loaded");
    fails(rotate().env("RXSEAL_ROOTS", "pkcs11:token=phi;pin-value=1"), 1, "pkcs11:token=LABEL;object=LABEL");
    let absent = format!("pkcs11:token={};object=absent", token.label);
    fails(command("keyring init pharmacy-18").env("RXSEAL_ROOTS", absent), 5, "no AES key");
    fails(command("keyring init pharmacy-18").env("RXSEAL_ROOTS", "pkcs11:token=absent;id=%01"), 4, "no token");
    std::fs::remove_dir_all(folder).unwrap();
}

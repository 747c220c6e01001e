//! The command `rxseal` against real services: the life of a keyring, and one line for each mistake. Run by .ci/servers.
#![allow(clippy::unwrap_used)]

use std::env;
use std::net::TcpListener;
use std::process::{Command, Output, Stdio};
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

#[test]
#[ignore = "needs .ci/servers"]
fn a_sealed_vault_says_so() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    let mut bao = Command::new(server("RXSEAL_TEST_BAO"))
        .args(["server", "-dev", "-dev-no-store-token", "-dev-root-token-id=root"])
        .arg(format!("-dev-listen-address=127.0.0.1:{port}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let control = |arguments: &[&str]| {
        let mut command = Command::new(server("RXSEAL_TEST_BAO"));
        command.args(arguments).env("BAO_ADDR", &address).env("BAO_TOKEN", "root").output().unwrap()
    };
    let begun = Instant::now();
    while !control(&["status"]).status.success() {
        assert!(begun.elapsed() < Duration::from_secs(30), "OpenBao did not start");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(control(&["secrets", "enable", "transit"]).status.success());
    assert!(control(&["write", "-f", "transit/keys/phi-root", "type=aes256-gcm96"]).status.success());
    let folder = env::temp_dir().join(format!("rxseal-live-cli-{}", std::process::id()));
    let rxseal = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rxseal"));
        command.env_clear().env("RXSEAL_STORE", format!("file:{}", folder.display())).env("VAULT_TOKEN", "root");
        command.env("RXSEAL_ROOTS", format!("vault:{address}/transit/phi-root"));
        command.args(arguments.split_whitespace()).output().unwrap()
    };
    assert!(rxseal("keyring init pharmacy-17").status.success());
    assert!(control(&["operator", "seal"]).status.success());
    fails(&rxseal("keyring rotate pharmacy-17"), 4, "unseal");
    bao.kill().unwrap();
    let _ = bao.wait().unwrap();
    std::fs::remove_dir_all(folder).unwrap();
}

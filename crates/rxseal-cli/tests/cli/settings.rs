//! Options, variables and the configuration file.

use std::fs;
use std::path::Path;

use rxseal::run_local;
use rxseal::subjects::SubjectKeys;
use rxseal_sqlite::SqliteSubjectStore;

use crate::shop::{Shop, TENANT, fails};

#[test]
fn a_configuration_file_says_it_too() {
    let shop = Shop::opened("config", "file:HERE/rings");
    fs::write(shop.path("rxseal.toml"), "store = \"file:rings\"\nroots = [\"file:root.key\"]\n").unwrap();
    let run = |config: &Path| {
        let mut command = shop.command();
        command.env_remove("RXSEAL_STORE").env_remove("RXSEAL_ROOTS").env("RXSEAL_CONFIG", config);
        command.args(["keyring", "verify", TENANT]).output().unwrap()
    };
    assert!(run(Path::new("rxseal.toml")).status.success());
    fs::write(shop.path("bad.toml"), "store = \"file:rings\"\nroot_key = \"rxseal-root-v1:secret\"\n").unwrap();
    let text = fails(run(Path::new("bad.toml")), "bad.toml", 2);
    assert!(text.contains("line 2 is not valid") && !text.contains("secret"), "{text}");
    fs::write(shop.path("bad.toml"), "roots = \"rxseal-root-v1:secret\"\n").unwrap();
    let text = fails(run(Path::new("bad.toml")), "bad.toml", 2);
    assert!(text.contains("line 1 is not valid") && !text.contains("secret"), "{text}");
}

#[test]
fn help_says_what_this_build_has() {
    let shop = Shop::new("help", "file:HERE/rings");
    let help = shop.ok("--help");
    for part in ["Root keys:", "Exit statuses (", "aws-kms:KEY", "in this build", "A rotation:"] {
        assert!(help.contains(part), "{help}");
    }
    assert_eq!(help.contains("feature vault"), !cfg!(feature = "vault"));
    assert_eq!(help.contains("feature pkcs11"), !cfg!(feature = "pkcs11"));
    assert!(shop.ok("completions bash").contains("_rxseal"));
    assert!(shop.ok("man").contains(".TH rxseal"));
    assert_eq!(shop.run("keyring destroy pharmacy-17").status.code(), Some(2));
}

#[test]
fn an_empty_variable_says_nothing() {
    let shop = Shop::opened("empty", "file:HERE/rings");
    let config = "store = \"file:rings\"\nroots = [\"file:root.key\"]\nsubject_store = \"sqlite:subjects.db\"\n\
        shred_log = \"shredded.log\"\nbackups_kept = \"30days\"\n";
    fs::write(shop.path("rxseal.toml"), config).unwrap();
    let store = SqliteSubjectStore::open(shop.path("subjects.db")).unwrap();
    run_local(SubjectKeys::new(store).subject_or_create(&shop.keys(), "P-7")).unwrap();
    let variables = [
        "RXSEAL_STORE",
        "RXSEAL_ROOTS",
        "RXSEAL_SUBJECT_STORE",
        "RXSEAL_SHRED_LOG",
        "RXSEAL_BACKUPS_KEPT",
        "RXSEAL_CONFIG",
        "VAULT_TOKEN",
        "VAULT_TOKEN_FILE",
        "VAULT_NAMESPACE",
        "VAULT_CACERT",
        "RXSEAL_PKCS11_MODULE",
        "RXSEAL_PKCS11_PIN_FILE",
    ];
    for arguments in
        ["keyring verify pharmacy-17", "subject count pharmacy-17", "subject shred pharmacy-17 P-7 --dry-run"]
    {
        let mut command = shop.command();
        command.envs(variables.map(|variable| (variable, ""))).args(["--config", "rxseal.toml"]);
        let output = command.args(arguments.split_whitespace()).output().unwrap();
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
    // A bad value is told by the name of who says it.
    for (variable, value, part) in [
        ("RXSEAL_STORE", "nowhere", "RXSEAL_STORE: a store is file:FOLDER"),
        ("RXSEAL_SUBJECT_STORE", "nowhere", "RXSEAL_SUBJECT_STORE: a store is file:FOLDER"),
        ("RXSEAL_BACKUPS_KEPT", "soon", "RXSEAL_BACKUPS_KEPT must be a time"),
    ] {
        let mut command = shop.command();
        command.args(["--config", "rxseal.toml"]).env(variable, value);
        let command = command.args(["subject", "rewrap", TENANT]);
        assert!(fails(command.output().unwrap(), variable, 2).contains(part), "{variable}");
    }
    // Usage says what a command takes, not what the environment has.
    let usage = String::from_utf8(shop.run("keyring inspect").stderr).unwrap();
    assert!(!usage.contains("--store"), "{usage}");
}

#[test]
fn root_keys_in_a_variable_and_in_tables() {
    let shop = Shop::opened("roots", "file:HERE/rings");
    fs::create_dir(shop.path("my stick")).unwrap();
    shop.ok("key-file create escrow.key");
    fs::copy(shop.path("escrow.key"), shop.path("my stick/escrow.key")).unwrap();
    shop.ok("keyring root add pharmacy-17 file:escrow.key");
    let verify = |roots: &str| {
        let output = shop.command().env("RXSEAL_ROOTS", roots).args(["keyring", "verify", TENANT]).output().unwrap();
        assert!(output.status.success(), "{roots:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().matches("unlocks").count()
    };
    assert_eq!(verify("file:root.key file:escrow.key"), 2);
    assert_eq!(verify("file:root.key\nfile:my stick/escrow.key\n"), 2);
    assert_eq!(verify("file:my stick/escrow.key\n"), 1);
    fs::write(
        shop.path("rxseal.toml"),
        "store = \"file:rings\"\nroots = [\"file:root.key\", { root = \"file:my stick/escrow.key\" }]\n",
    )
    .unwrap();
    let mut command = shop.command();
    command.env_remove("RXSEAL_ROOTS").args(["--config", "rxseal.toml", "keyring", "verify", TENANT]);
    assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap().matches("unlocks").count(), 2);

    for (root, part) in [
        ("vault:https://v/transit/k?token=hvs.secret", "a secret must not be part"),
        ("pkcs11:token=t;object=o?pin-value=1234", "a secret must not be part"),
        ("vault:https://v/transit/k?label", "?NAME=VALUE"),
        ("vault:https://v/transit/k?label=a&label=b", "is given twice"),
    ] {
        let text = shop.fails(&format!("keyring verify pharmacy-17 --root {root}"), 2);
        assert!(text.contains(part) && !text.contains("hvs") && !text.contains("1234"), "{text}");
    }
    if cfg!(feature = "vault") {
        for (root, part) in [
            ("vault:https://v/transit/k?token_file=t&lable=dc2", "Its options are: label, "),
            ("vault:https://v/transit/k?token_env=NO_SUCH", "NO_SUCH, which token_env names"),
            ("vault:https://v/transit/k?token_file=t&role_id=r", "logs in with one of"),
            ("vault:https://v/transit/k?token_file=t&deadline=soon", "such as 10s"),
        ] {
            let text = shop.fails(&format!("keyring verify pharmacy-17 --root {root}"), 2);
            assert!(text.contains(part), "{text}");
        }
    }
    // Whoever gives the key itself in place of its variable does not find it in a log.
    let line = fs::read_to_string(shop.path("root.key")).unwrap();
    let text = shop.fails(&format!("keyring verify pharmacy-17 --root env:{}", line.trim()), 1);
    assert!(!text.contains(&line.trim()[20..]), "{text}");
}

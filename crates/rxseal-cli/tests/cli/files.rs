//! The files that the command creates, and their owners.

use std::fs;
use std::process::Command;

use crate::shop::{Shop, TENANT, fails};

#[test]
fn looking_makes_no_database() {
    let shop = Shop::new("looking", "sqlite:HERE/typo.db");
    shop.ok("key-file create root.key");
    let looking = ["keyring list", "keyring inspect pharmacy-17", "keyring rotate pharmacy-17"];
    for arguments in looking {
        let text = shop.fails(arguments, 2);
        assert!(text.contains("no keyrings found at"), "{text}");
    }
    let init = shop.ok("keyring init pharmacy-17 --dry-run");
    assert!(init.contains("nothing is stored; it would be generation 1"), "{init}");
    assert!(!shop.path("typo.db").exists());

    // And no table in the database of the data.
    let data = rusqlite::Connection::open(shop.path("data.db")).unwrap();
    data.execute_batch("CREATE TABLE rx (drug TEXT)").unwrap();
    let before = fs::read(shop.path("data.db")).unwrap();
    for arguments in looking {
        let text = shop.fails(&format!("{arguments} --store sqlite:data.db"), 2);
        assert!(text.contains("`rxseal keyring init` creates a new one"), "{text}");
    }
    shop.ok("keyring init pharmacy-17 --dry-run --store sqlite:data.db");
    for arguments in [
        "count pharmacy-17",
        "under pharmacy-17 AAAAAAAA",
        "hold pharmacy-17 P-7",
        "shred pharmacy-17 P-7 --dry-run --shred-log log --backups-kept 1day",
    ] {
        let text = shop.fails(&format!("subject {arguments} --subject-store sqlite:data.db"), 2);
        assert!(text.contains("is this the right store?"), "{text}");
    }
    assert_eq!(fs::read(shop.path("data.db")).unwrap(), before);
    // One that is meant to be new is made by the first command that writes.
    fs::write(shop.path("new.db"), "").unwrap();
    let nobody = shop.fails("subject hold pharmacy-17 P-7 --legal-hold --subject-store sqlite:new.db", 2);
    assert!(nobody.contains("is this the right store?"), "{nobody}");
    shop.ok("subject hold pharmacy-17 P-7 --legal-hold --unknown-too --subject-store sqlite:new.db");
}

/// Kubernetes mounts secrets for a `fsGroup` so that the group reads them.
#[test]
fn a_group_reads_secret_files_only_where_that_is_said() {
    let shop = Shop::opened("group", "file:HERE/rings");
    let mode = |file: &str, mode| {
        fs::set_permissions(shop.path(file), std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    };
    mode("root.key", 0o640);
    let verify = ["keyring", "verify", TENANT];
    let text = shop.fails("keyring verify pharmacy-17", 1);
    assert!(text.contains("--allow-group-read") && text.contains("root.key") && text.contains("0640"), "{text}");
    shop.ok("--allow-group-read keyring verify pharmacy-17");
    for (value, works) in [("true", true), ("1", true), ("", false), ("false", false), ("0", false)] {
        let output = shop.command().env("RXSEAL_ALLOW_GROUP_READ", value).args(verify).output().unwrap();
        assert_eq!(output.status.success(), works, "{value}");
    }
    let output = shop.command().env("RXSEAL_ALLOW_GROUP_READ", "perhaps").args(verify).output().unwrap();
    assert!(fails(output, "perhaps", 2).contains("RXSEAL_ALLOW_GROUP_READ"));
    fs::write(shop.path("rxseal.toml"), "allow_group_read = true\n").unwrap();
    shop.ok("--config rxseal.toml keyring verify pharmacy-17");
    // Of others, no flag allows it.
    mode("root.key", 0o644);
    shop.fails("--allow-group-read keyring verify pharmacy-17", 1);
    mode("root.key", 0o600);
    if cfg!(feature = "vault") {
        fs::write(shop.path("token"), "hvs.s3cret").unwrap();
        let add = "keyring root add pharmacy-17 vault:http://127.0.0.1:1/transit/k?token_file=token";
        for (bits, flag, refused) in [
            (0o644, "--allow-group-read ", true),
            (0o640, "", true),
            (0o640, "--allow-group-read ", false),
            (0o600, "", false),
        ] {
            mode("token", bits);
            let output = shop.run(&format!("--json {flag}{add}"));
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(text.contains("root-key-permissions"), refused, "{bits:o} {flag}: {text}");
            assert!(!output.status.success() && !text.contains("s3cret"));
        }
    }
}

/// An operator works as root on what belongs to the service's user.
#[test]
fn what_root_changes_the_service_still_reads() {
    use std::os::unix::fs::{MetadataExt, chown};
    const SERVICE: u32 = 65534;
    for store in ["file:HERE/rings", "sqlite:HERE/rings.db"] {
        let shop = Shop::new("service", store);
        if fs::metadata(&shop.folder).unwrap().uid() != 0 {
            assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "CI runs this as root");
            println!("not root: nothing is tested");
            return;
        }
        chown(&shop.folder, Some(SERVICE), Some(SERVICE)).unwrap();
        shop.ok("key-file create keys/root.key");
        let as_root = |arguments: &str| {
            let output =
                shop.command().env("RXSEAL_ROOTS", "file:keys/root.key").args(arguments.split(' ')).output().unwrap();
            assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        };
        for command in ["init", "stage", "promote --staged-for 0s", "rotate", "verify"] {
            let (command, more) = command.split_once(' ').unwrap_or((command, ""));
            as_root(format!("keyring {command} pharmacy-17 {more}").trim_end());
        }
        let mut service = Command::new("setpriv");
        service.args([format!("--reuid={SERVICE}"), format!("--regid={SERVICE}"), "--clear-groups".to_owned()]);
        service.arg(env!("CARGO_BIN_EXE_rxseal")).args(["keyring", "rotate", TENANT]).current_dir(&shop.folder);
        service.env("RXSEAL_STORE", &shop.store).env("RXSEAL_ROOTS", "file:keys/root.key");
        let output = service.output().unwrap();
        assert!(output.status.success(), "{store}: {}", String::from_utf8_lossy(&output.stderr));
        let mut folders = vec![shop.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                let found = entry.metadata().unwrap();
                assert_eq!((found.uid(), found.gid()), (SERVICE, SERVICE), "{}", entry.path().display());
                folders.extend(found.is_dir().then(|| entry.path()));
            }
        }
    }
}

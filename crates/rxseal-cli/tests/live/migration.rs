//! Runs docs/MIGRATION.md word for word, beside a program that writes to both of its tables all the time: none of its writes fails, and at
//! the end every row holds what was written last.

mod program;

use std::env;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command};

use rusqlite::Connection;
use rxseal::root::RootKeyFile;

use crate::page_run::{run_page, said_in_passing_is_run, steps};
use crate::servers::{output, server};

const PAGE: &str = include_str!("../../../../docs/MIGRATION.md");

/// What says to this program that it is `pharmacy`: the work to do.
const WORK: &str = "RXSEAL_MIGRATION_WORK";
const ROWS: usize = 300;
/// That of the table in PostgreSQL, and that of the table in SQLite. Here they are one process.
const PROGRAMS: [&str; 2] = ["pharmacy", "desk"];

#[test]
fn commands_of_the_text_are_in_blocks() {
    let steps = steps(PAGE);
    assert!(steps.len() > 20, "the page has its steps");
    said_in_passing_is_run(PAGE, &steps);
}

#[test]
#[ignore = "needs .ci/servers"]
fn every_block_of_the_migration() {
    let ground = Ground::new();
    let mut program = ground.start();
    run_page("docs/MIGRATION.md", PAGE, "", &ground.path("log"), ground.shell(), |commands| ground.translate(commands));
    fs::write(ground.path("deployed-pharmacy"), "stop").unwrap();
    assert!(program.wait().unwrap().success(), "a write of the program failed");
}

/// `pharmacy`: the service, and what it says of itself.
#[test]
#[ignore = "started by the page"]
fn the_service_of_the_page() {
    let Ok(work) = env::var(WORK) else { return };
    program::run(&work);
}

/// A machine of its own for the page: folders, commands, a keyring, two tables full of plaintext.
struct Ground {
    folder: PathBuf,
    database: String,
}

impl Ground {
    fn new() -> Self {
        let folder = env::temp_dir().join(format!("rxseal-migration-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        for name in [
            "bin",
            "log",
            "var/lib/pharmacy",
            "var/lib/subjects",
            "var/log",
            "etc/pharmacy",
            "mnt/locked-bucket/checkpoints",
            "shm",
        ] {
            fs::create_dir_all(folder.join(name)).unwrap();
            fs::set_permissions(folder.join(name), fs::Permissions::from_mode(0o700)).unwrap();
        }
        let name = format!("migration_{}", std::process::id());
        let url = server("RXSEAL_TEST_POSTGRES");
        output(Command::new("psql").args(["-qX", "-c", &format!("CREATE DATABASE {name}"), &url]));
        let ground = Self { database: url.replacen("/postgres", &format!("/{name}"), 1), folder };
        let this = env::current_exe().unwrap();
        let service = format!("{} --exact --ignored --nocapture migration::the_service_of_the_page", this.display());
        ground.command("rxseal", &format!("exec {} \"$@\"", env!("CARGO_BIN_EXE_rxseal")));
        // The test program prints around what the service says.
        ground.command("pharmacy", &format!("{WORK}=\"$*\" {service} >/dev/null && cat \"$GROUND/said\""));
        ground.command(
            "deploy",
            "echo \"$2\" >\"$GROUND/new\" && mv \"$GROUND/new\" \"$GROUND/deployed-$1\"
            for try in $(seq 600); do [ \"$(cat \"$GROUND/running-$1\")\" = \"$2\" ] && exit 0; sleep 0.1; done; exit 1",
        );
        drop(RootKeyFile::new(ground.path("etc/pharmacy/root.key")).load_or_create().unwrap());
        let init = "rxseal keyring init pharmacy-17 --store sqlite:$GROUND/var/lib/pharmacy/keyrings.db --root file:$GROUND/etc/pharmacy/root.key";
        output(ground.shell().arg("-c").arg(init));
        ground.fill();
        ground
    }

    /// One row of SQLite begins as a token does, and is none.
    fn fill(&self) {
        let table = "CREATE TABLE rx (rx_number INTEGER PRIMARY KEY, patient TEXT NOT NULL, drug TEXT NOT NULL, directions TEXT, refills INTEGER NOT NULL)";
        let row = |id: usize| format!("({id}, 'P-{}', 'Canary-{id}-warfarin', 'Canary-{id}-one daily', 0)", id % 3);
        let rows: Vec<_> = (1..=ROWS).map(row).collect();
        let insert = format!("INSERT INTO rx VALUES {}", rows.join(", "));
        let bigint = table.replacen("INTEGER", "BIGINT", 1);
        output(Command::new("psql").args(["-qX", "-c", &bigint, "-c", &insert, &self.database]));
        let file = Connection::open(self.path("var/lib/pharmacy/pharmacy.db")).unwrap();
        let odd = "INSERT INTO rx VALUES (1000000, 'P-1', 'rxsX looks like a token', NULL, 0)";
        file.execute_batch(&format!("PRAGMA journal_mode = WAL; {table}; {insert}; {odd}")).unwrap();
    }

    /// In the version that writes plaintext.
    fn start(&self) -> Child {
        for program in PROGRAMS {
            fs::write(self.path(&format!("deployed-{program}")), "step-0\n").unwrap();
            fs::write(self.path(&format!("running-{program}")), "").unwrap();
        }
        let mut shell = self.shell();
        shell.env("RXSEAL_POSTGRES", &self.database).arg("-c").arg("exec pharmacy serve >\"$GROUND/service.log\" 2>&1");
        shell.spawn().unwrap()
    }

    fn path(&self, name: &str) -> String {
        self.folder.join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, name: &str, what: &str) {
        fs::write(self.path(&format!("bin/{name}")), format!("#!/bin/sh\n{what}\n")).unwrap();
        fs::set_permissions(self.path(&format!("bin/{name}")), fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn shell(&self) -> Command {
        let mut shell = Command::new("bash");
        shell.env_clear().current_dir(&self.folder).env("GROUND", &self.folder).env("HOME", "/nonexistent");
        shell.env("PATH", format!("{}:{}", self.path("bin"), env::var("PATH").unwrap()));
        shell
    }

    /// What the page names as examples, as it is here.
    fn translate(&self, commands: &str) -> String {
        let mut text = commands.to_owned();
        for role in ["pharmacy", "admin"] {
            text = text.replace(&format!("postgres://{role}@db.example/pharmacy"), &self.database);
        }
        for (there, here) in [("/var/", "var/"), ("/dev/shm/", "shm/"), ("/etc/", "etc/"), ("/mnt/", "mnt/")] {
            text = text.replace(there, &self.path(here));
        }
        text
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{}", fs::read_to_string(self.path("service.log")).unwrap_or_default());
        }
        // The program ends by itself, if the page did not come to its end.
        let _ = fs::write(self.path("deployed-pharmacy"), "stop");
        let _ = fs::remove_dir_all(&self.folder);
        let name = self.database.rsplit('/').next().unwrap_or_default();
        let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
        // What the page sets it also resets, if it comes to its end.
        let reset = "ALTER SYSTEM RESET ALL";
        let arguments = ["-qX", "-c", &drop, "-c", reset, "-c", "SELECT pg_reload_conf()"];
        let _ = Command::new("psql").args(arguments).arg(server("RXSEAL_TEST_POSTGRES")).output();
    }
}

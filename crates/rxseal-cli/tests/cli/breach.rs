//! docs/BREACH.md word for word, over a planted theft: the patients whom the page finds are those whom the thief took.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection;
use rxseal::root::{RootKeyFile, RootKeys};
use rxseal::schema::Schema;
use rxseal::testing::TestClock;
use rxseal::{Access, Keyring, PhiRecord, Purpose, phi, run_local};
use rxseal_scan::{Canaries, Canary};
use rxseal_watch::budget::{Budget, Rate};
use rxseal_watch::{Budgets, CheckpointFolder, FileLog, Watch, WatchError};

use crate::shop::{Shop, TENANT};
use crate::walk::walk;

const PAGE: &str = include_str!("../../../../docs/BREACH.md");
const PATIENTS: usize = 60;
/// Whom the thief opened, from the first one on.
const OPENED: usize = 40;
const CANARY: usize = 17;
/// Whose directions somebody typed into the table by hand.
const TYPED: [usize; 2] = [12, 50];
/// 2026-11-27T08:00:00Z, and how long it is from there to 02:13 in the night to the 29th.
const FIRST_SHIFT: u64 = 1_795_766_400;
const TO_THE_THEFT: Duration = Duration::from_secs(42 * 3600 + 13 * 60);

const MAP: &str = r#"keyspace = "pharmacy-17"

[[source]]
at     = "sqlite:pharmacy.db#patient"
record = "patient"
id     = "id"
sealed = { name = "phi.patient.name", phone = "phi.contact.phone", drug = "phi.rx.drug", directions = "phi.rx.directions" }
clear  = { filled_at = "date" }
"#;

const CONFIG: &str = r#"store = "file:rings"
audit_log = "operators"
audit_key = "audit.key"
audit_checkpoints = "operators-checkpoints"
"#;

#[derive(PhiRecord)]
#[phi(record = "patient")]
struct Patient {
    #[phi(id)]
    id: String,
    #[phi(seal = phi::PatientName)]
    name: String,
    #[phi(seal = phi::Phone)]
    phone: String,
    #[phi(seal = phi::Drug)]
    drug: String,
    #[phi(seal = phi::Directions)]
    directions: String,
    #[phi(clear)]
    filled_at: String,
}

fn id(number: usize) -> String {
    format!("P-{number:03}")
}

fn patient(number: usize, canary: &Canary) -> Patient {
    let values: BTreeMap<_, _> = canary.values().collect();
    let value = |what: &str, other: String| if number == CANARY { values[what].to_owned() } else { other };
    Patient {
        id: id(number),
        name: value("name", format!("Zoraida Quimby {number}")),
        phone: value("phone", format!("555-212-{number:04}")),
        drug: value("drug", "warfarin 5 MG".to_owned()),
        directions: "Take 1 by mouth at bedtime.".to_owned(),
        filled_at: "2026-11-20".to_owned(),
    }
}

/// A clock that stands at the first shift.
fn clock() -> TestClock {
    let (clock, first) = (TestClock::default(), UNIX_EPOCH + Duration::from_secs(FIRST_SHIFT));
    match clock.now().duration_since(first) {
        Ok(late) => clock.set_back(late),
        Err(early) => clock.set_forward(early.duration()),
    }
    assert_eq!(clock.now(), SystemTime::UNIX_EPOCH + Duration::from_secs(FIRST_SHIFT));
    clock
}

/// What an officer is given, after a shift of two pharmacists and a night in which somebody else had Kim's login.
fn robbed() -> Shop {
    let shop = Shop::opened("breach-page", "file:HERE/rings");
    shop.ok("audit keygen --name ph17-a.example --out audit.key");
    for folder in ["log", "checkpoints", "operators", "operators-checkpoints"] {
        fs::create_dir(shop.path(folder)).unwrap();
    }
    fs::write(shop.path("rxseal.toml"), CONFIG).unwrap();
    fs::write(shop.path("rxseal-map.toml"), MAP).unwrap();
    fs::write(shop.path("rxseal-schema.json"), Schema::new().with::<Patient>().unwrap().to_json()).unwrap();

    let clock = clock();
    let key = fs::read_to_string(shop.path("audit.key")).unwrap().parse().unwrap();
    let rates = Budget::new(Rate::per_hour(40, 40), Rate::per_day(400, 400));
    let watch = Watch::over(FileLog::in_folder(shop.path("log"), key).unwrap())
        .service("fulfil-api")
        .host("ph17-a")
        .budgets(Budgets::of_all(rates))
        .copy_to(CheckpointFolder::new(shop.path("checkpoints")))
        .clock(&clock)
        .start()
        .unwrap();
    let roots = RootKeys::from(RootKeyFile::new(shop.path("root.key")).load().unwrap());
    let keys = run_local(Keyring::unlock(TENANT, &roots, &shop.stored())).unwrap().observed_by(watch.observer());

    let canary = Canary::make().unwrap();
    let rows = keys.seal_all(&(1..=PATIENTS).map(|number| patient(number, &canary)).collect::<Vec<_>>()).unwrap();
    write_rows(&shop, &rows);
    let mut canaries = Canaries::default();
    canaries.add(canary);
    fs::write(shop.path("canaries.json"), canaries.seal(&keys).unwrap()).unwrap();

    // Each pharmacist opens the patients of the day.
    let open = |who: &str, number: usize, with_drug: bool| {
        let (row, access) = (&rows[number - 1], Access::new(who, Purpose::TREAT).unwrap());
        let opened = keys.record_of(row).unwrap().opened_by(&access).open_fields(|pass| {
            if with_drug {
                pass.open::<phi::Drug, String>(row.drug.token())?;
            }
            pass.open::<phi::Phone, String>(row.phone.token())?;
            pass.open::<phi::PatientName, String>(row.name.token())
        });
        // A chain is of one day: what is written on the next one has its time.
        watch.commit().unwrap();
        clock.advance(Duration::from_secs(1));
        opened
    };
    for number in 1..=10 {
        open("user:lee.rph", number, true).unwrap();
        open("user:kim.rph", 50 + number, true).unwrap();
    }
    clock.advance(TO_THE_THEFT - Duration::from_secs(20));
    let mut offered = "name,number\n".to_owned();
    for number in 1..=OPENED {
        let name = open("user:kim.rph", number, number.is_multiple_of(4)).unwrap();
        offered.push_str(&format!("{name},{number}\n"));
    }
    let refused = open("user:kim.rph", OPENED + 1, false).unwrap_err();
    assert!(WatchError::of(&refused).unwrap().is_over_budget());
    fs::write(shop.path("offered.csv"), offered).unwrap();
    // The log goes on: nobody could say what was opened after its end.
    clock.advance(Duration::from_secs(6 * 3600));
    open("user:lee.rph", 1, true).unwrap();
    watch.stop().unwrap();
    fs::copy(shop.path("pharmacy.db"), shop.path("backup.db")).unwrap();
    shop
}

fn write_rows(shop: &Shop, rows: &[SealedPatient]) {
    let db = Connection::open(shop.path("pharmacy.db")).unwrap();
    db.execute_batch(
        "CREATE TABLE patient (id TEXT PRIMARY KEY, name TEXT, phone TEXT, drug TEXT, directions TEXT, filled_at TEXT)",
    )
    .unwrap();
    for row in rows {
        let texts =
            [row.name.token(), row.phone.token(), row.drug.token(), row.directions.token()].map(ToString::to_string);
        let [name, phone, drug, directions] = texts;
        let insert = "INSERT INTO patient VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        db.execute(insert, (&row.id, name, phone, drug, directions, &row.filled_at)).unwrap();
    }
    for number in TYPED {
        let typed = "UPDATE patient SET directions = 'Take 1 by mouth at bedtime.' WHERE id = ?1";
        db.execute(typed, [id(number)]).unwrap();
    }
}

#[test]
fn the_page_finds_the_patients_of_a_planted_theft() {
    let shop = robbed();
    let made = shop
        .command()
        .env("RXSEAL_CONFIG", "rxseal.toml")
        .env("RXSEAL_WHO", "user:sam.ops")
        .args(["evidence", "make", "--out", "evidence"])
        .output()
        .unwrap();
    assert!(shop.path("evidence/SHA256SUMS").exists(), "{}", String::from_utf8_lossy(&made.stderr));
    // What the page says to type in each window.
    let as_the_officer =
        |text: &str| format!("unset RXSEAL_STORE\nexport RXSEAL_CONFIG=rxseal.toml RXSEAL_WHO=user:ada\n{text}");
    assert!(PAGE.contains("\nexport RXSEAL_CONFIG=rxseal.toml RXSEAL_WHO=user:ada\n"));
    walk("docs/BREACH.md", PAGE, &shop, 0, as_the_officer);

    for file in ["report.html", "letter.json", "exposure.json"] {
        assert!(shop.path("report").join(file).is_file(), "{file}");
    }
    let found = states(&fs::read_to_string(shop.path("report/patients.csv")).unwrap());
    let expected: BTreeMap<_, _> = (1..=PATIENTS).map(|number| (id(number), expected(number))).collect();
    assert_eq!(found, expected);
}

/// Of each patient the states of the three classes.
fn states(csv: &str) -> BTreeMap<String, [String; 3]> {
    let mut lines = csv.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>());
    let names = lines.next().unwrap();
    let at = |name: &str| {
        names.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name} is not in {names:?}"))
    };
    let columns = ["identity", "contact", "medication"].map(at);
    lines.map(|cells| (cells[at("subject")].clone(), columns.map(|column| cells[column].clone()))).collect()
}

fn expected(number: usize) -> [String; 3] {
    let opened = if number <= OPENED { "readable" } else { "sealed" };
    let medication = match number {
        _ if number <= OPENED && number.is_multiple_of(4) => "readable",
        _ if TYPED.contains(&number) => "plaintext",
        _ => "sealed",
    };
    [opened, opened, medication].map(str::to_owned)
}

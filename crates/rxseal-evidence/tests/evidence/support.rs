//! A pharmacy whose evidence is complete, and what a test changes of it.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rxseal::keys::{KeyringFile, Suite};
use rxseal::provider::{Kek, KekContext, ProviderFuture};
use rxseal::root::{RootKey, RootKeys};
use rxseal::{Keyring, run_local};
use rxseal_evidence::{Evidence, LogFacts, Pack, ScanFacts, Topic};
use rxseal_watch::verify::Verifier;
use rxseal_watch::{CheckpointFolder, FileLog, SigningKey, ToolRun, VerifierKey, Watch};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub const MAP: &str = include_str!("rxseal-map.toml");
pub const SCHEMA: &str = include_str!("rxseal-schema.json");
pub const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/";
const WHO: &str = "user:lee.ops";

/// What evidence is made of. As it is made, nothing is red and nothing is open.
pub struct World {
    folder: PathBuf,
    key: SigningKey,
    pub map: String,
    pub ring: KeyringFile,
    /// The answer of a scan, and whether it was made just now.
    pub scan: Option<Value>,
    pub is_scanned_now: bool,
    pub stated: Vec<(Topic, &'static str)>,
    /// Drills in the log: what, and how it ended.
    pub drills: Vec<(&'static str, &'static str)>,
    /// Of which keyspace. Without one they are of the map.
    pub drill_of: Option<&'static str>,
    /// How many tokens each of them read. The scan has 4000.
    pub drill_tokens: Option<u64>,
    pub has_log: bool,
    /// Whether something is in it.
    pub is_logged: bool,
    pub changes_log: bool,
    pub has_checkpoints: bool,
    /// Whether the root keys that this machine uses are known, and one of them is in a file of it.
    pub has_local_root: Option<bool>,
    pub data_host: &'static str,
    /// Lines of the log of a key service.
    pub service: Option<String>,
    /// Seconds after now.
    pub later: u64,
}

impl World {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rxseal-evidence-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let map = MAP.replace("ndjson:exports/*.ndjson", "postgres:public.exports");
        let ring = ring(&[("aws-kms", &format!("{ARN}a")), ("aws-kms", &format!("{ARN}b"))], Suite::default());
        let scan = scan(&map, &ring);
        Self {
            folder,
            key: SigningKey::generate("ops.example").unwrap(),
            map,
            ring,
            scan: Some(scan),
            is_scanned_now: true,
            stated: vec![(Topic::Observed, "yes")],
            drills: vec![("restore", "passed")],
            drill_of: Some("pharmacy-17"),
            drill_tokens: Some(4000),
            has_log: true,
            is_logged: true,
            changes_log: false,
            has_checkpoints: true,
            has_local_root: None,
            data_host: "db17.example",
            service: None,
            later: 0,
        }
    }

    pub fn pack_folder(&self) -> PathBuf {
        self.folder.join("pack")
    }

    pub fn verifier(&self) -> VerifierKey {
        self.key.verifier()
    }

    pub fn change_scan(&mut self, change: impl FnOnce(&mut Value)) {
        change(self.scan.as_mut().unwrap());
    }

    /// After a change of the map: as if it had been scanned by this one.
    pub fn change_to_map(&mut self) {
        self.scan = Some(scan(&self.map, &self.ring));
    }

    /// A finding in the first source.
    pub fn find(&mut self, kind: &str, certainty: &str) {
        let finding = json!({ "kind": kind, "certainty": certainty, "place": "drug", "count": 3 });
        self.change_scan(|scan| scan["reports"][0]["findings"].as_array_mut().unwrap().push(finding));
    }

    pub fn write(&self) -> Pack {
        let mut evidence = Evidence::of(&self.map, SCHEMA).unwrap();
        evidence.keyring(&self.ring, "postgres://db17.example/keyrings");
        evidence.data_host(self.data_host);
        match self.has_local_root {
            Some(true) => evidence.root_key_is_here(),
            Some(false) => evidence.no_root_key_is_here(),
            None => {}
        }
        for (topic, text) in &self.stated {
            evidence.stated(*topic, text, "user:sam.security").unwrap();
        }
        let answer = self.scan.as_ref().map(|scan| format!("{scan}\n"));
        if self.has_log {
            evidence.log(self.log(answer.as_deref()));
        }
        if let Some(service) = &self.service {
            let file = self.folder.join("service.log");
            fs::write(&file, service).unwrap();
            let report = Verifier::new([self.verifier()]).verify(self.folder.join("log")).unwrap();
            let findings = Verifier::new([]).kms_log(file).unwrap().unlockings([&report]).unwrap();
            evidence.key_service(&findings);
        }
        if let Some(answer) = answer {
            let scan = ScanFacts::parse(&answer).unwrap();
            evidence.scan(if self.is_scanned_now { scan.made_now() } else { scan });
        }
        evidence.at(now() + self.later);
        evidence.write(self.pack_folder(), WHO, &self.key).unwrap()
    }

    /// The codes of its remarks, the red ones first.
    #[track_caller]
    pub fn codes(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let pack = self.write();
        let (red, open): (Vec<_>, Vec<_>) = pack.remarks().iter().partition(|remark| remark.is_red());
        let codes = |remarks: Vec<&rxseal_evidence::Remark>| remarks.iter().map(|remark| remark.code()).collect();
        (codes(red), codes(open))
    }

    /// A log with a scan, drills and an unlocking.
    fn log(&self, answer: Option<&str>) -> LogFacts {
        let (log, elsewhere) = (self.folder.join("log"), self.folder.join("elsewhere"));
        fs::create_dir_all(&log).unwrap();
        fs::create_dir_all(&elsewhere).unwrap();
        if !self.is_logged {
            let verifier = Verifier::new([self.verifier()]).checkpoints(&elsewhere).unwrap();
            return LogFacts::read(&log, &verifier).unwrap();
        }
        let watch = Watch::over(FileLog::in_folder(&log, self.key.expose_text().parse().unwrap()).unwrap())
            .service("fulfil-api")
            .host("ph17-a")
            .copy_to(CheckpointFolder::new(&elsewhere))
            .start()
            .unwrap();
        let names: Vec<_> = self.ring.wraps().map(|wrap| (wrap.provider(), wrap.root_key())).collect();
        let keys = run_local(Keyring::unlock("pharmacy-17", &roots(&names), &self.ring));
        let keys = keys.ok().map(|keys| keys.observed_by(watch.observer()));
        if let Some(answer) = answer {
            let scan = ToolRun::scan(WHO, "all", "clean").unwrap().number("sources", 2);
            watch.ran(&scan.wrote(Sha256::digest(answer.as_bytes()).into())).unwrap();
        }
        for (what, out) in &self.drills {
            let drill = ToolRun::drill(WHO, what, out).unwrap().number("opened", 100);
            let drill = self.drill_tokens.into_iter().fold(drill, |drill, tokens| drill.number("tokens", tokens));
            let drill = match self.drill_of {
                Some(keyspace) => drill.keyspace(keyspace),
                None => drill.map(Sha256::digest(self.map.as_bytes()).into()),
            };
            watch.ran(&drill).unwrap();
        }
        drop((keys, watch));
        if self.changes_log {
            let file = fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
            let file = file.into_iter().find(|path| path.extension().is_some_and(|end| end == "rxa")).unwrap();
            let text = fs::read_to_string(&file).unwrap();
            fs::write(&file, text.replace("fulfil-api", "fulfil-apx")).unwrap();
        }
        let verifier = Verifier::new([self.verifier()]).at(u64::MAX);
        let verifier = if self.has_checkpoints { verifier.checkpoints(&elsewhere).unwrap() } else { verifier };
        LogFacts::read(&log, &verifier).unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// A clean answer of `rxseal --json scan`, of all sources of a map.
pub fn scan(map: &str, ring: &KeyringFile) -> Value {
    let key = ring.keys().iter().find(|key| key.is_primary() && key.suite().is_some()).unwrap().id().to_string();
    let sources = ["postgres:public.prescriptions", "postgres:public.exports", "ndjson:exports/*.ndjson"];
    let reports = sources.into_iter().filter(|name| map.contains(name)).map(|name| {
        json!({ "name": name, "kind": "source", "rows": 1000, "bytes": 0, "keys": { key.clone(): 2000 }, "verdict": "clean",
            "findings": [], "undecided": [] })
    });
    let sha256 = hex(&Sha256::digest(map.as_bytes()));
    json!({ "verdict": "clean", "found": 0, "at": now(), "map": sha256, "looked_for": "all", "reports": reports.collect::<Vec<_>>() })
}

/// A keyring that these root keys unlock.
pub fn ring(names: &[(&str, &str)], suite: Suite) -> KeyringFile {
    run_local(rxseal::testing::create_keyring("pharmacy-17", &roots(names), suite)).unwrap()
}

/// Root keys of these providers, with these names.
fn roots(names: &[(&str, &str)]) -> RootKeys {
    let mut keys = names.iter().map(|(provider, name)| Named(String::from(*provider), String::from(*name)));
    let first = RootKeys::from(keys.next().unwrap());
    keys.fold(first, RootKeys::and)
}

/// A line of the log of a key service: it unwrapped the KEK of this keyspace a moment ago.
pub fn unwrapped(keyspace: &str) -> String {
    let at = humantime::format_rfc3339_seconds(SystemTime::now());
    let context = json!({ "encryptionContext": { "rxseal:keyspace": keyspace } });
    json!({ "eventName": "Decrypt", "eventTime": at.to_string(), "requestID": "r1", "requestParameters": context })
        .to_string()
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A root key of any provider, which wraps nothing at all.
struct Named(String, String);

impl RootKey for Named {
    fn provider(&self) -> &str {
        &self.0
    }

    fn name(&self) -> &str {
        &self.1
    }

    fn wrap_kek<'a>(&'a self, kek: &'a Kek, _: KekContext<'a>) -> ProviderFuture<'a, Vec<u8>> {
        Box::pin(std::future::ready(Ok(kek.expose_bytes().to_vec())))
    }

    fn unwrap_kek<'a>(&'a self, wrapped: &'a [u8], _: KekContext<'a>) -> ProviderFuture<'a, Kek> {
        Box::pin(std::future::ready(Kek::from_bytes(wrapped)))
    }
}

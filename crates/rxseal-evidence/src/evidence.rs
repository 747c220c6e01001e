//! Evidence: facts that are put together, and what they come to.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rxseal::keys::KeyringFile;
use rxseal_watch::SigningKey;
use rxseal_watch::verify::Finding;

use crate::answer::Answer;
use crate::digest::hash_file;
use crate::error::EvidenceError;
use crate::facts::{Facts, ServiceFinding, Tool};
use crate::judge::judge;
use crate::log::LogFacts;
use crate::map::MapFacts;
use crate::pack::{Pack, write};
use crate::remark::{Remark, Verdict};
use crate::ring::{Here, Ring};
use crate::scan::ScanFacts;
use crate::stated::{Statement, Topic};

/// The form of `evidence.json`.
const FORM: &str = "rxseal/v1/evidence";

/// What shows that data is encrypted, and where its keys are, at one time. Give it all facts, then [`write`](Self::write) it.
///
/// ```no_run
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let (stored, reports): (rxseal::keys::KeyringFile, Vec<rxseal_scan::Report>) = todo!();
/// # let map_digest = [0; 32];
/// use rxseal_evidence::{Evidence, LogFacts, ScanFacts, Topic, verify};
/// use rxseal_watch::{SigningKey, ToolRun, VerifierKey, verify::Verifier};
///
/// let key: SigningKey = std::fs::read_to_string("audit.key")?.trim().parse()?;
/// let log = Verifier::new([key.verifier()]).checkpoints("/mnt/locked-bucket/checkpoints")?;
/// let mut evidence = Evidence::of(&std::fs::read_to_string("rxseal-map.toml")?, &std::fs::read_to_string("rxseal-schema.json")?)?;
/// evidence.keyring(&stored, "file:/var/lib/pharmacy/keyrings");
/// evidence.scan(ScanFacts::of(&reports, &map_digest));
/// evidence.log(LogFacts::read("/var/log/pharmacy", &log)?);
/// evidence.stated(Topic::Observed, "yes", "user:lee.security")?;
///
/// let pack = evidence.write("evidence-2026-12", "user:lee.ops", &key)?;
/// for remark in pack.remarks() {
///     println!("{}: {remark}", remark.code());
/// }
/// // watch.ran(&pack.event("user:lee.ops")?)?;
/// let verified = verify("evidence-2026-12", &[key.verifier()])?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Evidence {
    facts: Facts,
    /// The files that it was made from, for the pack.
    map_text: String,
    schema_text: String,
}

impl Evidence {
    /// By a map and the schema of its program, as their files are.
    ///
    /// # Errors
    ///
    /// `invalid-input` if one of them has mistakes.
    pub fn of(map: &str, schema: &str) -> Result<Self, EvidenceError> {
        let facts = Facts {
            form: FORM,
            made_at: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            made_by: String::new(),
            made_on: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            tool: Tool { name: "rxseal-evidence", version: env!("CARGO_PKG_VERSION") },
            map: MapFacts::of(map, schema)?,
            here: Here::default(),
            data_hosts: Vec::new(),
            keyrings: Vec::new(),
            stated: Vec::new(),
            observed: Answer::stated_or_unknown(None, ""),
            scan: None,
            logs: Vec::new(),
            key_service: None,
            programs: BTreeMap::new(),
        };
        Ok(Self { facts, map_text: map.to_owned(), schema_text: schema.to_owned() })
    }

    /// With a keyring as it is stored. It is not unlocked. `stored_in` says where, without a password.
    pub fn keyring(&mut self, file: &KeyringFile, stored_in: &str) {
        self.facts.keyrings.push(Ring::of(file, stored_in));
    }

    /// With a scan.
    pub fn scan(&mut self, scan: ScanFacts) {
        self.facts.scan = Some(scan);
    }

    /// With a log.
    pub fn log(&mut self, log: LogFacts) {
        self.facts.logs.push(log);
    }

    /// With what [`Verifier::unlockings`](rxseal_watch::verify::Verifier::unlockings) found, of all logs together.
    pub fn key_service(&mut self, findings: &[Finding]) {
        let findings = findings.iter().map(|finding| ServiceFinding {
            code: finding.code(),
            chain: finding.chain().map(|chain| chain.to_string()),
            line: finding.line(),
        });
        self.facts.key_service = Some(findings.collect());
    }

    /// A root key is in a file or a variable of this machine.
    pub fn root_key_is_here(&mut self) {
        self.facts.here.root_key = Some(true);
    }

    /// The settings of this machine name the root keys that it uses, and none of them is in a file or a variable of it. Of a machine that has data
    /// this is what lets somebody [state](Self::stated) that a local root key is apart from them.
    pub fn no_root_key_is_here(&mut self) {
        self.facts.here.root_key.get_or_insert(false);
    }

    /// The database of the map's `postgres:` sources is on this host.
    pub fn data_host(&mut self, host: &str) {
        let is_here = host.is_empty()
            || host.starts_with('/')
            || ["localhost", "::1", "[::1]"].contains(&host)
            || host.starts_with("127.");
        self.facts.here.data = self.facts.here.data || is_here;
        self.facts.data_hosts.push(host.to_owned());
    }

    /// With the SHA-256 of a program that seals, or of its `Cargo.lock`.
    ///
    /// # Errors
    ///
    /// `io` if the file cannot be read.
    pub fn program(&mut self, file: impl AsRef<Path>) -> Result<(), EvidenceError> {
        let file = file.as_ref();
        let sha256 = hash_file(file, None).map_err(|error| EvidenceError::file(file, &error))?;
        self.facts.programs.insert(file.display().to_string(), hex::encode(sha256));
        Ok(())
    }

    /// With what somebody says of what no program sees.
    ///
    /// # Errors
    ///
    /// `invalid-input` if it is not 1 to 500 printable characters, or a question of yes or no has another answer.
    pub fn stated(&mut self, topic: Topic, text: &str, by: &str) -> Result<(), EvidenceError> {
        self.facts.stated.push(Statement::new(topic, text, by)?);
        Ok(())
    }

    /// As of another time than now, in Unix seconds.
    pub fn at(&mut self, seconds: u64) {
        self.facts.made_at = seconds;
    }

    /// Writes the pack into a new folder: `evidence.json`, `evidence.html`, what it was made from, and `SHA256SUMS`, which `key` signs. Then write
    /// [its event](Pack::event) into a log, whose next checkpoint elsewhere dates it.
    ///
    /// # Errors
    ///
    /// `io` if the folder exists or cannot be written; `invalid-settings` if `who` is not the name of an actor.
    pub fn write(mut self, folder: impl AsRef<Path>, who: &str, key: &SigningKey) -> Result<Pack, EvidenceError> {
        who.clone_into(&mut self.facts.made_by);
        self.facts.judge_places();
        self.facts.date_scan();
        let remarks = judge(&self.facts);
        let verdict = verdict_of(&remarks);
        let texts = [("rxseal-map.toml", &*self.map_text), ("rxseal-schema.json", &*self.schema_text)];
        write(&self.facts, texts, verdict, remarks, folder.as_ref(), key)
    }
}

fn verdict_of(remarks: &[Remark]) -> Verdict {
    match (remarks.iter().any(Remark::is_red), remarks.is_empty()) {
        (true, _) => Verdict::Red,
        (false, false) => Verdict::Open,
        (false, true) => Verdict::Complete,
    }
}

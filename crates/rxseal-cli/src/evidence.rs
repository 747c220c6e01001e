//! `rxseal evidence`: what shows that data is encrypted and where its keys are, and whether that is as it was made.

mod check;
mod logs;
mod not_made;

use std::path::Path;

use rxseal_evidence::{Evidence, EvidenceError, Pack, ScanFacts, Verdict};
use rxseal_map::{Keyspace, Map, Source};
use serde_json::json;

use crate::args::{Evidence as Command, Global, MakeEvidence};
use crate::audit::log::failed;
use crate::config::Config;
use crate::failure::{Failure, usage};
use crate::journal::who;
use crate::map::Files;
use crate::output::Output;
use crate::read::read_text;
use crate::scan::{Places, Wanted};
use not_made::not_made;

pub async fn run(global: &Global, command: Command, output: &Output) -> Result<(), Failure> {
    match command {
        Command::Make(command) => make(global, *command, output).await,
        Command::Verify { folder, keys, log, checkpoints } => {
            let log = log.as_deref().map(|log| (log, checkpoints.as_deref()));
            check::run(&folder, &keys, log, output)
        }
    }
}

async fn make(global: &Global, command: MakeEvidence, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    let Some(key) = config.journal.signing_key()? else {
        return usage(
            "evidence is signed, and dated by an audit log: say where it is with --audit-log and --audit-key",
        );
    };
    let by = who(&command.who)?;
    let out = &command.out;
    if out.exists() {
        return Err(Failure::Usage(format!("{} exists: name a new folder", out.display())));
    }
    let files = Files::of(&config, &command.map)?;
    let map = files.map()?;
    let mut evidence = Evidence::of(&read_text(&files.map)?, &files.schema_text()?).map_err(not_made)?;
    for said in &command.stated {
        let (topic, text) = said.split_once('=').unwrap_or((said, ""));
        let topic = topic.parse().map_err(|error| Failure::Usage(format!("--stated: {error}")))?;
        let stated = evidence.stated(topic, text, command.stated_by.as_ref().unwrap_or(&by));
        stated.map_err(|error| Failure::Usage(format!("--stated: {error}")))?;
    }
    keyrings(&mut evidence, &config, &command.keyspaces, &map).await?;
    if map.sources().iter().any(|source| matches!(source.at(), rxseal_map::At::Postgres { .. })) {
        evidence.data_host(&files.postgres.as_deref().map(host_of).unwrap_or_default());
    }
    if config.has_local_root() {
        evidence.root_key_is_here();
    } else if config.names_roots() {
        evidence.no_root_key_is_here();
    }
    for program in &command.programs {
        evidence.program(program).map_err(not_made)?;
    }
    logs::read(&mut evidence, &config, &command, &key)?;
    evidence.scan(match &command.scan {
        Some(file) => {
            let failed = |error: EvidenceError| Failure::Coded(error.code(), format!("{}: {error}", file.display()));
            ScanFacts::parse(&read_text(file)?).map_err(failed)?
        }
        None => scan(&config, &command, output).await?,
    });
    // What cannot be logged is not made.
    config.journal.watch(output)?;
    let pack = evidence.write(out, &by, &key).map_err(not_made)?;
    config.journal.ran(&pack.event(&by).map_err(failed)?, output)?;
    say(&pack, out, output)
}

/// The keyrings, as they are stored.
async fn keyrings(evidence: &mut Evidence, config: &Config, given: &[String], map: &Map) -> Result<(), Failure> {
    let store = config.store().await?;
    let mut keyspaces = given.to_vec();
    if keyspaces.is_empty() {
        for keyspace in map.sources().iter().map(Source::keyspace) {
            match keyspace {
                Keyspace::One(name) => keyspaces.push(name.clone()),
                Keyspace::Several(names) => keyspaces.extend(names.iter().cloned()),
                // Which ones the column has is not known here, so all that there are.
                _ => keyspaces.extend(store.keyspaces().await?),
            }
        }
        keyspaces.sort_unstable();
        keyspaces.dedup();
    }
    for keyspace in &keyspaces {
        match store.get(keyspace).await? {
            Some(ring) => evidence.keyring(&ring, &config.store_place()),
            None if given.is_empty() => {}
            None => {
                return Err(Failure::Coded("keyring-missing", format!("no keyring of {keyspace:?} is stored")));
            }
        }
    }
    Ok(())
}

/// Scans the sources of the map.
async fn scan(config: &Config, command: &MakeEvidence, output: &Output) -> Result<ScanFacts, Failure> {
    output.note("scanning the sources of the map; `--scan FILE` takes the answer of an earlier scan");
    let places = Places::of(config, &command.map, Vec::new())?;
    let mut scan = rxseal_scan::Scan::new();
    if let Some(schema) = places.schema_if(true)? {
        scan = scan.with_schema(schema);
    }
    let answer = places.scan(&scan, Wanted::All).await;
    let scanned = ScanFacts::parse(&format!("{}\n", answer.as_json())).map_err(not_made)?;
    Ok(scanned.made_now())
}

fn say(pack: &Pack, out: &Path, output: &Output) -> Result<(), Failure> {
    let remarks: Vec<_> = pack
        .remarks()
        .iter()
        .map(|remark| json!({ "red": remark.is_red(), "code": remark.code(), "text": remark.to_string() }))
        .collect();
    let mut lines: Vec<_> = pack
        .remarks()
        .iter()
        .map(|remark| format!("{}  {}  {remark}", if remark.is_red() { "red " } else { "open" }, remark.code()))
        .collect();
    let verdict = pack.verdict().as_str();
    let red = pack.remarks().iter().filter(|remark| remark.is_red()).count();
    let open = remarks.len().saturating_sub(red);
    lines.push(format!("{verdict}: {red} red lines, {open} open questions; the pack is in {}", out.display()));
    let value = json!({
        "verdict": verdict, "remarks": remarks, "folder": out, "sha256": hex::encode(pack.digest()),
    });
    output.done(true, &lines.join("\n"), &value)?;
    match pack.verdict() {
        Verdict::Complete => Ok(()),
        Verdict::Open => Err(Failure::Coded("undecided", format!("{open} questions are open"))),
        Verdict::Red => Err(Failure::Checked(format!("{red} red lines"))),
    }
}

/// The host in the URL of a database. Nothing if it is elsewhere, such as in a variable: then it may be this machine.
fn host_of(url: &str) -> String {
    let authority = url.split_once("://").map_or(url, |(_, rest)| rest).split(['/', '?']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host.to_owned()
}

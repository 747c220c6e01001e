//! `rxseal evidence verify`: whether a pack is as it was made, and what shows when that was.

use std::fmt::Write as _;
use std::path::Path;

use rxseal_evidence::{Verified, verify};
use rxseal_watch::verify::{Fault, Report, Verdict, Verifier};
use rxseal_watch::{ChainId, VerifierKey};
use serde_json::json;

use super::not_made::not_made;
use crate::audit::log::{Log, failed};
use crate::audit::{events, verifier_keys};
use crate::failure::Failure;
use crate::output::{Output, time};

/// A pack that says another time than its event does, by more seconds than making it takes, was not made then.
const MOST_APART: u64 = 86_400;

/// The event of a pack in a log.
struct Event {
    chain: ChainId,
    line: u64,
    /// Unix milliseconds.
    at: u64,
    /// Why it does not prove when the pack was made.
    doubt: Option<&'static str>,
}

/// `log` is the log of the command that made it, and where its checkpoints are kept elsewhere. The exit status does not say whether the pack is red:
/// it says whether the pack is what was made.
pub fn run(
    folder: &Path,
    keys: &[String],
    log: Option<(&Path, Option<&Path>)>,
    output: &Output,
) -> Result<(), Failure> {
    let keys = verifier_keys(keys)?;
    let pack = verify(folder, &keys).map_err(not_made)?;
    let event = log.map(|(log, checkpoints)| event_of(&pack, log, checkpoints, &keys)).transpose()?;
    let doubt = event.as_ref().map_or(Some(NO_LOG), |event| event.doubt);
    let verdict = pack.verdict();
    let mut text =
        format!("{verdict}: so says the pack of the day on which it was made; evidence.html has the reasons");
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "\nas it was made: {} files, made {} by {}, as it says\nsha256 {}",
        pack.files(),
        time(pack.made_at()),
        pack.made_by(),
        hex::encode(pack.digest())
    );
    if let Some(Event { chain, line, at, .. }) = &event {
        let _ = write!(text, "\nin the log: {}, chain {chain}, line {line}", events::shown(*at));
    }
    let _ = match doubt {
        Some(doubt) => write!(text, "\nthe date is not proven: {doubt}"),
        None => write!(text, "\nthe date is proven: a checkpoint that was kept elsewhere covers this line"),
    };
    let value = json!({
        "verdict": verdict, "files": pack.files(), "made_at": pack.made_at(), "made_by": pack.made_by(),
        "sha256": hex::encode(pack.digest()), "dated": doubt.is_none(),
        "event": event.as_ref().map(|event| json!({ "chain": event.chain.to_string(), "n": event.line, "t": event.at })),
    });
    output.say(&text, &value)?;
    match (event, doubt) {
        (Some(_), Some(doubt)) => Err(Failure::Coded("undecided", format!("the date is not proven: {doubt}"))),
        _ => Ok(()),
    }
}

const NO_LOG: &str = "name the log of the command that made it with --log, and its checkpoints with --checkpoints";
const UNCOVERED: &str = "no checkpoint that was kept elsewhere covers this line: say where they are with --checkpoints, or fetch newer ones";
const ANOTHER_TIME: &str = "the pack says another day than the log";

/// Its event, in a log that nobody changed.
fn event_of(pack: &Verified, log: &Path, checkpoints: Option<&Path>, keys: &[VerifierKey]) -> Result<Event, Failure> {
    let mut verifier = Verifier::new(keys.to_vec());
    if let Some(checkpoints) = checkpoints {
        verifier = verifier.checkpoints(checkpoints).map_err(failed)?;
    }
    let report = Log::open(log)?.verify(&verifier).map_err(failed)?;
    if report.verdict() == Verdict::Tampered {
        return Err(Failure::Coded("tampered", format!("somebody changed the log {}", log.display())));
    }
    let (sha256, mut found) = (hex::encode(pack.digest()), None);
    events::each(log, None, |event| {
        if event.kind() == "evidence" && event.text("sha256") == Some(&sha256) {
            found = Some(Event { chain: event.chain(), line: event.number(), at: event.time(), doubt: None });
        }
        Ok(())
    })?;
    let mut event = found.ok_or_else(|| {
        let text = format!(
            "no event in {} is of this pack: it is another log, or somebody made the pack elsewhere",
            log.display()
        );
        Failure::Checked(text)
    })?;
    event.doubt = if !is_covered(&report, &event) {
        Some(UNCOVERED)
    } else if (event.at / 1000).abs_diff(pack.made_at()) > MOST_APART {
        Some(ANOTHER_TIME)
    } else {
        None
    };
    Ok(event)
}

/// Whether a checkpoint from elsewhere covers the line of this event.
fn is_covered(report: &Report, event: &Event) -> bool {
    let mut about = report.findings().iter().filter(|finding| finding.chain().is_none_or(|of| of == event.chain));
    about.all(|finding| {
        finding.fault() != Fault::NothingToCompare && finding.uncovered_from().is_none_or(|from| event.line < from)
    })
}

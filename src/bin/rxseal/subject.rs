//! `rxseal subject`.

use rxseal::{Keyring, Retention, ShredReceipt, SubjectAdmin};
use serde_json::json;

use crate::args::{Global, Subject};
use crate::config::Config;
use crate::failure::Failure;
use crate::output::{Output, table, time};

pub async fn run(global: &Global, command: Subject, output: &Output) -> Result<(), Failure> {
    let config = Config::of(global)?;
    let subjects = config.subjects().await?;
    match command {
        Subject::Shred { keyspace, subject, yes: _ } => {
            let receipt = subjects.shred(&keyspace, subject.as_str()).await?;
            Ok(output.say(&describe(&receipt), &as_json(&receipt))?)
        }
        Subject::Hold { keyspace, subject, until, legal_hold, release } => {
            if until.is_some() || legal_hold || release {
                let retention = Retention::default().until(until).legal_hold(legal_hold);
                subjects.retain(&keyspace, subject.as_str(), retention).await?;
            }
            show_hold(&subjects, &keyspace, &subject, output).await
        }
        Subject::Reapply => {
            let reapplied = subjects.reapply().await?;
            let retained: Vec<_> = reapplied.retained().collect();
            let mut text = format!("{} subjects are shredded", reapplied.shredded());
            for (keyspace, subject) in &retained {
                text.push_str(&format!("\nheld, and not shredded: {keyspace} {subject}"));
            }
            output.say(&text, &json!({ "shredded": reapplied.shredded(), "retained": retained }))?;
            if retained.is_empty() {
                Ok(())
            } else {
                Err(Failure::Checked(format!(
                    "{} subjects of the log are held since, and were not shredded",
                    retained.len()
                )))
            }
        }
        Subject::Rewrap { keyspace } => rewrap(&config, &subjects, &keyspace, output).await,
        Subject::Count { keyspace } => {
            let counts = subjects.count_by_key(&keyspace).await?;
            let text =
                table(["key", "subject keys"], counts.iter().map(|(key, count)| [key.to_string(), count.to_string()]));
            let keys: serde_json::Map<_, _> =
                counts.iter().map(|(key, count)| (key.to_string(), json!(count))).collect();
            Ok(output.say(&text, &json!({ "keys": keys, "total": counts.total() }))?)
        }
        Subject::Under { keyspace, key } => {
            let under = subjects.under(&keyspace, key).await?;
            let text = if under.is_empty() { "none".to_owned() } else { under.join("\n") };
            Ok(output.say(&text, &json!(under))?)
        }
    }
}

async fn rewrap(config: &Config, subjects: &SubjectAdmin, keyspace: &str, output: &Output) -> Result<(), Failure> {
    let stored = config.store(false).await?.get(keyspace).await?;
    let stored = stored.ok_or_else(|| Failure::Checked(format!("no keyring of {keyspace:?} is stored")))?;
    let keys = Keyring::unlock(keyspace, &config.roots(output).await?, &stored).await?.unobserved();
    let report = subjects.rewrap(&keys).await?;
    let failed: Vec<_> = report.failed().map(|(subject, error)| (subject, error.code())).collect();
    let mut text = format!("{} subject keys are under {} now", report.rewrapped(), keys.primary_key());
    for (subject, code) in &failed {
        text.push_str(&format!("\nleft as it was: {subject} ({code})"));
    }
    output.say(&text, &json!({ "rewrapped": report.rewrapped(), "failed": failed }))?;
    if failed.is_empty() {
        Ok(())
    } else {
        Err(Failure::Checked(format!("{} subject keys were left as they were", failed.len())))
    }
}

async fn show_hold(subjects: &SubjectAdmin, keyspace: &str, subject: &str, output: &Output) -> Result<(), Failure> {
    let retention = subjects.retention(keyspace, subject).await?;
    let until = retention.retained_until().map_or_else(|| "no time".to_owned(), time);
    let held = if retention.is_held() { "a legal hold is on it" } else { "no legal hold" };
    let value = json!({ "retain_until": retention.retained_until(), "legal_hold": retention.is_held() });
    Ok(output.say(&format!("kept until: {until}; {held}"), &value)?)
}

fn describe(receipt: &ShredReceipt) -> String {
    let not_covered = ShredReceipt::NOT_COVERED.join("\n  ");
    format!(
        "shredded {} of {} at {}\neffective at {}: no program opens its fields any more\ncomplete at {}: no backup has its key\n\
         Not covered:\n  {not_covered}",
        receipt.subject(),
        receipt.keyspace(),
        time(receipt.shredded_at()),
        time(receipt.effective_at()),
        time(receipt.complete_at()),
    )
}

fn as_json(receipt: &ShredReceipt) -> serde_json::Value {
    json!({
        "keyspace": receipt.keyspace(), "subject": receipt.subject(), "shredded_at": receipt.shredded_at(),
        "effective_at": receipt.effective_at(), "complete_at": receipt.complete_at(), "not_covered": ShredReceipt::NOT_COVERED,
    })
}

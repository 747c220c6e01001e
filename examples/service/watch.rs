//! Who opened what: the log, its budgets, and what a client is told of them.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rxseal_axum::Problem;
use rxseal_watch::{Act, Budgets, CheckpointFolder, FileLog, SigningKey, TracingSink, Watch, WatchError};

use crate::Service;

const OVER_BUDGET: Problem =
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "over-budget", "You opened as many patients as you may. Wait.");
const FROZEN: Problem = Problem::new(StatusCode::FORBIDDEN, "frozen", "Your access was stopped. Ask your operators.");
const NOT_LOGGED: Problem =
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The service cannot answer now. Try again later.");

/// Everything is in one folder here. Keep checkpoints on another machine, and give whoever verifies the log the public key.
pub fn start(folder: &Path) -> Result<Watch, Box<dyn Error>> {
    let [log, checkpoints] = ["log", "checkpoints"].map(|name| folder.join(name));
    fs::create_dir_all(&log)?;
    fs::create_dir_all(&checkpoints)?;
    let watch = Watch::over(FileLog::in_folder(&log, signing_key(folder)?)?)
        .service("pharmacy-service")
        .budgets(Budgets::pharmacy().frozen_in(folder.join("frozen")))
        .copy_to(CheckpointFolder::new(checkpoints))
        .copy_to(TracingSink)
        .on_alarm(|alarm| eprintln!("alarm: {alarm}"));
    Ok(watch.start()?)
}

/// The first start makes it, as `rxseal audit keygen` does.
fn signing_key(folder: &Path) -> Result<SigningKey, Box<dyn Error>> {
    let file = folder.join("audit.key");
    if !file.exists() {
        let key = SigningKey::generate("pharmacy-service.example")?;
        let mut new = File::options().write(true).create_new(true).mode(0o600).open(&file)?;
        new.write_all(key.expose_text().as_bytes())?;
        fs::write(folder.join("audit.pub"), key.verifier().to_string())?;
    }
    Ok(fs::read_to_string(file)?.parse()?)
}

/// What is in an answer is in the log before the answer leaves. Whoever opens too many patients is told when to come back.
pub async fn before_the_answer(State(at): State<Arc<Service>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if at.watch.committed().await.is_err() {
        return NOT_LOGGED.into_response();
    }
    match response.extensions().get::<Problem>().and_then(Problem::cause).and_then(WatchError::of) {
        Some(refused) if refused.is_over_budget() => {
            let wait = refused.retry_after().map_or(0, |wait| wait.as_secs() + 1);
            ([(RETRY_AFTER, wait)], OVER_BUDGET).into_response()
        }
        Some(refused) if refused.is_audit_unavailable() => NOT_LOGGED.into_response(),
        Some(_) => FROZEN.into_response(),
        None => response,
    }
}

/// Changes keys: who does it and why is in the log before, and how it ended after.
pub async fn acted<T>(
    watch: &Watch,
    act: Act,
    change: impl Future<Output = Result<T, rxseal::Error>>,
) -> Result<T, rxseal::Error> {
    let begun = watch.begin(act)?;
    let done = change.await;
    match &done {
        Ok(_) => begun.done()?,
        Err(error) => begun.failed(error.code().as_str())?,
    }
    done
}

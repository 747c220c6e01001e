//! Folders and files that change under the writer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rxseal_watch::verify::Verdict;
use rxseal_watch::{Alarm, FileLog, Watch};

use crate::support::{Place, access, keyring, open_records};

#[test]
fn files_are_for_their_owner_alone() {
    let place = Place::new();
    drop(place.watch().start().unwrap());
    for entry in fs::read_dir(place.log()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
    }
    let missing = FileLog::in_folder("/no/such/folder", rxseal_watch::SigningKey::generate("x").unwrap());
    assert_eq!(missing.unwrap_err().code(), "log-failed");
}

#[test]
fn a_log_that_is_deleted_under_the_writer_goes_on_in_a_new_chain() {
    let place = Place::new();
    let alarms = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&alarms);
    let watch = place.watch().on_alarm(move |alarm| heard.lock().unwrap().push(alarm.clone())).start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), 0..10);
    watch.commit().unwrap();
    let first = place.files().remove(0);
    fs::remove_file(&first).unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while place.files().is_empty() {
        assert!(Instant::now() < until, "nobody noticed");
        std::thread::sleep(Duration::from_millis(20));
    }
    open_records(&keys, &access(), 10..20);
    drop((keys, watch));
    assert!(alarms.lock().unwrap().contains(&Alarm::LogReplaced));
    assert!(place.openings().len() >= 10);
    assert_eq!(place.verify().verdict(), Verdict::Tampered);
    // `prev` names the chain that is gone; so do the checkpoints, of which one was made when the keyring was unlocked.
    assert!(place.codes().iter().any(|code| ["chain-missing", "begins-later"].contains(code)), "{:?}", place.codes());
}

#[test]
fn a_copy_that_fails_holds_up_nothing() {
    struct Broken;

    impl rxseal_watch::Sink for Broken {
        fn name(&self) -> &'static str {
            "broken"
        }

        fn append(&mut self, _: &[rxseal_watch::Line]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Err("no route".into())
        }

        fn checkpoint(&mut self, _: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Ok(())
        }
    }

    /// Keeps lines, as a second log would.
    struct Kept(Arc<Mutex<Vec<String>>>);

    impl rxseal_watch::Sink for Kept {
        fn name(&self) -> &'static str {
            "kept"
        }

        fn append(&mut self, lines: &[rxseal_watch::Line]) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            self.0.lock().unwrap().extend(lines.iter().map(|line| line.text().to_owned()));
            Ok(())
        }

        fn checkpoint(&mut self, _: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
            Ok(())
        }
    }

    let place = Place::new();
    let (alarms, kept) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(Vec::new())));
    let heard = Arc::clone(&alarms);
    let watch = place.watch().copy_to(Broken).copy_to(Kept(Arc::clone(&kept)));
    let watch = watch.on_alarm(move |alarm| heard.lock().unwrap().push(alarm.clone())).start().unwrap();
    let keys = keyring(&watch);
    open_records(&keys, &access(), 0..20);
    watch.commit().unwrap();
    let until = Instant::now() + Duration::from_secs(20);
    while alarms.lock().unwrap().is_empty() {
        assert!(Instant::now() < until, "nobody heard of it");
        std::thread::sleep(Duration::from_millis(20));
    }
    let expected = Alarm::CopyFailed { copy: "broken".into(), reason: "no route".into() };
    assert_eq!(*alarms.lock().unwrap(), [expected]);
    drop((keys, watch));
    assert_eq!(*kept.lock().unwrap(), place.lines());
    assert!(place.codes().is_empty(), "{:?}", place.codes());
}

/// Many threads, and a task that waits: nothing is lost, and nothing comes twice.
#[test]
fn threads_and_a_task() {
    let place = Place::new();
    let watch: Watch = place.watch().buffer(64).start().unwrap();
    let keys = keyring(&watch);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (keys, watch) = (keys.clone(), watch.clone());
            scope.spawn(move || {
                let access = rxseal::Access::new(&format!("svc:t{thread}"), rxseal::Purpose::TREAT).unwrap();
                open_records(&keys, &access, thread * 1000..thread * 1000 + 200);
                block_on(watch.committed()).unwrap();
            });
        }
    });
    let openings = place.openings();
    assert_eq!(openings.len(), 8 * 200);
    drop((keys, watch));
    assert!(place.codes().is_empty(), "{:?}", place.codes());
}

/// The smallest executor: this thread sleeps until it is woken.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);

    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}

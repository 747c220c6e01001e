//! `TracingSink`: what travels to a collector of logs, and what must not.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use rxseal_watch::{Line, Sink, TracingSink, read_lines};

use crate::support::{Place, access, files, keyring, open_records};

/// What was written to it.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// T76.
#[test]
fn tracing_gets_checkpoints_and_of_lines_the_kind_alone() {
    let place = Place::new();
    let watch = place.watch().start().unwrap();
    let keys = keyring(&watch);
    let access = access().request_id("01J9Z0Q7C1").unwrap();
    open_records(&keys, &access.break_glass("77001", "patient unconscious").unwrap(), [77001]);
    drop((keys, watch));
    let mut lines: Vec<Line> = Vec::new();
    read_lines(place.log(), |line| lines.push(line.clone())).unwrap();
    let note = std::fs::read_to_string(files(&place.elsewhere(), "note").last().unwrap()).unwrap();

    let written = Written::default();
    let writer = written.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    ::tracing::subscriber::with_default(subscriber, || {
        TracingSink.append(&lines).unwrap();
        TracingSink.checkpoint(&note).unwrap();
    });
    let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text.matches("rxseal_watch: line").count(), lines.len(), "{text}");
    let chain = lines[0].chain();
    for kind in ["start", "unlock", "open", "lock", "stop"] {
        let line = lines.iter().find(|line| line.json().contains(&format!("\"e\":\"{kind}\""))).unwrap();
        let expected = format!("chain={chain} n={} kind=\"{kind}\"", line.number());
        assert!(text.contains(&expected), "{expected} in {text}");
    }
    // A note is a text of many lines, so it is escaped.
    assert!(
        text.contains(&format!("note={note:?}")) || text.contains(&format!("note=\"{}\"", note.escape_debug())),
        "{text}"
    );
    for kept in ["77001", "unconscious", "kim", "pharmacy-17", "01J9Z0Q7C1"] {
        assert!(lines.iter().any(|line| line.json().contains(kept)) && !text.contains(kept), "{kept} in {text}");
    }
}

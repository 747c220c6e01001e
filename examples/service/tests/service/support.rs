//! A pharmacy's folder, the built program that serves it, and a client.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value as Column;
use serde_json::{Value, json};

pub const CANARIES: [&str; 5] = ["Canary-Doe", "Canary-warfarin", "Canary-one-daily", BORN, PHONE];
pub const BORN: &str = "1970-01-31";
pub const PHONE: &str = "555-212-0100";
pub const KIM: &str = "kim.rph";
pub const LEE: &str = "lee.intake";
pub const PAT: &str = "pat.rph";

pub fn holds_canary(text: &str) -> bool {
    text.contains("Canary")
}

/// Exactly this status and this code, in a body of RFC 9457 that quotes nothing.
#[track_caller]
pub fn refused((status, answer): &(u16, String), expected: u16, code: &str) {
    assert!(!holds_canary(answer), "the answer quotes: {answer}");
    let body: Value = serde_json::from_str(answer).unwrap_or_else(|_| panic!("{status}: {answer}"));
    assert_eq!((*status, body["code"].as_str()), (expected, Some(code)), "{answer}");
}

/// A folder that goes with it.
pub struct Pharmacy {
    pub folder: PathBuf,
}

impl Pharmacy {
    pub fn new() -> Self {
        Self::below(&std::env::temp_dir())
    }

    /// Where no disk is waited for, if this system has such a place.
    pub fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        if memory.is_dir() { Self::below(memory) } else { Self::new() }
    }

    fn below(folder: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("rxseal-service-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = folder.join(name);
        fs::create_dir(&folder).unwrap();
        Self { folder }
    }

    pub fn serve(&self) -> Server {
        let mut child = self.command("0").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut server = Server { address: (Ipv4Addr::LOCALHOST, 0).into(), child, stdout };
        let mut line = String::new();
        while !line.starts_with("listening on ") {
            line.clear();
            assert_ne!(server.stdout.read_line(&mut line).unwrap(), 0, "the service ended");
        }
        server.address = line.trim().strip_prefix("listening on http://").unwrap().parse().unwrap();
        server
    }

    /// Runs a job: what it printed, or what it complained of.
    pub fn run(&self, job: &str) -> Result<String, String> {
        let done = self.command(job).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        if done.status.success() { Ok(text(done.stdout)) } else { Err(text(done.stderr)) }
    }

    fn command(&self, what: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_service"));
        command.arg(&self.folder).arg(what);
        command
    }

    pub fn db(&self) -> Connection {
        let db = Connection::open(self.folder.join("pharmacy.db")).unwrap();
        db.busy_timeout(Duration::from_secs(5)).unwrap();
        db
    }

    /// The events of its log.
    pub fn events(&self) -> Vec<Value> {
        let mut events = Vec::new();
        let each = |line: &rxseal_watch::Line| events.push(serde_json::from_str(line.json()).unwrap());
        rxseal_watch::read_lines(self.folder.join("log"), each).unwrap();
        events
    }

    pub fn sql(&self, statement: &str) {
        self.db().execute(statement, ()).unwrap();
    }

    pub fn column(&self, query: &str) -> Column {
        self.db().query_row(query, (), |row| row.get(0)).unwrap()
    }
}

impl Drop for Pharmacy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The program, which ends with it.
pub struct Server {
    address: SocketAddr,
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Server {
    pub fn get(&self, user: &str, path: &str) -> (u16, String) {
        self.send("GET", path, user, "", "")
    }

    pub fn post(&self, user: &str, path: &str, body: &Value) -> (u16, String) {
        self.send("POST", path, user, "", &body.to_string())
    }

    pub fn delete(&self, user: &str, path: &str) -> (u16, String) {
        self.send("DELETE", path, user, "", "")
    }

    pub fn put_directions(&self, user: &str, rx_number: u32, version: &str, text: &str) -> (u16, String) {
        let path = format!("/prescriptions/{rx_number}/directions");
        self.send("PUT", &path, user, &format!("x-version: {version}\r\n"), &json!(text).to_string())
    }

    #[track_caller]
    pub fn get_json(&self, user: &str, path: &str) -> Value {
        let (status, answer) = self.get(user, path);
        assert_eq!(status, 200, "{answer}");
        serde_json::from_str(&answer).unwrap()
    }

    pub fn version(&self, path: &str) -> String {
        let (head, _) = self.exchange("GET", path, KIM, "", "");
        head.lines().find_map(|line| line.strip_prefix("x-version: ")).unwrap().to_owned()
    }

    fn send(&self, method: &str, path: &str, user: &str, headers: &str, body: &str) -> (u16, String) {
        let (head, body) = self.exchange(method, path, user, headers, body);
        let may_be_cached = !head.to_lowercase().contains("cache-control: no-store");
        assert!(!(holds_canary(&body) && may_be_cached), "plaintext may be cached");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body)
    }

    /// One HTTP request over a connection of its own: the head and the body of the answer.
    pub fn exchange(&self, method: &str, path: &str, user: &str, headers: &str, body: &str) -> (String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let user = if user.is_empty() { String::new() } else { format!("x-demo-user: {user}\r\n") };
        let (address, length) = (self.address, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{user}{headers}content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        (head.to_owned(), body.to_owned())
    }

    /// Kills this very process, and gives what it wrote.
    pub fn end(mut self) -> (String, String) {
        self.child.kill().unwrap();
        self.written()
    }

    /// Asks it to end, as a supervisor does, and waits.
    pub fn ask_to_end(mut self) -> (String, String) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        let ended = self.child.wait().unwrap();
        let (printed, complained) = self.written();
        assert!(asked.success() && ended.success(), "{ended}: {complained}");
        (printed, complained)
    }

    fn written(&mut self) -> (String, String) {
        let (mut printed, mut complained) = (String::new(), String::new());
        self.stdout.read_to_string(&mut printed).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
        (printed, complained)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

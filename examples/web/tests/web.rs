//! Proves the plaintext side (T45, T46) from end to end over loopback. It runs `examples/web` once as a router in this
//! process, whose database, audit trail and mistakes it can look at, and once as the built program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

#[path = "../app.rs"]
mod app;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use app::{Audit, Prescription, Service};
use axum::routing::{get, post};
use axum::{Json, Router};
use rusqlite::Connection;
use rxseal::Class;
use rxseal::phi::Drug;
use serde_json::{Value, json};

const CANARIES: [&str; 3] = ["Canary-Jane-Doe", "Canary-warfarin", "Canary-daily"];
const KIM: Option<&str> = Some("kim.rph");
const LEE: Option<&str> = Some("lee.intake");

#[test]
fn the_router_serves_every_case() {
    let server = Server::start(|_| {}, |router| router);
    let ids = drive(server.address);
    server.audit_is(&ids);
}

#[test]
fn the_built_program_serves_every_case() {
    let mut program = Program::start();
    let ids = drive(program.address);
    let (printed, complained) = program.end();
    let audit: Vec<&str> = printed.lines().filter(|line| line.starts_with("audit: ")).collect();
    assert_eq!(audit.len(), ids.len(), "one event for each opening");
    for (line, id) in audit.iter().zip(&ids) {
        assert!(line.starts_with(&format!("audit: user:kim.rph TREAT prescription {id} opened, ")), "{line}");
    }
    assert!(!has_canary(&printed) && !has_canary(&complained), "the program printed plaintext");
}

#[test]
fn the_database_holds_tokens_only() {
    let server = Server::start(|_| {}, |router| router);
    enter(server.address, &form());
    let row = server.row();
    assert!(!has_canary(&row), "plaintext in the database");
    let row: Value = serde_json::from_str(&row).unwrap();
    assert_eq!(row["refills"], 2);
    for field in ["patient_name", "drug", "directions"] {
        assert!(row[field].as_str().unwrap().starts_with("rxsX"), "{field}");
    }
    // Every token of the database, posted by a client that has seen it, in every field.
    for token in ["patient_name", "drug", "directions"] {
        for field in ["patient_name", "drug", "directions"] {
            let mut stolen = form();
            stolen[field] = row[token].clone();
            refused(
                call(server.address, "POST", "/prescriptions", LEE, &stolen.to_string()),
                400,
                "token-as-plaintext",
            );
        }
    }
    server.audit_is(&[]);
}

#[test]
fn an_error_of_opening_is_a_status_and_a_code() {
    let server = Server::start(|_| {}, |router| router);
    let (first, second) = (enter(server.address, &form()), enter(server.address, &form()));
    let read = |id: &str| call(server.address, "GET", &format!("/prescriptions/{id}"), KIM, "");

    // Somebody who can write to the database: rows exchanged, then plaintext put where a token belongs.
    server.sql("CREATE TABLE copy AS SELECT * FROM prescription");
    server.sql("UPDATE prescription SET row = (SELECT row FROM copy WHERE copy.id <> prescription.id)");
    refused(read(&first), 500, "open-failed");
    refused(read(&second), 500, "open-failed");
    server.sql("UPDATE prescription SET row = json_set(row, '$.drug', 'Canary-warfarin')");
    refused(read(&first), 500, "open-failed");
    server.sql("UPDATE prescription SET row = json_set(row, '$.patient_name', 'Canary-Jane-Doe')");
    refused(read(&first), 500, "not-a-token");
    server.outcomes_are(&["open-failed", "open-failed", "open-failed", "not-a-token"]);

    server.sql("UPDATE prescription SET row = 'Canary-Jane-Doe'");
    refused(read(&first), 500, "invalid-input");
    server.sql("DROP TABLE prescription");
    refused(read(&first), 500, "database");
    assert_eq!(server.events.try_iter().count(), 1);
}

#[test]
fn a_class_that_is_locked_is_forbidden() {
    let limit = |service: &mut Service| service.opener = service.opener.clone().only([Class::MEDICATION]);
    let server = Server::start(limit, |router| router);
    let id = enter(server.address, &form());
    refused(call(server.address, "GET", &format!("/prescriptions/{id}"), KIM, ""), 403, "class-locked");
    server.outcomes_are(&["class-locked"]);
}

/// T34, T46: a handler that forgets `expose_plaintext` or `accept_plaintext`.
#[test]
fn what_forgets_the_plaintext_scope_fails_closed() {
    let prescription = || Prescription {
        refills: 2,
        patient_name: CANARIES[0].to_owned().into(),
        drug: CANARIES[1].to_owned().into(),
        directions: Some(CANARIES[2].to_owned().into()),
    };
    let forgetful = |router: Router| {
        router
            .route("/forgotten", get(move || async move { Json(prescription()) }))
            .route("/forgotten", post(|Json(read): Json<Prescription>| async move { read.refills.to_string() }))
    };
    let server = Server::start(|_| {}, forgetful);
    let (status, answer) = call(server.address, "GET", "/forgotten", KIM, "");
    assert_eq!(status, 500);
    assert!(!has_canary(&answer), "the answer holds plaintext");

    for body in [form(), json!({"refills": 2, "patient_name": token(), "drug": token()})] {
        let (status, answer) = call(server.address, "POST", "/forgotten", KIM, &body.to_string());
        assert_eq!(status, 422);
        assert!(!has_canary(&answer), "the answer holds plaintext");
    }
}

/// All that a client can see. Gives the ids that were opened, in their order.
fn drive(address: SocketAddr) -> Vec<String> {
    let post = |user, body: &str| call(address, "POST", "/prescriptions", user, body);
    let read = |user, id: &str| call(address, "GET", &format!("/prescriptions/{id}"), user, "");

    let full = enter(address, &form());
    let mut without_directions = form();
    without_directions["directions"] = Value::Null;
    let partial = enter(address, &without_directions);
    for (id, expected) in [(&full, form()), (&partial, without_directions)] {
        let (status, answer) = read(KIM, id);
        assert_eq!(status, 200);
        assert!(serde_json::from_str::<Value>(&answer).unwrap() == expected, "what was posted is answered");
    }

    let browser = |body: &str| {
        let headers = "x-demo-user: lee.intake\r\ncontent-type: application/x-www-form-urlencoded; charset=utf-8\r\n";
        send(address, "POST", "/prescriptions", headers, body)
    };
    let (status, answer) =
        browser("refills=2&patient_name=Canary-Jane-Doe&drug=Canary%2Dwarfarin&directions=Canary-daily");
    assert_eq!(status, 201);
    let entered: Value = serde_json::from_str(&answer).unwrap();
    let by_browser = entered["id"].as_str().unwrap().to_owned();
    let (_, answer) = read(KIM, &by_browser);
    assert!(serde_json::from_str::<Value>(&answer).unwrap() == form(), "what was posted is answered");
    let stolen = token();
    refused(browser(&format!("refills=2&patient_name=x&drug={stolen}")), 400, "token-as-plaintext");
    refused(browser(&format!("refills=2&patient_name=x&drug=x&directions={stolen}")), 400, "token-as-plaintext");
    refused(browser("refills=Canary-daily&patient_name=Canary-Jane-Doe&drug=x"), 400, "invalid-input");

    // Whoever may not read gets nothing, whether there is something or not.
    for user in [None, Some("mallory"), Some("KIM.RPH")] {
        refused(read(user, &full), 401, "unauthenticated");
        refused(post(user, &form().to_string()), 401, "unauthenticated");
    }
    refused(read(LEE, &full), 403, "forbidden");
    refused(read(LEE, "no-such-row"), 403, "forbidden");
    for id in ["no-such-row", &full.to_uppercase(), "%27%20OR%201%3D1", &token()] {
        refused(read(KIM, id), 404, "not-found");
    }

    for (field, value, code) in [
        ("drug", json!(token()), "token-as-plaintext"),
        ("directions", json!(token()), "token-as-plaintext"),
        ("drug", json!([CANARIES[1]]), "value-mismatch"),
        ("patient_name", json!({ "given": CANARIES[0] }), "value-mismatch"),
        ("patient_name", json!(null), "value-mismatch"),
        // serde's own error quotes these.
        ("refills", json!(CANARIES[0]), "invalid-input"),
        (CANARIES[0], json!(1), "invalid-input"),
    ] {
        let mut body = form();
        body[field] = value;
        refused(post(LEE, &body.to_string()), 400, code);
    }
    refused(post(LEE, CANARIES[0]), 400, "invalid-input");
    refused(post(LEE, ""), 400, "invalid-input");
    for content_type in ["", "content-type: text/plain\r\n"] {
        let headers = format!("x-demo-user: lee.intake\r\n{content_type}");
        refused(send(address, "POST", "/prescriptions", &headers, &form().to_string()), 415, "media-type");
    }
    refused(post(LEE, &format!(r#"{{"drug": "{}"}}"#, "x".repeat(3_000_000))), 413, "body-refused");
    vec![full, partial, by_browser]
}

fn form() -> Value {
    json!({ "refills": 2, "patient_name": CANARIES[0], "drug": CANARIES[1], "directions": CANARIES[2] })
}

/// A token as a client may have seen it elsewhere: of a keyring that the service does not have.
fn token() -> String {
    let keys = rxseal::testing::insecure_keyring("pharmacy-18").unwrap().unobserved();
    keys.record("prescription", 1).unwrap().seal::<Drug>("morphine").unwrap().to_string()
}

fn enter(address: SocketAddr, form: &Value) -> String {
    let (status, answer) = call(address, "POST", "/prescriptions", LEE, &form.to_string());
    assert_eq!(status, 201);
    serde_json::from_str::<Value>(&answer).unwrap()["id"].as_str().unwrap().to_owned()
}

/// Exactly this status and this code, and so never a value.
#[track_caller]
fn refused((status, answer): (u16, String), expected: u16, code: &str) {
    assert!(!has_canary(&answer), "the answer quotes the value");
    assert_eq!((status, answer.as_str()), (expected, json!({ "error": code }).to_string().as_str()));
}

fn has_canary(text: &str) -> bool {
    CANARIES.iter().any(|canary| text.contains(canary))
}

/// One HTTP request with a JSON body.
fn call(address: SocketAddr, method: &str, path: &str, user: Option<&str>, body: &str) -> (u16, String) {
    let user = user.map_or(String::new(), |user| format!("x-demo-user: {user}\r\n"));
    send(address, method, path, &format!("{user}content-type: application/json\r\n"), body)
}

/// One HTTP request over a connection of its own: its status and its body.
fn send(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // A server that refuses a large body may close before it has read all of it.
    let _ = stream.write_all(body.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
    let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
    let may_be_cached = !head.to_lowercase().contains("cache-control: no-store");
    assert!(!(has_canary(body) && may_be_cached), "plaintext may be cached");
    (status, body.to_owned())
}

/// The router on a loopback socket, in a runtime that ends with it.
struct Server {
    address: SocketAddr,
    service: Arc<Service>,
    events: mpsc::Receiver<String>,
    _runtime: tokio::runtime::Runtime,
}

impl Server {
    fn start(change: impl FnOnce(&mut Service), routes: impl FnOnce(Router) -> Router) -> Self {
        let (audit, events) = mpsc::channel();
        let keys = rxseal::testing::insecure_keyring("pharmacy-17").unwrap().observed_by(Audit(audit));
        let mut service = Service::new(&keys, Connection::open_in_memory().unwrap()).unwrap();
        change(&mut service);
        let service = Arc::new(service);
        let router = routes(app::router(Arc::clone(&service)));

        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        runtime.spawn(async { axum::serve(listener, router).await });
        Self { address, service, events, _runtime: runtime }
    }

    fn sql(&self, statement: &str) {
        self.service.db().execute(statement, ()).unwrap();
    }

    fn row(&self) -> String {
        self.service.db().query_row("SELECT row FROM prescription", (), |row| row.get(0)).unwrap()
    }

    /// One event for each opening, with who, why, what and the request, and nothing else.
    fn audit_is(&self, ids: &[String]) {
        let events: Vec<String> = self.events.try_iter().collect();
        assert_eq!(events.len(), ids.len());
        let mut requests = HashSet::new();
        for (event, id) in events.iter().zip(ids) {
            let (event, request) = event.split_once(", request ").unwrap();
            assert!(event.starts_with(&format!("user:kim.rph TREAT prescription {id} opened, ")), "{event}");
            assert!(requests.insert(request.to_owned()), "two requests of one id");
        }
        assert!(!events.iter().any(|event| has_canary(event)), "an event holds a value");
    }

    fn outcomes_are(&self, codes: &[&str]) {
        let events: Vec<String> = self.events.try_iter().collect();
        assert_eq!(events.len(), codes.len());
        for (event, code) in events.iter().zip(codes) {
            assert!(event.contains(&format!(" {code}, ")), "{event}");
            assert!(!has_canary(event), "an event holds a value");
        }
    }
}

/// The built example as a process of its own.
struct Program {
    address: SocketAddr,
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
}

impl Program {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_web"))
            .args(["--port", "0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect("an address").parse().unwrap();
        Self { address, child, stdout }
    }

    /// Ends this very process, and gives what it wrote.
    fn end(&mut self) -> (String, String) {
        self.child.kill().unwrap();
        let (mut printed, mut complained) = (String::new(), String::new());
        self.stdout.read_to_string(&mut printed).unwrap();
        self.child.stderr.take().unwrap().read_to_string(&mut complained).unwrap();
        self.child.wait().unwrap();
        (printed, complained)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

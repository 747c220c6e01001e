//! Proves what clients get from `Plaintext`, through a real router: plaintext, or a constant refusal (T45, T46).
#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test that panics has failed"
)]

use std::convert::Infallible;

use axum::body::{Body, to_bytes};
use axum::extract::DefaultBodyLimit;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Request, StatusCode};
use rxseal::phi::{Directions, Drug, Note, PatientName};
use rxseal::{Access, Class, ErrorCode, Keyring, Phi, PhiRecord, Purpose, Sealed, Sealing};
use rxseal_axum::{Plaintext, Problem};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower::ServiceExt;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Refill {
    refills: u8,
    patient_name: Phi<String, PatientName>,
    #[serde(with = "Sealing::<Drug>")]
    drug: String,
    directions: Option<Phi<String, Directions>>,
}

#[derive(PhiRecord)]
#[phi(part, plaintext)]
struct Line {
    #[phi(id)]
    line_no: u32,
    #[phi(seal = Drug)]
    drug: String,
}

/// A record struct: no derive of serde, and a body in both directions.
#[derive(PhiRecord)]
#[phi(record = "prescription", plaintext)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Prescription {
    #[phi(id)]
    rx_number: u64,
    #[phi(seal = PatientName)]
    patient_name: String,
    #[phi(seal = Option<Directions>)]
    directions: Option<String>,
    #[phi(seal)]
    note: Phi<String, Note>,
    #[phi(clear)]
    refills: u8,
    #[phi(part = "line")]
    lines: Vec<Line>,
}

fn prescription() -> Value {
    json!({
        "rxNumber": 1001,
        "patientName": "Canary-Jane",
        "directions": "Canary-daily",
        "note": "Canary-note",
        "refills": 2,
        "lines": [{"line_no": 1, "drug": "Canary-warfarin"}],
    })
}

/// What a twin that asked for `Serialize` looks like.
#[derive(Serialize, Deserialize)]
struct Row {
    refills: u8,
    drug: Sealed<String, Drug>,
}

fn refill() -> Value {
    json!({"refills": 2, "patient_name": "Canary-Jane", "drug": "Canary-warfarin", "directions": "Canary-daily"})
}

fn keys() -> Keyring {
    rxseal::testing::insecure_keyring("pharmacy-17").unwrap().unobserved()
}

/// A token as a client may have seen it elsewhere.
fn token() -> String {
    keys().record("refill", 1).unwrap().seal::<Drug>("Canary-token").unwrap().to_string()
}

async fn echo(Plaintext(refill): Plaintext<Refill>) -> Plaintext<Refill> {
    Plaintext(refill)
}

fn router() -> Router {
    Router::new()
        .route("/", post(echo))
        .route("/list", post(async |Plaintext(list): Plaintext<Vec<Refill>>| Plaintext(list)))
        .route("/row", post(async |Plaintext(row): Plaintext<Row>| row.refills.to_string()))
}

/// What a client sees of an answer.
#[derive(Debug)]
struct Seen {
    status: StatusCode,
    content_type: String,
    cache_control: String,
    body: String,
    cause: Option<String>,
}

impl Seen {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Exactly the members of a problem, of these values. Nothing of a request is in it, so it holds no canary.
    #[track_caller]
    fn refused(&self, status: u16, code: &str) {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["code"].as_str()), (status, Some(code)), "{self:?}");
        let members: Vec<_> = body.as_object().unwrap().keys().collect();
        assert_eq!(members, ["code", "detail", "status", "title"]);
        assert_eq!(body["status"], status);
        assert_eq!(body["title"], self.status.canonical_reason().unwrap());
        assert_eq!(self.content_type, "application/problem+json");
        assert_eq!(self.cache_control, "no-store");
        assert!(!format!("{self:?}").contains("Canary"), "{self:?}");
        // Our hints to developers name functions and types.
        assert!(!self.body.contains('`') || code == "media-type", "{self:?}");
    }
}

async fn see(response: Response) -> Seen {
    let (head, body) = response.into_parts();
    let header = |name| head.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    let (content_type, cache_control) = (header(CONTENT_TYPE), header(CACHE_CONTROL));
    let cause = head.extensions.get::<Problem>().and_then(Problem::cause).map(ToString::to_string);
    let body = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
    Seen { status: head.status, content_type, cache_control, body, cause }
}

async fn send(router: Router, path: &str, content_type: &str, body: impl Into<Body>) -> Seen {
    let mut request = Request::post(path);
    if !content_type.is_empty() {
        request = request.header(CONTENT_TYPE, content_type);
    }
    see(router.oneshot(request.body(body.into()).unwrap()).await.unwrap()).await
}

async fn post_json(body: impl Into<Body>) -> Seen {
    send(router(), "/", "application/json", body).await
}

#[tokio::test]
async fn plaintext_goes_in_and_out() {
    let mut without = refill();
    without["directions"] = Value::Null;
    for (path, body) in [("/", refill()), ("/", without), ("/list", json!([refill(), refill()])), ("/list", json!([]))]
    {
        let seen = send(router(), path, "application/json", body.to_string()).await;
        assert_eq!((seen.status, seen.json()), (StatusCode::OK, body));
        assert_eq!((seen.content_type.as_str(), seen.cache_control.as_str()), ("application/json", "no-store"));
    }
    let mut missing = refill();
    missing.as_object_mut().unwrap().remove("directions");
    assert_eq!(post_json(missing.to_string()).await.json()["directions"], Value::Null);
}

/// What a client posts is sealed, stored, opened and answered, without a line for any field.
#[tokio::test]
async fn a_record_struct_is_a_body() {
    let keys = keys();
    let through =
        async move |Plaintext(prescription): Plaintext<Prescription>| -> Result<Plaintext<Prescription>, Problem> {
            let row = keys.seal(&prescription)?;
            Ok(Plaintext(keys.open(&row, &Access::new("user:kim.rph", Purpose::TREAT)?)?))
        };
    let app = Router::new().route("/", post(through));
    let post = |body: Value| send(app.clone(), "/", "application/json", body.to_string());

    let seen = post(prescription()).await;
    assert_eq!((seen.status, seen.json()), (StatusCode::OK, prescription()));
    let mut missing = prescription();
    missing.as_object_mut().unwrap().remove("directions");
    assert_eq!(post(missing).await.json()["directions"], Value::Null);

    let token = token();
    for (place, value, code) in [
        ("/patientName", json!(token), "token-as-plaintext"),
        ("/directions", json!(token), "token-as-plaintext"),
        ("/note", json!(token), "token-as-plaintext"),
        ("/lines/0/drug", json!(token), "token-as-plaintext"),
        ("/lines/0/drug", json!(["Canary-warfarin"]), "value-mismatch"),
        ("/lines/0/line_no", json!("Canary-1"), "invalid-input"),
        ("/rxNumber", json!("Canary-1001"), "invalid-input"),
        ("/refills", json!({"Canary": 1}), "invalid-input"),
        // Two lines that could be exchanged.
        ("/lines", json!([{"line_no": 1, "drug": "Canary-a"}, {"line_no": 1, "drug": "Canary-b"}]), "invalid-id"),
    ] {
        let mut body = prescription();
        *body.pointer_mut(place).unwrap() = value;
        post(body).await.refused(422, code);
    }
    let mut unknown = prescription();
    unknown["Canary"] = json!(1);
    post(unknown).await.refused(422, "invalid-input");
}

/// T34: and nothing else writes or reads one.
#[tokio::test]
async fn a_record_struct_is_no_json_by_itself() {
    let app = Router::new().route("/", post(async |Json(prescription): Json<Prescription>| Json(prescription)));
    let seen = send(app, "/", "application/json", prescription().to_string()).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!seen.body.contains("Canary"), "{seen:?}");
    let accepted: Prescription = rxseal::accept_plaintext(|| serde_json::from_value(prescription())).unwrap();
    let error = serde_json::to_string(&accepted).unwrap_err().to_string();
    assert!(!error.contains("Canary"), "{error}");
    assert!(!format!("{accepted:?}").contains("Canary"));
}

#[tokio::test]
async fn json_has_more_than_one_name() {
    for name in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/json ; x=y",
        "application/fhir+json",
        "application/ld+JSON;a=b",
    ] {
        assert_eq!(send(router(), "/", name, refill().to_string()).await.status, StatusCode::OK, "{name}");
    }
    for name in [
        "",
        "text/plain",
        "text/json",
        "application/",
        "application/jsonx",
        "application/xml",
        "json",
        ";",
        "application/octet-stream; application/json",
        "Canary/canary",
        "multipart/form-data; boundary=Canary",
    ] {
        send(router(), "/", name, refill().to_string()).await.refused(415, "media-type");
    }
    let no_text = Request::post("/").header(CONTENT_TYPE, &b"application/json\xff"[..]).body(Body::empty()).unwrap();
    see(router().oneshot(no_text).await.unwrap()).await.refused(415, "media-type");
}

#[tokio::test]
async fn what_is_not_json_is_malformed() {
    let whole = refill().to_string();
    let bodies = [
        "",
        " ",
        "Canary",
        "{",
        "\"Canary",
        "{\"drug\": \"Canary-warfarin\"",
        "[1,]",
        "{'drug': 1}",
        "{\"drug\": Canary}",
        "\u{feff}{}",
        "{\"refills\": 0x10}",
        "{\"drug\": \"Canary\n\"}",
        &whole[..whole.len() - 1],
        &whole[..whole.find("warfarin").unwrap()],
        &format!("{whole} Canary"),
        &format!("{whole}{whole}"),
    ];
    for body in bodies {
        post_json(body.to_owned()).await.refused(400, "malformed");
    }
    post_json(&b"{\"drug\": \"Canary\xff\"}"[..]).await.refused(400, "malformed");
    post_json(&b"\xff\xfe{\0}\0"[..]).await.refused(400, "malformed");
}

#[tokio::test]
async fn what_has_another_shape_is_unprocessable() {
    let token = token();
    let cases: &[(&str, Value, &str)] = &[
        ("refills", json!("Canary-2"), "invalid-input"),
        ("refills", json!(300), "invalid-input"),
        ("refills", json!(null), "invalid-input"),
        ("Canary-unknown", json!(1), "invalid-input"),
        ("drug", json!(["Canary-warfarin"]), "value-mismatch"),
        ("drug", json!(null), "value-mismatch"),
        ("drug", json!(5), "value-mismatch"),
        ("patient_name", json!({"given": "Canary-Jane"}), "value-mismatch"),
        ("directions", json!(["Canary-daily"]), "value-mismatch"),
        ("drug", json!(token), "token-as-plaintext"),
        ("patient_name", json!(token), "token-as-plaintext"),
        ("directions", json!(token), "token-as-plaintext"),
    ];
    for (field, value, code) in cases {
        let mut body = refill();
        body[field] = value.clone();
        post_json(body.to_string()).await.refused(422, code);
    }
    let deep = format!("{}\"Canary\"{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["[]", "1", "null", "\"Canary\"", "{}", &deep] {
        post_json(body.to_owned()).await.refused(422, "invalid-input");
    }
    post_json("{\"refills\": 2}").await.refused(422, "value-mismatch");
    let twice = refill().to_string().replace("\"refills\":2", "\"refills\":2,\"refills\":3");
    post_json(twice).await.refused(422, "invalid-input");
}

#[tokio::test]
async fn a_body_that_is_too_large_or_broken_is_refused() {
    let large = format!("{{\"drug\": \"{}\"}}", "Canary".repeat(400_000));
    post_json(large).await.refused(413, "body-too-large");
    let limited = router().layer(DefaultBodyLimit::max(16));
    send(limited, "/", "application/json", refill().to_string()).await.refused(413, "body-too-large");
    // The type is looked at first, so a body that nobody reads costs nothing.
    send(router(), "/", "text/csv", "Canary".repeat(400_000)).await.refused(415, "media-type");

    let broken = Body::from_stream(Broken(Some("{\"drug\": \"Canary")));
    post_json(broken).await.refused(400, "body-unreadable");
}

/// One piece of a body, and then the connection breaks.
struct Broken(Option<&'static str>);

impl futures_core::Stream for Broken {
    type Item = Result<&'static str, std::io::Error>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let end = || Err(std::io::Error::other("Canary: the connection broke"));
        std::task::Poll::Ready(Some(self.0.take().map_or_else(end, Ok)))
    }
}

/// T46: a row is no answer, and a type that holds tokens cannot be posted.
#[tokio::test]
async fn tokens_stay_inside() {
    let keys = keys();
    let row = move || {
        let record = keys.record("refill", 1).unwrap();
        Row { refills: 2, drug: Sealed::seal(&record, "Canary-warfarin").unwrap() }
    };
    let row_again = row.clone();
    let app = Router::new()
        .route("/", get(async move || Plaintext(row())))
        .route("/list", get(async move || Plaintext(vec![row_again()])))
        .merge(router());
    for path in ["/", "/list"] {
        let seen = see(app.clone().oneshot(Request::get(path).body(Body::empty()).unwrap()).await.unwrap()).await;
        seen.refused(500, "internal");
        assert!(!seen.body.contains("rxs"), "a token is in the answer");
        assert!(seen.cause.unwrap().contains("open it first"), "the log says what to do");
    }
    for drug in [token(), "Canary-warfarin".to_owned()] {
        let seen = send(app.clone(), "/row", "application/json", json!({"refills": 2, "drug": drug}).to_string()).await;
        seen.refused(500, "internal");
    }
}

#[tokio::test]
async fn what_cannot_be_json_is_no_answer() {
    /// Serializes half of itself, then fails with a text that quotes.
    struct Failing;
    impl Serialize for Failing {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::{Error, SerializeSeq};
            let mut list = serializer.serialize_seq(None)?;
            list.serialize_element("Canary-warfarin")?;
            Err(S::Error::custom("Canary-warfarin cannot be written"))
        }
    }
    see(Plaintext(Failing).into_response()).await.refused(500, "internal");
    let problem = Plaintext(Failing).try_into_response().unwrap_err();
    assert_eq!(problem.cause().unwrap().code(), ErrorCode::WorkFailed);
    assert!(!format!("{problem} {problem:?}").contains("Canary"));
    // What an answer of one's own would do with a tuple is said in the docs.
    let created = Plaintext(json!({})).try_into_response().map(|answer| (StatusCode::CREATED, answer).into_response());
    assert_eq!(created.unwrap().status(), StatusCode::CREATED);
}

/// T34: `Json` of the same types fails closed.
#[tokio::test]
async fn json_refuses_what_is_for_plaintext() {
    let app = Router::new().route("/", post(async |Json(refill): Json<Refill>| refill.refills.to_string())).route(
        "/",
        get(async || {
            Json(Refill {
                refills: 2,
                patient_name: "Canary-Jane".to_owned().into(),
                drug: "Canary-warfarin".to_owned(),
                directions: None,
            })
        }),
    );
    let seen = see(app.clone().oneshot(Request::get("/").body(Body::empty()).unwrap()).await.unwrap()).await;
    assert_eq!(seen.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!seen.body.contains("Canary"), "{seen:?}");
    let seen = send(app, "/", "application/json", refill().to_string()).await;
    assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!seen.body.contains("Canary"), "{seen:?}");
}

#[tokio::test]
async fn errors_of_a_handler_become_problems() {
    let keys = keys();
    let kim = Access::new("user:kim.rph", Purpose::TREAT).unwrap();
    let record = keys.record("refill", 1).unwrap();
    let token = record.seal::<Drug>("Canary-warfarin").unwrap();
    let elsewhere = keys.record("refill", 2).unwrap();
    let locked = keys.opener().only([Class::IDENTITY]).record("refill", 1).unwrap();
    let errors = [
        (record.seal::<Drug>(&f64::NAN).unwrap_err(), 422, "not-finite"),
        (record.seal::<Drug>(&token.to_string()).unwrap_err(), 422, "token-as-plaintext"),
        (keys.record("refill", "Canary Jane").unwrap_err(), 422, "invalid-id"),
        (locked.opened_by(&kim).open::<Drug, String>(&token).unwrap_err(), 403, "class-locked"),
        (elsewhere.opened_by(&kim).open::<Drug, String>(&token).unwrap_err(), 500, "internal"),
        (record.opened_by(&kim).open::<Drug, u8>(&token).unwrap_err(), 500, "internal"),
        (record.opened_by(&kim).run_opening(|| serde_json::from_str::<Refill>("Canary")).unwrap_err(), 500, "internal"),
        (rxseal::Error::not_indexable("a date is YYYY-MM-DD"), 422, "not-indexable"),
        (rxseal::Error::bad_check_digit("an NPI"), 422, "bad-check-digit"),
        (rxseal::Error::query_too_large(), 422, "query-too-large"),
        (rxseal::Error::from_provider(true, "Canary-cause"), 503, "unavailable"),
        (rxseal::Error::from_provider(false, "Canary-cause"), 500, "internal"),
    ];
    for (error, status, code) in errors {
        let text = error.to_string();
        let problem = Problem::from(error);
        assert_eq!((problem.status().as_u16(), problem.code()), (status, code));
        let seen = see(problem.into_response()).await;
        seen.refused(status, code);
        assert_eq!(seen.cause, Some(text));
    }
}

#[tokio::test]
async fn problems_of_a_service_look_alike() {
    const NOT_FOUND: Problem = Problem::new(StatusCode::NOT_FOUND, "not-found", "There is no such refill.");
    let seen = see(NOT_FOUND.into_response()).await;
    seen.refused(404, "not-found");
    assert_eq!(
        seen.body,
        r#"{"title":"Not Found","status":404,"detail":"There is no such refill.","code":"not-found"}"#
    );
    assert!(seen.cause.is_none());
}

/// A scope is around the parsing alone, so requests on one thread never see each other's.
#[tokio::test(flavor = "current_thread")]
async fn requests_do_not_meet() {
    let app = router().layer(middleware::map_response(async |response: Response| {
        tokio::task::yield_now().await;
        assert!(serde_json::to_string(&Phi::<_, Drug>::new("Canary".to_owned())).is_err(), "a scope is still active");
        Ok::<_, Infallible>(response)
    }));
    let tasks: Vec<_> = (0..200)
        .map(|at| {
            let body = if at % 3 == 0 { "Canary".to_owned() } else { refill().to_string() };
            tokio::spawn(send(app.clone(), "/", "application/json", body))
        })
        .collect();
    for (at, task) in tasks.into_iter().enumerate() {
        let seen = task.await.unwrap();
        if at % 3 == 0 { seen.refused(400, "malformed") } else { assert_eq!(seen.json(), refill()) }
    }
}

#[test]
fn nothing_of_a_value_is_in_debug() {
    let plaintext = Plaintext(vec!["Canary-warfarin"]);
    assert_eq!(format!("{plaintext:?}"), "Plaintext([REDACTED])");
}

#[cfg(feature = "form")]
#[tokio::test]
async fn a_browser_s_form_is_a_body() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let body = "refills=2&patient_name=Canary-Jane&drug=Canary%2Dwarfarin&directions=Canary-daily";
    for name in [FORM, "application/x-www-form-urlencoded; charset=utf-8"] {
        assert_eq!(send(router(), "/", name, body).await.json(), refill());
    }
    let stolen = token();
    for (body, code) in [
        (format!("refills=2&patient_name=x&drug={stolen}"), "token-as-plaintext"),
        (format!("refills=2&patient_name=x&drug=x&directions={stolen}"), "token-as-plaintext"),
        ("refills=Canary&patient_name=Canary-Jane&drug=x".to_owned(), "invalid-input"),
        ("refills=2&Canary=1".to_owned(), "invalid-input"),
        (String::new(), "invalid-input"),
    ] {
        send(router(), "/", FORM, body).await.refused(422, code);
    }
}

#[cfg(not(feature = "form"))]
#[tokio::test]
async fn a_form_is_a_body_with_the_feature_only() {
    send(router(), "/", "application/x-www-form-urlencoded", "drug=Canary").await.refused(415, "media-type");
}

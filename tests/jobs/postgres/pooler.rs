//! A pooler between a job and the server: each transaction may be in another session, and sessions are shared with other programs.

use std::io;
use std::sync::Arc;

use rxseal_jobs::{DeclaredWork, Operation, Spec};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;

use crate::rows::{schema, source};
use crate::support::{Database, Keys, Running, server};

/// Gives all its clients one session, transaction by transaction. It forgets all settings between two of them, or none.
struct Pooler {
    port: u16,
}

/// A session of the server, and what it said when it began.
struct Session {
    stream: TcpStream,
    greeting: Vec<u8>,
}

/// A message without a type begins a connection.
async fn startup(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let len = stream.read_u32().await?;
    let mut body = vec![0; usize::try_from(len).unwrap() - 4];
    stream.read_exact(&mut body).await?;
    Ok([&len.to_be_bytes()[..], &body].concat())
}

async fn message(stream: &mut TcpStream) -> io::Result<(u8, Vec<u8>)> {
    let kind = stream.read_u8().await?;
    let len = stream.read_u32().await?;
    let mut body = vec![0; usize::try_from(len).unwrap() - 4];
    stream.read_exact(&mut body).await?;
    Ok((kind, body))
}

fn written(kind: u8, body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len() + 4).unwrap();
    [&[kind][..], &len.to_be_bytes(), body].concat()
}

impl Session {
    async fn begin(at: &str, first: &[u8]) -> Self {
        let mut stream = TcpStream::connect(at).await.unwrap();
        stream.write_all(first).await.unwrap();
        let mut greeting = Vec::new();
        loop {
            let (kind, body) = message(&mut stream).await.unwrap();
            greeting.extend(written(kind, &body));
            if kind == b'Z' {
                return Self { stream, greeting };
            }
        }
    }

    async fn forget(&mut self) {
        self.stream.write_all(&written(b'Q', b"DISCARD ALL\0")).await.unwrap();
        while message(&mut self.stream).await.unwrap().0 != b'Z' {}
    }
}

impl Pooler {
    async fn start(forgets: bool) -> Self {
        let url = server();
        let at = url.rsplit('@').next().unwrap().split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let session: Arc<Mutex<Option<Session>>> = Arc::default();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, at.clone(), Arc::clone(&session), forgets));
            }
        });
        Self { port }
    }

    fn url(&self, direct: &str) -> String {
        let (before, after) = direct.split_once('@').unwrap();
        let (_, path) = after.split_once('/').unwrap();
        format!("{before}@127.0.0.1:{}/{path}", self.port)
    }
}

async fn serve(
    mut client: TcpStream,
    at: String,
    shared: Arc<Mutex<Option<Session>>>,
    forgets: bool,
) -> io::Result<()> {
    let mut first = startup(&mut client).await?;
    // A question for TLS: no.
    while first[4..8] == 80_877_103_u32.to_be_bytes() {
        client.write_all(b"N").await?;
        first = startup(&mut client).await?;
    }
    {
        let mut session = shared.lock().await;
        if session.is_none() {
            *session = Some(Session::begin(&at, &first).await);
        }
        client.write_all(&session.as_ref().unwrap().greeting).await?;
    }
    loop {
        let (kind, body) = message(&mut client).await?;
        if kind == b'X' {
            return Ok(());
        }
        // One transaction has the session to itself.
        let mut session = shared.lock().await;
        let session = session.as_mut().unwrap();
        session.stream.write_all(&written(kind, &body)).await?;
        let [mut theirs, mut ours] = [[0]; 2];
        loop {
            tokio::select! {
                // A message is read as a whole once it has begun.
                sent = client.peek(&mut theirs) => {
                    sent?;
                    let (kind, body) = message(&mut client).await?;
                    session.stream.write_all(&written(kind, &body)).await?;
                }
                answered = session.stream.peek(&mut ours) => {
                    answered?;
                    let (kind, body) = message(&mut session.stream).await?;
                    client.write_all(&written(kind, &body)).await?;
                    if kind == b'Z' && body == b"I" {
                        break;
                    }
                }
            }
        }
        if forgets {
            session.forget().await;
        }
    }
}

/// Settings that a session had before, and lost, do not matter. Those of a chunk are there while its rows are written, and nowhere after.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs .ci/servers"]
async fn settings_are_neither_lost_nor_left() {
    const SETTINGS: [&str; 5] = [
        "synchronous_commit",
        "statement_timeout",
        "idle_in_transaction_session_timeout",
        "lock_timeout",
        "row_security",
    ];
    let seen = SETTINGS.map(|name| format!("current_setting('{name}')")).join(" || ' ' || ");
    for forgets in [true, false] {
        let keys = Keys::new();
        let ring = keys.unlocked();
        let database = Database::new().await;
        database.fill(50, 1).await;
        database
            .run(&format!(
                "CREATE TABLE seen (settings text); SET check_function_bodies = off;
                 CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO {0}.seen VALUES ({seen}); RETURN NEW; END$$;
                 CREATE TRIGGER slow BEFORE UPDATE ON rx FOR EACH ROW EXECUTE FUNCTION slow()",
                database.schema
            ))
            .await;
        let pooler = Pooler::start(forgets).await;
        let url = pooler.url(&database.url());
        let spec = Spec::new(Operation::Backfill, source(&database.map()), &schema(), &ring).unwrap();
        let work = Arc::new(DeclaredWork::new(&spec, &schema(), &ring).unwrap());
        let running = Running::plan_with(&url, "job", spec, work, 20).await;
        running.run().await;
        assert_eq!(running.faults().await, []);
        assert!(running.job.finish(&running.spec).await.unwrap().is_clean());
        let lost = "SELECT count(*) FROM seen WHERE settings <> 'off 1min 30s 500ms off'";
        assert_eq!(database.count(lost).await, 0, "forgets: {forgets}");
        assert_eq!(database.count("SELECT count(*) FROM seen").await, 50);

        if !forgets {
            let mut next = PgConnection::connect(&url).await.unwrap();
            let sql = AssertSqlSafe(format!("SELECT {seen}"));
            let left: String = sqlx::query_scalar(sql).persistent(false).fetch_one(&mut next).await.unwrap();
            assert_eq!(left, "on 0 0 0 on");
        }
    }
}

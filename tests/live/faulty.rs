//! A small HTTP/1.1 server on loopback that fails on purpose, alone or in front of a real one. It counts its requests.
#![allow(dead_code, reason = "each test uses its part of this")]

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server was asked.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Its number among all requests, from 0.
    pub number: usize,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| &**value)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// How it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    /// As a server does.
    Http { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// After a while.
    Late(Duration, Box<Reply>),
    /// Not at all; the connection stays open.
    Hang,
    /// The head, and then nothing; the connection stays open.
    HangInBody,
    /// By a reset (RST).
    Reset,
    /// By closing the connection.
    Close,
    /// Whole in what it announces, half in what it sends; then it closes.
    Truncated { status: u16, body: Vec<u8> },
    /// Byte by byte.
    Drip { body: Vec<u8>, every: Duration },
    /// With bytes that are no HTTP.
    Raw(Vec<u8>),
    /// With a body that never ends.
    Endless,
    /// As the server behind it does.
    PassOn,
    /// As the server behind it does, with another body.
    PassOnEdited(fn(Vec<u8>) -> Vec<u8>),
}

impl Reply {
    pub fn http(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::Http { status, headers: Vec::new(), body: body.into() }
    }

    pub fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::http(status, body.to_string())
    }
}

type Script = dyn Fn(&Request) -> Reply + Send + Sync;

/// Runs until it is dropped.
pub struct FaultyServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    accepting: JoinHandle<()>,
}

impl FaultyServer {
    /// Answers from a script.
    pub async fn start(script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(None, Arc::new(script)).await
    }

    /// Stands in front of a real server (`host:port`), to which `Reply::PassOn` leads.
    pub async fn in_front_of(upstream: &str, script: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Self {
        Self::listen(Some(upstream.to_owned()), Arc::new(script)).await
    }

    async fn listen(upstream: Option<String>, script: Arc<Script>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        let accepting = tokio::spawn(async move {
            let mut connections = tokio::task::JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { continue };
                let connection = Connection {
                    stream,
                    upstream: upstream.clone(),
                    script: Arc::clone(&script),
                    requests: Arc::clone(&seen),
                };
                // What goes wrong between a client that gave up and this server is what the test is about.
                connections.spawn(async move { drop(connection.serve().await) });
            }
        });
        Self { address, requests, accepting }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests arrived whole.
    pub fn count(&self) -> usize {
        self.requests.lock().unwrap().len()
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

impl Drop for FaultyServer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// The URL of a port on which nobody listens.
pub async fn refused_url() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

struct Connection {
    stream: TcpStream,
    upstream: Option<String>,
    script: Arc<Script>,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Connection {
    async fn serve(mut self) -> io::Result<()> {
        while let Some(mut request) = read_message(&mut self.stream).await?.map(Message::into_request) {
            {
                let mut requests = self.requests.lock().unwrap();
                request.number = requests.len();
                requests.push(request.clone());
            }
            let mut reply = (self.script)(&request);
            while let Reply::Late(pause, then) = reply {
                tokio::time::sleep(pause).await;
                reply = *then;
            }
            if !self.answer(&request, reply).await? {
                break;
            }
        }
        Ok(())
    }

    /// Whether the connection may serve another request.
    async fn answer(&mut self, request: &Request, reply: Reply) -> io::Result<bool> {
        match reply {
            Reply::Http { status, headers, body } => {
                self.stream.write_all(head(status, &headers, body.len()).as_bytes()).await?;
                self.stream.write_all(&body).await?;
                return Ok(true);
            }
            Reply::PassOn => return self.pass_on(request, |body| body).await.map(|()| true),
            Reply::PassOnEdited(edit) => return self.pass_on(request, edit).await.map(|()| true),
            Reply::Hang => std::future::pending().await,
            Reply::HangInBody => {
                self.stream.write_all(head(200, &[], 400).as_bytes()).await?;
                std::future::pending().await
            }
            Reply::Reset => self.stream.set_zero_linger()?,
            Reply::Close | Reply::Late(..) => {}
            Reply::Truncated { status, body } => {
                self.stream.write_all(head(status, &[], body.len()).as_bytes()).await?;
                self.stream.write_all(&body[..body.len() / 2]).await?;
            }
            Reply::Drip { body, every } => {
                self.stream.write_all(head(200, &[], body.len()).as_bytes()).await?;
                for byte in body {
                    tokio::time::sleep(every).await;
                    self.stream.write_all(&[byte]).await?;
                }
                return Ok(true);
            }
            Reply::Raw(bytes) => self.stream.write_all(&bytes).await?,
            Reply::Endless => {
                self.stream.write_all(head(200, &[], usize::MAX >> 1).as_bytes()).await?;
                loop {
                    self.stream.write_all(&[b' '; 64 * 1024]).await?;
                }
            }
        }
        Ok(false)
    }

    async fn pass_on(&mut self, request: &Request, edit: impl FnOnce(Vec<u8>) -> Vec<u8>) -> io::Result<()> {
        let upstream = self.upstream.as_deref().expect("there is a server behind this one");
        let mut stream = TcpStream::connect(upstream).await?;
        let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
        for (name, value) in request.headers.iter().filter(|(name, _)| !is_of_one_connection(name)) {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("content-length: {}\r\nconnection: close\r\n\r\n", request.body.len());
        stream.write_all(text.as_bytes()).await?;
        stream.write_all(&request.body).await?;
        let answer = read_message(&mut stream).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let body = edit(answer.body);
        let mut text = format!("{}\r\n", answer.first_line);
        for (name, value) in answer.headers.iter().filter(|(name, _)| !is_of_one_connection(name)) {
            text += &format!("{name}: {value}\r\n");
        }
        text += &format!("content-length: {}\r\n\r\n", body.len());
        self.stream.write_all(text.as_bytes()).await?;
        self.stream.write_all(&body).await
    }
}

fn is_of_one_connection(header: &str) -> bool {
    matches!(header, "connection" | "content-length" | "transfer-encoding" | "keep-alive")
}

fn head(status: u16, headers: &[(&'static str, String)], len: usize) -> String {
    let mut text = format!("HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-length: {len}\r\n");
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    text + "\r\n"
}

/// A request or an answer.
struct Message {
    first_line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Message {
    fn into_request(self) -> Request {
        let mut words = self.first_line.split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        Request { method, path, headers: self.headers, body: self.body, number: 0 }
    }
}

/// The next message; none at the end of the connection.
async fn read_message(stream: &mut TcpStream) -> io::Result<Option<Message>> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Ok(None);
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).map_err(io::Error::other)?;
    let mut body = bytes.split_off(end + 4);
    let mut lines = head.lines();
    let first_line = lines.next().unwrap_or_default().to_owned();
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()))
        .collect();
    let value = |name: &str| headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.clone());
    if value("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        body = read_chunked(stream, body).await?;
    } else if let Some(len) = value("content-length").and_then(|len| len.parse::<usize>().ok()) {
        while body.len() < len {
            if stream.read_buf(&mut body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
    Ok(Some(Message { first_line, headers, body }))
}

async fn read_chunked(stream: &mut TcpStream, mut bytes: Vec<u8>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") else {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            continue;
        };
        let size = str::from_utf8(&bytes[..line]).map_err(io::Error::other)?;
        let size =
            usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16).map_err(io::Error::other)?;
        let end = line + 2 + size + 2;
        while bytes.len() < end {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        body.extend_from_slice(&bytes[line + 2..line + 2 + size]);
        bytes.drain(..end);
        if size == 0 {
            return Ok(body);
        }
    }
}

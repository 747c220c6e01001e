//! A network between a program and its server that breaks.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// What becomes of bytes and connections.
const PASS: u8 = 0;
/// Nothing gets through, and nobody is told.
const HANG: u8 = 1;
/// Connections are closed as soon as something is sent.
const REFUSE: u8 = 2;

pub struct Proxy {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    mode: AtomicU8,
    server: Mutex<String>,
    open: Mutex<Vec<TcpStream>>,
    /// So many requests get through before the answer to one is lost, from 1. 0 for all.
    lose_answer: AtomicUsize,
    lost: AtomicUsize,
}

impl Proxy {
    /// In front of the server of this address.
    pub fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State::default());
        *state.server.lock().unwrap() = host_of(url).to_owned();
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.mode.load(Ordering::SeqCst) == REFUSE {
                    continue;
                }
                let Ok(server) = TcpStream::connect(&*shared.server.lock().unwrap()) else { continue };
                let copy = |stream: &TcpStream| stream.try_clone().unwrap();
                shared.open.lock().unwrap().extend([copy(&client), copy(&server)]);
                let (to, from) = (copy(&server), copy(&client));
                let (one, other) = (Arc::clone(&shared), Arc::clone(&shared));
                thread::spawn(move || forward(from, to, &one, false));
                thread::spawn(move || forward(server, client, &other, true));
            }
        });
        Self { port, state }
    }

    /// The address through here.
    pub fn url(&self, url: &str) -> String {
        url.replacen(host_of(url), &format!("127.0.0.1:{}", self.port), 1).replace('?', "?sslmode=disable&")
    }

    pub fn hang(&self, hangs: bool) {
        self.state.mode.store(if hangs { HANG } else { PASS }, Ordering::SeqCst);
    }

    /// Closes what is open. New connections are refused, or not.
    pub fn refuse(&self, refuses: bool) {
        self.state.mode.store(if refuses { REFUSE } else { PASS }, Ordering::SeqCst);
        self.cut();
    }

    /// Closes what is open.
    pub fn cut(&self) {
        for stream in self.state.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Who connects from now on comes to the server of this address.
    pub fn turn_to(&self, url: &str) {
        *self.state.server.lock().unwrap() = host_of(url).to_owned();
        self.cut();
    }

    /// The server gets the request that comes next but `after`, and its answer never arrives.
    pub fn lose_answer_after(&self, after: usize) {
        self.state.lose_answer.store(after + 1, Ordering::SeqCst);
    }

    /// How many answers were lost.
    pub fn lost(&self) -> usize {
        self.state.lost.load(Ordering::SeqCst)
    }
}

fn host_of(url: &str) -> &str {
    url.split('@').nth(1).unwrap().split(['/', '?']).next().unwrap()
}

fn forward(mut from: TcpStream, mut to: TcpStream, state: &State, is_answer: bool) {
    let mut buffer = [0; 65_536];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        while state.mode.load(Ordering::SeqCst) == HANG {
            thread::sleep(std::time::Duration::from_millis(5));
        }
        if is_answer {
            let left = &state.lose_answer;
            let is_lost = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)) == Ok(1);
            if is_lost {
                state.lost.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        if to.write_all(&buffer[..read]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

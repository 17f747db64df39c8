//! Used proofs: in memory, and in a real Redis.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};

use watchword_serve::{ReplayStore, Server, Settings};

use crate::client::ask;
use crate::fixture::*;

/// A free port below those that the kernel gives to connections, one of which could get it before the server listens.
fn free_port() -> u16 {
    let chance = UNIX_EPOCH.elapsed().unwrap().subsec_nanos() % 12_000;
    let first = 20_000 + u16::try_from(chance).unwrap();
    (first..=u16::MAX).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).unwrap()
}

/// A Redis of this test.
struct Redis {
    port: u16,
    process: Option<Child>,
}

impl Redis {
    /// `None` if it is not installed.
    fn start() -> Option<Self> {
        let mut redis = Self { port: free_port(), process: None };
        redis.run().then_some(redis)
    }

    fn run(&mut self) -> bool {
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        let Ok(process) = command.stdout(Stdio::null()).spawn() else { return false };
        self.process = Some(process);
        until(|| TcpStream::connect(("127.0.0.1", self.port)).is_ok());
        true
    }

    fn end(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    fn server(&self) -> Server {
        start(settings(), &["k"], ReplayStore::Shared(format!("redis://127.0.0.1:{}/0", self.port)))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.end();
    }
}

fn pay(server: &Server, id: &str) -> String {
    let (token, proof) = token_and_proof(id);
    let answer = ask(&address(server), payment(&token, &proof));
    if answer.status == 200 { "allowed".to_owned() } else { answer.code().to_owned() }
}

#[test]
fn a_proof_is_used_once_in_memory_and_a_reload_does_not_forget_it() {
    let server = started();
    assert_eq!(pay(&server, "one"), "allowed");
    assert_eq!(pay(&server, "one"), "dpop_replayed");
    server.replace(configured(&["k"]));
    assert_eq!(pay(&server, "one"), "dpop_replayed");
    let unchecked = start(settings(), &["k"], ReplayStore::Unchecked);
    assert_eq!((pay(&unchecked, "one"), pay(&unchecked, "one")), ("allowed".to_owned(), "allowed".to_owned()));
}

#[test]
fn servers_share_used_proofs_and_fail_closed() {
    let Some(mut redis) = Redis::start() else {
        println!("skipped: redis-server is not installed");
        return;
    };
    let (one, another) = (redis.server(), redis.server());
    assert_eq!(pay(&one, "one"), "allowed");
    assert_eq!(pay(&another, "one"), "dpop_replayed");
    assert_eq!(pay(&another, "two"), "allowed");
    redis.end();
    assert_eq!(pay(&one, "three"), "dpop_replay_unavailable");
    assert_eq!(one.stats().replay_failures, 1);
    // A bearer token needs no store.
    assert_eq!(ask(&address(&one), order(&order_token("k"))).status, 200);
    assert!(redis.run());
    until(|| pay(&one, "four") != "dpop_replay_unavailable");
    // It is back, and what was sent before it answered counts.
    assert_eq!(pay(&another, "four"), "dpop_replayed");
    assert!(one.stats().replay_connects >= 2);
}

#[test]
fn a_store_that_does_not_answer_rejects_in_time() {
    // It accepts connections, and is silent.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", silent.local_addr().unwrap());
    let settings = Settings { replay_timeout: Duration::from_millis(100), ..settings() };
    let server = start(settings, &["k"], ReplayStore::Shared(url));
    assert_eq!(pay(&server, "one"), "dpop_replay_unavailable");
    assert_eq!(pay(&server, "two"), "dpop_replay_unavailable");
    assert_eq!(server.stats().replay_failures, 2);
}

/// A server that answers commands as told: `None` closes the connection. The URL.
fn pretended(mut answer: impl FnMut(&[Vec<u8>]) -> Option<Vec<u8>> + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("redis://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            while let Some(command) = command(&mut stream) {
                let Some(answer) = answer(&command) else { break };
                stream.get_mut().write_all(&answer).unwrap();
            }
        }
    });
    url
}

/// The next command, or what is not `SET` or `GET`, which sets up the connection; `None`: the client has left.
fn command(stream: &mut BufReader<TcpStream>) -> Option<Vec<Vec<u8>>> {
    loop {
        let parts: Vec<_> = (0..number(stream, '*')?)
            .map(|_| {
                let mut part = vec![0; number(stream, '$').unwrap() + 2];
                stream.read_exact(&mut part).unwrap();
                part.truncate(part.len() - 2);
                part
            })
            .collect();
        if [b"SET", b"GET"].contains(&parts[0].as_slice().try_into().unwrap_or(b"---")) {
            return Some(parts);
        }
        stream.get_mut().write_all(b"+OK\r\n").unwrap();
    }
}

fn number(stream: &mut BufReader<TcpStream>, mark: char) -> Option<usize> {
    let mut line = String::new();
    stream.read_line(&mut line).ok()?;
    line.trim_end().strip_prefix(mark)?.parse().ok()
}

fn shared(url: String) -> Server {
    start(Settings { replay_timeout: Duration::from_secs(60), ..settings() }, &["k"], ReplayStore::Shared(url))
}

#[test]
fn a_store_that_answers_with_errors_rejects_and_is_not_connected_to_for_each_request() {
    for error in
        ["-READONLY You can't write against a read only replica.", "-MOVED 1 127.0.0.1:1", "-OOM no", "-ODD no"]
    {
        let server = shared(pretended(move |_| Some(format!("{error}\r\n").into_bytes())));
        for number in 0..20 {
            assert_eq!(pay(&server, &number.to_string()), "dpop_replay_unavailable", "{error}");
        }
        let stats = server.stats();
        assert_eq!(stats.replay_failures, 20);
        assert!(stats.replay_connects < 10, "{error}: {}", stats.replay_connects);
    }
}

#[test]
fn a_proof_whose_answer_was_lost_is_used_once() {
    // The connection is lost after the first command; then the mark is that of this request, or of another.
    for (is_own, expected) in [(true, "allowed"), (false, "dpop_replayed")] {
        let mut kept = None;
        let server = shared(pretended(move |command| match (command[0].as_slice(), &kept) {
            (b"SET", None) => {
                assert_eq!((command[3].as_slice(), command[4].as_slice()), (b"NX".as_slice(), b"PX".as_slice()));
                assert!(command[1].starts_with(b"watchword:dpop:"));
                kept = Some(command[2].clone());
                None
            }
            (b"SET", Some(_)) => Some(b"$-1\r\n".to_vec()),
            (_, Some(mark)) if is_own => Some([b"$16\r\n", mark.as_slice(), b"\r\n"].concat()),
            _ => Some(b"$1\r\nx\r\n".to_vec()),
        }));
        assert_eq!(pay(&server, "one"), expected);
    }
    let server = shared(pretended(|_| None));
    assert_eq!(pay(&server, "one"), "dpop_replay_unavailable");
}

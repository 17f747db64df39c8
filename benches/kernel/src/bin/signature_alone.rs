//! The kernel's signature alone, as a contender in another process's rounds.
//!
//! The first line of standard input is a JSON object: `jwks`, `algorithm` and `tokens`. Each later line is a number of
//! verifications to make; the answer is the seconds of this thread's time that they took.

use std::io::BufRead as _;

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;
use watchword_kernel::{Algorithm, Backend, KeySet};
use watchword_kernel_benches::contender::Contender;

fn main() {
    let mut lines = std::io::stdin().lock().lines().map(|line| line.expect("a line"));
    let task: Value = serde_json::from_str(&lines.next().expect("a task")).expect("JSON");
    let mut contender = contender(&task);
    println!("ready");
    for line in lines {
        println!("{}", contender.turn(line.parse().expect("a number of calls")).as_secs_f64());
    }
}

fn contender(task: &Value) -> Contender {
    let algorithm: Algorithm = Algorithm::ALL
        .into_iter()
        .find(|algorithm| task["algorithm"] == algorithm.name())
        .expect("an algorithm of the kernel's");
    let keys = KeySet::from_json(task["jwks"].to_string().as_bytes(), Backend::Default).expect("a key set");
    keys.prepare();
    let samples: Vec<(String, Vec<u8>)> = task["tokens"].as_array().expect("tokens").iter().map(taken_apart).collect();
    Contender::over("signature alone", samples, move |(message, signature)| {
        keys.keys()[0].verify(algorithm, message.as_bytes(), signature)
    })
}

fn taken_apart(token: &Value) -> (String, Vec<u8>) {
    let (message, signature) = token.as_str().and_then(|token| token.rsplit_once('.')).expect("a token");
    (message.to_owned(), BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64url"))
}

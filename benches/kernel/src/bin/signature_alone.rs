//! The kernel's signature verification alone, as a contender in the rounds of another process.
//!
//! The first line of standard input is a JSON object with `jwks`, `algorithm` and `tokens`. Each further line is a
//! number of verifications; the output is the time of this thread that they took, in seconds.

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
        .expect("a supported algorithm");
    let keys = KeySet::from_json(task["jwks"].to_string().as_bytes(), Backend::Default).expect("a key set");
    keys.prepare();
    let samples: Vec<(String, Vec<u8>)> = task["tokens"].as_array().expect("tokens").iter().map(split_token).collect();
    Contender::over("signature alone", samples, move |(message, signature)| {
        keys.keys()[0].verify(algorithm, message.as_bytes(), signature)
    })
}

fn split_token(token: &Value) -> (String, Vec<u8>) {
    let (message, signature) = token.as_str().and_then(|token| token.rsplit_once('.')).expect("a token");
    (message.to_owned(), BASE64URL_NOPAD.decode(signature.as_bytes()).expect("base64url"))
}

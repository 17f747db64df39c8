//! `interleaved ROUNDS SECONDS [TEXT]`: runs the contenders of every group whose name contains the text in turns, for
//! that many rounds or seconds, whichever ends first, and prints one JSON document. With 0 seconds it only checks that
//! everything works.

use std::time::Duration;

use serde_json::{Value, json};
use watchword_kernel_benches::groups::GROUPS;
use watchword_kernel_benches::rounds::{Pace, interleave};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [rounds, seconds, text @ ..] = arguments.as_slice() else { panic!("usage: interleaved ROUNDS SECONDS [TEXT]") };
    let pace = pace(rounds, seconds);
    let results: Value = GROUPS
        .iter()
        .filter(|(work, what, _)| text.iter().all(|text| format!("{work}, {what}").contains(text)))
        .map(|(work, what, contenders)| {
            eprintln!("{work}, {what}");
            let contenders = interleave(&mut contenders(), &pace);
            json!({ "work": work, "what": what, "contenders": contenders, "unable": {} })
        })
        .collect();
    println!("{results}");
}

fn pace(rounds: &str, seconds: &str) -> Pace {
    let seconds: f64 = seconds.parse().expect("a number of seconds");
    let most_rounds = rounds.parse().expect("a number of rounds");
    let turn = Duration::from_millis(if seconds > 0.0 { 4 } else { 0 });
    Pace { turn, most_rounds, fewest_rounds: most_rounds.min(15), all: Duration::from_secs_f64(seconds) }
}

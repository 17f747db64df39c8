//! `interleaved ROUNDS SECONDS`: every group's contenders in turns, for so many rounds or seconds each, whichever is over
//! first; prints one JSON document. 0 seconds are for seeing that everything works.

use std::time::Duration;

use serde_json::{Value, json};
use watchword_kernel_benches::groups::GROUPS;
use watchword_kernel_benches::rounds::{Pace, interleave};

fn main() {
    let pace = pace(std::env::args().skip(1).collect());
    let results: Value = GROUPS
        .iter()
        .map(|(name, contenders)| {
            eprintln!("{name}");
            json!({ "name": name, "contenders": interleave(&mut contenders(), &pace), "unable": {} })
        })
        .collect();
    println!("{results}");
}

fn pace(arguments: Vec<String>) -> Pace {
    let [rounds, seconds] = arguments.try_into().expect("two numbers: rounds and seconds");
    let seconds: f64 = seconds.parse().expect("a number of seconds");
    let most_rounds = rounds.parse().expect("a number of rounds");
    let turn = Duration::from_millis(if seconds > 0.0 { 2 } else { 0 });
    Pace { turn, most_rounds, fewest_rounds: most_rounds.min(15), all: Duration::from_secs_f64(seconds) }
}

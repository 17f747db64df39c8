//! Rounds in which every contender has a turn.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::contender::Contender;

/// The approximate length of a contender's turn, and the limits of rounds: their numbers, and the time `all` they may
/// take.
pub struct Pace {
    pub turn: Duration,
    pub most_rounds: usize,
    pub fewest_rounds: usize,
    pub all: Duration,
}

/// Before each turn, this fraction of its calls is made without being counted.
const WARM_UP: u64 = 4;

/// Runs the contenders in turns. Returns the microseconds per call of each, in the order of the rounds.
pub fn interleave(contenders: &mut [Contender], pace: &Pace) -> Value {
    let calls: Vec<u64> = contenders.iter_mut().map(|contender| calls_a_turn(contender, pace.turn)).collect();
    let mut times: Vec<Vec<f64>> = vec![Vec::new(); contenders.len()];
    let start = Instant::now();
    for round in 0..pace.most_rounds {
        if round >= pace.fewest_rounds && start.elapsed() > pace.all {
            break;
        }
        for place in order(contenders.len(), round) {
            // Fill the processor's caches first: steady work is measured, not the switch to it.
            contenders[place].turn(calls[place].div_ceil(WARM_UP));
            let time = contenders[place].turn(calls[place]);
            times[place].push(time.as_secs_f64() * 1e6 / calls[place] as f64);
        }
    }
    contenders
        .iter()
        .zip(times)
        .map(|(contender, times)| json!({ "name": contender.name, "microseconds": times }))
        .collect()
}

/// Each round starts with another contender, and every other round is reversed, so that none always follows the same.
fn order(contenders: usize, round: usize) -> Vec<usize> {
    let forwards = (0..contenders).map(|offset| (round + offset) % contenders);
    if round % 2 == 0 { forwards.collect() } else { forwards.rev().collect() }
}

/// The number of calls for a turn of about this length; fewer if making the inputs takes far longer. The first call,
/// which may prepare something, is not counted.
fn calls_a_turn(contender: &mut Contender, turn: Duration) -> u64 {
    contender.turn(1);
    let mut calls = 1;
    loop {
        let start = Instant::now();
        if contender.turn(calls) * 2 >= turn || start.elapsed() >= turn * 20 {
            return calls;
        }
        calls *= 2;
    }
}

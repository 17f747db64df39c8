//! Does a piece of work a number of times, and measures how long it takes.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;

/// A name, and the work behind it.
pub struct Contender {
    pub name: String,
    turn: Box<dyn FnMut(u64) -> Duration>,
}

impl Contender {
    /// Does `work` on each of `inputs` in turn, repeatedly. Measures the time of this thread, without other load.
    pub fn over<T: 'static>(
        name: impl Into<String>,
        inputs: Vec<T>,
        mut work: impl FnMut(&T) -> bool + 'static,
    ) -> Self {
        let mut next = 0;
        let turn = move |calls: u64| {
            let mut good = true;
            let start = ThreadTime::now();
            for _ in 0..calls {
                good &= work(black_box(&inputs[next]));
                next = (next + 1) % inputs.len();
            }
            let elapsed = start.elapsed();
            assert!(good, "a contender rejected a valid input");
            elapsed
        };
        Self { name: name.into(), turn: Box::new(turn) }
    }

    /// Does `work` on new inputs and drops them; making them is not counted.
    pub fn fresh<T: 'static>(
        name: impl Into<String>,
        mut make: impl FnMut() -> T + 'static,
        mut work: impl FnMut(T) -> bool + 'static,
    ) -> Self {
        let turn = move |calls: u64| {
            let inputs: Vec<T> = (0..calls).map(|_| make()).collect();
            let mut good = true;
            let start = ThreadTime::now();
            for input in inputs {
                good &= work(black_box(input));
            }
            let elapsed = start.elapsed();
            assert!(good, "a contender rejected a valid input");
            elapsed
        };
        Self { name: name.into(), turn: Box::new(turn) }
    }

    /// Does `work` on all `items` at once, on threads of its own. Measures wall-clock time; a call is one item.
    pub fn batch<T: 'static>(
        name: impl Into<String>,
        items: Vec<T>,
        mut work: impl FnMut(&[T]) -> bool + 'static,
    ) -> Self {
        let turn = move |calls: u64| {
            let (mut done, mut good, start) = (0, true, Instant::now());
            while done < calls {
                good &= work(black_box(&items));
                done += items.len() as u64;
            }
            let elapsed = start.elapsed();
            assert!(good, "a contender rejected a valid input");
            elapsed.mul_f64(calls as f64 / done as f64)
        };
        Self { name: name.into(), turn: Box::new(turn) }
    }

    /// The time that `calls` calls take.
    pub fn turn(&mut self, calls: u64) -> Duration {
        (self.turn)(calls)
    }
}

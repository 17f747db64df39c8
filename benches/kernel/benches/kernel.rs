//! `cargo bench`: the contenders of every group with criterion, one after the other.

use std::time::Duration;

use criterion::Criterion;
use watchword_kernel_benches::groups::GROUPS;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1))
        .sample_size(30)
        .without_plots()
        .configure_from_args();
    for (work, what, contenders) in GROUPS {
        let mut group = criterion.benchmark_group(format!("{work}, {what}"));
        for mut contender in contenders() {
            group.bench_function(contender.name.clone(), |bencher| bencher.iter_custom(|calls| contender.turn(calls)));
        }
        group.finish();
    }
    criterion.final_summary();
}

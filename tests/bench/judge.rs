//! The cost of judging a request, with more rules than anyone writes by hand: `cargo bench --bench judge`.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]

mod policy;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};

use self::policy::Case;

/// The number of rules.
const RULES: usize = 200;

fn judge(criterion: &mut Criterion) {
    let (target, uri, headers) = (policy::target(), policy::uri(), policy::headers());
    let read = || policy::read(&target, &uri, black_box(&headers));
    let attempt = read();
    for (case, name) in [
        (Case::Last, "the last of 200 rules covers"),
        (Case::None, "none of 200 rules covers"),
        (Case::NoneByExcept, "each of 200 rules takes it out"),
    ] {
        let policy = policy::policy(RULES, case);
        assert_eq!(policy.decide(&attempt).is_ok(), case.is_allowed());
        let mut group = criterion.benchmark_group(name);
        group.bench_function("decide", |bencher| bencher.iter(|| policy.decide(black_box(&attempt)).is_ok()));
        group.bench_function("read and decide", |bencher| bencher.iter(|| policy.decide(&read()).is_ok()));
        group.finish();
    }
    criterion.bench_function("read", |bencher| bencher.iter(read));
}

criterion_group!(benches, judge);
criterion_main!(benches);

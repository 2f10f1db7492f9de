//! Tests that judging a request allocates nothing for each rule. A program of its own, since it counts by a
//! global allocator.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod policy;

use allocation_counter::measure;

use self::policy::Case;

/// Counts the allocations of a judgement by this many rules.
fn allocations(rules: usize, case: Case) -> u64 {
    let attempt = policy::read(&policy::target(), &policy::uri(), &policy::headers());
    let policy = policy::policy(rules, case);
    let mut decided = None;
    let counted = measure(|| decided = Some(policy.decide(&attempt).is_ok()));
    assert_eq!(decided, Some(case.is_allowed()));
    counted.count_total
}

#[test]
fn a_permit_is_found_without_any_allocation_among_200_rules() {
    assert_eq!((allocations(1, Case::Last), allocations(200, Case::Last)), (0, 0));
}

#[test]
fn a_refusal_allocates_its_reason_and_nothing_a_rule() {
    for case in [Case::None, Case::NoneByExcept] {
        assert_eq!((allocations(1, case), allocations(200, case)), (1, 1));
    }
}

#[test]
fn what_is_allocated_is_counted() {
    assert_eq!(measure(|| drop(std::hint::black_box(vec![1, 2, 3]))).count_total, 1);
}

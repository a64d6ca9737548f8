//! The failure ledger and its fingerprints.

use callboard::{
    model::{ChildProblem, CompileError, DesignProblem, TestFailure, TestRun, TestStatus},
    workflow::{LedgerRow, LedgerState, absorb, failure_set, fingerprint, problem_set},
};
use proptest::prelude::*;

/// A run from a line: its status, then `test=message` pairs; for `compile_error` they are `file=message`.
fn run(line: &str) -> TestRun {
    let (status, found) = line.split_once(' ').unwrap_or((line, ""));
    let mut run = TestRun::empty("cargo", status.parse().unwrap());
    for (name, message) in found.split(", ").filter_map(|pair| pair.split_once('=')) {
        if run.status == TestStatus::CompileError {
            run.compile_errors.push(CompileError {
                file: name.into(),
                line: Some(3),
                column: None,
                message: message.into(),
                ..CompileError::default()
            });
        } else {
            run.failures.push(failure(name, message));
        }
    }
    run.failed = u32::try_from(run.failures.len()).unwrap();
    run
}

fn failure(name: &str, message: &str) -> TestFailure {
    TestFailure { name: name.into(), message: message.into(), ..TestFailure::default() }
}

fn in_words(ledger: &[LedgerRow]) -> String {
    ledger.iter().map(|row| format!("{} {}", row.test, row.state.as_str())).collect::<Vec<_>>().join(", ")
}

/// Absorbs the runs one by one and compares what became of every failure after each.
fn follow(runs: &[(&str, &str)]) -> Vec<LedgerRow> {
    let mut ledger = Vec::new();
    for (seq, (line, expected)) in (1..).zip(runs) {
        absorb(&mut ledger, &run(line), seq);
        assert_eq!(in_words(&ledger), *expected, "after run {seq}: {line}");
    }
    ledger
}

#[test]
fn a_failure_is_followed_from_run_to_run() {
    let ledger = follow(&[
        ("failed a=left: 1, b=left: 1", "a new, b new"),
        ("failed a=left: 1, b=left: 2", "a still failing, b message changed"),
        ("failed a=left: 1, b=left: 2", "a still failing, b still failing"),
        ("failed b=left: 2, c=boom", "a fixed, b still failing, c new"),
        ("passed", "a fixed, b fixed, c fixed"),
        ("passed", "a fixed, b fixed, c fixed"),
        ("failed a=left: 1", "a came back, b fixed, c fixed"),
        ("failed a=left: 1", "a still failing, b fixed, c fixed"),
        ("passed", "a fixed, b fixed, c fixed"),
        ("failed a=left: 7", "a flaky, b fixed, c fixed"),
        ("failed a=left: 7", "a still failing, b fixed, c fixed"),
        ("passed", "a fixed, b fixed, c fixed"),
        ("failed a=left: 7", "a flaky, b fixed, c fixed"),
    ]);
    let spans: Vec<_> = ledger.iter().map(|row| (row.test.as_str(), row.first, row.last, row.returns)).collect();
    assert_eq!(spans, [("a", 1, 13, 3), ("b", 1, 4, 0), ("c", 4, 4, 0)]);
    assert_eq!(ledger[0].message, "left: 7");
}

#[test]
fn only_a_failure_that_is_fixed_is_not_failing() {
    let ledger = follow(&[("failed a=1, b=1", "a new, b new"), ("failed a=1", "a still failing, b fixed")]);
    assert!(ledger[0].state.is_failing() && !ledger[1].state.is_failing());
}

#[test]
fn a_run_that_could_not_run_leaves_earlier_failures_as_they_were() {
    for status in ["crashed", "no_tests", "timeout", "unparsable", "compile_error"] {
        follow(&[
            ("failed a=1, b=1", "a new, b new"),
            ("failed a=1", "a still failing, b fixed"),
            (status, "a still failing, b fixed"),
            ("passed", "a fixed, b fixed"),
            (status, "a fixed, b fixed"),
        ]);
    }
}

#[test]
fn what_failed_before_a_crash_counts_what_was_never_reached_does_not() {
    follow(&[
        ("failed a=1, b=1", "a new, b new"),
        ("crashed b=1, c=1", "a new, b still failing, c new"),
        ("timeout b=2", "a new, b message changed, c new"),
    ]);
}

#[test]
fn a_compile_error_is_fixed_by_the_first_run_that_gets_past_the_compiler() {
    let found = ("compile_error src/a.rs=no such name", "src/a.rs: no such name new");
    for status in ["passed", "failed", "no_tests", "crashed"] {
        follow(&[found, (status, "src/a.rs: no such name fixed")]);
    }
    for status in ["timeout", "unparsable"] {
        follow(&[found, (status, "src/a.rs: no such name new")]);
    }
    follow(&[
        found,
        ("compile_error src/a.rs=no such name", "src/a.rs: no such name still failing"),
        ("failed a=1", "src/a.rs: no such name fixed, a new"),
        ("compile_error src/a.rs=no such name", "src/a.rs: no such name came back, a new"),
    ]);
}

#[test]
fn two_errors_in_one_file_are_two_rows() {
    follow(&[(
        "compile_error src/a.rs=no such name, src/a.rs=no such type, src/b.rs=no such name",
        "src/a.rs: no such name new, src/a.rs: no such type new, src/b.rs: no such name new",
    )]);
}

#[test]
fn a_file_that_does_not_compile_is_no_test_of_that_name() {
    follow(&[("compile_error a=1", "a: 1 new"), ("failed a: 1=1", "a: 1 fixed, a: 1 new")]);
}

#[test]
fn a_test_that_a_run_names_twice_is_one_row() {
    follow(&[("failed a=1, a=1", "a new"), ("failed a=1, a=2", "a still failing")]);
}

#[test]
fn a_list_of_failures_that_was_cut_says_nothing_of_those_that_are_not_on_it() {
    let mut ledger = Vec::new();
    absorb(&mut ledger, &run("failed last=1"), 1);
    let mut cut = run("failed");
    cut.failures = (0..2_000).map(|n| failure(&format!("test {n}"), "1")).collect();
    cut.failed = 2_500;
    absorb(&mut ledger, &cut, 2);
    assert_eq!(in_words(&ledger[..1]), "last new");
    cut.failed -= 500;
    absorb(&mut ledger, &cut, 3);
    assert_eq!(in_words(&ledger[..1]), "last fixed");
}

#[test]
fn what_is_not_kept_of_very_many_failures_makes_no_difference() {
    let told = |told: std::ops::Range<usize>| {
        let mut many = run("failed");
        let said = |n: usize| if told.contains(&n) { "1" } else { "" };
        many.failures = (0..TestRun::MAX_TOLD + 2).map(|n| failure(&format!("test {n}"), said(n))).collect();
        many.failed = u32::try_from(many.failures.len()).unwrap();
        many
    };
    let (first, second) = (told(0..TestRun::MAX_TOLD), told(2..TestRun::MAX_TOLD + 2));
    assert_eq!(failure_set(&first), failure_set(&second));
    let mut ledger = Vec::new();
    absorb(&mut ledger, &first, 1);
    absorb(&mut ledger, &second, 2);
    assert!(ledger.iter().all(|row| row.state == LedgerState::StillFailing));
}

#[test]
fn the_same_failure_of_another_run_has_the_same_fingerprint() {
    let same = [
        ("boom at /tmp/wt1/src/a.rs:10:5", "boom at /home/me/worktrees/pricing/src/a.rs:99:15"),
        ("boom at src/a.rs:10:5", "boom at src/a.rs:10:15"),
        ("boom at src/a.rs:9:5", "boom at src/a.rs:123:5"),
        ("(src/a.rs:9)", "(src/a.rs:10)"),
        ("a_test.go:9: boom", "a_test.go:12: boom"),
        ("file:///tmp/x1/a.mjs:3:4", "file:///tmp/y22/a.mjs:3:14"),
        ("no file '/tmp/.tmpAb3/out'", "no file '/tmp/.tmpZz99x/out'"),
        ("../x/a.rs:1", "../x/a.rs:2"),
        ("thread 'a' (12) panicked at a.rs:1:1:\nboom", "thread 'a' (4711) panicked at a.rs:1:1:\nboom"),
        ("id 0198c0de-1111-7222-8333-444444444444", "id 0198C0DE-9999-7222-8333-AAAAAAAAAAAA"),
        ("id 0198c0de111172228333444444444444", "id 0198c0de999972228333aaaaaaaaaaaa"),
        ("commit d171a6d05773bcbd71a6d05773bcbd71a6d05773", "commit 26855ad7b0cfb95226855ad7b0cfb95226855ad7"),
        ("<Foo at 0x7ffdc0de1234>", "<Foo at 0x55aa00112233>"),
        ("#PID<0.123.0> died", "#PID<0.4567.0> died"),
        ("#Reference<0.1.2.3>", "#Reference<0.9.8.7>"),
        ("took 1.52s", "took 12s"),
        ("after 1500 ms", "after 80 ms"),
        ("timed out after 3 seconds", "timed out after 31 seconds"),
        ("at 2026-11-20T09:51:00.123Z", "at 2027-01-02T10:00:01+02:00"),
        ("at 2026-11-20 09:51:00", "at 2027-01-02 10:00:01.5"),
        ("[09:51:00] boom", "[10:02:03.250] boom"),
        ("boom\n    bang", "boom bang\n"),
    ];
    for (a, b) in same {
        assert_eq!(fingerprint("t", a), fingerprint("t", b), "{a:?} and {b:?}");
    }
}

#[test]
fn failures_that_say_something_else_have_different_fingerprints() {
    let different = [
        ("left: 1", "left: 2"),
        ("left: 1", "left: -1"),
        ("left: 1", "left: 1.0"),
        ("left: 10", "left: 100"),
        ("left: 1/2", "left: 1/3"),
        ("left: 1/2/3", "left: 1/2/4"),
        ("left: 0x1f", "left: 0x2f"),
        ("left: 100000000000", "left: 200000000000"),
        ("left: 1700000000000000001", "left: 1700000000000000002"),
        ("left: \"a\"", "left: \"b\""),
        ("left: [1, 2]", "left: [2, 1]"),
        ("left: 1.2.3", "left: 1.2.4"),
        ("expected text/html", "expected text/plain"),
        ("GET /orders: 404", "GET /orders: 500"),
        ("no route /orders", "no route /prices"),
        ("total in km/h", "total in m/s"),
        ("deadbeef", "deadbeee"),
        ("cannot find `a` in this scope", "cannot find `b` in this scope"),
        ("", "boom"),
    ];
    for (a, b) in different {
        assert_ne!(fingerprint("t", a), fingerprint("t", b), "{a:?} and {b:?}");
    }
    assert_ne!(fingerprint("t", "left: 1"), fingerprint("u", "left: 1"));
}

#[test]
fn where_a_long_message_is_cut_does_not_depend_on_what_changes_in_it() {
    let tail = "0123456789 left right ".repeat(400);
    for (a, b) in [("took 9.5s", "took 1234.5s"), ("/tmp/a/b.rs:1", "/home/somebody/worktrees/of/a/project/b.rs:1234")]
    {
        assert_eq!(fingerprint("t", &format!("{a}\n{tail}")), fingerprint("t", &format!("{b}\n{tail}")));
    }
    assert!(fingerprint("t", &tail).len() < tail.len());
}

#[test]
fn a_set_of_failures_is_known_by_what_is_in_it() {
    let set = |line: &str| failure_set(&run(line));
    assert_eq!(set("passed"), None);
    assert_eq!(set("failed a=1, b=2"), set("failed b=2, a=1"));
    assert_eq!(set("failed a=1, b=2"), set("failed a=1, b=2, a=1"));
    assert_eq!(set("failed a=took 1s"), set("failed a=took 2s"));
    assert_eq!(set("compile_error a=1, b=2"), set("compile_error b=2, a=1"));
    let all = [
        "failed a=1",
        "failed a=2",
        "failed b=1",
        "failed a=1, b=1",
        "failed a=b",
        "failed",
        "crashed",
        "crashed a=1",
        "no_tests",
        "timeout",
        "unparsable",
        "compile_error",
        "compile_error a=1",
        "compile_error a=1, a=2",
    ];
    for (at, a) in all.iter().enumerate() {
        assert!(set(a).is_some(), "{a}");
        for b in &all[at + 1..] {
            assert_ne!(set(a), set(b), "{a} and {b}");
        }
    }
}

#[test]
fn lines_do_not_matter_to_a_set_of_compile_errors() {
    let mut moved = run("compile_error a=1");
    moved.compile_errors[0].line = Some(77);
    assert_eq!(failure_set(&moved), failure_set(&run("compile_error a=1")));
}

#[test]
fn problems_of_children_and_designs_are_sets_too() {
    let child = |component: &str, message: &str| ChildProblem {
        session_id: None,
        component: component.into(),
        status: None,
        message: message.into(),
    };
    let design = |message: &str| DesignProblem { section: "purpose".into(), line: Some(1), message: message.into() };
    let (a, b) = (child("Order", "failed: boom"), child("Pricing", "no test file tests/pricing_test.rs"));
    assert_eq!(problem_set(&[], &[]), None);
    assert_eq!(problem_set(&[a.clone(), b.clone()], &[]), problem_set(&[b.clone(), a.clone()], &[]));
    assert_ne!(problem_set(&[a.clone(), b], &[]), problem_set(&[a], &[]));
    assert_eq!(
        problem_set(&[], &[design("empty")]),
        problem_set(&[], &[DesignProblem { line: None, ..design("empty") }])
    );
    assert_ne!(problem_set(&[], &[design("empty")]), problem_set(&[], &[design("missing")]));
}

/// Prints its times (`--nocapture`); nothing depends on them.
#[test]
fn two_thousand_failures_with_long_messages_are_followed() {
    let message = "assertion `left == right` failed at src/orders/pricing.rs:10:5 after 12 ms\n".repeat(55);
    assert!(message.len() > 4096);
    let mut big = run("failed");
    big.failures = (0..2_000).map(|n| failure(&format!("orders::pricing::case_{n}"), &message)).collect();
    big.failed = 2_000;
    let mut ledger = Vec::new();
    for seq in 1..=2 {
        let started = std::time::Instant::now();
        absorb(&mut ledger, &big, seq);
        eprintln!("run {seq} of 2,000 failures with {} bytes each: {:?}", message.len(), started.elapsed());
    }
    assert_eq!(ledger.len(), 2_000);
    assert!(ledger.iter().all(|row| row.state.as_str() == "still failing" && row.last == 2));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_a_fingerprint(test in ".{0,20}", message in "(?s).{0,3000}") {
        let print = fingerprint(&test, &message);
        prop_assert_eq!(&fingerprint(&test, &message), &print);
        prop_assert!(print.starts_with(&test));
    }

    #[test]
    fn the_order_of_failures_does_not_matter_to_their_set(names in prop::collection::vec("[a-e]", 1..8), turn in 0..8_usize) {
        let mut one = run("failed");
        one.failures = names.iter().map(|name| failure(name, "boom")).collect();
        let mut other = one.clone();
        other.failures.rotate_left(turn % names.len());
        prop_assert_eq!(failure_set(&one), failure_set(&other));
    }

    /// The ledger against the plainest possible account of the same runs.
    #[test]
    fn a_row_is_failing_when_the_last_run_that_ran_says_so(runs in prop::collection::vec(("[a-d]{0,4}", any::<bool>()), 1..12)) {
        let mut ledger = Vec::new();
        let mut failing = std::collections::BTreeSet::new();
        for (seq, (names, ran)) in (1..).zip(&runs) {
            let mut run = run(if *ran { "failed" } else { "crashed" });
            run.failures = names.chars().map(|name| failure(&name.to_string(), "boom")).collect();
            absorb(&mut ledger, &run, seq);
            if *ran {
                failing.clear();
            }
            failing.extend(names.chars().map(|name| name.to_string()));
            let rows: std::collections::BTreeSet<_> =
                ledger.iter().filter(|row| row.state.is_failing()).map(|row| row.test.clone()).collect();
            prop_assert_eq!(&rows, &failing);
            prop_assert!(ledger.iter().all(|row| row.first <= row.last && row.last <= seq));
        }
    }
}

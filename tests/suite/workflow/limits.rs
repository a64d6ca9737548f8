//! Iteration limits and the brake.

use callboard::{
    model::{Cause, HaltReason, SessionKind, Step},
    workflow::{Bounds, History, Next, fix_step, next},
};

use super::{OK, begun_at, decide, error, push, push_failures};

/// Kinds with a loop of test and fix: where the loop is entered, and its two steps.
const LOOPS: [(SessionKind, Step, Step); 5] = [
    (SessionKind::ComponentDesign, Step::ValidateDesign, Step::ReviseDesign),
    (SessionKind::ComponentTest, Step::RunTests, Step::FixCompilationErrors),
    (SessionKind::ComponentCoding, Step::RunTests, Step::FixTestFailures),
    (SessionKind::Integration, Step::RunIntegrationTests, Step::FixIntegrationTestFailures),
    (SessionKind::Integration, Step::RunTestSuite, Step::FixTestFailures),
];

const LIMIT: Result<Next, callboard::workflow::WorkflowError> = Ok(Next::Halt(HaltReason::IterationLimit));
const NO_PROGRESS: Result<Next, callboard::workflow::WorkflowError> = Ok(Next::Halt(HaltReason::NoProgress));

fn bounded(kind: SessionKind, start: Step, iterations: u32) -> History {
    History { bounds: Bounds { iterations, same_failures: 0 }, ..begun_at(kind, start) }
}

/// Fails `test` and mends it until the session halts; answers how many fixes there were.
fn fixes_until_halt(history: &mut History, test: Step, fix: Step) -> u32 {
    let mut fixes = 0;
    loop {
        push(history, test, error(Cause::Failed));
        match next(history) {
            Ok(Next::Step(step)) if step == fix && fixes < 100 => fixes += 1,
            LIMIT => return fixes,
            other => panic!("{other:?}"),
        }
        push(history, fix, OK);
        assert_eq!(next(history), Ok(Next::Step(test)));
    }
}

#[test]
fn exactly_so_many_fixes_are_made_before_a_person_is_asked() {
    for (kind, test, fix) in LOOPS {
        for iterations in [0, 1, 2, 5, 17] {
            let mut history = bounded(kind, test, iterations);
            assert_eq!(fixes_until_halt(&mut history, test, fix), iterations, "{kind}, {test}");
        }
    }
}

#[test]
fn a_decision_starts_the_counter_anew() {
    for (kind, test, fix) in LOOPS {
        let mut history = bounded(kind, test, 3);
        fixes_until_halt(&mut history, test, fix);
        for _ in 0..3 {
            decide(&mut history);
            // The step is tried again before anything is fixed: it may have been mended by hand.
            assert_eq!(next(&history), Ok(Next::Step(test)), "{kind}, {test}");
            assert_eq!(fixes_until_halt(&mut history, test, fix), 3, "{kind}, {test}");
        }
    }
}

#[test]
fn a_step_that_is_only_tried_again_is_limited_too() {
    for (kind, spawn) in super::spawning() {
        let mut history = bounded(kind, spawn, 2);
        for _ in 0..2 {
            push(&mut history, spawn, error(Cause::Failed));
            assert_eq!(next(&history), Ok(Next::Step(spawn)), "{kind}");
        }
        push(&mut history, spawn, error(Cause::Failed));
        assert_eq!(next(&history), LIMIT, "{kind}");
    }
}

#[test]
fn every_step_counts_for_itself() {
    let mut history = bounded(SessionKind::ComponentCoding, Step::RunTests, 1);
    push(&mut history, Step::RunTests, error(Cause::Failed));
    push(&mut history, Step::FixTestFailures, error(Cause::Timeout));
    assert_eq!(next(&history), Ok(Next::Step(Step::FixTestFailures)));
    push(&mut history, Step::FixTestFailures, OK);
    push(&mut history, Step::RunTests, error(Cause::Failed));
    assert_eq!(next(&history), LIMIT);
}

#[test]
fn attempts_that_were_cut_off_do_not_use_up_the_limit() {
    let mut history = bounded(SessionKind::ComponentCoding, Step::RunTests, 1);
    for _ in 0..4 {
        push(&mut history, Step::RunTests, error(Cause::Interrupted));
        assert_eq!(next(&history), Ok(Next::Step(Step::RunTests)));
        push(&mut history, Step::RunTests, error(Cause::Failed));
        let answer = next(&history);
        if answer == LIMIT {
            assert_eq!(history.attempts.len(), 4);
            return;
        }
        assert_eq!(answer, Ok(Next::Step(Step::FixTestFailures)));
    }
    panic!("no limit");
}

#[test]
fn what_cuts_every_attempt_off_is_for_a_person() {
    for cause in [Cause::Interrupted, Cause::Cancelled] {
        for kind in SessionKind::ALL.iter().copied() {
            let step = fix_step(kind);
            let mut history = bounded(kind, step, 2);
            for _ in 0..2 {
                for _ in 0..2 {
                    push(&mut history, step, error(cause));
                    assert_eq!(next(&history), Ok(Next::Step(step)));
                }
                push(&mut history, step, error(cause));
                assert_eq!(next(&history), LIMIT, "{kind}, {cause}");
                decide(&mut history);
                assert_eq!(next(&history), Ok(Next::Step(step)), "{kind}, {cause}, decided");
            }
        }
    }
}

/// The failures that run after run found: an upper-case letter is a set, `.` a bad run without one, `|` a decision.
fn braked(kind: SessionKind, test: Step, fix: Step, same_failures: u32, runs: &str) -> History {
    let bounds = Bounds { iterations: 100, same_failures };
    let mut history = History { bounds, ..begun_at(kind, test) };
    let mut first = true;
    for run in runs.chars() {
        if run == '|' {
            decide(&mut history);
            continue;
        }
        if !first {
            push(&mut history, fix, OK);
        }
        first = false;
        if run == '.' {
            push(&mut history, test, error(Cause::Timeout));
        } else {
            push_failures(&mut history, test, &run.to_string());
        }
    }
    history
}

#[test]
fn the_brake_stops_a_loop_that_gets_nowhere() {
    let table = [
        // same_failures, runs, whether the brake stops it
        (3, "A", false),
        (3, "AA", false),
        (3, "AAA", true),
        (3, "AAAA", true),
        (3, "AB", false),
        (3, "ABA", true),
        (3, "ABC", false),
        (3, "ABB", false),
        (3, "ABBA", false),
        (3, "ABBB", true),
        (3, "ABCA", false),
        (3, "CABA", true),
        (3, "AAB", false),
        (3, "AABA", true),
        (2, "A", false),
        (2, "AA", true),
        (2, "ABA", true),
        (4, "AAA", false),
        (4, "AAAA", true),
        (1, "A", true),
        (0, "A", false),
        (0, "AAAAAAA", false),
        (0, "ABABABA", false),
        // A run without a set says nothing, and what is before it is no longer in a row with what comes after.
        (3, "..", false),
        (3, "....", false),
        (3, "AA.", false),
        (3, "AA.A", false),
        (3, "AA.AAA", true),
        (3, "AB.A", false),
        // A decision settles what was before it.
        (3, "AAA|", false),
        (3, "ABA|", false),
        (3, "AAA|A", false),
        (3, "AAA|AA", false),
        (3, "AAA|AAA", true),
        (3, "AB|A", false),
        (3, "AB|ABA", true),
    ];
    for (kind, test, fix) in LOOPS {
        for (same_failures, runs, stops) in table {
            let history = braked(kind, test, fix, same_failures, runs);
            // Somebody who decided may have mended it by hand: the tests are run again first.
            let go_on = if runs.ends_with('|') { test } else { fix };
            let expected = if stops { NO_PROGRESS } else { Ok(Next::Step(go_on)) };
            assert_eq!(next(&history), expected, "{kind}, {test}, {same_failures}, {runs}");
        }
    }
}

#[test]
fn the_brake_looks_at_one_step_at_a_time() {
    let mut history = begun_at(SessionKind::Integration, Step::RunIntegrationTests);
    push_failures(&mut history, Step::RunIntegrationTests, "A");
    push(&mut history, Step::FixIntegrationTestFailures, OK);
    push(&mut history, Step::RunIntegrationTests, OK);
    push_failures(&mut history, Step::RunTestSuite, "A");
    push(&mut history, Step::FixTestFailures, OK);
    push_failures(&mut history, Step::RunTestSuite, "A");
    assert_eq!(next(&history), Ok(Next::Step(Step::FixTestFailures)));
}

#[test]
fn a_fix_that_changes_nothing_stops_the_loop_until_somebody_decides() {
    for (kind, test, fix) in LOOPS {
        for same_failures in [0, 3] {
            let mut history = braked(kind, test, fix, same_failures, "A");
            push(&mut history, fix, error(Cause::EmptyDiff));
            assert_eq!(next(&history), NO_PROGRESS, "{kind}");
            decide(&mut history);
            assert_eq!(next(&history), Ok(Next::Step(fix)), "{kind}");
            push(&mut history, fix, error(Cause::EmptyDiff));
            assert_eq!(next(&history), NO_PROGRESS, "{kind}: another attempt, another halt");
        }
    }
}

#[test]
fn the_brake_comes_before_the_limit() {
    let mut history = braked(SessionKind::ComponentCoding, Step::RunTests, Step::FixTestFailures, 3, "AAA");
    history.bounds.iterations = 2;
    assert_eq!(next(&history), NO_PROGRESS);
    history.bounds.same_failures = 0;
    assert_eq!(next(&history), LIMIT);
}

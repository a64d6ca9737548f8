//! What holds of every history: of those that can come about, and of junk.

use std::collections::BTreeSet;

use callboard::{
    model::{Cause, HaltReason, ResultStatus, SessionKind, Status, Step},
    workflow::{
        Attempt, Awaited, Bounds, History, Next, Outcome, Waiting, WorkflowError, first_step, fix_step, next, row,
        rows, status_after,
    },
};
use proptest::prelude::*;

use super::{ERROR, OK, after, begun_at, decide, error, session};

fn config() -> ProptestConfig {
    ProptestConfig { cases: 192, failure_persistence: None, ..ProptestConfig::default() }
}

fn kind() -> impl Strategy<Value = SessionKind> {
    prop::sample::select(SessionKind::ALL)
}

/// Any outcome, sensible or not.
fn outcome() -> impl Strategy<Value = Outcome> {
    let status = prop::sample::select(ResultStatus::ALL);
    let cause = prop::option::of(prop::sample::select(Cause::ALL));
    (status, cause).prop_map(|(status, cause)| Outcome { status, cause })
}

/// Outcomes that keep a session going: no cause of its own that halts.
fn going() -> impl Strategy<Value = Outcome> {
    let causes = vec![Cause::Failed, Cause::Timeout, Cause::Interrupted, Cause::CouldNotRun];
    prop_oneof![Just(OK), Just(ERROR), prop::sample::select(causes).prop_map(error)]
}

/// What one attempt comes to: an outcome and the failures that it found.
type Found = (Outcome, Option<u8>);

fn script(outcome: impl Strategy<Value = Outcome>) -> impl Strategy<Value = Vec<Found>> {
    // An agent that cannot be used is waited for: what is asked here is what happens once it can.
    let can_be_used = |script: &Vec<Found>| !script.iter().all(|(outcome, _)| outcome.is_for_later());
    prop::collection::vec((outcome, prop::option::of(0..4_u8)), 1..40).prop_filter("for ever", can_be_used)
}

fn bounds() -> impl Strategy<Value = Bounds> {
    (0..6_u32, 0..5_u32).prop_map(|(iterations, same_failures)| Bounds { iterations, same_failures })
}

/// A history that nobody checked: steps of other kinds, numbers out of order, attempts pending in the middle.
fn junk() -> impl Strategy<Value = History> {
    let status = prop_oneof![6 => Just(Status::Active), 1 => prop::sample::select(Status::ALL)];
    let attempt = (any::<prop::sample::Index>(), 0..40_u8, prop::option::weighted(0.9, outcome()), 0..6_u8, 0..4_u32);
    let awaited = prop::collection::vec((1..5_u128, prop::sample::select(Status::ALL)), 0..4);
    (kind(), status, prop::collection::vec(attempt, 0..12), 0..30_u32, awaited, bounds(), any::<bool>()).prop_map(
        |(kind, status, attempts, decided, awaited, bounds, sorted)| {
            let mut seq = 1;
            let attempts: Vec<_> = attempts
                .into_iter()
                .map(|(pick, odd, outcome, set, gap)| {
                    seq += if sorted { gap.max(1) } else { gap };
                    let step = if odd == 0 { *pick.get(Step::ALL) } else { pick.get(rows(kind)).step };
                    let failure_set = (set > 2).then(|| set.to_string());
                    Attempt { seq, step, outcome, failure_set }
                })
                .collect();
            let start = attempts.first().map_or(first_step(kind), |first| first.step);
            let requests = u32::from(decided % 3 == 1);
            let awaited = awaited.into_iter().map(|(n, status)| Awaited { session: session(n), status }).collect();
            History { kind, status, start, attempts, decided, awaited, requests, bounds }
        },
    )
}

/// How a simulation ended.
#[derive(Debug, PartialEq)]
enum End {
    Complete,
    Halt(HaltReason),
}

/// So many attempts are enough for any session in which nobody decides anything.
///
/// Ok edges form no circle, so at most `rows` good attempts follow each other before one ends badly; a step may end badly
/// `iterations + 1` times, and the last of those halts; and every attempt may be cut off `iterations` times before it counts.
fn enough(kind: SessionKind, bounds: Bounds) -> usize {
    let (rows, limit) = (rows(kind).len(), bounds.iterations as usize);
    let bad = rows * limit + 1;
    let good = (bad + 1) * rows;
    (bad + good) * (limit + 1) + limit + 1
}

/// Does what `next` says, again and again, with what the script says (from its beginning when it is through). Panics when
/// that does not end in time.
fn simulate(history: &mut History, script: &[Found], mut each: impl FnMut(&History, &Next)) -> End {
    let (before, enough) = (history.attempts.len(), enough(history.kind, history.bounds));
    for (outcome, set) in script.iter().cycle() {
        match next(history).expect("a simulated history makes sense") {
            Next::Step(step) => {
                let failure_set =
                    if outcome.status == ResultStatus::Error { set.map(|set| set.to_string()) } else { None };
                let seq = history.attempts.last().map_or(history.decided + 1, |last| last.seq + 1);
                history.attempts.push(Attempt { seq, step, outcome: None, failure_set: None });
                let Ok(Next::Waiting(waiting)) = next(history) else { panic!("a pending attempt is waited for") };
                each(history, &Next::Waiting(waiting));
                let last = history.attempts.last_mut().unwrap();
                (last.outcome, last.failure_set) = (Some(*outcome), failure_set);
                if outcome.is_for_later() {
                    assert_eq!(next(history), Ok(Next::Waiting(Waiting::Agent { seq, step })));
                    each(history, &Next::Waiting(Waiting::Agent { seq, step }));
                    // The time comes; what was in vain counts for nothing.
                    history.attempts.pop();
                    assert_eq!(next(history), Ok(Next::Step(step)));
                    continue;
                }
            }
            Next::Complete => return End::Complete,
            Next::Halt(reason) => return End::Halt(reason),
            Next::Waiting(Waiting::Sessions(waiting)) => {
                let awaited = history.awaited.iter_mut().find(|awaited| awaited.session == waiting[0]).unwrap();
                awaited.status = Status::Complete;
            }
            Next::Waiting(waiting) => panic!("{waiting:?} though nothing is pending"),
        }
        each(history, &next(history).unwrap());
        let made = history.attempts.len() - before;
        assert!(made <= enough, "no end after {made} attempts");
    }
    unreachable!("a cycle has no end")
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn every_session_ends_or_asks_a_person(
        kind in kind(), bounds in bounds(), script in script(prop_oneof![outcome(), going()]), fix in any::<bool>(),
    ) {
        let start = if fix { fix_step(kind) } else { first_step(kind) };
        let mut history = History { bounds, ..begun_at(kind, start) };
        simulate(&mut history, &script, |_, _| {});
    }

    #[test]
    fn every_session_ends_or_asks_a_person_also_when_no_outcome_halts_by_itself(
        kind in kind(), bounds in bounds(), script in script(going()),
    ) {
        let mut history = History { bounds, ..begun_at(kind, first_step(kind)) };
        let end = simulate(&mut history, &script, |_, _| {});
        let expected = [End::Complete, End::Halt(HaltReason::IterationLimit), End::Halt(HaltReason::NoProgress)];
        prop_assert!(expected.contains(&end), "{end:?}");
    }

    #[test]
    fn a_session_whose_every_attempt_is_cut_off_asks_a_person(kind in kind(), bounds in bounds()) {
        let mut history = History { bounds, ..begun_at(kind, first_step(kind)) };
        let end = simulate(&mut history, &[(error(Cause::Interrupted), None)], |_, _| {});
        prop_assert_eq!(end, End::Halt(HaltReason::IterationLimit));
        prop_assert_eq!(history.attempts.len(), bounds.iterations as usize + 1);
        prop_assert!(history.attempts.iter().all(|attempt| attempt.step == first_step(kind)));
    }

    #[test]
    fn decisions_let_a_session_go_on_but_never_raise_the_same_halt_again(
        kind in kind(), bounds in bounds(), scripts in prop::collection::vec(script(outcome()), 1..5),
    ) {
        let mut history = History { bounds, ..begun_at(kind, first_step(kind)) };
        for script in scripts {
            let end = simulate(&mut history, &script, |_, _| {});
            if end == End::Complete {
                break;
            }
            decide(&mut history);
            prop_assert!(matches!(next(&history), Ok(Next::Step(_))), "{:?}", next(&history));
        }
    }

    #[test]
    fn a_session_is_complete_when_and_only_when_its_workflow_is(kind in kind(), script in script(going())) {
        let mut history = begun_at(kind, first_step(kind));
        simulate(&mut history, &script, |history, answer| {
            let last = history.attempts.last().unwrap();
            let closed = last.outcome.map(|outcome| status_after(last.step, outcome));
            assert_eq!(*answer == Next::Complete, closed == Some(Status::Complete));
        });
    }

    #[test]
    fn an_answer_depends_on_nothing_but_the_history(history in junk(), other in junk()) {
        let first = next(&history);
        next(&other).ok();
        prop_assert_eq!(&next(&history.clone()), &first);
        prop_assert_eq!(&next(&history), &first);
    }

    #[test]
    fn where_the_numbers_begin_does_not_matter(history in junk(), by in 0..1_000_000_u32) {
        let mut shifted = history.clone();
        shifted.decided += by;
        shifted.attempts.iter_mut().for_each(|attempt| attempt.seq += by);
        let expected = next(&history).map(|answer| match answer {
            Next::Waiting(Waiting::Attempt { seq }) => Next::Waiting(Waiting::Attempt { seq: seq + by }),
            Next::Waiting(Waiting::Validation { seq }) => Next::Waiting(Waiting::Validation { seq: seq + by }),
            Next::Waiting(Waiting::Agent { seq, step }) => Next::Waiting(Waiting::Agent { seq: seq + by, step }),
            other @ (Next::Step(_) | Next::Complete | Next::Halt(_) | Next::Waiting(Waiting::Sessions(_) | Waiting::Ruling)) => other,
        });
        prop_assert_eq!(next(&shifted), expected);
    }

    #[test]
    fn names_of_failure_sets_do_not_matter(history in junk()) {
        let mut renamed = history.clone();
        for attempt in &mut renamed.attempts {
            attempt.failure_set = attempt.failure_set.take().map(|set| format!("another name of {set}"));
        }
        prop_assert_eq!(next(&renamed), next(&history));
    }

    #[test]
    fn the_order_of_awaited_sessions_changes_only_the_order_in_which_they_are_named(history in junk()) {
        let mut turned = history.clone();
        turned.awaited.reverse();
        let expected = next(&history).map(|answer| match answer {
            Next::Waiting(Waiting::Sessions(sessions)) => {
                Next::Waiting(Waiting::Sessions(sessions.into_iter().rev().collect()))
            }
            other @ (Next::Step(_) | Next::Complete | Next::Halt(_) | Next::Waiting(_)) => other,
        });
        prop_assert_eq!(next(&turned), expected);
    }

    #[test]
    fn no_answer_contradicts_the_history(history in junk()) {
        let answer = next(&history);
        let last = history.attempts.last();
        if history.status.is_terminal() {
            prop_assert_eq!(answer, Err(WorkflowError::SessionComplete(history.status)));
            return Ok(());
        }
        let foreign = history.attempts.iter().any(|attempt| row(history.kind, attempt.step).is_none());
        prop_assert_eq!(foreign, matches!(answer, Err(WorkflowError::InvalidInteraction { .. })));
        match answer {
            Err(_) => {}
            Ok(Next::Step(step)) => {
                prop_assert!(row(history.kind, step).is_some());
                let closed = |attempt: &Attempt| {
                    attempt.outcome.is_some_and(|outcome| status_after(attempt.step, outcome) == Status::Complete)
                };
                prop_assert!(!history.attempts.iter().any(closed), "a step after the end");
                prop_assert!(history.attempts.iter().all(|attempt| attempt.outcome.is_some()), "two steps at once");
            }
            Ok(Next::Complete) => {
                let last = last.unwrap();
                prop_assert_eq!(last.step, Step::Finalize);
                prop_assert!(last.outcome.unwrap().status != ResultStatus::Error);
            }
            Ok(Next::Halt(_)) => {
                let last = last.unwrap();
                prop_assert!(last.seq > history.decided, "a halt that a person has settled");
                prop_assert!(last.outcome.is_some());
            }
            Ok(Next::Waiting(Waiting::Attempt { seq } | Waiting::Validation { seq })) => {
                let last = last.unwrap();
                prop_assert_eq!((last.seq, last.outcome), (seq, None));
            }
            Ok(Next::Waiting(Waiting::Ruling)) => prop_assert!(history.requests > 0 && last.is_some()),
            Ok(Next::Waiting(Waiting::Agent { seq, step })) => {
                let last = last.unwrap();
                prop_assert_eq!((last.seq, last.step), (seq, step));
                prop_assert!(last.outcome.unwrap().is_for_later() && last.seq > history.decided);
            }
            Ok(Next::Waiting(Waiting::Sessions(sessions))) => {
                let open: Vec<_> = history.awaited.iter().filter(|awaited| awaited.status == Status::Active).collect();
                prop_assert!(!sessions.is_empty());
                prop_assert_eq!(sessions, open.iter().map(|awaited| awaited.session).collect::<Vec<_>>());
            }
        }
    }
}

/// The steps that one outcome leads to, asked of `next` itself; `None` is the end of the workflow.
fn leads_to(kind: SessionKind, step: Step) -> BTreeSet<Option<Step>> {
    [OK, error(Cause::Failed)]
        .into_iter()
        .map(|outcome| match next(&after(kind, step, outcome)).unwrap() {
            Next::Step(step) => Some(step),
            Next::Complete => None,
            other @ (Next::Halt(_) | Next::Waiting(_)) => panic!("{kind}, {step}: {other:?}"),
        })
        .collect()
}

/// Every step that can come after this one, and `None` if the end can.
fn reachable(kind: SessionKind, from: Step) -> BTreeSet<Option<Step>> {
    let mut found = BTreeSet::from([Some(from)]);
    let mut open = vec![from];
    while let Some(step) = open.pop() {
        for to in leads_to(kind, step) {
            if found.insert(to) {
                open.extend(to);
            }
        }
    }
    found
}

#[test]
fn every_step_can_come_about_and_every_step_has_a_way_out() {
    for kind in SessionKind::ALL.iter().copied() {
        let all: BTreeSet<_> = rows(kind).iter().map(|row| Some(row.step)).chain([None]).collect();
        assert_eq!(reachable(kind, first_step(kind)), all, "{kind}");
        for row in rows(kind) {
            assert!(reachable(kind, row.step).contains(&None), "{kind}: no way out of {}", row.step);
        }
    }
}

#[test]
fn good_outcomes_alone_never_go_in_a_circle() {
    for kind in SessionKind::ALL.iter().copied() {
        for row in rows(kind) {
            let mut history = begun_at(kind, row.step);
            let end = simulate(&mut history, &[(OK, None)], |_, _| {});
            assert_eq!(end, End::Complete);
            let steps: BTreeSet<_> = history.attempts.iter().map(|attempt| attempt.step).collect();
            assert_eq!(steps.len(), history.attempts.len(), "{kind} from {}", row.step);
        }
    }
}

#[test]
fn even_the_longest_session_is_bounded() {
    for kind in SessionKind::ALL.iter().copied() {
        let bounds = Bounds { iterations: 5, same_failures: 0 };
        let mut history = History { bounds, ..begun_at(kind, first_step(kind)) };
        // Every attempt is cut off as often as it may be, then fails; every second one of a step that may is good.
        let mut script = vec![(error(Cause::Interrupted), None); 5];
        script.push((error(Cause::Failed), None));
        script.extend(vec![(error(Cause::Interrupted), None); 5]);
        script.push((OK, None));
        simulate(&mut history, &script, |_, _| {});
        assert!(history.attempts.len() > 12, "{kind}");
    }
}

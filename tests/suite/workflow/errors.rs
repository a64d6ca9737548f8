//! Histories that have no next step.

use callboard::{
    model::{Cause, SessionKind, Status, Step},
    workflow::{History, Next, WorkflowError, first_step, next, row, rows},
};

use super::{OK, WARNING, after, begun_at, error, outcomes, push};

fn foreign(kind: SessionKind) -> impl Iterator<Item = Step> {
    Step::ALL.iter().copied().filter(move |step| row(kind, *step).is_none())
}

fn is_invalid_state(history: &History) -> bool {
    matches!(next(history), Err(WorkflowError::InvalidState(_)))
}

#[test]
fn a_session_that_has_ended_has_no_next_step_whatever_its_history() {
    for kind in SessionKind::ALL.iter().copied() {
        for status in [Status::Complete, Status::Failed, Status::Cancelled] {
            let ended = Err(WorkflowError::SessionComplete(status));
            for row in rows(kind) {
                for outcome in outcomes().into_iter().map(Some).chain([None]) {
                    let mut history = after(kind, row.step, outcome);
                    history.status = status;
                    assert_eq!(next(&history), ended, "{kind}, {}", row.step);
                }
            }
            for start in [first_step(kind), foreign(kind).next().unwrap()] {
                assert_eq!(next(&History { status, ..begun_at(kind, start) }), ended);
            }
        }
    }
}

#[test]
fn a_step_of_another_kind_is_an_invalid_interaction_wherever_it_stands() {
    let mut checked = 0;
    for kind in SessionKind::ALL.iter().copied() {
        for step in foreign(kind) {
            let expected = Err(WorkflowError::InvalidInteraction { kind, step });
            assert_eq!(next(&begun_at(kind, step)), expected, "{kind} starts at {step}");
            for outcome in [None, Some(OK), Some(error(Cause::Environment))] {
                let mut last = after(kind, Step::Initialize, OK);
                push(&mut last, step, outcome);
                assert_eq!(next(&last), expected, "{kind} ends with {step}");
            }
            let mut between = after(kind, Step::Initialize, OK);
            push(&mut between, step, OK);
            push(&mut between, Step::Finalize, OK);
            assert_eq!(next(&between), expected, "{kind} has {step} in it");
            checked += 1;
        }
    }
    assert_eq!(checked, 7 * Step::ALL.len() - (6 + 5 + 5 + 3 + 3 + 3 + 9));
}

#[test]
fn only_the_last_attempt_may_be_pending() {
    let mut history = after(SessionKind::ComponentCoding, Step::Initialize, None);
    assert!(!is_invalid_state(&history));
    push(&mut history, Step::Initialize, OK);
    assert!(is_invalid_state(&history));
}

#[test]
fn attempts_are_numbered_upwards() {
    for (first, second, fine) in [(1, 2, true), (4, 9, true), (2, 2, false), (2, 1, false)] {
        let mut history = after(SessionKind::ComponentCoding, Step::Initialize, OK);
        push(&mut history, Step::GenerateImplementation, OK);
        history.attempts[0].seq = first;
        history.attempts[1].seq = second;
        assert_eq!(is_invalid_state(&history), !fine, "{first}, {second}");
    }
}

#[test]
fn a_generation_begins_with_its_start_step() {
    let mut history = begun_at(SessionKind::ComponentCoding, Step::FixTestFailures);
    push(&mut history, Step::RunTests, OK);
    assert!(is_invalid_state(&history));
    history.start = Step::RunTests;
    assert_eq!(next(&history), Ok(Next::Step(Step::Finalize)));
}

#[test]
fn nothing_follows_the_end_of_a_workflow() {
    for kind in SessionKind::ALL.iter().copied() {
        for good in [OK, WARNING] {
            let mut history = after(kind, Step::Finalize, good);
            assert_eq!(next(&history), Ok(Next::Complete));
            push(&mut history, Step::Finalize, OK);
            assert!(is_invalid_state(&history), "{kind}");
        }
        // A finalize that failed or was cut off is no end.
        for cause in [Cause::Failed, Cause::Interrupted, Cause::MergeConflict] {
            let mut history = after(kind, Step::Finalize, error(cause));
            push(&mut history, Step::Finalize, OK);
            assert_eq!(next(&history), Ok(Next::Complete), "{kind}, {cause}");
        }
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let said = |error: WorkflowError| error.to_string();
    insta::assert_snapshot!(
        [
            said(WorkflowError::SessionComplete(Status::Failed)),
            said(WorkflowError::InvalidInteraction { kind: SessionKind::ComponentTest, step: Step::ReviseDesign }),
            said(next(&{
                let mut history = after(SessionKind::ComponentTest, Step::Initialize, None);
                push(&mut history, Step::Initialize, OK);
                history
            }).unwrap_err()),
        ].join("\n"),
        @r"
    the session is failed: nothing comes next until it is reactivated
    revise_design is not a step of component_test
    the history makes no sense: an attempt is pending, but a later one exists
    "
    );
}

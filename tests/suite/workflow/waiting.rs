//! Sessions that wait for sessions.

use callboard::{
    model::{Cause, HaltReason, SessionKind, Status, Step},
    workflow::{History, Next, Waiting, next, rows},
};

use super::{OK, WARNING, after, awaited, begun_at, error, push, session, spawning};

const ENDED: [Status; 3] = [Status::Complete, Status::Failed, Status::Cancelled];

/// Every order of three.
const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

/// The steps that reactivate other sessions, with the test step that follows.
const FIXES: [(Step, Step); 2] =
    [(Step::FixIntegrationTestFailures, Step::RunIntegrationTests), (Step::FixTestFailures, Step::RunTestSuite)];

#[test]
fn an_integration_fix_leads_on_once_every_session_it_reactivated_has_ended_in_whatever_order() {
    for (fix, test) in FIXES {
        for outcome in [OK, WARNING] {
            for order in ORDERS {
                let mut history = after(SessionKind::Integration, fix, outcome);
                let mut statuses = [Status::Active; 3];
                for (ended, at) in order.into_iter().enumerate() {
                    history.awaited = awaited(&statuses);
                    let open: Vec<_> =
                        (0..3).filter(|at| statuses[*at] == Status::Active).map(|at| session(at as u128 + 1)).collect();
                    assert_eq!(open.len(), 3 - ended);
                    assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Sessions(open))), "{fix}, {order:?}");
                    statuses[at] = ENDED[ended];
                }
                history.awaited = awaited(&statuses);
                assert_eq!(next(&history), Ok(Next::Step(test)), "{fix}, {order:?}");
            }
        }
    }
}

#[test]
fn an_integration_fix_that_reactivated_nothing_leads_on_at_once() {
    for (fix, test) in FIXES {
        assert_eq!(next(&after(SessionKind::Integration, fix, OK)), Ok(Next::Step(test)));
    }
}

#[test]
fn an_integration_fix_that_asks_a_person_waits_for_the_word_first() {
    for (fix, test) in FIXES {
        let mut history = after(SessionKind::Integration, fix, OK);
        history.requests = 1;
        assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Ruling)));
        history.awaited = awaited(&[Status::Active]);
        assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Ruling)));
        history.requests = 0;
        assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Sessions(vec![session(1)]))));
        history.awaited = awaited(&[Status::Complete]);
        assert_eq!(next(&history), Ok(Next::Step(test)));
        let failed = History { requests: 1, ..after(SessionKind::Integration, fix, error(Cause::Failed)) };
        assert_eq!(next(&failed), Ok(Next::Step(fix)));
    }
}

#[test]
fn an_issue_that_an_agent_reports_halts_and_leaves_the_session_active() {
    for step in [Step::GenerateIntegrationTests, Step::GenerateContext, FIXES[0].0, FIXES[1].0] {
        let mut history = after(SessionKind::Integration, step, error(Cause::ArchitecturalIssue));
        assert_eq!(next(&history), Ok(Next::Halt(HaltReason::ArchitecturalIssue)));
        history.decided = 1;
        assert_eq!(next(&history), Ok(Next::Step(step)), "the agent is told why it is to go on");
    }
}

#[test]
fn a_fix_that_failed_is_tried_again_whatever_still_runs() {
    for (fix, _) in FIXES {
        for cause in [Cause::Failed, Cause::Interrupted, Cause::Timeout] {
            let mut history = after(SessionKind::Integration, fix, error(cause));
            history.awaited = awaited(&[Status::Active]);
            assert_eq!(next(&history), Ok(Next::Step(fix)), "{cause}");
        }
    }
}

#[test]
fn no_other_step_waits_for_sessions_once_it_has_a_result() {
    for kind in SessionKind::ALL.iter().copied() {
        for row in rows(kind) {
            if kind == SessionKind::Integration && FIXES.iter().any(|(fix, _)| *fix == row.step) {
                continue;
            }
            let mut history = after(kind, row.step, OK);
            let alone = next(&history);
            history.requests = 2;
            history.awaited = awaited(&[Status::Active, Status::Complete]);
            assert_eq!(next(&history), alone, "{kind}, {}", row.step);
        }
    }
}

#[test]
fn a_running_fix_is_waited_for_itself_not_yet_what_it_reactivated() {
    for (fix, _) in FIXES {
        let mut history = after(SessionKind::Integration, fix, None);
        history.awaited = awaited(&[Status::Active]);
        assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Attempt { seq: 1 })));
    }
}

#[test]
fn a_parent_waits_for_its_children_then_for_their_judgement() {
    for (kind, spawn) in spawning() {
        for order in ORDERS {
            let mut history = begun_at(kind, Step::Initialize);
            push(&mut history, Step::Initialize, OK);
            push(&mut history, spawn, None);
            let mut statuses = [Status::Active; 3];
            for (ended, at) in order.into_iter().enumerate() {
                history.awaited = awaited(&statuses);
                let open: Vec<_> =
                    (0..3).filter(|at| statuses[*at] == Status::Active).map(|at| session(at as u128 + 1)).collect();
                assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Sessions(open))), "{kind}, {order:?}");
                statuses[at] = ENDED[ended];
            }
            history.awaited = awaited(&statuses);
            assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Validation { seq: 2 })), "{kind}, {order:?}");
        }
    }
}

#[test]
fn a_parent_s_other_steps_do_not_wait_for_children() {
    for (kind, _) in spawning() {
        for step in [Step::Initialize, Step::Finalize] {
            let mut history = after(kind, step, None);
            history.awaited = awaited(&[Status::Active]);
            assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Attempt { seq: 1 })), "{kind}, {step}");
        }
    }
}

#[test]
fn a_session_that_is_made_for_anothers_result_begins_when_that_has_ended() {
    for kind in SessionKind::ALL {
        let start = rows(*kind)[0].step;
        let mut history = begun_at(*kind, start);
        history.awaited = awaited(&[Status::Complete, Status::Active]);
        assert_eq!(next(&history), Ok(Next::Waiting(Waiting::Sessions(vec![session(2)]))), "{kind}");
        for status in ENDED {
            history.awaited = awaited(&[Status::Complete, status]);
            assert_eq!(next(&history), Ok(Next::Step(start)), "{kind} {status}");
        }
    }
}

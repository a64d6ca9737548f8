//! What the board reads of a session is derived when it is written, or kept from what it read before. Here it is worked out again
//! from all interactions.

use callboard::{
    model::{
        Cause, HaltReason, Interaction, Micros, ResultStatus, Session, SessionKind, Status, Step, StepResult,
        TestFailure, TestRun, TestStatus, Verdict,
    },
    store::{BoardRow, Change, SessionFilter, Store},
    workflow::{self, Attempt, Bounds, History, Next, Outcome, Waiting},
};
use proptest::prelude::*;

use super::world::{World, created, generation, halt, id, interaction, session};

const BOUNDS: Bounds = Bounds { iterations: 5, same_failures: 3 };

/// The derived columns of a session.
#[derive(Debug, PartialEq)]
struct Derived {
    step: Option<Step>,
    step_status: Option<ResultStatus>,
    iteration: u32,
    step_started_at: Option<Micros>,
    next: Option<String>,
    halt: Option<HaltReason>,
    requests: usize,
}

/// Compares the derived columns of every session of the scope with what its record says.
pub(crate) fn check(store: &Store) {
    for (session, row) in store.sessions(SessionFilter::default()).unwrap() {
        assert_eq!(read(row), recomputed(store, &session), "{} {} {}", session.kind, session.component, session.id);
    }
}

fn read(row: BoardRow) -> Derived {
    let BoardRow { step, step_status, iteration, step_started_at, next, halt, requests, .. } = row;
    Derived { step, step_status, iteration, step_started_at, next, halt, requests: requests as usize }
}

fn recomputed(store: &Store, session: &Session) -> Derived {
    let mut attempts = store.interactions(session.id, 0).unwrap();
    attempts.retain(|attempt| attempt.generation == session.generation);
    let last = attempts.last();
    let next = workflow::next(&store.history(session, BOUNDS).unwrap());
    let first = attempts.first().map_or(u32::MAX, |first| first.seq);
    let halts = store.halts(session.id).unwrap();
    let halted = halts.last().filter(|halt| halt.decision.is_none() && halt.seq >= first);
    let stands = matches!(session.status, Status::Active | Status::Failed);
    Derived {
        step: last.map(|last| last.step),
        step_status: last.and_then(|last| last.result.as_ref()).map(|result| result.status),
        iteration: last.map_or(0, |last| iteration(&attempts[..attempts.len() - 1], last.step)),
        step_started_at: last.map(|last| last.started_at),
        next: if session.status.is_terminal() { None } else { next.ok().map(|next| next.to_string()) },
        halt: halted.filter(|_| stands).map(|halt| halt.reason),
        requests: store.open_requests(session.id).unwrap().len(),
    }
}

/// Which attempt at a step follows these. One that was cut off, or for which something was missing, was never made.
fn iteration(before: &[Interaction], step: Step) -> u32 {
    let was_made = |cause: Option<Cause>| match cause {
        Some(
            Cause::Interrupted
            | Cause::Cancelled
            | Cause::Environment
            | Cause::AgentUnavailable
            | Cause::Quota
            | Cause::Overloaded,
        ) => false,
        Some(
            Cause::Failed
            | Cause::Timeout
            | Cause::Inactive
            | Cause::CouldNotRun
            | Cause::MergeConflict
            | Cause::FailuresOutside
            | Cause::ArchitecturalIssue
            | Cause::EmptyDiff,
        )
        | None => true,
    };
    let cause = |attempt: &Interaction| attempt.result.as_ref().and_then(|result| result.cause);
    let made = before.iter().filter(|attempt| attempt.step == step && was_made(cause(attempt))).count();
    u32::try_from(made).unwrap() + 1
}

/// What may happen to a session, drawn at random; what is not possible now is left out.
#[derive(Debug, Clone, Copy)]
enum Happening {
    Begin,
    End(ResultStatus, Option<Cause>, Option<u8>),
    Cancel,
    Reactivate,
    Decide(Verdict),
}

fn happening() -> impl Strategy<Value = Happening> {
    let cause = prop_oneof![
        6 => Just(Cause::Failed),
        1 => Just(Cause::Interrupted),
        1 => Just(Cause::Timeout),
        1 => Just(Cause::CouldNotRun),
        1 => Just(Cause::Environment),
        1 => Just(Cause::FailuresOutside),
        1 => Just(Cause::EmptyDiff),
        1 => Just(Cause::Quota),
    ];
    prop_oneof![
        12 => Just(Happening::Begin),
        6 => Just(Happening::End(ResultStatus::Ok, None, None)),
        1 => Just(Happening::End(ResultStatus::Warning, None, None)),
        5 => (cause, proptest::option::of(0..3u8))
            .prop_map(|(cause, set)| Happening::End(ResultStatus::Error, Some(cause), set)),
        1 => Just(Happening::Cancel),
        2 => Just(Happening::Reactivate),
        1 => Just(Happening::Decide(Verdict::Retry)),
        1 => Just(Happening::Decide(Verdict::Approve)),
    ]
}

/// What the engine would write.
fn changes(store: &Store, session: &Session, happening: Happening, at: Micros) -> Option<Vec<Change>> {
    let history = store.history(session, BOUNDS).unwrap();
    let pending = history.attempts.last().filter(|last| last.outcome.is_none()).map(|last| last.seq);
    let undecided = store.last_halt(session.id).unwrap().filter(|halt| halt.decision.is_none());
    let outlook = |next: Option<String>, halt| Change::Outlook { session: session.id, next, halt, at };
    match happening {
        Happening::Begin => {
            let Ok(Next::Step(step)) = workflow::next(&history) else { return None };
            let seq = store.last_seq(session.id).unwrap() + 1;
            let mut before = store.interactions(session.id, 0).unwrap();
            before.retain(|attempt| attempt.generation == session.generation);
            let iteration = iteration(&before, step);
            let attempt = interaction(session.id, seq, step);
            let attempt = Interaction { generation: session.generation, iteration, started_at: at, ..attempt };
            Some(vec![Change::Begin { interaction: Box::new(attempt), owner: None }])
        }
        Happening::End(status, cause, set) => {
            let set = set.map(|set| set.to_string());
            Some(end(
                session,
                history,
                StepResult { status, cause, failure_set: set, ..StepResult::ok() },
                pending?,
                at,
            ))
        }
        Happening::Cancel if session.status.is_terminal() => None,
        Happening::Cancel => {
            let cut = Box::new(StepResult::error(Cause::Cancelled, "the session was cancelled"));
            let finish = pending.map(|seq| Change::Finish { session: session.id, seq, result: cut, at });
            let status = Change::Status { session: session.id, status: Status::Cancelled };
            Some(finish.into_iter().chain([status, outlook(None, None)]).collect())
        }
        Happening::Reactivate if session.status.is_terminal() && undecided.is_none() => {
            let generation = generation(session.generation + 1, workflow::fix_step(session.kind));
            Some(vec![Change::Reopen { session: session.id, generation }])
        }
        Happening::Reactivate => None,
        Happening::Decide(verdict) => {
            let halt = undecided.filter(|_| store.board_row(session.id).unwrap().halt.is_some())?;
            let decision = callboard::model::Decision {
                verdict,
                note: None,
                user: "ada".into(),
                at,
                evidence_hash: String::new(),
            };
            let after = History { status: Status::Active, decided: halt.seq, ..history };
            let (status, next) = match verdict {
                Verdict::Approve => (Status::Failed, None),
                Verdict::Override | Verdict::Retry => {
                    (Status::Active, Some(workflow::next(&after).unwrap().to_string()))
                }
            };
            let status = Change::Status { session: session.id, status };
            Some(vec![Change::Decide { halt: halt.id, decision }, status, outlook(next, None)])
        }
    }
}

fn end(session: &Session, mut history: History, result: StepResult, seq: u32, at: Micros) -> Vec<Change> {
    let step = history.attempts.pop().unwrap().step;
    let outcome = Outcome::of(&result);
    history.attempts.push(Attempt { seq, step, outcome: Some(outcome), failure_set: result.failure_set.clone() });
    let status = workflow::status_after(step, outcome);
    let next = workflow::next(&history).unwrap();
    let mut rows = Vec::new();
    workflow::absorb(&mut rows, &failing(result.failure_set.as_ref()), seq);
    let result = Box::new(result);
    let mut changes =
        vec![Change::Finish { session: session.id, seq, result, at }, Change::Ledger { session: session.id, rows }];
    if status.is_terminal() {
        changes.push(Change::Status { session: session.id, status });
    }
    let reason = match next {
        Next::Halt(reason) => Some(reason),
        Next::Step(_) | Next::Complete | Next::Waiting(_) => None,
    };
    changes.extend(reason.map(|reason| Change::Halt(halt(session.id, seq, reason))));
    let next = if status.is_terminal() { None } else { Some(next.to_string()) };
    changes.push(Change::Outlook { session: session.id, next, halt: reason, at });
    changes
}

/// A run in which this fails, if anything does.
fn failing(set: Option<&String>) -> TestRun {
    let failure = |set: &String| TestFailure { name: set.clone(), ..TestFailure::default() };
    TestRun { failures: set.map(failure).into_iter().collect(), ..TestRun::empty("cargo", TestStatus::Failed) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn derived_columns_follow_from_the_interactions(
        kind in proptest::sample::select(SessionKind::ALL),
        happenings in proptest::collection::vec(happening(), 1..40),
    ) {
        let world = World::new();
        let mut store = world.open();
        store.apply(&vec![created(session(id(1), kind, "Pricing", None))]).unwrap();
        let mut known = store.detail(id(1)).unwrap();
        for (at, happening) in (2..).zip(happenings) {
            let session = store.session(id(1)).unwrap();
            let Some(changes) = changes(&store, &session, happening, at) else { continue };
            store.apply(&changes).unwrap();
            check(&store);
            known = store.detail_since(&known).unwrap();
            assert_eq!(known, store.detail(id(1)).unwrap(), "after {happening:?}");
        }
    }
}

#[test]
fn a_parent_waits_as_long_as_its_children_are_at_work() {
    let world = World::new();
    let mut store = world.open();
    let spawn = Interaction {
        command: callboard::model::Command::SpawnSessions { child_session_ids: vec![id(2)], reactivated: Vec::new() },
        ..interaction(id(1), 1, Step::SpawnComponentTestingSessions)
    };
    let mut parent = session(id(1), SessionKind::ContextTesting, "Orders", None);
    parent.generation = 1;
    let first = generation(1, Step::SpawnComponentTestingSessions);
    store
        .apply(&vec![
            Change::NewSession(Box::new(parent), first),
            created(session(id(2), SessionKind::ComponentTest, "Pricing", Some(id(1)))),
            Change::Begin { interaction: Box::new(spawn), owner: None },
            Change::Await { session: id(1), seq: 1, sessions: vec![id(2)] },
        ])
        .unwrap();
    check(&store);
    let next = |store: &Store| workflow::next(&store.history(&store.session(id(1)).unwrap(), BOUNDS).unwrap()).unwrap();
    assert_eq!(next(&store), Next::Waiting(Waiting::Sessions(vec![id(2)])));
    assert_eq!(store.waiting_on(id(2)).unwrap(), [id(1)]);
    store
        .apply(&vec![
            Change::Status { session: id(2), status: Status::Cancelled },
            Change::Outlook { session: id(2), next: None, halt: None, at: 3 },
        ])
        .unwrap();
    assert_eq!(next(&store), Next::Waiting(Waiting::Validation { seq: 1 }));
    check(&store);
}

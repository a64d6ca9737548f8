//! `why`, for a dozen places in which a session can stand.

use std::fmt::Write as _;

use callboard::{
    model::{Halt, HaltId, HaltReason, Mode, SessionKind, Status, Step},
    workflow::{Facts, LastAttempt, Next, Waiting, WorkflowError, why},
};

use super::session;

/// An agentic session that is about to run its tests, with an engine at work.
fn facts() -> Facts {
    Facts {
        status: Status::Active,
        mode: Mode::Agentic,
        next: Ok(Next::Step(Step::RunTests)),
        last: Some(LastAttempt { step: Step::GenerateImplementation, started_at: 1_000, ended: Some("ok".into()) }),
        halt: None,
        waits_for: Vec::new(),
        requests: Vec::new(),
        engine: true,
        slots: None,
        pause: None,
        updated_at: 2_000,
    }
}

fn running(step: Step) -> Option<LastAttempt> {
    Some(LastAttempt { step, started_at: 1_000, ended: None })
}

fn halted(reason: HaltReason, message: &str) -> Facts {
    let halt = Halt {
        id: HaltId::from_u128(1),
        session_id: session(1),
        seq: 3,
        reason,
        message: message.into(),
        evidence: serde_json::Value::Null,
        at: 3_000,
        decision: None,
    };
    let status = if reason == HaltReason::ArchitecturalFailure { Status::Failed } else { Status::Active };
    let next = if status.is_terminal() { Err(WorkflowError::SessionComplete(status)) } else { Ok(Next::Halt(reason)) };
    Facts { halt: Some(halt), status, next, ..facts() }
}

fn cases() -> Vec<(&'static str, Facts)> {
    let sessions = Waiting::Sessions(vec![session(1), session(2)]);
    let spawn = Step::SpawnComponentCodingSessions;
    vec![
        ("about to start", facts()),
        ("manual", Facts { mode: Mode::Manual, ..facts() }),
        ("manual, no engine", Facts { mode: Mode::Manual, engine: false, ..facts() }),
        ("no engine", Facts { engine: false, ..facts() }),
        ("no free test slot", Facts { slots: Some((2, 2)), ..facts() }),
        ("no free agent slot", Facts { slots: Some((4, 5)), next: Ok(Next::Step(Step::FixTestFailures)), ..facts() }),
        ("a free slot", Facts { slots: Some((2, 1)), ..facts() }),
        (
            "a step is running",
            Facts { next: Ok(Next::Waiting(Waiting::Attempt { seq: 3 })), last: running(Step::RunTests), ..facts() },
        ),
        (
            "children are running",
            Facts {
                next: Ok(Next::Waiting(sessions)),
                last: running(spawn),
                waits_for: vec!["Pricing (run_tests, 3m)".into(), "Order (finalize, 1s)".into()],
                ..facts()
            },
        ),
        (
            "children are being judged",
            Facts { next: Ok(Next::Waiting(Waiting::Validation { seq: 2 })), last: running(spawn), ..facts() },
        ),
        (
            "its agent's quota is used up",
            Facts {
                next: Ok(Next::Waiting(Waiting::Agent { seq: 2, step: Step::FixTestFailures })),
                last: running(Step::FixTestFailures),
                waits_for: vec!["2026-11-20T14:30:00Z".into()],
                ..facts()
            },
        ),
        ("done, not closed yet", Facts { next: Ok(Next::Complete), ..facts() }),
        ("done, not closed yet, no engine", Facts { next: Ok(Next::Complete), engine: false, ..facts() }),
        ("about to halt", Facts { next: Ok(Next::Halt(HaltReason::NoProgress)), ..facts() }),
        ("halted: outside", halted(HaltReason::ArchitecturalFailure, "2 tests of Billing fail.")),
        ("halted: limit", halted(HaltReason::IterationLimit, "run_tests ended badly 6 times.")),
        ("halted: no progress", halted(HaltReason::NoProgress, "The same 2 failures 3 times.")),
        ("halted: conflict", halted(HaltReason::MergeConflict, "src/lib.rs conflicts.")),
        ("halted: agent", halted(HaltReason::AgentUnavailable, "claude is not logged in.")),
        (
            "halted: environment, no engine",
            Facts { engine: false, ..halted(HaltReason::Environment, "cargo is not installed.") },
        ),
        ("complete", ended(Status::Complete, "ok")),
        ("failed", ended(Status::Failed, "the hook pre-commit refused the commit")),
        ("cancelled", ended(Status::Cancelled, "cancelled")),
        (
            "a step of another kind",
            Facts {
                next: Err(WorkflowError::InvalidInteraction {
                    kind: SessionKind::ComponentCoding,
                    step: Step::ReviseDesign,
                }),
                engine: false,
                ..facts()
            },
        ),
    ]
}

fn ended(status: Status, how: &str) -> Facts {
    let last = LastAttempt { step: Step::Finalize, started_at: 1_000, ended: Some(how.into()) };
    Facts { status, next: Err(WorkflowError::SessionComplete(status)), last: Some(last), engine: false, ..facts() }
}

#[test]
fn why_a_session_stands_where_it_stands() {
    let mut page = String::new();
    for (name, facts) in cases() {
        let why = why(&facts);
        writeln!(page, "# {name}\nstate  {}\nrule   {}", why.state, why.rule).unwrap();
        for session in &why.waits_for {
            writeln!(page, "for    {session}").unwrap();
        }
        writeln!(page, "since  {}\nwho    {}\ntry    {}\n", why.since, why.who, why.hint).unwrap();
    }
    insta::assert_snapshot!("why", page.trim_end());
}

#[test]
fn whoever_asks_is_told_the_state_the_rule_who_goes_on_and_what_to_do() {
    for (name, facts) in cases() {
        let why = why(&facts);
        for (part, text) in [("state", &why.state), ("rule", &why.rule), ("who", &why.who), ("try", &why.hint)] {
            assert!(!text.is_empty(), "{name}: no {part}");
        }
    }
}

#[test]
fn in_json_the_hint_is_called_try() {
    let json = serde_json::to_value(why(&facts())).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["rule", "since", "state", "try", "waits_for", "who"]);
}

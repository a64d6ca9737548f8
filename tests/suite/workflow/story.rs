//! `story`: a session's life in sentences.

use std::collections::BTreeMap;

use callboard::{
    model::{
        AgentReport, Cause, ChildProblem, Command, CompileError, CriterionCheck, CriterionState, Data, Decision,
        DesignProblem, Generation, Halt, HaltId, HaltReason, Interaction, InteractionId, Mode, Origin, Placement,
        ResultStatus, Session, SessionKind, Status, Step, StepResult, TestFailure, TestRun, TestStatus, Verdict,
    },
    workflow::{Chapters, LedgerRow, LedgerState, SentenceKind, failure_sentence, headline, story as told_of},
};

use super::session as id;

const MINUTE: i64 = 60_000_000;

fn session(kind: SessionKind, status: Status) -> Session {
    Session { id: id(1), status, updated_at: 90 * MINUTE, ..Session::new(kind, "Pricing", Mode::Auto, 0) }
}

fn opening(number: u32, origin: Origin, at: i64) -> Generation {
    let (start, context) = if number == 1 {
        (Step::Initialize, String::new())
    } else {
        (Step::FixTestFailures, "Totals are off by a cent:\n  expected 119, found 118\nand more".into())
    };
    Generation { number, start, context, origin, opened_at: at * MINUTE }
}

/// The attempt `seq`, begun and ended at minute `seq`.
fn attempt(seq: u32, step: Step, result: impl Into<Option<StepResult>>) -> Interaction {
    let result = result.into();
    let at = i64::from(seq) * MINUTE;
    Interaction {
        id: InteractionId::from_u128(u128::from(seq)),
        session_id: id(1),
        seq,
        generation: 1,
        step,
        iteration: if seq > 5 { 2 } else { 1 },
        command: Command::SpawnSessions { child_session_ids: vec![id(2), id(3)], reactivated: vec![id(3)] },
        completed_at: result.as_ref().map(|_| at + 1),
        result,
        started_at: at,
    }
}

fn halt(seq: u32, verdict: Verdict, note: Option<&str>) -> Halt {
    let at = i64::from(seq) * MINUTE + 1;
    let decision = Decision {
        verdict,
        note: note.map(str::to_owned),
        user: "ada@example.org".into(),
        at: at + MINUTE / 2,
        evidence_hash: String::new(),
    };
    Halt {
        id: HaltId::from_u128(u128::from(seq)),
        session_id: id(1),
        seq,
        reason: HaltReason::ArchitecturalFailure,
        message: "1 test of Billing fails".into(),
        evidence: serde_json::Value::Null,
        at,
        decision: Some(decision),
    }
}

fn run(status: TestStatus, passed: u32, names: &[&str]) -> TestRun {
    let failures = names.iter().map(|name| TestFailure { name: (*name).to_owned(), ..TestFailure::default() });
    let failed = u32::try_from(names.len()).unwrap();
    TestRun { passed, failed, failures: failures.collect(), ..TestRun::empty("cargo", status) }
}

fn agent(changed: bool) -> StepResult {
    StepResult::ok().with_data(Data::Agent(AgentReport { changed, ..AgentReport::default() }))
}

fn failed(data: Data) -> StepResult {
    StepResult::error(Cause::Failed, "a message").with_data(data)
}

/// The sentences, a line each, with their minute and kind.
fn page(session: &Session, generations: &[Generation], interactions: &[Interaction], halts: &[Halt]) -> String {
    let names = BTreeMap::from([(id(9), "The integration session of Orders".to_owned())]);
    let lines = told_of(Chapters { session, generations, interactions, halts, woke: &[], names: &names });
    let line = |it: &callboard::workflow::Sentence| {
        let seq = it.seq.map_or("-".to_owned(), |seq| seq.to_string());
        format!("{:>3}m {:8} {seq:>2} {}", it.at / MINUTE, it.kind.as_str(), it.sentence)
    };
    lines.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_life_with_failures_a_halt_and_a_second_generation() {
    let prepared = Data::Prepared {
        branch: "callboard/component-coding/pricing".into(),
        worktree: "/data/w".into(),
        base_commit: "0123456789abcdef0123".into(),
        created: true,
    };
    let finalized = Data::Finalized {
        commit: "fedcba9876543210fedc".into(),
        committed: true,
        pushed_to: Some("origin".into()),
        files: vec!["src/pricing.rs".into()],
    };
    let five = ["a", "b", "c", "d", "e"];
    let attempts = [
        attempt(1, Step::Initialize, StepResult::ok().with_data(prepared)),
        attempt(2, Step::GenerateImplementation, agent(true)),
        attempt(3, Step::RunTests, failed(Data::TestRun(run(TestStatus::Failed, 2, &["adds_tax"])))),
        attempt(4, Step::FixTestFailures, StepResult::error(Cause::EmptyDiff, "nothing changed")),
        attempt(5, Step::RunTests, failed(Data::TestRun(run(TestStatus::Failed, 0, &five)))),
        attempt(6, Step::RunTestSuite, StepResult::error(Cause::FailuresOutside, "1 test of Billing fails")),
        attempt(7, Step::FixTestFailures, StepResult::error(Cause::Interrupted, "cut off")),
        attempt(8, Step::RunTests, StepResult::ok().with_data(Data::TestRun(run(TestStatus::Passed, 7, &[])))),
        attempt(
            9,
            Step::Finalize,
            StepResult::ok().with_data(Data::Finalized {
                commit: "fedcba9876543210fedc".into(),
                committed: false,
                pushed_to: None,
                files: Vec::new(),
            }),
        ),
        attempt(12, Step::FixTestFailures, agent(false)),
        attempt(13, Step::Finalize, StepResult::ok().with_data(finalized)),
    ];
    let generations = [
        opening(1, Origin::New, 0),
        opening(2, Origin::Session { id: id(9) }, 10),
        opening(3, Origin::Person { user: "ada@example.org".into() }, 11),
    ];
    let halts = [halt(6, Verdict::Override, Some("Billing is wrong, not we"))];
    let session = session(SessionKind::ComponentCoding, Status::Complete);
    insta::assert_snapshot!("story", page(&session, &generations, &attempts, &halts));
}

#[test]
fn what_every_sort_of_result_sounds_like() {
    let errors = ["src/a.rs", "src/a.rs", "src/b.rs"].map(|file| CompileError {
        file: file.into(),
        line: None,
        column: None,
        message: "x".into(),
        ..CompileError::default()
    });
    let broken = TestRun { compile_errors: errors.to_vec(), ..TestRun::empty("cargo", TestStatus::CompileError) };
    let must = TestRun { must_fail: true, ..run(TestStatus::Failed, 0, &["a", "b"]) };
    let check =
        |id: &str, state| CriterionCheck { id: id.into(), text: "t".into(), state, tests: Vec::new(), by_hand: None };
    let (met, open) = (check("AC-1", CriterionState::Satisfied), check("AC-2", CriterionState::Untested));
    let criteria = |criteria: Vec<CriterionCheck>| Data::Criteria { criteria, gap_analysis: None };
    let problem = ChildProblem {
        session_id: None,
        component: "Order".into(),
        status: Some(Status::Failed),
        message: "no".into(),
    };
    let spawn = Step::SpawnComponentCodingSessions;
    let children = |problems, merged| Data::Children { problems, merged };
    let design = DesignProblem { section: "Purpose".into(), line: None, message: "there is no section Purpose".into() };
    let warned = StepResult {
        status: ResultStatus::Warning,
        error_message: Some("docs/orders.md is not there".into()),
        ..StepResult::ok()
    };
    let mut results = vec![
        (Step::RunTests, failed(Data::TestRun(broken))),
        (Step::RunTests, StepResult::ok().with_data(Data::TestRun(must))),
        (Step::RunTests, failed(Data::TestRun(TestRun::empty("cargo", TestStatus::NoTests)))),
        (Step::RunTests, failed(Data::TestRun(TestRun::empty("cargo", TestStatus::Crashed)))),
        (Step::RunTestSuite, StepResult::ok().with_data(Data::TestRun(run(TestStatus::Failed, 3, &["old"])))),
        (Step::ReadContextDesign, warned),
        (Step::ValidateDesign, failed(Data::Design { design_problems: vec![design] })),
        (spawn, failed(children(vec![problem], Vec::new()))),
        (spawn, StepResult::ok().with_data(children(Vec::new(), vec!["callboard/a".into()]))),
        (Step::ValidateAcceptanceCriteria, failed(criteria(vec![met.clone(), open]))),
        (Step::ValidateAcceptanceCriteria, StepResult::ok().with_data(criteria(vec![met]))),
    ];
    for cause in Cause::ALL {
        results.push((Step::FixTestFailures, StepResult::error(*cause, "what it said")));
    }
    let mut attempts: Vec<Interaction> =
        (1..).zip(results).map(|(seq, (step, result))| attempt(seq, step, result)).collect();
    attempts.push(attempt(80, Step::RunTests, None));
    let session = session(SessionKind::ContextCoding, Status::Active);
    insta::assert_snapshot!("story_results", page(&session, &[], &attempts, &[]));
}

#[test]
fn a_decision_follows_its_halt_and_an_end_comes_last() {
    for (verdict, status) in [(Verdict::Approve, Status::Failed), (Verdict::Retry, Status::Cancelled)] {
        let attempts = [attempt(6, Step::RunTestSuite, StepResult::error(Cause::FailuresOutside, "x"))];
        let names = BTreeMap::new();
        let session = session(SessionKind::Integration, status);
        let kinds: Vec<SentenceKind> = told_of(Chapters {
            session: &session,
            generations: &[opening(1, Origin::New, 0)],
            interactions: &attempts,
            halts: &[halt(6, verdict, None)],
            woke: &[],
            names: &names,
        })
        .iter()
        .map(|sentence| sentence.kind)
        .collect();
        assert_eq!(
            kinds,
            [SentenceKind::Began, SentenceKind::Bad, SentenceKind::Halted, SentenceKind::Decided, SentenceKind::Ended]
        );
    }
}

#[test]
fn every_sentence_is_one_bounded_line_whatever_others_said() {
    let long = format!("first\r\n\u{2028}{}\nlast", "x\n\t".repeat(50_000));
    let attempts = [attempt(1, Step::Initialize, StepResult::error(Cause::Environment, long.clone()))];
    let mut halt = halt(1, Verdict::Override, Some(&long));
    halt.message = format!("{long} and so on");
    let mut generation = opening(2, Origin::Person { user: long.clone() }, 2);
    generation.context = format!("it says:\n{}", "y ".repeat(10_000));
    let session = session(SessionKind::Integration, Status::Active);
    let names = BTreeMap::new();
    let chapters = Chapters {
        session: &session,
        generations: &[generation],
        interactions: &attempts,
        halts: &[halt],
        woke: &[],
        names: &names,
    };
    for sentence in told_of(chapters) {
        assert_eq!(sentence.sentence.lines().count(), 1, "{}", sentence.sentence);
        assert!(sentence.sentence.chars().count() < 1_000, "{}", sentence.sentence);
    }
}

#[test]
fn failures_are_told_by_what_became_of_them() {
    let row = |state, first, last, returns| LedgerRow {
        test: "adds_tax".into(),
        file: None,
        line: None,
        message: String::new(),
        compile: false,
        fingerprint: String::new(),
        state,
        first,
        last,
        returns,
        placement: None,
        context: None,
    };
    let rows = [
        row(LedgerState::New, 7, 7, 0),
        row(LedgerState::StillFailing, 3, 7, 0),
        row(LedgerState::MessageChanged, 3, 7, 0),
        row(LedgerState::Fixed, 3, 3, 0),
        row(LedgerState::CameBack, 3, 7, 1),
        row(LedgerState::Flaky, 3, 11, 2),
        LedgerRow { compile: true, test: "src/a.rs: expected `;`".into(), ..row(LedgerState::Fixed, 3, 5, 0) },
        LedgerRow {
            placement: Some(Placement::Outside),
            context: Some("Billing".into()),
            ..row(LedgerState::New, 7, 7, 0)
        },
        LedgerRow { placement: Some(Placement::PreExisting), ..row(LedgerState::New, 7, 7, 0) },
        LedgerRow {
            placement: Some(Placement::Inside),
            context: Some("Orders".into()),
            ..row(LedgerState::New, 7, 7, 0)
        },
    ];
    insta::assert_snapshot!("story_failures", rows.iter().map(failure_sentence).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_line_that_announces_another_is_shown_with_it() {
    assert_eq!(headline("it ended with code 2:\n\n  sh: no such file\nmore"), "it ended with code 2: sh: no such file");
    assert_eq!(headline("1 of 1 tests fail\nsums"), "1 of 1 tests fail");
    assert_eq!(headline("ended:"), "ended:");
    assert_eq!(headline(""), "");
    let long = headline(&"test_1, ".repeat(2_000));
    assert!(long.chars().count() == 501 && long.ends_with('…'), "{long}");
}

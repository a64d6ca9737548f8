//! Records for the board to show: written as the engine would write them, with fixed ids and times.

use std::cell::Cell;

use callboard::{
    model::{
        Cause, Command, CompileError, Decision, Event, EventKind, Generation, Halt, HaltId, HaltReason, Interaction,
        InteractionId, Micros, Mode, Origin, Scope, Session, SessionId, SessionKind, Status, Step, StepResult,
        TestFailure, TestRun, TestStatus, Verdict,
    },
    store::{Change, Store},
    workflow::{LedgerRow, absorb, first_step, fix_step},
};
use camino::Utf8Path;

/// 2026-03-14 09:26:53 UTC.
pub(super) const NOW: Micros = 1_773_480_413_000_000;
pub(super) const SECOND: Micros = 1_000_000;
pub(super) const MINUTE: Micros = 60 * SECOND;

/// The clock of every test.
pub(super) fn now() -> Micros {
    NOW
}

pub(super) fn scope() -> Scope {
    Scope { account: "local".into(), project: "/home/ada/shop".into(), user: "ada@example.com".into() }
}

/// A store that is written to, and a clock that goes on when it is told to.
pub(super) struct Scene {
    pub(super) store: Store,
    pub(super) at: Cell<Micros>,
    numbers: Cell<u128>,
}

impl Scene {
    pub(super) fn new(path: &Utf8Path) -> Self {
        Self::of(path, scope())
    }

    /// A scene of another project than every test's.
    pub(super) fn of(path: &Utf8Path, scope: Scope) -> Self {
        let mut store = Store::open(path, scope).unwrap();
        store.apply(&vec![Change::Project { name: "shop".into(), description: "A shop".into() }]).unwrap();
        Self { store, at: Cell::new(NOW - 9 * MINUTE), numbers: Cell::new(0x0198_0000_0000_7000_8000_0000_0000_0000) }
    }

    /// A scene that goes on in a store that another one has written.
    pub(super) fn again(path: &Utf8Path) -> Self {
        let numbers = Cell::new(0x0199_0000_0000_7000_8000_0000_0000_0000);
        Self { store: Store::open(path, scope()).unwrap(), at: Cell::new(NOW), numbers }
    }

    fn number(&self) -> u128 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    /// Lets time pass.
    pub(super) fn wait(&mut self, micros: Micros) -> &mut Self {
        self.at.set(self.at.get() + micros);
        self
    }

    pub(super) fn write(&mut self, changes: Vec<Change>) {
        self.store.apply(&changes).unwrap();
    }

    pub(super) fn session(
        &mut self,
        kind: SessionKind,
        component: &str,
        parent: Option<SessionId>,
        mode: Mode,
    ) -> SessionId {
        let id = SessionId::from_u128(self.number());
        let at = self.at.get();
        let session =
            Session { id, parent_id: parent, agent: Some("claude".into()), ..Session::new(kind, component, mode, at) };
        let generation = Generation {
            number: 1,
            start: first_step(kind),
            context: String::new(),
            origin: Origin::New,
            opened_at: at,
        };
        self.write(vec![Change::NewSession(Box::new(session), generation)]);
        id
    }

    /// An attempt at a step begins.
    pub(super) fn begin(&mut self, session: SessionId, step: Step, command: Command) -> u32 {
        let known = self.store.session(session).unwrap();
        let attempts = self.store.attempts(&known).unwrap();
        let seq = self.store.last_seq(session).unwrap() + 1;
        let iteration = attempts.iter().filter(|attempt| attempt.step == step).count() as u32 + 1;
        let interaction = Interaction {
            id: InteractionId::from_u128(self.number()),
            session_id: session,
            seq,
            generation: known.generation,
            step,
            iteration,
            command,
            result: None,
            started_at: self.at.get(),
            completed_at: None,
        };
        self.write(vec![Change::Begin { interaction: Box::new(interaction), owner: Some("engine".into()) }]);
        seq
    }

    /// The last attempt ends, and something comes next.
    pub(super) fn finish(&mut self, session: SessionId, result: StepResult, next: Option<&str>) {
        let changes = self.finishing(session, result, next);
        self.write(changes);
    }

    fn finishing(&self, session: SessionId, result: StepResult, next: Option<&str>) -> Vec<Change> {
        let seq = self.store.last_seq(session).unwrap();
        let at = self.at.get();
        vec![
            Change::Finish { session, seq, result: Box::new(result), at },
            Change::Outlook { session, next: next.map(Into::into), halt: None, at },
        ]
    }

    /// A step that is begun and ends well.
    pub(super) fn pass(&mut self, session: SessionId, step: Step, command: Command, took: Micros, next: &str) {
        self.begin(session, step, command);
        self.wait(took);
        self.finish(session, StepResult::ok(), Some(next));
    }

    /// Branch and worktree are made.
    pub(super) fn prepare(&mut self, session: SessionId, next: &str) {
        let known = self.store.session(session).unwrap();
        let branch = format!("callboard/{}/{}", known.kind, known.component.to_lowercase());
        let worktree = format!("/home/ada/.local/share/callboard/worktrees/{}", known.component.to_lowercase());
        self.pass(session, Step::Initialize, git(), SECOND / 3, next);
        self.write(vec![Change::Prepared {
            session,
            branch,
            worktree: worktree.into(),
            base_commit: "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334".into(),
        }]);
    }

    pub(super) fn events(&mut self, session: SessionId, kinds: Vec<EventKind>) {
        let interaction = self.store.last_seq(session).unwrap();
        let events: Vec<Event> = kinds
            .into_iter()
            .map(|kind| Event { session_id: session, n: 0, interaction, at: self.at.get(), kind })
            .collect();
        self.write(vec![Change::Events(events)]);
    }

    /// A test run is entered into the ledger.
    pub(super) fn ledger(&mut self, session: SessionId, run: &TestRun) {
        let change = self.entering(session, run);
        self.write(vec![change]);
    }

    fn entering(&self, session: SessionId, run: &TestRun) -> Change {
        let seq = self.store.last_seq(session).unwrap();
        let mut rows: Vec<LedgerRow> = self.store.ledger(session).unwrap();
        absorb(&mut rows, run, seq);
        Change::Ledger { session, rows }
    }

    /// A step of tests that ends with these failures.
    pub(super) fn tests(&mut self, session: SessionId, run: &TestRun, next: &str) {
        self.begin(session, Step::RunTests, tests());
        self.wait(8 * SECOND);
        let result = if run.status == TestStatus::Passed {
            StepResult::ok()
        } else {
            let message = match run.compile_errors.len() {
                0 => format!("{} of {} tests failed", run.failed, run.failed + run.passed),
                errors => format!("the tests do not compile: {errors} error(s)"),
            };
            StepResult::error(Cause::Failed, message)
        };
        let mut changes = self.finishing(session, result, Some(next));
        changes.push(self.entering(session, run));
        self.write(changes);
    }

    pub(super) fn end(&mut self, session: SessionId, status: Status) {
        let at = self.at.get();
        self.write(vec![Change::Status { session, status }, Change::Outlook { session, next: None, halt: None, at }]);
    }

    pub(super) fn halt(&mut self, session: SessionId, reason: HaltReason, message: &str) -> HaltId {
        self.halt_about(session, reason, message, serde_json::json!({}))
    }

    pub(super) fn halt_about(
        &mut self,
        session: SessionId,
        reason: HaltReason,
        message: &str,
        evidence: serde_json::Value,
    ) -> HaltId {
        let id = HaltId::from_u128(self.number());
        let (seq, at) = (self.store.last_seq(session).unwrap(), self.at.get());
        let halt = Halt { id, session_id: session, seq, reason, message: message.into(), evidence, at, decision: None };
        self.write(vec![
            Change::Halt(halt),
            Change::Outlook { session, next: Some("halt".into()), halt: Some(reason), at },
        ]);
        id
    }

    pub(super) fn decide(&mut self, session: SessionId, halt: HaltId, verdict: Verdict, note: &str, next: &str) {
        let at = self.at.get();
        let decision =
            Decision { verdict, note: Some(note.into()), user: scope().user, at, evidence_hash: "00".into() };
        self.write(vec![
            Change::Decide { halt, decision },
            Change::Outlook { session, next: Some(next.into()), halt: None, at },
        ]);
    }

    pub(super) fn reopen(&mut self, session: SessionId, context: &str, origin: Origin) {
        let known = self.store.session(session).unwrap();
        let generation = Generation {
            number: known.generation + 1,
            start: fix_step(known.kind),
            context: context.into(),
            origin,
            opened_at: self.at.get(),
        };
        self.write(vec![Change::Reopen { session, generation }]);
    }
}

pub(super) fn git() -> Command {
    Command::Git { operations: vec!["git worktree add".into()] }
}

pub(super) fn tests() -> Command {
    Command::Tests { argv: vec!["cargo".into(), "test".into()], directory: "/tmp/work".into() }
}

pub(super) fn agent(prompt: &str) -> Command {
    Command::Agent { agent: "claude".into(), prompt: prompt.into(), conversation_id: None }
}

pub(super) fn spawn(children: &[SessionId]) -> Command {
    Command::SpawnSessions { child_session_ids: children.to_vec(), reactivated: Vec::new() }
}

pub(super) fn said(text: &str) -> EventKind {
    EventKind::AgentText { text: text.into() }
}

pub(super) fn out(text: &str) -> EventKind {
    EventKind::Output { text: text.into(), stderr: false }
}

pub(super) fn err(text: &str) -> EventKind {
    EventKind::Output { text: text.into(), stderr: true }
}

pub(super) fn tool(tool: &str, title: &str) -> EventKind {
    EventKind::ToolCall { tool: tool.into(), title: title.into() }
}

pub(super) fn edit(path: &str) -> EventKind {
    EventKind::FileEdit { path: path.into(), diff: String::new() }
}

pub(super) fn ran(line: &str) -> EventKind {
    EventKind::Command { line: line.into() }
}

pub(super) fn noted(text: &str) -> EventKind {
    EventKind::Note { text: text.into() }
}

/// A run in which these tests failed, with these messages.
pub(super) fn failing(failures: &[(&str, &str, u32, &str)]) -> TestRun {
    let status = if failures.is_empty() { TestStatus::Passed } else { TestStatus::Failed };
    let mut run = TestRun::empty("cargo", status);
    run.passed = 4;
    run.failed = failures.len() as u32;
    run.failures = failures
        .iter()
        .map(|(name, file, line, message)| TestFailure {
            name: (*name).into(),
            file: Some((*file).into()),
            line: Some(*line),
            message: (*message).into(),
            ..TestFailure::default()
        })
        .collect();
    run
}

/// A run that did not compile.
pub(super) fn broken(errors: &[(&str, u32, &str)]) -> TestRun {
    let mut run = TestRun::empty("cargo", TestStatus::CompileError);
    run.compile_errors = errors
        .iter()
        .map(|(file, line, message)| CompileError {
            file: (*file).into(),
            line: Some(*line),
            column: Some(9),
            message: (*message).into(),
            ..CompileError::default()
        })
        .collect();
    run
}

pub(super) const PROMPT: &str = "\
# Make the tests of Shipping pass

You work on the component Shipping of the project shop: what it costs to send an order, by weight and destination.

- design: docs/design/orders/shipping.md
- code: src/orders/shipping.rs
- tests: tests/shipping_test.rs

## What failed

Two of six tests fail. Read the failures below, find the cause in the code, and mend the code. The tests are right.

    express_is_free_above_the_limit
    assertion `left == right` failed: express costs its surcharge even where shipping is free

## Rules

1. Change nothing outside src/orders/shipping.rs.
2. No new dependencies.
";

/// What the scene's sessions are called.
#[derive(Clone, Copy)]
pub(super) struct Cast {
    pub(super) coding: SessionId,
    pub(super) cart: SessionId,
    pub(super) discount: SessionId,
    pub(super) shipping: SessionId,
    pub(super) tax: SessionId,
    pub(super) total: SessionId,
    pub(super) testing: SessionId,
    pub(super) manual: SessionId,
    pub(super) lost: SessionId,
}

/// A shop at work: a context whose tests are written, its coding under way, a halt, a manual session, one that failed.
pub(super) fn shop(scene: &mut Scene) -> Cast {
    let lost = lost(scene);
    let testing = testing(scene);
    let coding = scene.session(SessionKind::ContextCoding, "Orders", None, Mode::Auto);
    scene.prepare(coding, "spawn_component_coding_sessions");
    scene.events(coding, vec![ran("git worktree add ../orders callboard/context_coding/orders")]);
    let names = ["Cart", "Discount", "Shipping", "Tax", "Total"];
    let children: Vec<SessionId> = names
        .iter()
        .map(|name| scene.session(SessionKind::ComponentCoding, name, Some(coding), Mode::Agentic))
        .collect();
    let [cart, discount, shipping, tax, total] = children[..] else { unreachable!() };
    scene.begin(coding, Step::SpawnComponentCodingSessions, spawn(&children));
    scene.write(vec![Change::Await { session: coding, seq: 2, sessions: children.clone() }]);
    scene.events(coding, vec![noted("5 children: Cart, Discount, Shipping, Tax, Total; 4 agents at once.")]);
    complete(scene, cart);
    running(scene, discount);
    fixing(scene, shipping);
    stuck(scene, tax);
    let manual = scene.session(SessionKind::ComponentDesign, "Invoice", None, Mode::Manual);
    scene.prepare(manual, "read_context_design");
    Cast { coding, cart, discount, shipping, tax, total, testing, manual, lost }
}

fn lost(scene: &mut Scene) -> SessionId {
    let id = scene.session(SessionKind::ComponentTest, "Rounding", None, Mode::Auto);
    scene.prepare(id, "generate_tests_and_fixtures");
    scene.begin(id, Step::GenerateTestsAndFixtures, agent("Write the tests of Rounding."));
    scene.events(id, vec![said("Rounding half to even, with the examples of the design.\n")]);
    scene.wait(40 * SECOND);
    scene.finish(id, StepResult::ok(), Some("run_tests"));
    scene.tests(id, &failing(&[]), "finalize");
    scene.begin(id, Step::Finalize, git());
    scene.wait(2 * SECOND);
    let refused = "git commit was refused by the pre-commit hook:\n  dbg!() in tests/rounding_test.rs:12";
    scene.finish(id, StepResult::error(Cause::Failed, refused), None);
    scene.end(id, Status::Failed);
    id
}

fn testing(scene: &mut Scene) -> SessionId {
    let id = scene.session(SessionKind::ContextTesting, "Orders", None, Mode::Auto);
    scene.prepare(id, "spawn_component_testing_sessions");
    for name in ["Cart", "Discount"] {
        let child = scene.session(SessionKind::ComponentTest, name, Some(id), Mode::Agentic);
        scene.prepare(child, "generate_tests_and_fixtures");
        scene.pass(child, Step::GenerateTestsAndFixtures, agent("Write tests."), 30 * SECOND, "run_tests");
        scene.tests(child, &failing(&[]), "finalize");
        scene.pass(child, Step::Finalize, git(), SECOND, "complete");
        scene.end(child, Status::Complete);
    }
    scene.pass(id, Step::SpawnComponentTestingSessions, spawn(&[]), SECOND, "finalize");
    scene.pass(id, Step::Finalize, git(), SECOND, "complete");
    scene.end(id, Status::Complete);
    id
}

fn complete(scene: &mut Scene, id: SessionId) {
    scene.prepare(id, "generate_implementation");
    scene.pass(id, Step::GenerateImplementation, agent("Write the code of Cart."), 50 * SECOND, "run_tests");
    scene.tests(id, &failing(&[("empty_cart", "tests/cart_test.rs", 9, "left: 0, right: 1")]), "fix_test_failures");
    scene.pass(id, Step::FixTestFailures, agent("Make the tests of Cart pass."), 20 * SECOND, "run_tests");
    scene.tests(id, &failing(&[]), "finalize");
    scene.pass(id, Step::Finalize, git(), SECOND, "complete");
    scene.end(id, Status::Complete);
}

fn running(scene: &mut Scene, id: SessionId) {
    scene.prepare(id, "generate_implementation");
    scene.begin(id, Step::GenerateImplementation, agent("Write the code of Discount."));
    scene.events(id, vec![said("The best of several offers wins, never their sum.\n"), edit("src/orders/discount.rs")]);
    scene.wait(15 * SECOND);
    scene.events(id, vec![said("Percentages are capped at one hundred, vouchers at the sub")]);
}

fn fixing(scene: &mut Scene, id: SessionId) {
    let first = [
        (
            "heavy_parcels_cost_more",
            "tests/shipping_test.rs",
            31,
            "assertion `left == right` failed\n  left: 490\n right: 690",
        ),
        (
            "express_is_free_above_the_limit",
            "tests/shipping_test.rs",
            58,
            "assertion `left == right` failed: express costs its surcharge even where shipping is free\n  left: 0\n right: 500",
        ),
        ("one_gram_over_is_over", "tests/shipping_test.rs", 40, "assertion failed: price > base"),
    ];
    let second = [
        (
            "express_is_free_above_the_limit",
            "tests/shipping_test.rs",
            58,
            "assertion `left == right` failed: express costs its surcharge even where shipping is free\n  left: 0\n right: 500",
        ),
        ("one_gram_over_is_over", "tests/shipping_test.rs", 40, "attempt to subtract with overflow"),
        ("unknown_country_is_refused", "tests/shipping_test.rs", 72, "called `Option::unwrap()` on a `None` value"),
    ];
    scene.prepare(id, "generate_implementation");
    scene.pass(id, Step::GenerateImplementation, agent("Write the code of Shipping."), 40 * SECOND, "run_tests");
    scene.tests(id, &failing(&first), "fix_test_failures");
    scene.pass(id, Step::FixTestFailures, agent(PROMPT), 45 * SECOND, "run_tests");
    scene.tests(id, &failing(&second), "fix_test_failures");
    scene.begin(id, Step::FixTestFailures, agent(PROMPT));
    scene.events(
        id,
        vec![
            noted("Attempt 2 of fix_test_failures, in the same conversation."),
            said("Express is an addition to the price, not to what "),
            said("is left of it after the limit. So the surcharge comes last, whatever the price was before.\n\nThe unknown country should be refused "),
            said("before the table is read."),
            tool("Read", "src/orders/shipping.rs"),
            edit("src/orders/shipping.rs"),
            ran("cargo test --test shipping_test"),
            out("running 6 tests\ntest one_kilogram_is_light ... ok\ntest unknown_country_is_refused ... ok\n"),
            err("warning: unused variable: `country`\n  --> src/orders/shipping.rs:31:9\n"),
            said("Two are left. The table's edge is "),
        ],
    );
    scene.wait(72 * SECOND);
}

fn stuck(scene: &mut Scene, id: SessionId) {
    scene.prepare(id, "generate_implementation");
    scene.pass(id, Step::GenerateImplementation, agent("Write the code of Tax."), 40 * SECOND, "run_tests");
    let same = [(
        "reduced_rate_for_books",
        "tests/tax_test.rs",
        22,
        "assertion `left == right` failed\n  left: 190\n right: 70",
    )];
    scene.tests(id, &failing(&same), "fix_test_failures");
    scene.pass(id, Step::FixTestFailures, agent(PROMPT), 20 * SECOND, "run_tests");
    scene.tests(id, &failing(&same), "fix_test_failures");
    scene.pass(id, Step::FixTestFailures, agent(PROMPT), 20 * SECOND, "run_tests");
    scene.tests(id, &failing(&same), "halt");
    scene.halt(
        id,
        HaltReason::NoProgress,
        "run_tests found the same failure three times in a row: reduced_rate_for_books (tests/tax_test.rs:22).",
    );
}

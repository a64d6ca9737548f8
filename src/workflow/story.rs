//! A session's story: what happened, as sentences that somebody can follow who was not there.
//!
//! Text in a sentence is as it came from outside, though on one line and bounded: whoever shows it cleans it first.

use std::collections::BTreeMap;

use crate::model::{
    AgentReport, Cause, Command, CriterionCheck, CriterionState, Data, Decision, Generation, Halt, HaltReason,
    Interaction, Micros, Origin, ResultStatus, Session, SessionId, SessionKind, Status, Step, StepResult, TestRun,
    TestStatus, Verdict,
};

use super::ledger::{LedgerRow, LedgerState};

/// So many characters of a foreign text go into a sentence.
const QUOTED: usize = 300;
/// So many names are listed before the rest is counted.
const LISTED: usize = 4;

/// What a story is told from.
#[derive(Debug, Clone, Copy)]
pub struct Chapters<'a> {
    /// The session.
    pub session: &'a Session,
    /// Oldest first.
    pub generations: &'a [Generation],
    /// Oldest first; the beginning may be missing.
    pub interactions: &'a [Interaction],
    /// Oldest first, with the decisions about them.
    pub halts: &'a [Halt],
    /// The generations of other sessions that this one had opened, oldest first: when, whose, and why.
    pub woke: &'a [Woken],
    /// What other sessions are called at the beginning of a sentence: `The integration session of Orders`. One that is missing is called by its id.
    pub names: &'a BTreeMap<SessionId, String>,
}

/// Another session that was woken, or made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Woken {
    /// When.
    pub at: Micros,
    /// Its workflow.
    pub kind: SessionKind,
    /// Its component.
    pub component: String,
    /// Its generation that this opened; 1: it was made.
    pub generation: u32,
    /// What its agent was told.
    pub context: String,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// When.
    pub at: Micros,
    /// What: one line, a whole sentence.
    pub sentence: String,
    /// What sort of thing that is.
    pub kind: SentenceKind,
    /// The `seq` of the attempt that it is about.
    pub seq: Option<u32>,
}

/// What sort of thing a sentence tells; a shape and a colour follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SentenceKind {
    /// The session began, or was woken.
    Began,
    /// It had another session woken, or made.
    Woke,
    /// A step is at work.
    Running,
    /// A step did what it should.
    Good,
    /// It did, but a person should read about it.
    Warned,
    /// It did not.
    Bad,
    /// The session stopped for a person.
    Halted,
    /// A person decided.
    Decided,
    /// The session ended.
    Ended,
}

impl SentenceKind {
    /// The word for programs and style sheets.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Began => "began",
            Self::Woke => "woke",
            Self::Running => "running",
            Self::Good => "good",
            Self::Warned => "warned",
            Self::Bad => "bad",
            Self::Halted => "halted",
            Self::Decided => "decided",
            Self::Ended => "ended",
        }
    }
}

/// Tells what happened in a session, in the order in which it happened.
#[must_use]
pub fn story(chapters: Chapters<'_>) -> Vec<Sentence> {
    let mut told = Vec::new();
    told.extend(chapters.generations.iter().map(|generation| opened(chapters, generation)));
    for interaction in chapters.interactions {
        told.push(attempted(interaction));
    }
    told.extend(chapters.woke.iter().map(woke));
    for halt in chapters.halts {
        told.push(halted(chapters, halt));
        told.extend(halt.decision.as_ref().map(|decision| decided(halt, decision)));
    }
    // What happens in the same instant keeps the order of cause and effect: result, halt, decision, new generation.
    told.sort_by_key(|sentence| (sentence.at, sentence.kind == SentenceKind::Began));
    told.extend(ended(chapters.session));
    told
}

fn woke(it: &Woken) -> Sentence {
    let what = match it.generation {
        1 => format!("It had {} session begun for {}", article(it.kind, "a"), it.component),
        _ => format!("It woke the {} session of {}", it.kind, it.component),
    };
    let why = quote(&it.context);
    let sentence = if why.is_empty() { format!("{what}.") } else { format!("{what}: {why}") };
    Sentence { at: it.at, sentence, kind: SentenceKind::Woke, seq: None }
}

fn opened(chapters: Chapters<'_>, generation: &Generation) -> Sentence {
    let session = chapters.session;
    let what = match (&generation.origin, session.parent_id) {
        (Origin::New, None) => {
            format!("{} {} session for {} began.", article(session.kind, "A"), session.kind, clip(&session.component))
        }
        (Origin::New, Some(parent)) => {
            let (who, kind) = (named(chapters, parent), session.kind);
            format!("{who} began {} {kind} session for {}.", article(kind, "a"), clip(&session.component))
        }
        (Origin::Person { user }, _) => woken(&person(user), generation),
        (Origin::Session { id }, _) => woken(&named(chapters, *id), generation),
    };
    Sentence { at: generation.opened_at, sentence: what, kind: SentenceKind::Began, seq: None }
}

/// `A` or `An`, whichever the kind's name wants.
fn article(kind: SessionKind, a: &str) -> String {
    if kind == SessionKind::Integration { format!("{a}n") } else { a.to_owned() }
}

fn woken(who: &str, generation: &Generation) -> String {
    let asked = quote(&generation.context);
    let to = format!("{who} woke it, to go on at {}", generation.start);
    if asked.is_empty() { format!("{to}.") } else { format!("{to}: {asked}") }
}

fn named(chapters: Chapters<'_>, id: SessionId) -> String {
    chapters.names.get(&id).cloned().unwrap_or_else(|| format!("Session {}", id.short()))
}

fn person(user: &str) -> String {
    if user.is_empty() { "Somebody".to_owned() } else { clip(user) }
}

fn attempted(it: &Interaction) -> Sentence {
    let (sentence, kind) = match &it.result {
        None => (format!("{} is running.", again(it)), SentenceKind::Running),
        Some(result) => match result.status {
            ResultStatus::Ok => (went_well(it, result), SentenceKind::Good),
            ResultStatus::Warning => {
                let message = quote(result.error_message.as_deref().unwrap_or("it does not say which"));
                (format!("{} Though with a warning: {message}", went_well(it, result)), SentenceKind::Warned)
            }
            ResultStatus::Error => (went_wrong(it, result), SentenceKind::Bad),
        },
    };
    let at = it.completed_at.unwrap_or(it.started_at);
    Sentence { at, sentence, kind, seq: Some(it.seq) }
}

/// `run_tests`, or `run_tests, attempt 2,`.
fn again(it: &Interaction) -> String {
    if it.iteration > 1 { format!("{}, attempt {},", it.step, it.iteration) } else { it.step.to_string() }
}

fn went_well(it: &Interaction, result: &StepResult) -> String {
    match &result.data {
        Some(Data::TestRun(run)) => passed(it.step, run),
        Some(Data::Prepared { branch, base_commit, created, .. }) => {
            let (branch, base) = (clip(branch), short(base_commit));
            if *created {
                format!("A worktree was made on the branch {branch}, from commit {base}.")
            } else {
                format!("The worktree on the branch {branch} was there already.")
            }
        }
        Some(Data::Agent(report)) => wrote(it.step, report),
        Some(Data::Children { merged, .. }) => children(&it.command, merged),
        Some(Data::Finalized { commit, committed, pushed_to, files }) => {
            let pushed = pushed_to.as_ref().map(|to| format!(" and pushed to {}", clip(to))).unwrap_or_default();
            if *committed {
                let files = count(files.len(), "changed file", "changed files");
                format!("The work was committed as {}{pushed}: {files} on the branch.", short(commit))
            } else {
                format!("Nothing was left to commit: the work is commit {}{pushed}.", short(commit))
            }
        }
        Some(Data::Criteria { criteria, .. }) => {
            let (hand, tests): (Vec<_>, Vec<_>) = criteria.iter().partition(|check| check.by_hand.is_some());
            let ids = |checks: Vec<&CriterionCheck>| list(checks.iter().map(|check| check.id.clone()));
            match (tests.is_empty(), hand.is_empty()) {
                (_, true) => format!("All criteria are met by tests that carry their ids: {}.", ids(tests)),
                (true, false) => format!("All criteria are met, by a person's word: {}.", ids(hand)),
                (false, false) => format!(
                    "All criteria are met by tests that carry their ids: {}; by a person's word: {}.",
                    ids(tests),
                    ids(hand)
                ),
            }
        }
        Some(Data::Design { .. }) => "The design was checked and holds.".to_owned(),
        None if it.step == Step::ReadContextDesign => "The design of the context was read.".to_owned(),
        None => format!("{} went well.", again(it)),
    }
}

fn passed(step: Step, run: &TestRun) -> String {
    let what = tests(step);
    let skipped = if run.skipped > 0 { format!(", {} skipped", run.skipped) } else { String::new() };
    if run.must_fail {
        return format!(
            "{what} were run and fail, as they must before there is code: {} of {}.",
            run.failed + run.errored,
            run.passed + run.failed + run.errored
        );
    }
    match run.failed + run.errored {
        0 => format!("{what} passed: {}{skipped}.", run.passed),
        bad => {
            format!("{what} were run: {} passed, {bad} failed{skipped}; none of that counts against it.", run.passed)
        }
    }
}

const fn tests(step: Step) -> &'static str {
    match step {
        Step::RunIntegrationTests => "The integration tests",
        Step::RunTestSuite => "All tests of the project",
        Step::Initialize
        | Step::ReadContextDesign
        | Step::GenerateComponentDesign
        | Step::ValidateDesign
        | Step::ReviseDesign
        | Step::GenerateTestsAndFixtures
        | Step::RunTests
        | Step::FixCompilationErrors
        | Step::GenerateImplementation
        | Step::FixTestFailures
        | Step::SpawnComponentDesignSessions
        | Step::SpawnComponentTestingSessions
        | Step::SpawnComponentCodingSessions
        | Step::GenerateIntegrationTests
        | Step::GenerateContext
        | Step::FixIntegrationTestFailures
        | Step::ValidateAcceptanceCriteria
        | Step::Finalize => "The tests",
    }
}

/// What an agent step is for: what the agent did, what it was to do, and with what.
const fn work(step: Step) -> (&'static str, &'static str, &'static str) {
    match step {
        Step::GenerateComponentDesign => ("wrote", "write", "the design"),
        Step::ReviseDesign => ("worked on", "mend", "the design"),
        Step::GenerateTestsAndFixtures => ("wrote", "write", "the tests"),
        Step::FixCompilationErrors => ("worked on", "mend", "the tests"),
        Step::GenerateImplementation => ("wrote", "write", "the code"),
        Step::FixTestFailures => ("worked on", "mend", "what the tests found"),
        Step::GenerateIntegrationTests => ("wrote", "write", "the integration tests"),
        Step::GenerateContext => ("wrote", "write", "what brings the components together"),
        Step::FixIntegrationTestFailures => ("worked on", "mend", "what the integration tests found"),
        Step::Initialize
        | Step::ReadContextDesign
        | Step::ValidateDesign
        | Step::RunTests
        | Step::SpawnComponentDesignSessions
        | Step::SpawnComponentTestingSessions
        | Step::SpawnComponentCodingSessions
        | Step::RunIntegrationTests
        | Step::RunTestSuite
        | Step::ValidateAcceptanceCriteria
        | Step::Finalize => ("did", "do", "its work"),
    }
}

fn wrote(step: Step, report: &AgentReport) -> String {
    let (did, _, what) = work(step);
    if report.changed { format!("The agent {did} {what}.") } else { changed_nothing(step) }
}

fn changed_nothing(step: Step) -> String {
    let (_, was_to, what) = work(step);
    format!("The agent was to {was_to} {what}, but changed nothing.")
}

fn children(command: &Command, merged: &[String]) -> String {
    let (ran, woken) = match command {
        Command::SpawnSessions { child_session_ids, reactivated } => (child_session_ids.len(), reactivated.len()),
        Command::Agent { .. } | Command::Tests { .. } | Command::Git { .. } | Command::Check { .. } => (0, 0),
    };
    let woken = if woken > 0 { format!(", {woken} of them woken again") } else { String::new() };
    let ran = if ran == 1 {
        "Its one child has done its work".to_owned()
    } else {
        format!("Its {ran} children have done their work")
    };
    let merged =
        if merged.is_empty() { "nothing was left to merge".to_owned() } else { format!("merged: {}", list(merged)) };
    format!("{ran}{woken}; {merged}.")
}

fn went_wrong(it: &Interaction, result: &StepResult) -> String {
    let said = quote(result.error_message.as_deref().unwrap_or_default());
    let because = if said.is_empty() { ".".to_owned() } else { format!(": {said}") };
    let step = again(it);
    match result.cause {
        Some(Cause::Interrupted) => format!("{step} was cut off and does not count{because}"),
        Some(Cause::Cancelled) => format!("{step} was cancelled."),
        Some(Cause::Timeout) => format!("{step} took longer than it may and was ended{because}"),
        Some(Cause::Inactive) => format!("{step} was silent for longer than it may be and was ended{because}"),
        Some(Cause::EmptyDiff) => changed_nothing(it.step),
        Some(Cause::Environment) => format!("{step} lacks something on this machine{because}"),
        Some(Cause::AgentUnavailable) => format!("{step} could not start its agent{because}"),
        Some(Cause::Quota) => format!("{step} found that the quota of its agent is used up{because}"),
        Some(Cause::Overloaded) => format!("{step} found the model of its agent overloaded{because}"),
        Some(Cause::MergeConflict) => format!("{step} met branches that do not merge{because}"),
        Some(Cause::ArchitecturalIssue) => format!("The agent reported that the architecture is wrong{because}"),
        Some(Cause::FailuresOutside) => format!("{step} found that tests outside its context fail{because}"),
        Some(Cause::CouldNotRun | Cause::Failed) | None => {
            result.data.as_ref().and_then(|data| found(it.step, data)).unwrap_or(format!("{step} went wrong{because}"))
        }
    }
}

/// What a judgement found, where its data says it better than its message.
fn found(step: Step, data: &Data) -> Option<String> {
    match data {
        Data::TestRun(run) => failed(step, run),
        Data::Children { problems, .. } if !problems.is_empty() => {
            let names = list(problems.iter().map(|problem| &problem.component));
            let what = count(problems.len(), "child is not good yet", "children are not good yet");
            Some(format!("{what}: {names}."))
        }
        Data::Criteria { criteria, .. } => {
            let gaps = || criteria.iter().filter(|check| check.standing() != CriterionState::Satisfied);
            let open = list(gaps().map(|check| format!("{} ({})", check.id, check.standing())));
            Some(format!("{} of {} criteria are not met yet: {open}.", gaps().count(), criteria.len()))
        }
        Data::Design { design_problems } if !design_problems.is_empty() => {
            let first = design_problems.first().map(|problem| quote(&problem.message)).unwrap_or_default();
            let what = count(design_problems.len(), "problem", "problems");
            Some(format!("The design was checked and has {what}: {first}"))
        }
        Data::Children { .. }
        | Data::Design { .. }
        | Data::Prepared { .. }
        | Data::Agent(_)
        | Data::Finalized { .. } => None,
    }
}

fn failed(step: Step, run: &TestRun) -> Option<String> {
    let what = tests(step);
    match run.status {
        TestStatus::CompileError => {
            let errors = run.compile_errors.len().max(1);
            let files =
                list(run.compile_errors.iter().map(|error| &error.file).collect::<std::collections::BTreeSet<_>>());
            let places = if files.is_empty() { String::new() } else { format!(" in {files}") };
            Some(format!("{what} do not compile: {}{places}.", count(errors, "error", "errors")))
        }
        TestStatus::Failed if !run.failures.is_empty() && !run.must_fail => {
            let bad = (run.failed + run.errored) as usize;
            let all = bad + run.passed as usize;
            let names = list(run.failures.iter().map(|failure| &failure.name));
            Some(format!("{bad} of {} failed: {names}.", count(all, "test", "tests")))
        }
        TestStatus::NoTests => Some(format!("{what} were run, but there were none.")),
        // Here the message knows more than the counts.
        TestStatus::Failed
        | TestStatus::Passed
        | TestStatus::Crashed
        | TestStatus::Timeout
        | TestStatus::Unparsable => None,
    }
}

fn halted(chapters: Chapters<'_>, halt: &Halt) -> Sentence {
    let attempt = chapters.interactions.iter().find(|it| it.seq == halt.seq);
    let result = attempt.and_then(|it| it.result.as_ref());
    // What the attempt has said already is not said again.
    let is_told = result.is_some_and(|result| result.error_message.as_ref() == Some(&halt.message));
    let message = if is_told { String::new() } else { format!(" {}", quote(&halt.message)) };
    let sentence = format!("It stopped for a person: {}.{message}", reason(halt.reason));
    Sentence { at: halt.at, sentence, kind: SentenceKind::Halted, seq: Some(halt.seq) }
}

fn decided(halt: &Halt, decision: &Decision) -> Sentence {
    let what = match decision.verdict {
        Verdict::Approve => "agreed with the stop, which closed the session as failed",
        Verdict::Override => "overrode the stop, so that it goes on",
        Verdict::Retry => "had the step tried again",
    };
    let note = quote(decision.note.as_deref().unwrap_or_default());
    let who = person(&decision.user);
    let sentence = if note.is_empty() { format!("{who} {what}.") } else { format!("{who} {what}: {note}") };
    Sentence { at: decision.at, sentence, kind: SentenceKind::Decided, seq: Some(halt.seq) }
}

fn ended(session: &Session) -> Option<Sentence> {
    let sentence = match session.status {
        Status::Active => return None,
        Status::Complete => "The session is complete.",
        Status::Failed => "The session has failed.",
        Status::Cancelled => "The session was cancelled.",
    };
    Some(Sentence { at: session.updated_at, sentence: sentence.to_owned(), kind: SentenceKind::Ended, seq: None })
}

/// Why a session stopped, as people say it.
const fn reason(reason: HaltReason) -> &'static str {
    match reason {
        HaltReason::ArchitecturalFailure => "tests outside its context broke",
        HaltReason::ArchitecturalIssue => "its agent says that the architecture is wrong",
        HaltReason::IterationLimit => "it is out of attempts",
        HaltReason::NoProgress => "it makes no progress",
        HaltReason::MergeConflict => "branches do not merge",
        HaltReason::AgentUnavailable => "its agent cannot be started",
        HaltReason::Environment => "something is missing on this machine",
    }
}

/// What became of one failing test over a session's attempts, in a sentence; `#3` is the attempt with that `seq`.
#[must_use]
pub fn failure_sentence(row: &LedgerRow) -> String {
    let test = match row.belongs() {
        Some(belongs) => format!("{} ({})", clip(&row.test), clip(&belongs)),
        None => clip(&row.test),
    };
    let what = if row.compile { "did not compile" } else { "failed" };
    let returns = match row.returns {
        0 => String::new(),
        1 => ", came back once".to_owned(),
        times => format!(", came back {times} times"),
    };
    let span = if row.first == row.last {
        format!("{what} in #{}", row.first)
    } else {
        format!("{what} first in #{}, last in #{}", row.first, row.last)
    };
    let now = match row.state {
        LedgerState::Fixed => "and has been fixed since",
        LedgerState::New | LedgerState::StillFailing | LedgerState::CameBack => "and is not fixed",
        LedgerState::MessageChanged => "and is not fixed, though it says something else than before",
        LedgerState::Flaky => "and is flaky: it fails and passes by turns",
    };
    format!("{test} {span}{returns}, {now}.")
}

/// So many characters has a headline at most.
const HEADLINE: usize = 500;

/// The beginning of a message as one line; where that only announces what follows, with what follows.
#[must_use]
pub fn headline(message: &str) -> String {
    let mut lines = message.lines().filter(|line| !line.trim().is_empty());
    let first = lines.next().unwrap_or_default();
    let told = match lines.next() {
        Some(second) if first.trim_end().ends_with(':') => format!("{} {}", first.trim_end(), second.trim()),
        Some(_) | None => first.to_owned(),
    };
    match told.char_indices().nth(HEADLINE) {
        Some((end, _)) => format!("{}…", &told[..end]),
        None => told,
    }
}

/// A foreign text within a sentence, with the stop that ends it.
fn quote(text: &str) -> String {
    let text = clip(&headline(text));
    if text.is_empty() || text.ends_with(['.', '!', '?', '…']) { text } else { format!("{text}.") }
}

/// A foreign text on one line, in so many characters.
fn clip(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn short(commit: &str) -> String {
    commit.chars().take(10).collect()
}

fn list<T: AsRef<str>>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().map(|name| clip(name.as_ref())).collect();
    let shown = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > LISTED { format!("{shown} and {} more", names.len() - LISTED) } else { shown }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

//! Tests of `report`: documents that are made of facts and of nothing else.

use std::collections::BTreeMap;

use callboard::{
    git::ChangedFile,
    model::{
        Answer, Cause, Command, CriterionState, Data, Decision, Generation, Halt, HaltId, HaltReason, Intent,
        IntentAction, IntentId, Interaction, InteractionId, Mode, Origin, Placement, Session, SessionId, SessionKind,
        Status, Step, StepResult, TestFailure, TestRun, TestStatus, Verdict,
    },
    report::{Bond, Changes, Facts, Holding, Told, html, markdown},
    store::{CriterionRecord, Said, Shown},
    workflow::{LedgerRow, LedgerState},
};
use serde_json::json;

const SECOND: i64 = 1_000_000;
/// 2026-11-20 10:00:00 UTC.
const BEGAN: i64 = 1_795_168_800 * SECOND;

fn id(number: u128) -> SessionId {
    SessionId::from_u128(number)
}

fn at(second: i64) -> i64 {
    BEGAN + second * SECOND
}

fn session(number: u128, kind: SessionKind, component: &str) -> Session {
    Session {
        id: id(number),
        kind,
        component: component.into(),
        parent_id: None,
        status: Status::Complete,
        mode: Mode::Auto,
        agent: Some("claude".into()),
        conversation_id: None,
        base: None,
        branch: Some(format!("callboard/{kind}/{}", component.to_lowercase())),
        worktree: None,
        base_commit: Some("1".repeat(40)),
        commit: Some("2".repeat(40)),
        generation: 1,
        created_at: BEGAN,
        updated_at: at(60),
    }
}

fn attempt(session: u128, seq: u32, step: Step, command: Command, result: Option<StepResult>) -> Interaction {
    let from = at(i64::from(seq) * 10);
    Interaction {
        id: InteractionId::from_u128(session * 100 + u128::from(seq)),
        session_id: id(session),
        seq,
        generation: 1,
        step,
        iteration: 1,
        command,
        completed_at: result.as_ref().map(|_| from + 9 * SECOND),
        result,
        started_at: from,
    }
}

fn prompt(text: &str) -> Command {
    Command::Agent { agent: text.chars().take(100).collect(), prompt: text.into(), conversation_id: None }
}

fn ledger(test: &str, message: &str) -> LedgerRow {
    LedgerRow {
        test: test.into(),
        file: Some("tests/orders_test.rs".into()),
        line: Some(7),
        message: message.into(),
        compile: false,
        fingerprint: String::new(),
        state: LedgerState::Fixed,
        first: 2,
        last: 2,
        returns: 0,
        placement: None,
        context: None,
    }
}

fn failure(name: &str, message: &str) -> TestFailure {
    TestFailure {
        name: name.into(),
        message: message.into(),
        context: Some("Billing".into()),
        component: Some("Invoice".into()),
        ..TestFailure::default()
    }
}

fn told(session: Session, foreign: &str) -> Told {
    let generation = Generation {
        number: 1,
        start: Step::Initialize,
        context: String::new(),
        origin: Origin::New,
        opened_at: BEGAN,
    };
    let number = u128::from_be_bytes(*session.id.as_bytes());
    let mut run = TestRun::empty("cargo", TestStatus::Failed);
    (run.passed, run.failed, run.failures) = (3, 1, vec![failure(foreign, foreign)]);
    let tests = Command::Tests { argv: vec!["cargo".into()], directory: "/w".into() };
    let bad = StepResult::error(Cause::Failed, foreign).with_data(Data::TestRun(run));
    let finalized = Data::Finalized {
        commit: "2".repeat(40),
        committed: true,
        pushed_to: Some(foreign.into()),
        files: vec![foreign.into()],
    };
    let git = Command::Git { operations: Vec::new() };
    Told {
        standing: None,
        asked: Vec::new(),
        generations: vec![generation],
        interactions: vec![
            attempt(number, 1, Step::GenerateIntegrationTests, prompt(foreign), Some(StepResult::ok())),
            attempt(number, 2, Step::RunIntegrationTests, tests, Some(bad)),
            attempt(number, 3, Step::Finalize, git, Some(StepResult::ok().with_data(finalized))),
        ],
        woke: Vec::new(),
        halts: Vec::new(),
        ledger: vec![ledger(foreign, foreign)],
        changes: Changes {
            range: Some(("1".repeat(40), "2".repeat(40))),
            files: vec![
                ChangedFile { path: foreign.into(), from: None, lines: Some((12, 3)), too_large: false },
                ChangedFile { path: "logo.png".into(), from: Some(foreign.into()), lines: None, too_large: false },
            ],
            all: 2,
            note: None,
        },
        session,
    }
}

fn halt(foreign: &str) -> Halt {
    let tests = [failure(foreign, foreign)];
    Halt {
        id: HaltId::from_u128(1),
        session_id: id(1),
        seq: 2,
        reason: HaltReason::ArchitecturalFailure,
        message: foreign.into(),
        evidence: json!({"about": {"tests": tests, "files": [foreign]}, "problems": []}),
        at: at(29),
        decision: Some(Decision {
            verdict: Verdict::Override,
            note: Some(format!("{foreign}\nand more")),
            user: foreign.into(),
            at: at(29) + SECOND / 2,
            evidence_hash: "abc".into(),
        }),
    }
}

fn criterion(number: usize, foreign: &str) -> CriterionRecord {
    let shown = Shown {
        state: CriterionState::Satisfied,
        tests: vec![foreign.into(), "ac_1_adds_up".into()],
        session_id: id(1),
        commit: "2".repeat(40),
        files: Vec::new(),
        stale: number == 3,
        at: at(50),
    };
    let said = Said { state: CriterionState::Unmet, note: foreign.into(), user: "ada@example.org".into(), at: at(55) };
    CriterionRecord {
        id: format!("AC-{number}"),
        text: foreign.into(),
        story: if number < 3 { "A customer sees the total".into() } else { foreign.into() },
        component: "Orders".into(),
        shown: (number != 4).then_some(shown),
        said: (number == 2).then_some(said),
    }
}

/// Facts with `foreign` wherever somebody else than callboard chooses the words.
fn facts(foreign: &str) -> Facts {
    let mut subject = told(session(1, SessionKind::Integration, foreign), foreign);
    subject.halts = vec![(halt(foreign), Some(Holding::Void))];
    let intent = |action| Intent {
        id: IntentId::from_u128(1),
        session_id: id(1),
        user: "ada@example.org".into(),
        action,
        at: BEGAN,
    };
    subject.asked = vec![
        (intent(IntentAction::Start), Some(Answer::Done)),
        (
            intent(IntentAction::Override { note: foreign.into(), seen: None }),
            Some(Answer::Refused { why: foreign.into() }),
        ),
        (intent(IntentAction::Retry), None),
    ];
    let mut child = told(session(2, SessionKind::ComponentCoding, "Pricing"), foreign);
    child.session.parent_id = Some(id(1));
    child.session.status = Status::Failed;
    let mut undecided = halt(foreign);
    undecided.decision = None;
    child.halts = vec![(undecided, None)];
    child.interactions.truncate(2);
    child.changes = Changes { note: Some("The branch is gone.".into()), ..Changes::default() };
    let mut woken = told(session(3, SessionKind::ComponentCoding, "Cart"), foreign);
    woken.session.status = Status::Active;
    woken.standing = Some(format!("run_tests is running: {foreign}"));
    woken.generations = vec![Generation {
        number: 2,
        start: Step::FixTestFailures,
        context: foreign.into(),
        origin: Origin::Session { id: id(1) },
        opened_at: at(5),
    }];
    Facts {
        project: foreign.into(),
        made_at: at(100),
        subject,
        others: vec![(Bond::Child, child), (Bond::Woken, woken)],
        left_out: 0,
        criteria: (1..=4).map(|number| criterion(number, foreign)).collect(),
        names: BTreeMap::from([(id(1), format!("The integration session of {foreign}"))]),
    }
}

#[test]
fn a_report_as_markdown() {
    insta::assert_snapshot!("markdown", markdown(&facts("Orders")));
}

#[test]
fn a_report_as_html() {
    let page = html(&facts("Orders"));
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, body) = rest.split_once("</style>").unwrap();
    insta::assert_snapshot!("html", format!("{head}<style>…</style>{body}"));
}

#[test]
fn an_outcome_is_told_for_every_way_to_end() {
    let outcome = |change: &dyn Fn(&mut Told)| {
        let mut facts = facts("Orders");
        facts.subject.halts.clear();
        change(&mut facts.subject);
        let page = markdown(&facts);
        let mut lines = page.lines();
        format!("{}\n{}", lines.next().unwrap(), lines.nth(1).unwrap())
    };
    let undecided = |told: &mut Told| {
        let halt = Halt { decision: None, seq: 3, ..halt("2 tests of Billing fail") };
        told.halts = vec![(halt, None)];
        told.session.status = Status::Failed;
    };
    let approved = |told: &mut Told| {
        let mut halt = halt("x");
        halt.decision.as_mut().unwrap().verdict = Verdict::Approve;
        told.halts = vec![(halt, Some(Holding::Void))];
        told.session.status = Status::Failed;
    };
    let failed = |told: &mut Told| {
        told.interactions.truncate(2);
        told.session.status = Status::Failed;
    };
    let active = |told: &mut Told| {
        told.session.status = Status::Active;
        told.standing = Some("It waits before run_tests.".into());
    };
    let cancelled = |told: &mut Told| told.session.status = Status::Cancelled;
    let told = [
        outcome(&|_| {}),
        outcome(&undecided),
        outcome(&approved),
        outcome(&failed),
        outcome(&active),
        outcome(&cancelled),
    ];
    insta::assert_snapshot!("outcomes", told.join("\n\n"));
}

/// Every text in which markup, an end of something or a control sequence may hide.
const HOSTILE: [&str; 12] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "' onmouseover='alert(1)",
    "</pre></details></style><script>",
    "```\n# A heading of my own\n```",
    "``````````````",
    "</details>\n\n<b>bold</b>",
    "| a | b |\n| --- | --- |",
    "[a link](javascript:alert(1)) ![an image](https://evil.example/x.png)",
    "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7} \u{202e}reversed\u{202c} \u{9b}2J \u{0}\u{8}\r\u{7f}",
    "&lt;already&gt; &amp; __strong__ *em* ~~gone~~ `code` $x$ @ada #12",
    "--><!-- ]]> %s {{ 7*7 }} ${7*7}",
];

#[test]
fn foreign_text_is_never_markup_in_html() {
    for foreign in HOSTILE {
        let page = html(&facts(foreign));
        let (_, body) = page.split_once("</style>").unwrap();
        // The tags of the page are those that it has with harmless words.
        assert_eq!(tags(body), tags(html(&facts("Orders")).split_once("</style>").unwrap().1), "{foreign:?}");
        assert!(!page.chars().any(|char| char.is_control() && char != '\n'), "{foreign:?}");
        assert!(!page.contains(['\u{202e}', '\u{202c}']), "{foreign:?}");
    }
}

/// The tags of a page in order, with the names of their attributes; where words may be broken is left out.
fn tags(page: &str) -> Vec<String> {
    let value = regex::Regex::new("=\"[^\"]*\"").unwrap();
    let inside = page.split('<').skip(1).map(|part| part.split_once('>').unwrap_or((part, "")).0);
    inside.map(|tag| value.replace_all(tag, "=").into_owned()).filter(|tag| tag != "wbr").collect()
}

#[test]
fn nothing_in_a_page_is_loaded_or_run() {
    let page = html(&facts("Orders"));
    for forbidden in ["<script", "<link", "<img", "<iframe", "url(", "@import", "http://", "https://", "onload", "href"]
    {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn foreign_text_is_never_markup_in_markdown() {
    let calls = regex::Regex::new(r"(^|\W)[@#]\w").unwrap();
    for foreign in HOSTILE {
        let page = markdown(&facts(foreign));
        assert!(!page.chars().any(|char| char.is_control() && char != '\n'), "{foreign:?}");
        let (prose, fences) = apart(&page);
        // Tags that GitHub takes for HTML: only those that fold, and the comments that keep names from ringing.
        let tags: Vec<&str> = prose.split('<').skip(1).filter_map(|part| part.split_once('>')).map(|it| it.0).collect();
        for tag in tags {
            assert!(["details", "/details", "summary", "/summary", "!-- --"].contains(&tag), "{foreign:?}: {tag:?}");
        }
        assert_eq!(fences, apart(&markdown(&facts("Orders"))).1, "as many fences as without it: {foreign:?}");
        assert_eq!(headings(&prose), headings(&apart(&markdown(&facts("Orders"))).0), "{foreign:?}");
        assert_eq!(cells(&prose), cells(&apart(&markdown(&facts("Orders"))).0), "{foreign:?}");
        let outside: Vec<&str> = prose.lines().filter(|line| !line.starts_with("<details>")).collect();
        assert!(!outside.concat().replace("\\[", "").contains('['), "no links: {foreign:?}");
        assert!(!calls.is_match(&prose), "nobody is called, nothing is linked: {foreign:?}");
    }
}

/// How many cells each row of a table has.
fn cells(prose: &str) -> Vec<usize> {
    let rows = prose.lines().filter(|line| line.starts_with('|'));
    rows.map(|row| row.replace("\\|", "").matches('|').count()).collect()
}

fn headings(prose: &str) -> usize {
    prose.lines().filter(|line| line.starts_with('#')).count()
}

/// The page without what stands in its fences, and how many fences there are, as a reader of Markdown takes them.
fn apart(page: &str) -> (String, usize) {
    let (mut prose, mut open, mut fences) = (String::new(), None, 0);
    for line in page.lines() {
        let ticks = line.chars().take_while(|char| *char == '`').count();
        match open {
            None if ticks >= 3 => (open, fences) = (Some(ticks), fences + 1),
            None => prose.push_str(&format!("{line}\n")),
            Some(length) if ticks >= length && line.trim_matches('`').is_empty() => open = None,
            Some(_) => {}
        }
    }
    assert_eq!(open, None, "every fence is closed");
    (prose, fences)
}

#[test]
fn a_report_is_bounded_whatever_the_record_holds() {
    let mut facts = facts(&"<&\"'>\n".repeat(1_500));
    facts.subject.interactions[0].command = prompt(&"<".repeat(8 * 1024 * 1024));
    let more = |told: &mut Told| {
        let first = Interaction { command: prompt("short"), ..told.interactions[0].clone() };
        told.interactions.extend((4..450).map(|seq| Interaction { seq, ..first.clone() }));
        told.ledger = vec![told.ledger[0].clone(); 350];
        told.changes.files = vec![told.changes.files.first().cloned().unwrap_or_else(any_file); 350];
        told.changes.all = 350;
    };
    more(&mut facts.subject);
    facts.others.iter_mut().for_each(|(_, told)| more(told));
    facts.criteria = vec![facts.criteria[1].clone(); 350];
    facts.others.extend(vec![facts.others[0].clone(); 8]);
    for page in [html(&facts), markdown(&facts)] {
        assert!(page.len() < 30 * 1024 * 1024, "{} bytes", page.len());
        assert!(page.contains(" left out"), "a story that is too long says so");
        for more in ["and 50 more criteria", "and 50 more failures", "and 50 more files", " bytes more)"] {
            assert!(page.contains(more), "{more}");
        }
        assert!(page.contains(" more sessions"), "what is too much is not told of at all");
    }
}

fn any_file() -> ChangedFile {
    ChangedFile { path: "src/a.rs".into(), from: None, lines: Some((1, 1)), too_large: false }
}

#[test]
fn a_file_that_is_too_large_makes_the_counts_the_least_and_its_name_hides_nothing() {
    let mut facts = facts("Orders");
    let large = ChangedFile { path: "a\u{202e}b\u{1b}[2J.sql".into(), from: None, lines: None, too_large: true };
    facts.subject.changes.files.push(large);
    facts.subject.changes.all += 1;
    for page in [markdown(&facts), html(&facts)] {
        for said in ["3 files, +≥12 −≥3", "too large to count", "U+202E", "␛"] {
            assert!(page.contains(said), "{said} is missing in {page}");
        }
    }
}

#[test]
fn what_broke_elsewhere_is_told_however_much_broke_here() {
    let mut facts = facts("Orders");
    let inside = |at| LedgerRow { placement: Some(Placement::Inside), ..ledger(&format!("inside_{at}"), "no") };
    facts.subject.ledger = (0..2_500).map(inside).collect();
    let outside =
        LedgerRow { placement: Some(Placement::Outside), context: Some("Billing".into()), ..ledger("rounds", "no") };
    facts.subject.ledger.push(outside);
    for page in [markdown(&facts), html(&facts)] {
        assert!(page.contains("rounds (outside, Billing) failed in #"), "{page}");
        assert!(page.contains("2201 more failures"), "{page}");
    }
}

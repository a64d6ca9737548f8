//! Two projects and two accounts in one store: what is of another scope is as good as not there, for every method.

use std::{collections::BTreeSet, fs, path::Path};

use callboard::{
    model::{
        Answer, Component, ComponentKind, Criterion, CriterionCheck, CriterionState, Decision, Event, EventKind, Grant,
        HaltReason, IntentId, Lasts, Limits, Message, MessageId, Mode, Permission, PermissionId, RequestId, Ruling,
        SessionId, SessionKind, Status, Step, StepResult, Story, Verdict,
    },
    store::{Change, Consent, SessionFilter, Store, StoreError},
    workflow::Bounds,
};

use super::world::{World, begin, created, generation, halt, id, intent, new, request, session};

const OTHERS: [(&str, &str); 3] = [("local", "/bills"), ("work", "/shop"), ("work", "/bills")];
const BOUNDS: Bounds = Bounds { iterations: 5, same_failures: 3 };
const PARENT: u128 = 1;
const CHILD: u128 = 2;

struct Foreign {
    request: RequestId,
    intent: IntentId,
    halt: callboard::model::Halt,
}

/// A store in which `local /shop` has one of everything.
fn full(world: &World) -> Foreign {
    let mut store = world.open();
    let (asked, wish) = (IntentId::generate(), request(id(CHILD), 1));
    let halt = halt(id(CHILD), 1, HaltReason::Environment);
    let mut child = session(id(CHILD), SessionKind::ComponentTest, "Pricing", Some(id(PARENT)));
    child.mode = Mode::Manual;
    let note = |session| Event { session_id: session, n: 0, interaction: 1, at: 1, kind: note() };
    store
        .apply(&vec![
            created(session(id(PARENT), SessionKind::ContextTesting, "Orders", None)),
            created(child),
            begin(id(PARENT), 1, Step::Initialize),
            Change::Await { session: id(PARENT), seq: 1, sessions: vec![id(CHILD)] },
            Change::Prepared {
                session: id(CHILD),
                branch: "callboard/component_test/pricing".into(),
                worktree: "/tmp/w".into(),
                base_commit: "0".into(),
            },
            begin(id(CHILD), 1, Step::Initialize),
            Change::Events(vec![note(id(CHILD))]),
            Change::Message(message(id(CHILD), 81)),
            Change::Question(question(id(CHILD), 71)),
            permit(71, "ada"),
            Change::Question(question(id(CHILD), 72)),
            Change::Ledger { session: id(CHILD), rows: Vec::new() },
            Change::Halt(halt.clone()),
            Change::Outlook { session: id(CHILD), next: Some("halt".into()), halt: Some(halt.reason), at: 2 },
            intent(asked, id(CHILD)),
            Change::Consent { hash: "abc".into(), user: "ada".into(), at: 1 },
            catalogue(),
            Change::CreatedBy { component: "Pricing".into(), file: "test".into(), session: id(CHILD) },
            Change::BaseRuns { commit: "0".into(), tests: vec![("adds".into(), true)] },
            criteria(id(CHILD)),
            word("ada"),
            Change::Request(Box::new(wish.clone())),
        ])
        .unwrap();
    Foreign { request: wish.id, intent: asked, halt }
}

fn question(session: SessionId, number: u128) -> Permission {
    let (tool, title) = ("Bash".into(), "ls".into());
    Permission {
        id: PermissionId::from_u128(number),
        session_id: session,
        seq: 1,
        tool,
        title,
        detail: String::new(),
        subject: String::new(),
        files: false,
        asked_at: 1,
        until: 9,
    }
}

fn message(session: SessionId, number: u128) -> Message {
    let (id, user, text) = (MessageId::from_u128(number), "ada".into(), "secret".into());
    Message { id, session_id: session, user, text, at: 1, seq: None, delivered_at: None, seen_at: None }
}

fn permit(number: u128, user: &str) -> Change {
    let ruling = Grant { allowed: true, lasts: Lasts::Session, user: user.into() };
    Change::Permit { id: PermissionId::from_u128(number), ruling, at: 2 }
}

fn note() -> EventKind {
    EventKind::Note { text: "secret".into() }
}

fn criteria(session: SessionId) -> Change {
    let check = CriterionCheck {
        id: "P-1".into(),
        text: "it pays".into(),
        state: CriterionState::Satisfied,
        tests: Vec::new(),
        by_hand: None,
    };
    Change::Criteria { session, checks: vec![check], files: vec!["src/pricing.rs".into()], commit: "1".into(), at: 3 }
}

fn word(user: &str) -> Change {
    let (criterion, note) = ("P-1".into(), "seen by hand".into());
    Change::CriterionWord { criterion, state: Some(CriterionState::Unmet), note, user: user.into(), at: 4 }
}

fn catalogue() -> Change {
    let component = Component {
        name: "Pricing".into(),
        kind: ComponentKind::Module,
        parent: None,
        priority: 0,
        description: String::new(),
        depends_on: Vec::new(),
        paths: callboard::model::Paths::default(),
    };
    let criterion = Criterion { id: "P-1".into(), text: "it pays".into() };
    let story = Story { title: "A customer pays".into(), component: "Pricing".into(), criteria: vec![criterion] };
    Change::Catalogue { components: vec![component], stories: vec![story] }
}

fn unknown<T>(what: &str, result: Result<T, StoreError>) {
    assert!(matches!(result, Err(StoreError::UnknownSession { .. })), "{what}");
}

/// Every method that reads, with the sessions and ids of another scope. Answers the names of the methods that it called.
fn reads_see_nothing(mine: &Store, theirs: &Store, foreign: &Foreign) -> BTreeSet<&'static str> {
    let session = id(CHILD);
    let whole = theirs.session(session).unwrap();
    let row = theirs.board_row(session).unwrap();
    let detail = theirs.detail(session).unwrap();
    let mut called = BTreeSet::new();
    let mut empty = |what: &'static str, is_empty: bool| {
        assert!(is_empty, "{what} sees another scope's rows");
        called.insert(what);
    };
    empty("find", matches!(mine.find(&session.to_string()), Err(StoreError::UnknownSession { .. })));
    empty("session", matches!(mine.session(session), Err(StoreError::UnknownSession { .. })));
    empty("board_row", matches!(mine.board_row(session), Err(StoreError::UnknownSession { .. })));
    empty("detail", matches!(mine.detail(session), Err(StoreError::UnknownSession { .. })));
    empty("detail_since", matches!(mine.detail_since(&detail), Err(StoreError::UnknownSession { .. })));
    empty("sessions", mine.sessions(SessionFilter::default()).unwrap().is_empty());
    empty("active", mine.active().unwrap().is_empty());
    empty("children", mine.children(id(PARENT)).unwrap().is_empty());
    empty("waiting_on", mine.waiting_on(session).unwrap().is_empty());
    empty("sessions_of", mine.sessions_of("Pricing").unwrap().is_empty());
    // Branches belong to the repository, whoever's account a session is in.
    let taken = mine.branch_is_taken("callboard/component_test/pricing").unwrap();
    empty("branch_is_taken", taken == (mine.scope().project == "/shop"));
    let history = mine.history(&whole, BOUNDS).unwrap();
    empty("history", history.attempts.is_empty() && history.awaited.is_empty() && history.decided == 0);
    empty("attempts", mine.attempts(&whole).unwrap().is_empty());
    empty("resumes_at", mine.resumes_at(session, 1).unwrap().is_none());
    empty("question", mine.question(session).unwrap().is_none());
    empty("unseen", mine.unseen(session).unwrap().is_empty());
    empty("messages", mine.messages(session, 9).unwrap().is_empty());
    empty("standing", mine.standing(session).unwrap().is_empty());
    empty("last_seq", mine.last_seq(session).unwrap() == 0);
    empty("decided", mine.decided(session).unwrap() == 0);
    empty("awaited", mine.awaited(id(PARENT)).unwrap().is_empty());
    empty("waits_for", mine.waits_for(id(PARENT)).unwrap().is_empty());
    empty("generations", mine.generations(session).unwrap().is_empty());
    empty("interactions", mine.interactions(session, 0).unwrap().is_empty());
    empty("interaction", mine.interaction(session, 1).unwrap().is_none());
    empty("orphans", mine.orphans("another engine").unwrap().is_empty());
    empty("running", mine.running().unwrap().is_empty());
    empty("summaries", mine.summaries(session, 9).unwrap().is_empty());
    empty("last_prompt", mine.last_prompt(session).unwrap().is_none());
    empty("last_error", mine.last_error(session).unwrap().is_none());
    empty("turns_played", mine.turns_played(session).unwrap().is_empty());
    empty("woke", mine.woke(session).unwrap().is_empty());
    empty("done", mine.done(session).unwrap().is_empty());
    empty("last_test_run", mine.last_test_run(session).unwrap().is_none());
    empty("wait_chain", mine.wait_chain(id(PARENT), session).unwrap().is_none());
    empty("last_result", mine.last_result(session, Step::Initialize).unwrap().is_none());
    empty("ledger", mine.ledger(session).unwrap().is_empty());
    empty("last_halt", mine.last_halt(session).unwrap().is_none());
    empty("halts", mine.halts(session).unwrap().is_empty());
    empty("events", mine.events(session, 0, 9).unwrap().is_empty());
    empty("event_count", mine.event_count(session).unwrap() == 0);
    empty("last_event", mine.last_event(session).unwrap().is_none());
    empty("requests", mine.requests(session, 9).unwrap().is_empty());
    empty("open_requests", mine.open_requests(session).unwrap().is_empty());
    empty("open_intents", mine.open_intents().unwrap().is_empty());
    empty("asked", mine.asked(session, 9).unwrap().is_empty());
    empty("answer", mine.answer(foreign.intent).unwrap().is_none());
    empty("consent", mine.consent("abc").unwrap() == Consent::Missing);
    let known = mine.criteria(None).unwrap();
    empty("criteria", known.iter().all(|one| one.shown.is_none() && one.said.is_none()));
    let around = mine.criteria_around("Pricing").unwrap();
    empty("criteria_around", around.iter().all(|one| one.shown.is_none() && one.said.is_none()));
    empty("base_runs", mine.base_runs("0", &["adds".into()]).unwrap().is_empty());
    empty("created_by", mine.created_by().unwrap().iter().all(|(_, makers)| makers.is_empty()));
    empty("board", mine.board(9).unwrap().rows.is_empty());
    empty("inbox", mine.inbox().unwrap().is_empty());
    // Both are given what was read in the other scope; they find nothing to add to it.
    empty("inbox_item", mine.inbox_item(&row).unwrap().unwrap().message.is_empty());
    let facts = mine.facts(&detail, &Limits::default(), false, 0).unwrap();
    let foreign_session = theirs.session(session).unwrap();
    empty("pause", mine.pause(&foreign_session, Step::GenerateImplementation, &Limits::default()).unwrap().is_none());
    empty("facts", facts.slots.is_none_or(|(_, taken)| taken == 0));
    called
}

/// Methods that are not about the rows of one scope.
const WITHOUT_SCOPE: [&str; 8] = ["open", "reopen", "path", "scope", "data_version", "scopes", "glance", "apply"];

/// The public methods of `Store`, read from the source.
fn methods() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut found = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for block in text.split("\nimpl Store {").skip(1) {
            let block = block.split("\n}\n").next().unwrap();
            let public = block.split("\n    pub ").skip(1).map(|rest| rest.trim_start_matches("const "));
            let names = public.filter_map(|rest| rest.strip_prefix("fn ")?.split('(').next());
            found.extend(names.map(str::to_owned));
        }
    }
    found
}

#[test]
fn every_read_is_within_its_scope() {
    let world = World::new();
    let foreign = full(&world);
    let theirs = world.open();
    for (account, project) in OTHERS {
        let mut mine = world.open_as(account, project);
        let called = reads_see_nothing(&mine, &theirs, &foreign);
        mine.apply(&vec![catalogue()]).unwrap();
        assert_eq!(reads_see_nothing(&mine, &theirs, &foreign), called, "once the project is known");
        let known: BTreeSet<String> = called.into_iter().chain(WITHOUT_SCOPE).map(str::to_owned).collect();
        assert_eq!(known, methods(), "every method of Store is called above, or is not about one scope");
    }
}

#[test]
fn the_scopes_of_a_store_are_its_projects() {
    let world = World::new();
    full(&world);
    world.open_as("work", "/bills").apply(&vec![catalogue()]).unwrap();
    let scopes = world.open().scopes().unwrap();
    let names: Vec<(&str, &str)> = scopes.iter().map(|one| (one.account.as_str(), one.project.as_str())).collect();
    assert_eq!(names, [("local", "/shop"), ("work", "/bills")]);
    assert!(world.open().reopen(super::world::scope("work", "/bills")).unwrap().active().unwrap().is_empty());
}

/// One of every change that names a session, a halt or an intent.
fn changes(foreign: &Foreign) -> Vec<Change> {
    let (session, at) = (id(CHILD), 5);
    let decision = Decision { verdict: Verdict::Retry, note: None, user: "eve".into(), at, evidence_hash: "0".into() };
    vec![
        created(super::world::session(id(9), SessionKind::ComponentTest, "Pricing", Some(id(PARENT)))),
        Change::Reopen { session, generation: generation(2, Step::RunTests) },
        begin(session, 2, Step::RunTests),
        Change::Finish { session, seq: 1, result: Box::new(StepResult::ok()), at },
        Change::Await { session, seq: 1, sessions: Vec::new() },
        Change::AwaitAlso { session, seq: 1, awaited: id(PARENT) },
        criteria(session),
        Change::Stale { session, files: vec!["src/pricing.rs".into()] },
        Change::Status { session, status: Status::Failed },
        Change::Mode { session, mode: Mode::Agentic },
        Change::Conversation { session, id: "stolen".into() },
        Change::Prepared { session, branch: "b".into(), worktree: "/w".into(), base_commit: "1".into() },
        Change::Commit { session, commit: "1".into() },
        Change::CreatedBy { component: "Pricing".into(), file: "test".into(), session },
        Change::Ledger { session, rows: Vec::new() },
        Change::Halt(halt(session, 1, HaltReason::NoProgress)),
        Change::Decide { halt: foreign.halt.id, decision },
        Change::Outlook { session, next: None, halt: None, at },
        Change::Message(message(session, 83)),
        Change::Delivered { session, message: MessageId::from_u128(81), seq: 1, at },
        Change::Seen { session, message: MessageId::from_u128(81), at },
        Change::Question(question(session, 73)),
        permit(72, "eve"),
        intent(IntentId::generate(), session),
        Change::Answer { intent: foreign.intent, answer: Answer::Done, at },
        Change::Events(vec![Event { session_id: session, n: 0, interaction: 1, at, kind: note() }]),
        Change::Request(Box::new(request(session, 1))),
        Change::Rule {
            session,
            request: foreign.request,
            ruling: Ruling { granted: true, user: "eve".into(), note: None, opened: None, at },
        },
    ]
}

/// Whether a change names something that a scope must own. Written out, so that a new change is not forgotten.
const fn names_something(change: &Change) -> bool {
    match change {
        Change::Project { .. }
        | Change::Catalogue { .. }
        | Change::Consent { .. }
        | Change::BaseRuns { .. }
        | Change::CriterionWord { .. } => false,
        Change::NewSession(..)
        | Change::Reopen { .. }
        | Change::Begin { .. }
        | Change::Finish { .. }
        | Change::Await { .. }
        | Change::AwaitAlso { .. }
        | Change::Criteria { .. }
        | Change::Stale { .. }
        | Change::Status { .. }
        | Change::Mode { .. }
        | Change::Conversation { .. }
        | Change::Prepared { .. }
        | Change::Commit { .. }
        | Change::CreatedBy { .. }
        | Change::Ledger { .. }
        | Change::Halt(_)
        | Change::Decide { .. }
        | Change::Outlook { .. }
        | Change::Message(_)
        | Change::Delivered { .. }
        | Change::Seen { .. }
        | Change::Question(_)
        | Change::Permit { .. }
        | Change::Ask(_)
        | Change::Answer { .. }
        | Change::Request(_)
        | Change::Rule { .. }
        | Change::Events(_) => true,
    }
}

#[test]
fn no_change_reaches_into_another_scope() {
    let world = World::new();
    let foreign = full(&world);
    let changes = changes(&foreign);
    let kinds: BTreeSet<_> = changes.iter().map(|change| format!("{:?}", std::mem::discriminant(change))).collect();
    assert_eq!((kinds.len(), changes.iter().all(names_something)), (28, true));
    for (account, project) in OTHERS {
        let mut mine = world.open_as(account, project);
        mine.apply(&vec![catalogue(), new(SessionId::generate())]).unwrap();
        let before = world.dump();
        for change in &changes {
            let result = mine.apply(&vec![change.clone()]);
            assert!(
                matches!(result, Err(StoreError::UnknownSession { .. } | StoreError::Conflict(_))),
                "{change:?}: {result:?}"
            );
        }
        let own = new(id(77));
        let awaits = Change::Await { session: id(77), seq: 1, sessions: vec![id(CHILD)] };
        unknown("a foreign session is not waited for", mine.apply(&vec![own.clone(), awaits]));
        let also = Change::AwaitAlso { session: id(77), seq: 1, awaited: id(CHILD) };
        unknown("nor as one more", mine.apply(&vec![own, also]));
        assert_eq!(world.dump(), before);
    }
}

#[test]
fn what_a_project_brings_is_its_own() {
    let world = World::new();
    full(&world);
    let before: Vec<String> = world.dump();
    let mut mine = world.open_as("local", "/bills");
    mine.apply(&vec![
        Change::Project { name: "bills".into(), description: "other".into() },
        Change::Catalogue { components: Vec::new(), stories: Vec::new() },
        Change::Consent { hash: "def".into(), user: "eve".into(), at: 1 },
        Change::BaseRuns { commit: "0".into(), tests: vec![("adds".into(), false)] },
        word("eve"),
    ])
    .unwrap();
    let after = world.dump();
    assert!(before.iter().all(|row| after.contains(row)), "nothing of the other project changed");
    assert_eq!(mine.base_runs("0", &["adds".into()]).unwrap(), [("adds".into(), false)]);
    assert_eq!(world.open().base_runs("0", &["adds".into()]).unwrap(), [("adds".into(), true)]);
    let known = world.open().criteria(None).unwrap();
    assert_eq!(known[0].said.as_ref().unwrap().user, "ada");
    assert_eq!(world.open().consent("def").unwrap(), Consent::Missing);
    assert_eq!(world.open().board(9).unwrap().project, "");
}

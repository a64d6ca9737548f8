//! What an integration session is judged by, and a halt that a person decides: on a real repository.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use callboard::{
    git::Tree,
    model::{
        Cause, Command, Component, ComponentKind, Criterion, CriterionCheck, CriterionState, Data, Decision, Halt,
        HaltReason, Mode, Origin, Paths, Placement, Scope, SessionId, SessionKind, Status, Step, StepResult, Story,
        Verdict,
    },
    store::{Change, Store},
    tui::Options,
    workflow::evidence_hash,
};
use insta::assert_snapshot;

use super::{
    board::{Board, Shelf},
    scene::{MINUTE, NOW, SECOND, Scene, agent, failing, said, scope, tests},
    stories::Story as Play,
};
use crate::git::world::{World, write};

const ROUNDING: &str = "src/billing/rounding.rs";

/// A shop whose integration session woke Cart, then broke a test of Billing.
struct Shop {
    shelf: Shelf,
    world: World,
    tree: Tree,
    base: String,
    orders: SessionId,
    cart: SessionId,
    halt: Halt,
}

fn check(id: &str, state: CriterionState, tests: &[&str]) -> CriterionCheck {
    let tests = tests.iter().map(|&test| test.to_owned()).collect();
    CriterionCheck { id: id.into(), text: format!("what {id} asks for"), state, tests, by_hand: None }
}

fn catalogue() -> Change {
    let component = |name: &str, kind, parent: Option<&str>| Component {
        name: name.into(),
        kind,
        parent: parent.map(Into::into),
        priority: 0,
        description: String::new(),
        depends_on: Vec::new(),
        paths: Paths::default(),
    };
    let criterion = |id: &str| Criterion { id: id.into(), text: format!("what {id} asks for") };
    let story = |title: &str, component: &str, ids: &[&str]| Story {
        title: title.into(),
        component: component.into(),
        criteria: ids.iter().map(|id| criterion(id)).collect(),
    };
    Change::Catalogue {
        components: vec![
            component("Orders", ComponentKind::Context, None),
            component("Cart", ComponentKind::Module, Some("Orders")),
        ],
        stories: vec![
            story("A customer sees what an order costs", "Orders", &["AC-1", "AC-2", "AC-3"]),
            story("A customer uses a voucher", "Orders", &["AC-4", "AC-5"]),
            story("A cart keeps what is put into it", "Cart", &["AC-9"]),
        ],
    }
}

fn shop() -> Shop {
    let world = World::new();
    world.write(ROUNDING, "fn to_cents(cents: u64) -> u64 {\n    cents / 2\n}\n");
    world.commit_all("rounding");
    let base = world.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let tree = world.tree("orders");
    write(&tree.root().join(ROUNDING), "fn to_cents(cents: u64) -> u64 {\n    (cents + 1) / 2\n}\n");
    write(&tree.root().join("src/orders/mod.rs"), "pub mod cart;\n");

    let shelf = Shelf::new();
    let mut scene = shelf.scene();
    scene.write(vec![catalogue()]);
    let coding = scene.session(SessionKind::ContextCoding, "Orders", None, Mode::Auto);
    scene.prepare(coding, "spawn_component_coding_sessions");
    let cart = scene.session(SessionKind::ComponentCoding, "Cart", Some(coding), Mode::Agentic);
    scene.prepare(cart, "generate_implementation");
    scene.end(cart, Status::Complete);
    scene.end(coding, Status::Complete);
    let orders = scene.session(SessionKind::Integration, "Orders", None, Mode::Auto);
    scene.prepare(orders, "generate_integration_tests");
    scene.write(vec![Change::Prepared {
        session: orders,
        branch: "callboard/component_test/orders".into(),
        worktree: tree.root().to_owned(),
        base_commit: base.clone(),
    }]);
    scene.wait(MINUTE);
    scene.reopen(cart, "Lines of the same article are one line.", Origin::Session { id: orders });
    scene.end(cart, Status::Complete);
    let halt = breaks(&mut scene, orders);
    drop(scene);
    Shop { shelf, world, tree, base, orders, cart, halt }
}

fn breaks(scene: &mut Scene, orders: SessionId) -> Halt {
    let mut run = failing(&[("half_a_cent_goes_down", "tests/rounding_test.rs", 20, "left: 13\nright: 12")]);
    for failure in &mut run.failures {
        failure.component = Some("Rounding".into());
        failure.context = Some("Billing".into());
    }
    let evidence = serde_json::json!({
        "about": {"contexts": ["Billing"], "tests": run.failures, "files": [ROUNDING]}
    });
    scene.begin(orders, Step::RunTestSuite, tests());
    scene.wait(8 * SECOND);
    let result = StepResult::error(Cause::FailuresOutside, "tests outside Orders broke");
    scene.finish(orders, result, None);
    scene.ledger(orders, &run);
    scene.halt_about(orders, HaltReason::ArchitecturalFailure, "tests outside Orders broke", evidence);
    scene.write(vec![Change::Status { session: orders, status: Status::Failed }]);
    scene.store.last_halt(orders).unwrap().unwrap()
}

impl Shop {
    /// Pictures without what differs from run to run.
    fn pictures(&self, board: &mut Board) -> String {
        board.pictures().replace(&self.base[..8], "0f1e2d3c")
    }

    fn board(&self, keys: &str) -> Board {
        let mut board = self.shelf.board((120, 40));
        board.go(self.orders);
        board.press(keys);
        board
    }

    fn decide(&self, verdict: Verdict) {
        let mut scene = Scene::again(&self.shelf.path);
        let content = self.tree.content_hash(&[ROUNDING.into()]).unwrap();
        let result = scene.store.interaction(self.orders, self.halt.seq).unwrap().unwrap().result;
        let decision = Decision {
            verdict,
            note: Some("Accounting wants it so.".into()),
            user: scope().user,
            at: scene.at.get(),
            evidence_hash: evidence_hash(&content, &self.halt, result.as_ref()),
        };
        let decided = Change::Outlook { session: self.orders, next: None, halt: None, at: scene.at.get() };
        scene.write(vec![Change::Decide { halt: self.halt.id, decision }, decided]);
    }
}

#[test]
fn a_halt_is_shown_with_its_evidence_and_the_diff_of_its_files() {
    let shop = shop();
    let mut board = shop.board("H");
    let pictures = shop.pictures(&mut board);
    assert!(!pictures.contains("src/orders/mod.rs"), "only the files that it is about:\n{pictures}");
    assert_snapshot!("judged_halt", pictures);
    // It is decided from here, and stays here while the note is written.
    board.press("O");
    assert!(board.text().contains("Override the halt of Orders"));
    board.press("Esc Esc Esc");
    assert!(board.app.model.overlays.is_empty());
}

#[test]
fn failures_say_where_they_belong() {
    let shop = shop();
    let mut scene = Scene::again(&shop.shelf.path);
    let mut run = failing(&[
        ("is_old", "tests/rounding_test.rs", 9, "left: 1\nright: 2"),
        ("adds_up", "tests/orders_test.rs", 4, "left: 3\nright: 4"),
        ("half_a_cent_goes_down", "tests/rounding_test.rs", 20, "left: 13\nright: 12"),
    ]);
    let placements = [Placement::PreExisting, Placement::Inside, Placement::Outside];
    for (failure, placement) in run.failures.iter_mut().zip(placements) {
        let context = if placement == Placement::Inside { "Orders" } else { "Billing" };
        (failure.placement, failure.context) = (Some(placement), Some(context.into()));
    }
    scene.ledger(shop.orders, &run);
    let mut board = shop.board("3");
    assert_snapshot!("judged_placed", shop.pictures(&mut board));
    run.failures.truncate(1);
    run.failed = 1;
    scene.ledger(shop.orders, &run);
    let board = shop.board("3");
    let text = board.text();
    assert!(text.contains("Nothing broke here  1 red before  2 fixed"), "{text}");
    assert!(!text.contains("Failures·"), "what was red before is no news: {text}");
}

#[test]
fn a_decision_is_void_when_what_it_was_made_on_has_changed() {
    let shop = shop();
    shop.decide(Verdict::Approve);
    assert!(shop.board("H").text().contains("has not changed since"));
    // Another file is not what was decided on.
    write(&shop.tree.root().join("src/orders/mod.rs"), "pub mod carts;\n");
    assert!(shop.board("H").text().contains("has not changed since"));
    // Nor does it matter whether it is committed.
    shop.world.commit(&shop.tree, "work");
    assert!(shop.board("H").text().contains("has not changed since"));
    write(&shop.tree.root().join(ROUNDING), "fn to_cents(cents: u64) -> u64 {\n    cents\n}\n");
    let mut board = shop.board("H");
    let pictures = shop.pictures(&mut board);
    let hash =
        Scene::again(&shop.shelf.path).store.last_halt(shop.orders).unwrap().unwrap().decision.unwrap().evidence_hash;
    assert_snapshot!("judged_void", pictures.replace(&hash[..12], "0123456789ab"));
    std::fs::remove_dir_all(shop.tree.root()).unwrap();
    assert!(shop.board("H").text().contains("cannot be said"));
}

#[test]
fn the_diff_is_what_the_branch_has_and_more() {
    let shop = shop();
    let mut board = shop.board("d");
    assert_snapshot!("judged_diff", shop.pictures(&mut board));
    shop.world.commit(&shop.tree, "work");
    std::fs::remove_dir_all(shop.tree.root()).unwrap();
    let text = shop.board("d").text();
    assert!(!text.contains("src/orders"), "the scene's project is no repository: {text}");
}

#[test]
fn the_view_of_a_halt_has_its_help() {
    let shop = shop();
    let mut board = shop.board("H");
    assert!(board.text().lines().last().unwrap().contains("? help"), "{}", board.text());
    board.press("?");
    board.resize(120, 200);
    let text = board.text();
    let section: Vec<&str> = text.lines().skip_while(|line| !line.contains("In the view of a halt")).collect();
    for key in ["A  Approve the halt", "O  Override the halt", "r  Try again"] {
        assert!(section.iter().take(10).any(|line| line.contains(key)), "{key} is missing in\n{text}");
    }
    board.press("Esc x");
    assert!(board.text().contains("x does nothing here; ? lists the keys"), "{}", board.text());
    board.press("Esc w x");
    let text = board.text();
    assert!(text.contains("x does nothing here") && !text.contains("? lists"), "{text}");
}

#[test]
fn a_long_message_leaves_room_for_the_pane() {
    let shop = shop();
    let mut scene = Scene::again(&shop.shelf.path);
    let names = (0..900).map(|at| format!("billing::rounds_{at}")).collect::<Vec<_>>().join(", ");
    for message in [format!("tests outside Orders broke: {names}"), "x".repeat(13_000), "a line\n".repeat(2_000)] {
        let evidence = serde_json::json!({});
        scene.halt_about(shop.orders, HaltReason::ArchitecturalFailure, &message, evidence);
        for ((width, height), most) in [((80, 24), 4), ((60, 20), 4), ((120, 60), 7)] {
            let mut board = shop.board("");
            board.resize(width, height);
            let text = board.text();
            let bars =
                text.lines().filter(|line| line.contains("│ ▌ ") || line.starts_with("▌ ") && width < 70).count();
            let tree = usize::from(width < 70 && text.lines().any(|line| line.starts_with("▌ ◆")));
            assert!(text.contains("HALTED") && bars - tree <= most, "{width}×{height} {bars}\n{text}");
        }
    }
}

#[test]
fn a_diff_says_what_it_does_not_count_and_shows_what_hides() {
    let shop = shop();
    let root = shop.tree.root();
    write(&root.join("a_trap.rs"), "let x = \"\u{202e}evil\u{1b}[2J\";\n");
    write(&root.join("b_large.txt"), &"a line\n".repeat(800_000));
    write(&root.join("c_long.txt"), &format!("{}\n", "x".repeat(70)).repeat(9_000));
    let board = shop.board("d");
    let wide = board.text();
    let said = |what: &str| assert!(wide.contains(what), "{what} is missing in\n{wide}");
    said("3 of 5 files  +≥");
    said("A a_trap.rs    +1\n".trim_end());
    said("A b_large.txt  5 MiB, its lines are not counted");
    said("A c_long.txt   +≥");
    said("1 +let x = \"<U+202E>evil␛[2J\";");
    said("━ b_large.txt  5 MiB, its lines are not counted");
    let mut board = shop.board("d Enter G");
    let text = board.text();
    assert!(text.contains("… cut after 512 KiB; in its worktree `git diff"), "{text}");
    board.press("g");
    assert!(board.text().contains("+≥"));
}

#[test]
fn git_is_asked_beside_the_store() {
    let shop = shop();
    let mut story = Play::open(&shop.shelf, true);
    story.board.go(shop.orders);
    story.board.press("d");
    story.shows("M src/billing/rounding.rs");
    story.board.press("H");
    story.shows("What was changed in these files");
    story.shows("━ src/billing/rounding.rs");
}

#[test]
fn criteria_stand_under_their_stories() {
    let shop = shop();
    let mut scene = Scene::again(&shop.shelf.path);
    let shown = vec![
        check("AC-1", CriterionState::Satisfied, &["ac_1_the_summary_adds_up", "ac_1_and_is_written_in_euros"]),
        check("AC-2", CriterionState::Satisfied, &["ac_2_shipping_is_free"]),
        check("AC-4", CriterionState::Unmet, &["ac_4_the_best_offer_counts"]),
    ];
    let files = vec!["src/orders/mod.rs".to_owned()];
    let commit = "4ac6895eefd1068f".to_owned();
    scene.write(vec![
        Change::Criteria { session: shop.cart, checks: shown, files, commit, at: scene.at.get() - 3 * MINUTE },
        Change::CriterionWord {
            criterion: "AC-3".into(),
            state: Some(CriterionState::Satisfied),
            note: "seen in the browser".into(),
            user: scope().user,
            at: scene.at.get() - MINUTE,
        },
    ]);
    let mut board = shop.board("4");
    assert_snapshot!("judged_criteria", shop.pictures(&mut board));

    // What the session itself finds comes before what is on record, and what it misses is said.
    let found = vec![
        check("AC-1", CriterionState::Satisfied, &["ac_1_the_summary_adds_up"]),
        check("AC-2", CriterionState::Unmet, &["ac_2_shipping_is_free"]),
        check("AC-5", CriterionState::Untested, &[]),
    ];
    let gaps = "AC-2 (what AC-2 asks for): a test that carries its id fails\nAC-5 (what AC-5 asks for): no test carries its id";
    scene.write(vec![Change::Status { session: shop.orders, status: Status::Active }]);
    scene.begin(shop.orders, Step::ValidateAcceptanceCriteria, Command::Check { subject: "the criteria".into() });
    let data = Data::Criteria { criteria: found, gap_analysis: Some(gaps.into()) };
    let result = StepResult::error(Cause::Failed, "2 criteria are not shown").with_data(data);
    scene.finish(shop.orders, result, Some("generate_integration_tests"));
    let mut board = shop.board("4");
    assert_snapshot!("judged_gaps", shop.pictures(&mut board));

    // A component's session is about its own stories, and its context's.
    board.resize(120, 40);
    board.go(shop.cart);
    let text = board.text();
    assert!(text.contains("AC-9") && text.contains("AC-1"), "{text}");
}

#[test]
fn a_checkout_that_moved_on_is_seen_after_a_while() {
    static CLOCK: AtomicI64 = AtomicI64::new(NOW);
    let world = World::new();
    let rounds = |how: &str| {
        world.write(ROUNDING, how);
        world.commit_all(how);
    };
    rounds("half to even\n");
    let shelf = Shelf::new();
    let scope = Scope { project: world.project.to_string(), ..scope() };
    let mut scene = Scene::of(&shelf.path, scope.clone());
    let orders = scene.session(SessionKind::Integration, "Orders", None, Mode::Auto);
    scene.write(vec![
        catalogue(),
        Change::Criteria {
            session: orders,
            checks: vec![check("AC-1", CriterionState::Satisfied, &["ac_1_the_summary_adds_up"])],
            files: vec![ROUNDING.into()],
            commit: world.repo().head().unwrap().commit,
            at: NOW,
        },
    ]);
    let store = Store::open(&shelf.path, scope).unwrap();
    let mut play = Play::with(Options { store, now: || CLOCK.load(Relaxed), ..shelf.options(true) });
    play.board.press("4");
    play.shows("✓ AC-1");
    rounds("down\n");
    // A busy session writes, and git is left alone.
    scene.prepare(orders, "generate_integration_tests");
    scene.begin(orders, Step::GenerateIntegrationTests, agent("Test it."));
    play.shows("● Orders");
    assert!(play.board.text().contains("✓ AC-1"), "{}", play.board.text());
    CLOCK.fetch_add(2 * SECOND, Relaxed);
    scene.events(orders, vec![said("Testing.\n")]);
    play.shows("~ AC-1");
    // What is new on record is compared at once.
    rounds("half to even\n");
    let (criterion, state) = ("AC-2".into(), Some(CriterionState::Unmet));
    scene.write(vec![Change::CriterionWord { criterion, state, note: "dear".into(), user: "Ada".into(), at: NOW }]);
    play.shows("✗ AC-2");
    assert!(play.board.text().contains("✓ AC-1"), "{}", play.board.text());
}

#[test]
fn who_woke_whom_is_in_the_tree() {
    let shop = shop();
    let mut board = shop.board("");
    let text = board.text();
    assert!(text.contains("Orders → Cart"), "{text}");
    board.go(shop.cart);
    assert!(board.text().contains("Cart ← Orders"), "{}", board.text());
}

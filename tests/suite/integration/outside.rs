//! Tests outside the context: those that were red before, those that break, and what a person decides about them.

use std::fs;

use callboard::{
    model::{
        Answer, HaltId, HaltReason, Intent, IntentAction, IntentId, Placement, ResultStatus, Seen, Status, Step,
        Verdict,
    },
    store::Change,
};

use super::{JOINED, Shop, WAKE_CART, WEIGHED};

/// The joining code changes what Billing has.
pub(super) const BREAKS_BILLING: &str = r#"
[[turn]]
step = "generate_context"
write = [{ path = "src/orders.txt", content = "joined\n" }, { path = "src/billing/rounding.txt", content = "up\n" }]
"#;

#[test]
fn what_was_red_before_does_not_halt() {
    let (shop, id) = Shop::new(&[JOINED, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let suite = shop.store().last_result(id, Step::RunTestSuite).unwrap().unwrap();
    assert_eq!(suite.status, ResultStatus::Warning);
    let run = suite.test_run().unwrap();
    let placed: Vec<_> =
        run.failures.iter().map(|it| (it.name.as_str(), it.context.as_deref(), it.placement)).collect();
    assert_eq!(placed, [("is_old", Some("Billing"), Some(Placement::PreExisting))]);
    let base = shop.store().session(id).unwrap().base_commit.unwrap();
    assert_eq!(shop.store().base_runs(&base, &["is_old".into()]).unwrap(), [("is_old".to_owned(), true)]);
    assert!(shop.store().halts(id).unwrap().is_empty());
    assert!(suite.output.is_some_and(|output| fs::metadata(&output.path).is_ok_and(|it| it.len() == output.kept)));
}

#[test]
fn approve_closes_and_nothing_happens_after_the_halt() {
    let (shop, id) = Shop::new(&[BREAKS_BILLING, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let session = shop.store().session(id).unwrap();
    assert_eq!(session.status, Status::Failed, "at once");
    let halt = shop.store().last_halt(id).unwrap().unwrap();
    assert_eq!(halt.reason, HaltReason::ArchitecturalFailure);
    let placed = shop.store().last_result(id, Step::RunTestSuite).unwrap().unwrap();
    let placed: Vec<_> =
        placed.test_run().unwrap().failures.iter().map(|it| (it.name.clone(), it.placement.unwrap())).collect();
    let expected = [("rounds".to_owned(), Placement::Outside), ("is_old".to_owned(), Placement::PreExisting)];
    assert_eq!(placed, expected, "what was red before is told apart from what broke");
    assert_eq!(halt.evidence["about"]["files"], serde_json::json!(["src/billing/rounding.txt"]));
    let next = shop.ok(&["preview", &id.to_string()]);
    assert_eq!(
        next,
        "next: halt\nbut: halted (architectural_failure): tests outside Orders broke: rounds in Billing; changed here, \
         and theirs or used by them: src/billing/rounding.txt. Approve closes it as failed; override, with a note, \
         opens fix_test_failures.\n"
    );
    let shown = shop.ok(&["show", &id.to_string()]);
    let told = |line: &str| shown.lines().any(|it| it.split_whitespace().collect::<Vec<_>>().join(" ") == line);
    assert!(told("new rounds outside, Billing tests/rounding.t"), "{shown}");
    assert!(told("was red before is_old Billing tests/rounding.t"), "{shown}");
    let report = shop.ok(&["report", &id.to_string()]);
    assert!(report.contains("- rounds (outside, Billing) failed in #"), "{report}");
    assert!(report.contains("- is_old (was red before, Billing) failed in #"), "{report}");
    let branch = session.branch.clone().unwrap();
    let (steps, tip) = (shop.steps(id), shop.git(&["rev-parse", &branch]));

    shop.ask(&["approve", &id.to_string(), "--note", "Billing is not ours"]);
    assert_eq!(shop.run(id), 1, "{}", shop.story());
    assert_eq!(shop.store().session(id).unwrap().status, Status::Failed);
    let decision = shop.store().last_halt(id).unwrap().unwrap().decision.unwrap();
    assert_eq!((decision.verdict, decision.note.as_deref()), (Verdict::Approve, Some("Billing is not ours")));
    assert_eq!((shop.steps(id), shop.git(&["rev-parse", &branch])), (steps, tip));
    assert!(session.worktree.unwrap().join("src/orders.txt").is_file(), "the worktree is kept");
    assert_eq!(shop.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_decision_is_about_what_was_seen() {
    let (shop, id) = Shop::new(&[BREAKS_BILLING, WAKE_CART, WEIGHED]);
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let halt = shop.store().last_halt(id).unwrap().unwrap();
    let ask = |action: IntentAction| {
        let intent = IntentId::generate();
        let asked = Intent { id: intent, session_id: id, user: "ada@example.com".into(), action, at: 1 };
        shop.store().apply(&vec![Change::Ask(asked)]).unwrap();
        shop.run(id);
        match shop.store().answer(intent).unwrap() {
            Some(Answer::Refused { why }) => why,
            other => panic!("{other:?}"),
        }
    };
    let approve = |seen: Seen| IntentAction::Approve { note: None, seen: Some(seen) };
    let other = ask(approve(Seen { halt: HaltId::generate(), content: None }));
    assert!(other.contains("an earlier halt"), "{other}");
    // Somebody writes into the worktree between the look and the decision.
    let worktree = shop.store().session(id).unwrap().worktree.unwrap();
    let tree = callboard::git::Tree::open(&worktree).unwrap();
    let content = tree.content_hash(&["src/billing/rounding.txt".into()]).unwrap();
    fs::write(worktree.join("src/billing/rounding.txt"), "down\n").unwrap();
    let changed = ask(approve(Seen { halt: halt.id, content: Some(content) }));
    assert!(changed.contains("has changed since it was shown"), "{changed}");
    // Nor is the decision got round.
    let context = "Mended by hand.".to_owned();
    let woken = ask(IntentAction::Reactivate { context, requester: None, redesign: false });
    assert!(woken.contains("approve or override that first"), "{woken}");
    assert!(shop.store().last_halt(id).unwrap().unwrap().decision.is_none());
    // What was decided waits for nobody any more.
    let waits = || shop.ok(&["inbox", "--json"]).trim() != "[]";
    assert!(waits());
    shop.ask(&["approve", &id.to_string()]);
    assert_eq!(shop.run(id), 1, "{}", shop.story());
    assert!(!waits(), "{}", shop.ok(&["inbox"]));
    // What it was decided on can still be read, whatever becomes of the worktree.
    fs::remove_dir_all(&worktree).unwrap();
    let report = shop.ok(&["report", &id.to_string()]);
    assert!(report.contains("-even") && report.contains("+up"), "{report}");
}

const CARGO: &str = r#"
[project]
name = "shop"
tests = "cargo"
agent = "player"

[paths]
code = "src/{path}.rs"
test = "tests/{name}_test.rs"
integration_test = "tests/{name}_together_test.rs"

[agents.player]
protocol = "script"
scenario = "scenario.toml"

[[context]]
name = "Orders"
kind = "context"
code = "src/orders/mod.rs"
  [[context.component]]
  name = "Cart"
  kind = "module"

[[context]]
name = "Billing"
kind = "context"
code = "src/billing/mod.rs"
  [[context.component]]
  name = "Rounding"
  kind = "module"
"#;

/// The joining code wants another signature of what Billing has; Billing's own test does not compile any more.
const ANOTHER_SIGNATURE: &str = r##"
[[turn]]
component = "Cart"
step = "generate_implementation"
write = [{ path = "src/orders/cart.rs", content = "pub fn lines() -> u64 { 1 }\n" }]

[[turn]]
step = "generate_integration_tests"
write = [{ path = "tests/orders_together_test.rs", content = "#[test]\nfn it_adds_up() { assert_eq!(shop::orders::total(3), 2) }\n" }]

[[turn]]
step = "generate_context"
write = [
  { path = "src/orders/mod.rs", content = "pub mod cart;\npub fn total(cents: u64) -> u64 { crate::billing::rounding::half(cents, true) }\n" },
  { path = "src/billing/rounding.rs", content = "pub fn half(cents: u64, up: bool) -> u64 { if up { cents.div_ceil(2) } else { cents / 2 } }\n" },
]
"##;

#[test]
fn a_test_elsewhere_that_does_not_compile_any_more_halts() {
    let (shop, id) = Shop::with(CARGO, &[ANOTHER_SIGNATURE], |shop| {
        shop.write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
        shop.write(".gitignore", "target\n");
        shop.write("src/lib.rs", "pub mod billing;\npub mod orders;\n");
        shop.write("src/orders/mod.rs", "pub mod cart;\n");
        shop.write("src/orders/cart.rs", "pub fn lines() -> u64 { 1 }\n");
        shop.write("src/billing/mod.rs", "pub mod rounding;\n");
        shop.write("src/billing/rounding.rs", "pub fn half(cents: u64) -> u64 { cents / 2 }\n");
        shop.write("tests/cart_test.rs", "#[test]\nfn keeps() { assert_eq!(shop::orders::cart::lines(), 1) }\n");
        shop.write(
            "tests/rounding_test.rs",
            "#[test]\nfn rounds() { assert_eq!(shop::billing::rounding::half(3), 1) }\n",
        );
    });
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let halt = shop.store().last_halt(id).unwrap().unwrap();
    assert_eq!(halt.reason, HaltReason::ArchitecturalFailure, "{}", shop.story());
    let about = &halt.evidence["about"];
    assert_eq!(about["contexts"], serde_json::json!(["Billing"]));
    assert_eq!(about["files"], serde_json::json!(["src/billing/rounding.rs"]));
    assert_eq!(about["tests"][0]["name"], "tests/rounding_test.rs does not compile");
    assert_eq!(about["tests"][0]["component"], "Rounding");
    let run = shop.store().last_result(id, Step::RunTestSuite).unwrap().unwrap();
    assert_eq!(run.test_run().unwrap().compile_errors[0].placement, Some(Placement::Outside));
    // It compiled where the branch began: that was looked at, not believed.
    let base = shop.store().session(id).unwrap().base_commit.unwrap();
    let known = shop.store().base_runs(&base, &["tests/rounding_test.rs does not compile".into()]).unwrap();
    assert_eq!(known, [("tests/rounding_test.rs does not compile".to_owned(), false)]);
}

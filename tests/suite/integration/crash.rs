//! The engine is killed in each step of an integration session; the next one goes on, and nothing is done twice.

use callboard::model::{HaltReason, SessionId, Status, Step};

use super::{JOINED, Shop, WAKE_CART, WEIGHED, outside::BREAKS_BILLING, until};

/// Every step, in the order in which this story first comes to it; the suite is broken outside once and mended.
const STEPS: [Step; 9] = [
    Step::Initialize,
    Step::GenerateIntegrationTests,
    Step::GenerateContext,
    Step::RunIntegrationTests,
    Step::FixIntegrationTestFailures,
    Step::RunTestSuite,
    Step::FixTestFailures,
    Step::ValidateAcceptanceCriteria,
    Step::Finalize,
];

/// The suite fails inside the context: Tax's own test misses what the integration test does not ask for.
const BREAKS_TAX: &str = r#"
[[turn]]
step = "generate_context"
write = [{ path = "src/orders.txt", content = "joined\n" }, { path = "src/orders/tax.txt", content = "none\n" }]

[[turn]]
kind = "integration"
step = "fix_test_failures"
write = [{ path = "src/orders/tax.txt", content = "rate\n" }]
"#;

/// A project that is pushed to a remote which counts what it gets.
fn pushed() -> (Shop, SessionId) {
    let (shop, id) = Shop::new(&[BREAKS_TAX, WAKE_CART, WEIGHED]);
    let remote = shop.folder.join("remote.git");
    shop.git(&["init", "--quiet", "--bare", remote.as_str()]);
    shop.git(&["remote", "add", "origin", remote.as_str()]);
    let hook = remote.join("hooks/post-receive");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\nwhile read old new ref; do echo $ref >> pushes; done\n").unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&hook, mode).unwrap();
    let toml = shop.project().join("callboard.toml");
    let text = std::fs::read_to_string(&toml).unwrap();
    std::fs::write(&toml, text.replace("name = \"shop\"\n", "name = \"shop\"\nremote = \"origin\"\n")).unwrap();
    (shop, id)
}

fn killed_in(step: Step) {
    let (shop, id) = pushed();
    let mut run = shop.start(id);
    let store = shop.store();
    until(&format!("{step} begins"), || {
        store.interactions(id, 0).is_ok_and(|all| all.iter().any(|it| it.step == step))
    });
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(shop.run(id), 0, "killed in {step}:\n{}", shop.story());

    let steps: Vec<String> = shop.steps(id).into_iter().filter(|step| !step.ends_with(":interrupted")).collect();
    let expected = [
        "initialize",
        "generate_integration_tests",
        "generate_context",
        "run_integration_tests:failed",
        "fix_integration_test_failures",
        "run_integration_tests",
        "run_test_suite:failed",
        "fix_test_failures",
        "run_test_suite",
        "validate_acceptance_criteria",
        "finalize",
    ];
    assert_eq!(steps, expected, "killed in {step}");
    let session = store.session(id).unwrap();
    assert_eq!(session.status, Status::Complete);
    let (branch, base) = (session.branch.unwrap(), session.base_commit.unwrap());
    let subjects = shop.git(&["log", "--topo-order", "--format=%s", &format!("{base}..{branch}")]);
    assert_eq!(subjects, "Integrate Orders\nMerge: Implement Cart\nImplement Cart\n", "killed in {step}");
    assert_eq!(store.session(shop.coding("Cart")).unwrap().generation, 2, "killed in {step}");
    let pushes = std::fs::read_to_string(shop.folder.join("remote.git/pushes")).unwrap();
    assert_eq!(pushes.matches(&format!("refs/heads/{branch}\n")).count(), 1, "killed in {step}: {pushes}");
    assert!(store.halts(id).unwrap().is_empty(), "killed in {step}");
    assert_eq!(shop.git(&["status", "--porcelain"]).trim(), "M callboard.toml", "killed in {step}");
}

#[test]
fn in_its_first_steps() {
    STEPS[..3].iter().for_each(|step| killed_in(*step));
}

#[test]
fn in_its_integration_tests() {
    STEPS[3..5].iter().for_each(|step| killed_in(*step));
}

#[test]
fn in_its_suite() {
    STEPS[5..7].iter().for_each(|step| killed_in(*step));
}

#[test]
fn in_its_last_steps() {
    STEPS[7..].iter().for_each(|step| killed_in(*step));
}

/// What halts stays halted, whoever drives it next, until a person decides; and a decision is taken once.
#[test]
fn at_a_halt_and_at_its_decision() {
    let (shop, id) = Shop::new(&[BREAKS_BILLING, WAKE_CART, WEIGHED, MENDS_BILLING]);
    let mut run = shop.start(id);
    let store = shop.store();
    until("it halts", || store.last_halt(id).is_ok_and(|halt| halt.is_some()));
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    let halts = store.halts(id).unwrap();
    assert_eq!(halts.iter().map(|halt| halt.reason).collect::<Vec<_>>(), [HaltReason::ArchitecturalFailure]);
    shop.ask(&["override", &id.to_string(), "--note", "Go on."]);
    let mut run = shop.start(id);
    until("it is decided", || store.last_halt(id).is_ok_and(|halt| halt.is_some_and(|halt| halt.decision.is_some())));
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    assert_eq!(store.halts(id).unwrap().len(), 1);
    let fixes = shop.steps(id).into_iter().filter(|step| step == "fix_test_failures").count();
    assert_eq!(fixes, 1, "{}", shop.story());
}

/// The agent takes back what it did to Billing.
const MENDS_BILLING: &str = r#"
[[turn]]
kind = "integration"
step = "fix_test_failures"
prompt = "outside this context"
write = [{ path = "src/billing/rounding.txt", content = "even\n" }]
"#;

#[test]
fn a_waking_attempt_that_is_cut_off_wakes_once() {
    let slow = WAKE_CART.replace("iteration = 1", "iteration = 1\ndelay_ms = 800");
    let (shop, id) = Shop::new(&[JOINED, &slow, WEIGHED]);
    let mut run = shop.start(id);
    let (store, cart) = (shop.store(), shop.coding("Cart"));
    until("Cart is complete again", || {
        store.session(cart).is_ok_and(|it| it.generation == 2 && it.status == Status::Complete)
    });
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let fixes: Vec<String> = shop.steps(id).into_iter().filter(|step| step.starts_with("fix")).collect();
    assert_eq!(fixes, ["fix_integration_test_failures:interrupted", "fix_integration_test_failures"]);
    assert_eq!(store.session(cart).unwrap().generation, 2);
    assert!(store.halts(id).unwrap().is_empty());
}

#[test]
fn a_merge_that_is_cut_off_takes_nothing_of_the_session_with_it() {
    let joined = r#"
[[turn]]
step = "generate_context"
write = [{ path = "src/orders.txt", content = "joined\n" }, { path = "src/orders/tax.txt", content = "rate\njoined\n" }]
"#;
    let (shop, id) = Shop::new(&[joined, WAKE_CART, WEIGHED]);
    let flag = shop.folder.join("merging");
    shop.hook("pre-merge-commit", &format!("[ -e {flag} ] && exit 0; touch {flag}; sleep 60"));
    let mut run = shop.start(id);
    until("Cart is merged", || flag.is_file());
    run.kill().unwrap();
    run.wait().unwrap();
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let branch = shop.store().session(id).unwrap().branch.unwrap();
    let show = |file: &str| shop.git(&["show", &format!("{branch}:{file}")]);
    assert_eq!((show("src/orders/tax.txt"), show("src/orders.txt")), ("rate\njoined\n".into(), "joined\n".into()));
    assert_eq!(show("src/orders/cart.txt"), "price\nweight\n");
    let log = shop.git(&["log", "--first-parent", "--format=%s", "-2", &branch]);
    assert_eq!(log, "Integrate Orders\nMerge: Implement Cart\n");
}

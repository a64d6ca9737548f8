//! Every row of the integration's table, with what leads to it.

use std::fs;

use callboard::model::{HaltReason, Status};

use super::{BEGINNING, Shop, TOML};

/// Each agent step ends badly once; the integration test fails, then a test of the context, then a criterion has no test.
const BADLY: &str = r#"
[[turn]]
step = "generate_integration_tests"
iteration = 1
error = "out of words"

[[turn]]
step = "generate_integration_tests"
iteration = 2
write = [{ path = "tests/orders_together.t", content = "weighs weight src/orders/cart.txt\n" }]

[[turn]]
step = "generate_context"
iteration = 1
error = "out of words"

[[turn]]
step = "generate_context"
iteration = 2
write = [{ path = "src/orders.txt", content = "joined\n" }, { path = "src/orders/tax.txt", content = "none\n" }]

[[turn]]
step = "fix_integration_test_failures"
iteration = 1
error = "out of words"

[[turn]]
step = "fix_integration_test_failures"
iteration = 2
write = [{ path = "src/orders/cart.txt", content = "price\nweight\n" }]

[[turn]]
kind = "integration"
step = "fix_test_failures"
iteration = 1
error = "out of words"

[[turn]]
kind = "integration"
step = "fix_test_failures"
iteration = 2
write = [{ path = "src/orders/tax.txt", content = "rate\n" }]

[[turn]]
step = "generate_integration_tests"
iteration = 3
prompt = "AC-1 .*no test carries its id"
write = [{ path = "tests/orders_together.t", content = "ac_1_weighs weight src/orders/cart.txt\n" }]

[[turn]]
step = "generate_context"
iteration = 3
say = ["Nothing to join."]
"#;

#[test]
fn each_is_gone_through() {
    let toml = format!("{TOML}\n[worktree]\nsetup = [\"sh\", \"setup.sh\"]\n");
    let (shop, id) = Shop::with(&toml, &[BADLY, BEGINNING], |shop| {
        // Outside of the worktree, so that it says yes or no to the same worktree.
        let flag = shop.folder.join("no-setup");
        shop.write("setup.sh", &format!("[ ! -e {flag} ]\n"));
    });
    // What is missing on the machine is for a person to mend; then the same step is tried again.
    fs::write(shop.folder.join("no-setup"), "").unwrap();
    assert_eq!(shop.run(id), 3, "{}", shop.story());
    assert_eq!(shop.store().last_halt(id).unwrap().unwrap().reason, HaltReason::Environment);
    fs::remove_file(shop.folder.join("no-setup")).unwrap();
    shop.ask(&["retry", &id.to_string()]);
    // What a hook refuses fails the session with its output; nothing is lost, and it is finalized again.
    let refuse = shop.folder.join("refuse");
    fs::write(&refuse, "").unwrap();
    shop.hook("pre-commit", &format!("[ ! -e {refuse} ] || {{ echo 'not today' >&2; exit 1; }}"));
    assert_eq!(shop.run(id), 1, "{}", shop.story());
    assert_eq!(shop.store().session(id).unwrap().status, Status::Failed);
    assert!(shop.store().last_error(id).unwrap().unwrap().contains("not today"));
    fs::remove_file(&refuse).unwrap();
    shop.ask(&["retry", &id.to_string()]);
    assert_eq!(shop.run(id), 0, "{}", shop.story());
    let expected = [
        "initialize:environment",
        "initialize",
        "generate_integration_tests:failed",
        "generate_integration_tests",
        "generate_context:failed",
        "generate_context",
        "run_integration_tests:failed",
        "fix_integration_test_failures:failed",
        "fix_integration_test_failures",
        "run_integration_tests",
        "run_test_suite:failed",
        "fix_test_failures:failed",
        "fix_test_failures",
        "run_test_suite",
        "validate_acceptance_criteria:failed",
        "generate_integration_tests",
        "generate_context",
        "run_integration_tests",
        "run_test_suite",
        "validate_acceptance_criteria",
        "finalize:failed",
        "finalize",
    ];
    assert_eq!(shop.steps(id), expected, "{}", shop.story());
    let session = shop.store().session(id).unwrap();
    assert_eq!(session.status, Status::Complete);
    let range = format!("{}..{}", session.base_commit.unwrap(), session.branch.unwrap());
    assert_eq!(shop.git(&["log", "--format=%s", &range]), "Integrate Orders\n");
}

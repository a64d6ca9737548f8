//! The demo's story, row by row.

use callboard::model::HaltReason;
use serde_json::Value;

use super::{Shop, open};

#[test]
fn the_demo_tells_the_whole_story() {
    let shop = Shop::empty();
    let mut demo = shop.command(env!("CARGO_BIN_EXE_callboard"));
    let output = demo.args(["demo", "--headless", "--json", "demo"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["complete"], true);
    let of = |kind: &str, component: &str| {
        let sessions = report["sessions"].as_array().unwrap();
        sessions.iter().find(|it| it["kind"] == kind && it["component"] == component).unwrap()
    };
    let integration = of("integration", "Orders");
    let interactions = integration["interactions"].as_array().unwrap();
    let rows: Vec<(&str, u64, &str, Option<&str>)> = interactions
        .iter()
        .map(|it| {
            let result = &it["result"];
            let status = result["status"].as_str().unwrap();
            (it["step"].as_str().unwrap(), it["iteration"].as_u64().unwrap(), status, result["cause"].as_str())
        })
        .collect();
    let expected = [
        ("initialize", 1, "ok", None),
        ("generate_integration_tests", 1, "ok", None),
        ("generate_context", 1, "ok", None),
        ("run_integration_tests", 1, "error", Some("failed")),
        ("fix_integration_test_failures", 1, "ok", None),
        ("run_integration_tests", 2, "error", Some("failed")),
        ("fix_integration_test_failures", 2, "ok", None),
        ("run_integration_tests", 3, "ok", None),
        ("run_test_suite", 1, "error", Some("failures_outside")),
        ("fix_test_failures", 1, "ok", None),
        ("run_test_suite", 2, "ok", None),
        ("validate_acceptance_criteria", 1, "error", Some("failed")),
        ("generate_integration_tests", 2, "ok", None),
        ("generate_context", 2, "ok", None),
        ("run_integration_tests", 4, "ok", None),
        ("run_test_suite", 3, "ok", None),
        ("validate_acceptance_criteria", 2, "ok", None),
        ("finalize", 1, "ok", None),
    ];
    assert_eq!(rows, expected);
    let failures = |at: usize| -> Vec<(&str, &str, &str)> {
        let listed = interactions[at]["result"]["data"]["failures"].as_array().unwrap();
        let text = |it: &'static str, failure: usize| listed[failure][it].as_str().unwrap();
        // Tests run side by side: which fails first is not said.
        let mut all: Vec<_> =
            (0..listed.len()).map(|at| (text("name", at), text("context", at), text("placement", at))).collect();
        all.sort_unstable();
        all
    };
    let (ac_1, ac_3) = ("ac_1_the_summary_adds_up", "ac_3_tax_is_due_on_the_goods_and_on_shipping");
    assert_eq!(failures(3), [(ac_1, "Orders", "inside"), (ac_3, "Orders", "inside")]);
    assert_eq!(failures(5), [(ac_1, "Orders", "inside")]);
    let (invoice, rounding) =
        ("the_last_instalment_takes_what_rounding_left_over", "exactly_half_a_cent_goes_to_the_even_cent");
    assert_eq!(failures(8), [(rounding, "Billing", "outside"), (invoice, "Billing", "outside")]);

    // The person's word is on record, with what it was given on.
    let halt = &integration["halt"];
    assert_eq!(halt["reason"], "architectural_failure");
    assert_eq!(halt["evidence"]["about"]["contexts"], serde_json::json!(["Billing"]));
    assert_eq!(halt["evidence"]["about"]["files"], serde_json::json!(["src/billing/rounding.rs"]));
    let decision = &halt["decision"];
    assert_eq!((&decision["verdict"], &decision["user"]), (&"override".into(), &"ada@example.com".into()));
    assert!(decision["note"].as_str().unwrap().contains("Billing"), "{decision}");
    assert_eq!(decision["evidence_hash"].as_str().unwrap().len(), 64);

    // What each agent was told.
    let prompt = |at: usize| interactions[at]["command"]["prompt"].as_str().unwrap();
    for wanted in [invoice, rounding, "**outside this context**, component `Invoice` of `Billing`"] {
        assert!(prompt(9).contains(wanted), "{wanted} is missing in {}", prompt(9));
    }
    assert!(prompt(12).contains("## What is still missing"), "{}", prompt(12));
    assert!(
        prompt(12)
            .contains("> AC-5 (An order that a voucher pays in full still costs its shipping): no test carries its id")
    );

    // The one session that was woken, in the same conversation.
    let cart = of("component_coding", "Cart");
    assert_eq!((&cart["generation"], &cart["status"]), (&2.into(), &"complete".into()));
    let woken: Vec<&Value> =
        cart["interactions"].as_array().unwrap().iter().filter(|it| it["generation"] == 2).collect();
    let steps: Vec<&str> = woken.iter().map(|it| it["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["fix_test_failures", "run_tests", "finalize"]);
    let told = woken[0]["command"]["prompt"].as_str().unwrap();
    for wanted in ["a cart does not know what its goods weigh", "Failing: ac_1_the_summary_adds_up", "Cart::weigh"] {
        assert!(told.contains(wanted), "{wanted} is missing in {told}");
    }
    assert_eq!(woken[0]["command"]["conversation_id"], cart["conversation_id"]);
    let at = |it: &Value, name: &str| it[name].as_str().unwrap().to_owned();
    assert!(at(woken[2], "completed_at") <= at(&interactions[7], "started_at"), "it was waited for");

    let criteria: Vec<(&str, &str, &str)> = report["criteria"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let shown = &it["shown"];
            (it["id"].as_str().unwrap(), shown["state"].as_str().unwrap(), shown["commit"].as_str().unwrap())
        })
        .collect();
    let commit = integration["commit"].as_str().unwrap();
    assert_eq!(criteria, ["AC-1", "AC-2", "AC-3", "AC-4", "AC-5"].map(|id| (id, "satisfied", commit)));

    // One merge, one commit, pushed once; Billing and the checkout are as they were.
    let folder = shop.folder.join("demo");
    let git = |arguments: &[&str]| {
        let output = shop.command("git").arg("-C").arg(folder.join("shop")).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let (branch, base) = (integration["branch"].as_str().unwrap(), integration["base_commit"].as_str().unwrap());
    let subjects = git(&["log", "--topo-order", "--format=%s", &format!("{base}..{branch}")]);
    assert_eq!(subjects, "Integrate Orders\nMerge: Implement Cart\nImplement Cart\n");
    let files = git(&["diff", "--name-only", base, branch]);
    assert_eq!(files, "src/orders/cart.rs\nsrc/orders/mod.rs\ntests/orders_integration_test.rs\n");
    assert_eq!(git(&["ls-remote", "origin", &format!("refs/heads/{branch}")]).split_whitespace().next(), Some(commit));
    assert_eq!(git(&["status", "--porcelain"]), "");
    let store = open(&folder.join("callboard.db"), &folder.join("shop"));
    let halts = store.halts(integration["id"].as_str().unwrap().parse().unwrap()).unwrap();
    assert_eq!(halts.iter().map(|halt| halt.reason).collect::<Vec<_>>(), [HaltReason::ArchitecturalFailure]);
}

//! `demo --headless`: all that the demo promises, with the real `cargo test`.

use std::{collections::BTreeSet, fs};

use callboard::{
    model::{Data, HaltReason, SessionKind, Step, Verdict},
    store::{SessionFilter, Store},
    workflow,
};
use serde_json::Value;

use super::world::{World, ran, refused};

fn sessions<'a>(report: &'a Value, kind: &str) -> Vec<&'a Value> {
    report["sessions"].as_array().unwrap().iter().filter(|session| session["kind"] == kind).collect()
}

fn of<'a>(report: &'a Value, kind: &str, component: &str) -> &'a Value {
    sessions(report, kind).into_iter().find(|session| session["component"] == component).unwrap()
}

fn steps(session: &Value) -> Vec<(u64, &str, &str)> {
    let interactions = session["interactions"].as_array().unwrap();
    interactions
        .iter()
        .map(|it| {
            let (step, status) = (it["step"].as_str().unwrap(), it["result"]["status"].as_str().unwrap());
            (it["generation"].as_u64().unwrap(), step, status)
        })
        .collect()
}

/// The states that the failures of a session went through, run by run, and how they ended.
fn states(store: &Store, kind: SessionKind, component: &str) -> BTreeSet<&'static str> {
    let (session, _) = store
        .sessions(SessionFilter { kind: Some(kind), status: None })
        .unwrap()
        .into_iter()
        .find(|(session, _)| session.component == component)
        .unwrap();
    let mut rows = Vec::new();
    let mut seen = BTreeSet::new();
    for it in store.interactions(session.id, 0).unwrap().into_iter().filter(|it| it.step == Step::RunTests) {
        if let Some(Data::TestRun(run)) = it.result.unwrap().data {
            workflow::absorb(&mut rows, &run, it.seq);
            seen.extend(rows.iter().map(|row| row.state.as_str()));
        }
    }
    assert_eq!(rows, store.ledger(session.id).unwrap(), "what is stored follows from the runs");
    seen
}

#[test]
fn without_a_board() {
    let world = World::empty();
    let run = |world: &World| ran(world.command(&["demo", "--headless", "--json", "demo"]).env_remove("CALLBOARD_DB"));
    let first = run(&world);
    assert_eq!(first.code, 0, "{}", first.err);
    let report: Value = serde_json::from_str(&first.out).unwrap();
    let folder = world.project.join("demo");
    assert_eq!(report["complete"], true);
    assert_eq!(
        (&report["project"], &report["store"]),
        (&folder.join("shop").as_str().into(), &folder.join("callboard.db").as_str().into())
    );
    for kind in ["context_testing", "context_coding", "integration"] {
        assert_eq!(of(&report, kind, "Orders")["status"], "complete");
    }

    // Tax's first tests do not compile.
    let tax = of(&report, "component_test", "Tax");
    let fixed = [(1, "run_tests", "error"), (1, "fix_compilation_errors", "ok"), (1, "run_tests", "ok")];
    assert_eq!(steps(tax)[2..5], fixed);
    assert_eq!(tax["interactions"][2]["result"]["data"]["status"], "compile_error");
    for component in ["Cart", "Discount", "Shipping", "Total"] {
        assert_eq!(steps(of(&report, "component_test", component)).len(), 4, "{component} needed no second try");
    }

    // Shipping fails twice, Discount once, for good: it is reactivated, and later Cart, woken by the integration.
    let shipping = steps(of(&report, "component_coding", "Shipping"));
    assert_eq!(shipping.iter().filter(|step| **step == (1, "run_tests", "error")).count(), 2);
    let discount = of(&report, "component_coding", "Discount");
    assert_eq!((&discount["generation"], &discount["status"]), (&2.into(), &"complete".into()));
    assert!(steps(discount).contains(&(1, "finalize", "error")));
    assert_eq!(steps(discount).iter().find(|step| step.0 == 2), Some(&(2, "fix_test_failures", "ok")));
    let cart = of(&report, "component_coding", "Cart");
    assert_eq!((&cart["generation"], &cart["status"]), (&2.into(), &"complete".into()));
    assert_eq!(steps(cart).iter().find(|step| step.0 == 2), Some(&(2, "fix_test_failures", "ok")));
    for session in report["sessions"].as_array().unwrap() {
        let again = [&discount["id"], &cart["id"]].contains(&&session["id"]);
        assert_eq!(session["generation"] == 1, !again, "{}", session["component"]);
    }
    let spawned = &of(&report, "context_coding", "Orders")["interactions"];
    let problems = spawned[1]["result"]["data"]["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!((&problems[0]["component"], &problems[0]["status"]), (&"Discount".into(), &"failed".into()));
    assert!(problems[0]["message"].as_str().unwrap().contains("dbg!("), "{problems:?}");
    assert_eq!(spawned[2]["command"]["reactivated"], serde_json::json!([discount["id"]]));

    let scope = callboard::model::Scope {
        account: "local".into(),
        project: folder.join("shop").to_string(),
        user: String::new(),
    };
    let store = Store::open(&folder.join("callboard.db"), scope).unwrap();
    let all = BTreeSet::from(["new", "still failing", "message changed", "fixed"]);
    assert_eq!(states(&store, SessionKind::ComponentCoding, "Shipping"), all);
    crate::store::oracle::check(&store);

    // Pushed, merged, and the checkout untouched.
    let shop = folder.join("shop");
    let git = |arguments: &[&str]| world.git(&[&["-C", shop.as_str()], arguments].concat());
    assert_eq!(git(&["status", "--porcelain"]), "");
    assert_eq!(git(&["branch", "--show-current"]).trim(), "main");
    for kind in ["context_testing", "context_coding", "integration"] {
        let session = of(&report, kind, "Orders");
        let branch = session["branch"].as_str().unwrap();
        let pushed = world.git(&["--git-dir", folder.join("shop.git").as_str(), "rev-parse", branch]);
        assert_eq!(pushed.trim(), session["commit"]);
    }
    let merged = git(&["log", "--format=%H", of(&report, "context_coding", "Orders")["branch"].as_str().unwrap()]);
    let integrated = git(&["log", "--format=%H", of(&report, "integration", "Orders")["branch"].as_str().unwrap()]);
    for child in sessions(&report, "component_coding") {
        let commit = child["commit"].as_str().unwrap();
        assert!(integrated.contains(commit), "{} is in the integration", child["component"]);
        // What Cart added when it was woken came after its context's code was complete.
        assert_eq!(merged.contains(commit), child["id"] != cart["id"], "{} is merged", child["component"]);
    }
    let criteria = report["criteria"].as_array().unwrap();
    assert!(!criteria.is_empty() && criteria.iter().all(|one| one["shown"]["state"] == "satisfied"), "{criteria:?}");
    let halts = store.halts(of(&report, "integration", "Orders")["id"].as_str().unwrap().parse().unwrap()).unwrap();
    let verdicts: Vec<_> = halts.iter().map(|halt| halt.decision.as_ref().map(|decision| decision.verdict)).collect();
    let overridden = (HaltReason::ArchitecturalFailure, [Some(Verdict::Override)].as_slice());
    assert_eq!((halts[0].reason, verdicts.as_slice()), overridden, "{halts:?}");
    let before = fs::read(folder.join("callboard.db")).unwrap();
    assert!(refused(2, run(&world)).contains("is there already"));
    assert_eq!(fs::read(folder.join("callboard.db")).unwrap(), before);
    let stopped = ran(world.command(&["engine", "status"]).args(["--store", folder.join("callboard.db").as_str()]));
    assert_eq!(stopped.code, 1, "nothing is left at work: {stopped:?}");
}

//! Two engines, two projects, two accounts: who sees what of whom.

use callboard::{
    engine,
    model::{Scope, Status},
    store::{SessionFilter, Store},
};

use super::lab::{Lab, Shape};

#[test]
fn only_one_engine_works_on_a_store() {
    let lab = Lab::new();
    lab.hold("x");
    lab.act("any-generate_tests_and_fixtures", "hold x; mkdir -p tests; echo 'adds one' > tests/$name.t");
    let first = lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.sees("= agent alpha");
    // By another name of the same file, too.
    std::os::unix::fs::symlink(lab.root.join("data"), lab.root.join("alias")).unwrap();
    for store in [lab.store.clone(), lab.root.join("alias/callboard.db")] {
        let mut second = lab.callboard(&["engine", "run"]);
        second.args(["--store", store.as_str()]);
        let (code, said) = lab.finish(second);
        assert_eq!(code, 1);
        assert!(said.contains("another engine"), "{said}");
    }
    // A `run` follows the engine that is there.
    let follower = lab.spawn(lab.callboard(&["run", &id.to_string()]));
    assert_eq!(engine::holder(&lab.store).unwrap().pid, first);
    lab.release("x");
    assert_eq!(lab.exit(follower), Some(0));
    assert_eq!(lab.logged("+ agent"), 1);
    lab.stop(first);
}

#[test]
fn one_of_many_that_start_at_once_becomes_the_engine() {
    let lab = Lab::new();
    let id = lab.session("component_test", "Alpha");
    let runs: Vec<u32> = (0..4).map(|_| lab.spawn(lab.callboard(&["run", &id.to_string()]))).collect();
    for run in runs {
        assert_eq!(lab.exit(run), Some(0), "{}", lab.story());
    }
    assert_eq!(lab.steps(id), ["initialize", "generate_tests_and_fixtures", "run_tests", "finalize"]);
    assert_eq!(lab.logged("+ agent"), 1);
}

#[test]
fn projects_and_accounts_do_not_see_each_other() {
    let one = Lab::new();
    let two = Lab::with(Shape { components: vec!["Alpha", "Zeta"], ..Shape::default() });
    // The second project in the first one's store; the first project once more, for another account.
    let theirs = |arguments: &[&str]| {
        let mut command = two.callboard(arguments);
        command.args(["--store", one.store.as_str()]);
        let (code, said) = two.finish(command);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    };
    let work = |arguments: &[&str]| {
        let mut command = one.callboard(arguments);
        command.env("HOME", one.root.join("work"));
        command.env("XDG_CONFIG_HOME", one.root.join("work"));
        let (code, said) = one.finish(command);
        assert_eq!(code, 0, "{arguments:?}: {said}");
        said
    };
    one.write("work/callboard/config.toml", "account = \"work\"\n");
    theirs(&["trust", "--yes"]);
    work(&["trust", "--yes"]);
    let mine = one.session("context_testing", "Shop");
    let other: callboard::model::SessionId = theirs(&["new", "context_testing", "Shop"]).trim().parse().unwrap();
    let paid: callboard::model::SessionId = work(&["new", "context_testing", "Shop"]).trim().parse().unwrap();
    one.engine();
    let in_scope = |account: &str, project: &str| {
        let scope = Scope { account: account.into(), project: project.into(), user: String::new() };
        Store::open(&one.store, scope).unwrap()
    };
    let stores = [
        (mine, in_scope("local", one.project.as_str()), 6),
        (other, in_scope("local", two.project.as_str()), 3),
        (paid, in_scope("work", one.project.as_str()), 6),
    ];
    for (id, store, count) in &stores {
        one.wait("complete", |_| {
            let row = store.board_row(*id).unwrap();
            assert!(row.halt.is_none(), "{:?}", store.last_halt(*id));
            row.status.is_terminal()
        });
        assert_eq!(store.session(*id).unwrap().status, Status::Complete);
        assert_eq!(store.sessions(SessionFilter::default()).unwrap().len(), *count);
        for (foreign, _, _) in stores.iter().filter(|(foreign, _, _)| foreign != id) {
            assert!(store.session(*foreign).is_err() && store.find(&foreign.to_string()).is_err());
            assert!(
                store.interactions(*foreign, 0).unwrap().is_empty() && store.events(*foreign, 0, 9).unwrap().is_empty()
            );
        }
    }
    // The same components of the same repository, at the same time: never the same branch.
    let branches: std::collections::BTreeSet<String> = [&stores[0].1, &stores[2].1]
        .iter()
        .flat_map(|store| store.sessions(SessionFilter::default()).unwrap())
        .map(|(session, _)| session.branch.unwrap())
        .collect();
    assert_eq!(branches.len(), 12);
    // Nor does an intent reach across.
    let change = callboard::store::Change::Ask(callboard::model::Intent {
        id: callboard::model::IntentId::generate(),
        session_id: mine,
        user: String::new(),
        action: callboard::model::IntentAction::Cancel,
        at: 0,
    });
    let mut foreign = in_scope("local", two.project.as_str());
    assert!(foreign.apply(&vec![change]).is_err());
}

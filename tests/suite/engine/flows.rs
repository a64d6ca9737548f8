//! The four workflows from their first step to their last, and what they leave behind.

use callboard::{
    model::{Data, Status, Step},
    workflow::LedgerState,
};

use super::lab::{Lab, Shape};

#[test]
fn tests_are_written_first_and_must_fail() {
    let lab = Lab::new();
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    assert_eq!(lab.steps(id), ["initialize", "generate_tests_and_fixtures", "run_tests", "finalize"]);
    let session = lab.get(id);
    let branch = session.branch.unwrap();
    assert_eq!(branch, "callboard/component_test/alpha");
    assert_eq!(session.commit.as_deref(), Some(lab.tip(&branch).as_str()));
    assert_eq!(lab.pushed(&branch), lab.tip(&branch), "a session without parent is pushed");
    let message = lab.git(&["log", "-1", "--format=%B", &branch]);
    let wanted =
        format!("Test Alpha\n\nCallboard-Session: {id}\nCallboard-Context: Shop\nCallboard-Components: Alpha\n");
    assert_eq!(message.trim_end(), wanted.trim_end());
    assert_eq!(lab.git(&["diff", "--name-only", "main", &branch]), "tests/alpha.t\n");
    assert_eq!(created_by(&lab, "Alpha", "test"), id.to_string());
}

#[test]
fn tests_that_do_not_compile_or_assert_nothing_are_mended() {
    let lab = Lab::new();
    lab.act("alpha-generate_tests_and_fixtures", "mkdir -p tests; printf 'adds one\\nsyntax error\\n' > tests/alpha.t");
    let mend = "[ $CALLBOARD_ITERATION = 1 ] && printf 'adds one\\nnothing -\\n' > tests/alpha.t || printf 'adds one\\n' > tests/alpha.t";
    lab.act("alpha-fix_compilation_errors", mend);
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    let (tests, fix) = ("run_tests", "fix_compilation_errors");
    let wanted = [
        "initialize",
        "generate_tests_and_fixtures",
        "run_tests:could_not_run",
        fix,
        "run_tests:failed",
        fix,
        tests,
        "finalize",
    ];
    assert_eq!(lab.steps(id), wanted);
    let messages: Vec<String> = lab.history(id).into_iter().filter_map(|it| it.result?.error_message).collect();
    assert!(messages[0].contains("do not compile") && messages[0].contains("tests/alpha.t:1"), "{messages:?}");
    assert!(messages[1].contains("assert nothing yet: ") && messages[1].contains("nothing"), "{messages:?}");
    assert!(lab.read("prompts/alpha-fix_compilation_errors-1-1").contains("tests/alpha.t"));
    assert!(lab.read("prompts/alpha-fix_compilation_errors-1-2").contains("nothing"));
}

#[test]
fn every_assertion_of_the_design_has_a_test() {
    let lab = Lab::new();
    lab.write(
        "project/docs/shop/alpha.md",
        "# Alpha\n\n## Test assertions\n\n- adds\n- rejects\n- doubles the total\n",
    );
    lab.git(&["add", "."]);
    lab.git(&["commit", "--quiet", "-m", "design"]);
    lab.act("alpha-fix_compilation_errors", "printf 'doubles_the_total three\\n' >> tests/alpha.t");
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    let first = lab.history(id)[2].result.clone().unwrap();
    let message = first.error_message.unwrap();
    assert!(message.contains("1 of the 3 test assertions") && message.contains("doubles the total"), "{message}");
}

#[test]
fn tests_of_code_that_is_there_must_pass() {
    let lab = Lab::new();
    lab.write("project/src/shop/alpha.txt", "one\n");
    lab.git(&["add", "."]);
    lab.git(&["commit", "--quiet", "-m", "code"]);
    lab.act("alpha-fix_compilation_errors", "printf 'adds one\\n' > tests/alpha.t");
    lab.engine();
    let id = lab.session("component_test", "Alpha");
    lab.completes(id);
    assert_eq!(lab.steps(id)[2..], ["run_tests:failed", "fix_compilation_errors", "run_tests", "finalize"]);
}

#[test]
fn code_is_mended_until_its_tests_pass() {
    let lab = Lab::new();
    lab.write("project/tests/alpha.t", "adds one\nrejects two\nrounds three\n");
    lab.git(&["add", "."]);
    lab.git(&["commit", "--quiet", "-m", "tests"]);
    lab.act("alpha-generate_implementation", "mkdir -p src/shop; echo one > src/shop/alpha.txt");
    lab.act(
        "alpha-fix_test_failures",
        "[ $CALLBOARD_ITERATION = 1 ] && echo two >> src/shop/alpha.txt || echo three >> src/shop/alpha.txt",
    );
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    let wanted =
        ["run_tests:failed", "fix_test_failures", "run_tests:failed", "fix_test_failures", "run_tests", "finalize"];
    assert_eq!(lab.steps(id)[2..], wanted);
    let ledger = lab.open().ledger(id).unwrap();
    assert!(ledger.len() == 2 && ledger.iter().all(|row| row.state == LedgerState::Fixed), "{ledger:?}");
    let prompt = lab.read("prompts/alpha-fix_test_failures-1-2");
    assert!(prompt.contains("rounds") && prompt.contains("three is missing"), "{prompt}");
    // One conversation through all of it.
    let spoken: Vec<String> = lab
        .log()
        .iter()
        .filter_map(|line| line.strip_prefix("+ agent ")?.split(' ').nth(4).map(str::to_owned))
        .collect();
    assert_eq!(spoken.len(), 3);
    assert!(spoken.iter().all(|one| Some(one) == lab.get(id).conversation_id.as_ref()), "{spoken:?}");
    assert_eq!(created_by(&lab, "Alpha", "code"), id.to_string());
}

#[test]
fn a_run_without_a_test_is_an_error() {
    let lab = Lab::with(Shape { limits: "iterations = 1".into(), ..Shape::default() });
    lab.act("alpha-fix_test_failures", "mkdir -p tests; echo 'adds one' > tests/alpha.t");
    lab.engine();
    let id = lab.session("component_coding", "Alpha");
    lab.completes(id);
    assert_eq!(lab.steps(id)[2], "run_tests:could_not_run");
    let message = lab.history(id)[2].result.clone().unwrap().error_message.unwrap();
    assert!(message.contains("the test file tests/alpha.t is not there"), "{message}");
}

#[test]
fn a_context_is_tested_and_then_coded() {
    let shape = Shape {
        limits: "agents = 3\ntests = 2\n".into(),
        worktree: "union = [\"src/list.txt\"]\n".into(),
        ..Shape::default()
    };
    let lab = Lab::with(shape);
    // Every component adds its line to one file: only a union merges that.
    let code = "mkdir -p src/shop; echo \"one two\" > src/shop/$name.txt; echo $name >> src/list.txt";
    lab.act("any-generate_implementation", code);
    // Agents wait for each other: without three at once nothing would ever go on.
    let three = "mkdir -p tests $LAB/met; : > $LAB/met/$name; n=0; while [ $(ls $LAB/met | wc -l) -lt 3 ]; do sleep 0.01; done; printf 'adds one\\nrejects two\\n' > tests/$name.t";
    lab.act("any-generate_tests_and_fixtures", three);
    let two = "mkdir -p $lab/ran; : > $lab/ran/$name; while [ $(ls $lab/ran | wc -l) -lt 2 ]; do sleep 0.01; done";
    lab.act("tests-any", two);
    lab.engine();
    let testing = lab.session("context_testing", "Shop");
    lab.completes(testing);
    assert_eq!((lab.most_at_once("agent"), lab.most_at_once("tests")), (3, 2), "{:?}", lab.log());
    assert_eq!(lab.steps(testing), ["initialize", "spawn_component_testing_sessions", "finalize"]);
    check_context(&lab, testing, "Test", "component_test");

    let coding = lab.session("context_coding", "Shop");
    lab.completes(coding);
    assert_eq!((lab.most_at_once("agent"), lab.most_at_once("tests")), (3, 2), "{:?}", lab.log());
    check_context(&lab, coding, "Implement", "component_coding");
    let branch = lab.branch(coding);
    let base = lab.get(coding).base_commit.unwrap();
    assert_eq!(base, lab.tip(&lab.branch(testing)), "it starts from what the checkout does not have yet");
    let mut list: Vec<String> =
        lab.git(&["show", &format!("{branch}:src/list.txt")]).lines().map(str::to_owned).collect();
    list.sort();
    assert_eq!(list, ["alpha", "beta", "delta", "epsilon", "gamma"]);
}

fn check_context(lab: &Lab, id: callboard::model::SessionId, verb: &str, child_kind: &str) {
    let branch = lab.branch(id);
    let children = lab.open().children(id).unwrap();
    let names: Vec<&str> = children.iter().map(|child| child.component.as_str()).collect();
    assert_eq!(names, ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"], "by priority");
    for child in &children {
        assert_eq!((child.status, child.kind.as_str(), child.mode.as_str()), (Status::Complete, child_kind, "agentic"));
        assert_eq!(child.base_commit, lab.get(id).base_commit);
        assert_eq!(lab.pushed(child.branch.as_ref().unwrap()), "", "a child is not pushed");
        let file = if child_kind == "component_test" { "test" } else { "code" };
        assert_eq!(created_by(lab, &child.component, file), child.id.to_string());
    }
    assert_eq!(lab.pushed(&branch), lab.tip(&branch));
    let base = lab.get(id).base_commit.unwrap();
    let subjects = lab.git(&["log", "--format=%s", "--first-parent", &format!("{base}..{branch}")]);
    let merges: Vec<String> =
        ["Epsilon", "Delta", "Gamma", "Beta", "Alpha"].iter().map(|name| format!("Merge: {verb} {name}")).collect();
    assert_eq!(subjects.lines().collect::<Vec<_>>(), merges);
    let trailer = lab.git(&["log", "-1", "--format=%(trailers:key=Callboard-Components,valueonly)", &branch]);
    assert_eq!(trailer.trim(), "Epsilon");
    let last = lab.history(id).pop().unwrap();
    assert_eq!(last.step, Step::Finalize);
    let Some(Data::Finalized { pushed_to, files, .. }) = last.result.unwrap().data else { panic!() };
    assert_eq!(pushed_to.as_deref(), Some("origin"));
    assert!(files.len() >= 5, "{files:?}");
}

#[test]
fn nothing_of_the_users_is_touched() {
    for detached in [false, true] {
        let lab = Lab::with(Shape { components: vec!["Alpha", "Beta"], ..Shape::default() });
        lab.write("project/README.md", "stashed\n");
        lab.git(&["stash"]);
        lab.write("project/README.md", "staged\n");
        lab.git(&["add", "README.md"]);
        lab.write("project/README.md", "not staged\n");
        lab.write("project/ignored/x", "ignored\n");
        lab.write("project/new.txt", "untracked\n");
        if detached {
            lab.git(&["checkout", "--quiet", "--detach"]);
        }
        let before = lab.checkout();
        let pid = lab.engine();
        let testing = lab.session("context_testing", "Shop");
        lab.completes(testing);
        let coding = lab.session("context_coding", "Shop");
        lab.completes(coding);
        let again = callboard::model::IntentAction::Reactivate {
            context: "once more".into(),
            requester: None,
            redesign: false,
        };
        lab.done(coding, again);
        lab.completes(coding);
        lab.stop(pid);
        assert_eq!(before, lab.checkout());
        assert_eq!(lab.git(&["show", &format!("{}:README.md", lab.branch(coding))]), "a shop\n");
    }
}

fn created_by(lab: &Lab, component: &str, file: &str) -> String {
    let connection = rusqlite::Connection::open(&lab.store).unwrap();
    connection
        .query_row("SELECT created_by ->> ?2 FROM components WHERE name = ?1", [component, file], |row| row.get(0))
        .unwrap()
}

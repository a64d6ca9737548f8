//! `report ID`: a document about a session, from the record and from git.

use std::fs;

use super::world::World;

#[test]
fn a_session_becomes_a_document_for_its_reviewer() {
    let world = World::trusted();
    let id = world.session(&["component_test", "Pricing"]);
    let before = world.ok(&["report", &id]);
    assert!(before.starts_with("# Pricing: component_test — active\n") && before.contains("It has no branch yet."));
    assert_eq!(world.run(&["run", &id]).code, 0);
    let page = world.ok(&["report", &id[24..]]);
    for expected in [
        "# Pricing: component_test — complete\n",
        "| Asked for by | ada@example.com |",
        "The tests were run and fail, as they must before there is code: 2 of 2.",
        "| tests/pricing.txt | 2 | 0 |",
        "<details><summary>",
    ] {
        assert!(page.contains(expected), "{expected:?} is not in {page}");
    }
    assert!(!page.contains('\u{1b}'));

    let branch = world.json(&["show", &id])["branch"].as_str().unwrap().to_owned();
    let worktree = world.json(&["show", &id])["worktree"].as_str().unwrap().to_owned();
    world.git(&["worktree", "remove", "--force", &worktree]);
    world.git(&["branch", "--quiet", "-D", &branch]);
    let gone = world.ok(&["report", &id]);
    assert!(gone.contains(&format!("The branch {branch} is gone; this is what")), "{gone}");
    assert!(gone.contains("| tests/pricing.txt | 2 | 0 |"), "its commit is still there: {gone}");
}

#[test]
fn it_is_written_where_and_how_it_is_asked_for() {
    let world = World::trusted();
    let id = world.session(&["component_test", "Pricing"]);
    let written = |arguments: &[&str], file: &str| {
        let ran = world.run(&[&["report", &id, "--output", file], arguments].concat());
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
        assert!(ran.err.contains(file), "{ran:?}");
        fs::read_to_string(world.project.join(file)).unwrap()
    };
    assert!(written(&[], "report.md").starts_with("# Pricing"));
    assert!(written(&[], "report.html").starts_with("<!doctype html>"));
    assert!(written(&["--format", "markdown"], "report.html").starts_with("# Pricing"));
    assert!(world.ok(&["report", &id, "--format", "html"]).ends_with("</html>\n"));
    assert!(world.fails(1, &["report", &id, "--output", "no/such/folder/a.md"]).contains("no/such/folder/a.md"));
    assert!(world.fails(2, &["report"]).contains("ID"));
    assert!(world.fails(2, &["report", "0123"]).contains("0123"));
    assert!(world.fails(2, &["report", &id, "parse", "--format", "junit", "x"]).contains("cannot be used"));
    world.write("junit.xml", "<testsuite><testcase name=\"adds\"/></testsuite>");
    let parsed = world.ok(&["report", "parse", "--format", "junit", "junit.xml"]);
    assert!(parsed.contains("\"passed\": 1"), "{parsed}");
}

#[test]
fn a_decision_holds_until_what_it_was_made_on_changes() {
    let world = World::trusted();
    world.write("agent.sh", "cat > /dev/null; date +%N > src.txt; exit 3\n");
    world.edit("callboard.toml", "[limits]", "[limits]\niterations = 1");
    world.commit_all("An agent that never succeeds");
    let id = world.session(&["component_test", "Pricing"]);
    assert_eq!(world.run(&["run", &id]).code, 3);
    let waiting = world.ok(&["report", &id]);
    assert!(waiting.contains("— halted\n") && waiting.contains("**Nobody has decided yet.**"), "{waiting}");
    let engine = world.engine();
    world.ok(&["approve", &id, "--note", "Too hard for it"]);
    drop(engine);
    let page = world.ok(&["report", &id]);
    assert!(page.contains("ada@example.com closed it") && page.contains("> Too hard for it"), "{page}");
    assert!(page.contains("It holds: what it was decided on is unchanged."), "{page}");
    let worktree = world.json(&["show", &id])["worktree"].as_str().unwrap().to_owned();
    fs::write(format!("{worktree}/src.txt"), "something else").unwrap();
    assert!(world.ok(&["report", &id]).contains("It is void by now: what it was decided on has changed since."));
    world.git(&["worktree", "remove", "--force", &worktree]);
    let gone = world.ok(&["report", &id]);
    assert!(gone.contains("Whether it still holds cannot be told: its worktree is gone."), "{gone}");
}

//! A session's whole life by command line alone, on a real crate with the real `cargo test`.

use std::process::Stdio;

use serde_json::Value;

use super::world::{World, ran};

const AGENT: &str = r#"
cat > prompt.tmp; mv prompt.tmp "../prompt-$CALLBOARD_GENERATION-$CALLBOARD_STEP-$CALLBOARD_ITERATION"
case $CALLBOARD_GENERATION-$CALLBOARD_STEP in
1-generate_tests_and_fixtures) mkdir -p tests
    echo '#[test] fn adds() { assert_eq!(shop::orders::pricing::total(1), "two"); }' > tests/pricing_test.rs ;;
1-fix_compilation_errors) echo '#[test] fn adds() { assert_eq!(shop::orders::pricing::total(1), 2); }' > tests/pricing_test.rs ;;
*) echo '#[test] fn doubles() { assert_eq!(shop::orders::pricing::total(2), 4); }' >> tests/pricing_test.rs ;;
esac
printf 'done with %s' "$CALLBOARD_STEP"
"#;

fn crate_on_disk() -> World {
    let world = World::empty();
    world.write("Cargo.toml", "[package]\nname = \"shop\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n");
    world.write("src/lib.rs", "pub mod orders;\n");
    world.write("src/orders/mod.rs", "pub mod pricing;\n");
    world.write("src/orders/pricing.rs", "pub fn total(amount: u32) -> u32 {\n    amount * 2\n}\n");
    world.write(".gitignore", "/target\nCargo.lock\n");
    world.git(&["init", "--quiet"]);
    world
}

#[test]
fn from_init_to_reactivation() {
    let world = crate_on_disk();
    assert!(world.ok(&["init"]).contains("Orders, 1 component\n"));
    world.commit_all("Begin");
    assert!(world.run(&["doctor"]).out.contains("✗ agent"));
    world.edit("callboard.toml", "# agent = \"mine\"", "agent = \"mine\"");
    world.edit(
        "callboard.toml",
        "[worktree]",
        "[agents.mine]\nprotocol = \"command\"\ncommand = [\"sh\", \"agent.sh\"]\n\n[worktree]",
    );
    world.write("agent.sh", AGENT);
    world.commit_all("An agent of my own");
    let doctor = world.run(&["doctor"]);
    assert!(doctor.code == 1 && doctor.out.contains("✗ trust"), "{doctor:?}");
    let why = |id: &str| world.json(&["why", id])["state"].as_str().unwrap().to_owned();

    let id = world.session(&["component_test", "Pricing", "--mode", "manual"]);
    assert_eq!(why(&id), "It waits before initialize.");
    let preview = world.ok(&["preview", &id]);
    assert!(preview.starts_with("next: initialize\n") && preview.contains("git worktree add"), "{preview}");
    assert_eq!(world.run(&["run", &id]).code, 3, "nothing goes on by itself");

    let engine = world.engine();
    let follower = Following(world.command(&["events", &id, "--follow"]).stdout(Stdio::piped()).spawn().unwrap());
    let advance = |step: &str, status: &str| {
        assert_eq!(world.ok(&["advance", &id]), "done\n");
        world.wait(&id, &format!("{step} ends"), |session| {
            let last = session["interactions"].as_array().unwrap().last().unwrap();
            last["step"] == step && last["result"].is_object()
        });
        let session = world.json(&["show", &id]);
        let result = &session["interactions"].as_array().unwrap().last().unwrap()["result"];
        assert_eq!(result["status"], status, "{step}: {result}");
        session
    };
    let session = advance("initialize", "ok");
    assert_eq!(session["next"], "generate_tests_and_fixtures");

    // Not trusted yet: the agent does not start.
    let halted = advance("generate_tests_and_fixtures", "error");
    assert_eq!(halted["halt"]["reason"], "environment");
    assert!(world.ok(&["inbox"]).contains("a decision"));
    assert!(why(&id).contains("callboard trust"), "{}", why(&id));
    assert!(world.fails(1, &["advance", &id]).contains("it is halted (environment)"));
    world.ok(&["trust", "--yes"]);
    world.ok(&["retry", &id]);
    assert_eq!(why(&id), "It waits before generate_tests_and_fixtures.");
    let preview = world.json(&["preview", &id]);
    assert_eq!((&preview["command"]["type"], &preview["command"]["agent"]), (&"agent".into(), &"mine".into()));
    let prompt = preview["command"]["prompt"].as_str().unwrap().to_owned();
    let session = advance("generate_tests_and_fixtures", "ok");
    let worktree = session["worktree"].as_str().unwrap().to_owned();
    let beside = |name: &str| std::fs::read_to_string(format!("{worktree}/../{name}")).unwrap();
    assert_eq!(beside("prompt-1-generate_tests_and_fixtures-1"), prompt, "what was shown is what was sent");

    let failed = advance("run_tests", "error");
    let run = &failed["interactions"].as_array().unwrap().last().unwrap()["result"]["data"];
    assert_eq!(run["status"], "compile_error", "{run}");
    assert!(world.ok(&["show", &id]).contains("\nfailures\n"));
    assert_eq!(failed["next"], "fix_compilation_errors");
    assert!(world.ok(&["preview", &id]).contains("tests/pricing_test.rs"));
    advance("fix_compilation_errors", "ok");
    advance("run_tests", "ok");
    let complete = advance("finalize", "ok");
    assert_eq!((&complete["status"], &complete["next"]), (&"complete".into(), &Value::Null));
    let output = follower.output();
    for line in ["$ cargo test", "done with generate_tests_and_fixtures\n", "done with fix_compilation_errors\n"] {
        assert!(output.contains(line), "{line:?} is not in {output}");
    }

    // More work, told through standard input.
    assert!(world.fails(1, &["retry", &id]).contains("reactivate it"));
    world.write("more.txt", "Amounts are doubled, say so.");
    let mut reactivate = world.command(&["reactivate", &id, "--context-file", "-", "--json"]);
    reactivate.stdin(std::fs::File::open(world.project.join("more.txt")).unwrap());
    let answer: Value = serde_json::from_str(&ran(&mut reactivate).out).unwrap();
    assert_eq!(answer, serde_json::json!({"session_id": id, "answer": "done"}));
    assert!(world.fails(1, &["reactivate", &id, "--context", "again"]).contains("active already"));
    let listed = world.ok(&["ls"]);
    assert!(listed.contains("before fix_compilation_errors"), "{listed}");
    world.ok(&["mode", &id, "auto"]);
    let session = world.wait(&id, "it is complete again", |session| session["status"] == "complete");
    assert_eq!(session["generation"], 2);
    assert_eq!(session["conversation_id"], complete["conversation_id"], "the conversation goes on");
    assert!(beside("prompt-2-fix_compilation_errors-1").contains("Amounts are doubled, say so."));

    let other = world.session(&["component_coding", "Pricing", "--mode", "manual"]);
    world.ok(&["cancel", &other]);
    assert_eq!(world.json(&["show", &other])["status"], "cancelled");
    assert!(world.fails(1, &["cancel", &other]).contains("already"));
    assert_eq!(world.run(&["run", &other]).code, 4);
    assert!(world.fails(1, &["approve", &other]).contains("not halted"));
    assert_eq!(world.json(&["engine", "status"])["foreground"], false);
    assert!(world.ok(&["engine", "stop"]).contains("the engine has stopped"));
    assert_eq!(world.run(&["engine", "status"]).code, 1);
    drop(engine);
    crate::store::oracle::check(&world.open());
    assert_eq!(world.git(&["status", "--porcelain"]).trim(), "?? more.txt", "the checkout is as it was left");
}

/// A process that does not outlive its test.
struct Following(std::process::Child);

impl Following {
    /// What it printed until it ended by itself.
    fn output(mut self) -> String {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut self.0.stdout.take().unwrap(), &mut text).unwrap();
        assert!(self.0.wait().unwrap().success());
        text
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

#[test]
fn a_command_starts_an_engine_where_there_is_none() {
    let world = World::trusted();
    let id = ran(world.command(&["new", "component_test", "Pricing"]).env_remove("CALLBOARD_NO_ENGINE")).out;
    let session = world.wait(id.trim(), "it is complete", |session| session["status"] == "complete");
    assert_eq!(session["mode"], "auto");
    assert_eq!(world.json(&["engine", "status"])["alive"], true);
    assert_eq!(world.json(&["engine", "stop"])["stopped"], true);
    assert_eq!(world.run(&["engine", "status"]).code, 1);
}

#[test]
fn run_is_interrupted_and_goes_on_later() {
    let world = World::trusted();
    world.edit(
        "agent.sh",
        "cat > /dev/null",
        "cat > /dev/null; [ -e ../../../../go ] || { touch ../started; sleep 600; }",
    );
    world.commit_all("An agent that takes its time");
    let id = world.session(&["component_test", "Pricing"]);
    let mut run = world.command(&["run", &id]).stderr(Stdio::null()).spawn().unwrap();
    world.wait(&id, "the agent is at work", |session| {
        session["step"] == "generate_tests_and_fixtures"
            && session["worktree"]
                .as_str()
                .is_some_and(|worktree| camino::Utf8Path::new(worktree).parent().unwrap().join("started").exists())
    });
    rustix::process::kill_process(rustix::process::Pid::from_child(&run), rustix::process::Signal::INT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    let session = world.json(&["show", &id]);
    assert_eq!(session["interactions"].as_array().unwrap().last().unwrap()["result"]["cause"], "interrupted");
    std::fs::write(world.folder.join("go"), "").unwrap();
    let ran = world.run(&["run", &id, "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap()["status"], "complete");
    crate::store::oracle::check(&world.open());
}

//! What people get wrong, and what gets in their way: a clear error, an exit code by kind, nothing lost.

use std::{
    fs,
    os::unix::{ffi::OsStrExt as _, process::CommandExt as _},
};

use super::world::{World, ran, refused};

#[test]
fn no_project_here() {
    let world = World::empty();
    for arguments in [&["ls"][..], &["new", "component_test", "Pricing"], &["inbox"], &["why", "1"], &["trust"]] {
        let said = world.fails(2, arguments);
        assert!(said.contains("there is no callboard.toml in") && said.contains("callboard init"), "{said}");
    }
    assert!(world.fails(2, &["ls", "--project", "/nowhere"]).contains("/nowhere cannot be entered"));
}

#[test]
fn a_mistake_in_the_settings_keeps_nobody_from_looking_and_stopping() {
    let world = World::trusted();
    let _engine = world.engine();
    let id = world.session(&["component_test", "Pricing", "--base", "main", "--mode", "manual"]);
    let home = world.folder.join("home/.config/callboard");
    fs::create_dir_all(&home).unwrap();
    fs::write(home.join("config.toml"), "broken [").unwrap();
    let ran = world.run(&["ls"]);
    assert!(ran.code == 0 && ran.out.contains("Pricing"), "{ran:?}");
    assert!(ran.err.contains("your settings are not used") && ran.err.contains("config.toml"), "{ran:?}");
    world.ok(&["show", &id]);
    world.ok(&["mode", &id, "manual"]);
    world.ok(&["cancel", &id]);
    // What would use them is refused.
    assert!(world.fails(2, &["new", "component_test", "Pricing"]).contains("config.toml"));
}

#[test]
fn no_repository_and_no_commit() {
    let world = World::empty();
    world.write("callboard.toml", include_str!("../../data/cli/callboard.toml"));
    let new = ["new", "component_test", "Pricing"];
    assert!(world.fails(2, &new).contains("found no repository"));
    assert!(world.fails(2, &["init"]).contains("`git init` makes one"));
    world.git(&["init", "--quiet"]);
    assert!(world.fails(2, &new).contains("commit something first"));
    assert_eq!(world.json(&["ls"]), serde_json::json!([]), "nothing was recorded");
}

#[test]
fn what_does_not_exist_is_named_with_what_is_near() {
    let world = World::new();
    for (arguments, expected) in [
        (&["new", "component_tset", "Pricing"][..], "similar value exists: 'component_test'"),
        (&["new", "component_test", "Prcing"], "did you mean Pricing?"),
        (&["new", "component_test", "Warehouse"], "callboard.toml names those that there are"),
        (&["new", "component_test", "Orders"], "Orders is a context, but component_test is for a component"),
        (&["new", "context_testing", "Pricing"], "Pricing is a component, but context_testing is for a context"),
        (&["new", "integration", "Pricing"], "Pricing is a component, but integration is for a context"),
        (&["new", "component_test", "Pricing", "--agent", "gpt"], "expected one of: sh"),
        (&["new", "component_test", "Pricing", "--base", "nowhere"], "nowhere"),
        (&["new", "component_test", "Pricing", "--mode", "manul"], "similar value exists: 'manual'"),
        (&["ls", "--status", "complet"], "similar value exists: 'complete'"),
        (&["workflow", "integrations"], "similar value exists: 'integration'"),
        (&["workflow", "integration", "--format", "mermiad"], "similar value exists: 'mermaid'"),
        (&["shwo", "1"], "similar subcommand exists: 'show'"),
        (&["ls", "--jsno"], "similar argument exists: '--json'"),
        (&["reactivate", "1"], "--context <TEXT>|--context-file <FILE>"),
        (&["override", "1"], "--note <TEXT>"),
    ] {
        let said = world.fails(2, arguments);
        assert!(said.contains(expected), "{arguments:?}: {said}");
    }
    assert_eq!(world.json(&["ls"]), serde_json::json!([]));
}

#[test]
fn ids() {
    let world = World::new();
    let first = world.session(&["component_test", "Pricing", "--mode", "manual"]);
    let second = world.session(&["component_test", "Total", "--mode", "manual"]);
    for command in ["show", "events", "why", "preview", "run", "advance", "retry", "cancel", "approve"] {
        assert!(world.fails(2, &[command, "ffffffffffff"]).contains("`callboard ls` lists them"), "{command}");
        let both = world.fails(2, &[command, &first[..6]]);
        assert!(both.contains(&first) && both.contains(&second) && both.contains("give more characters"), "{both}");
    }
    for strange in ["", "'; DROP TABLE sessions", "%", "..", "\u{1b}[31mred", &"a".repeat(100_000)] {
        let said = world.fails(2, &["show", strange]);
        assert!(said.len() < 300, "{said}");
    }
    assert!(world.ok(&["show", &first.to_uppercase()]).contains(&first));
    assert!(world.ok(&["show", &first[first.len() - 8..]]).contains(&first));
}

#[test]
fn arguments_that_are_not_utf8() {
    let world = World::new();
    let bad = std::ffi::OsStr::from_bytes(b"\xff\xfe\x1b[31m");
    for option in ["show", "new", "ls", "--store", "--project"] {
        let said = refused(2, ran(world.command(&[option]).arg(bad)));
        assert!(!said.is_empty(), "{option}");
    }
}

#[test]
fn a_component_without_a_test_path() {
    let world = World::new();
    world.edit("callboard.toml", "test = \"tests/{name}.txt\"\n", "");
    let said = world.fails(2, &["new", "component_test", "Pricing"]);
    assert!(said.contains("Pricing has no test path") && said.contains("[paths] test"), "{said}");
}

#[test]
fn mistakes_in_the_configuration_come_with_their_lines() {
    let world = World::new();
    world.edit("callboard.toml", "tests = \"custom\"", "test = \"custom\"");
    world.edit("callboard.toml", "priority = 10", "priority = \"high\"");
    for arguments in [&["new", "component_test", "Pricing"][..], &["trust"]] {
        let said = world.fails(2, arguments);
        assert!(said.contains("callboard.toml:3:1: ") && said.contains("callboard.toml:23:12: "), "{said}");
        assert_eq!(said.matches("\nhint: ").count(), 3, "{said}");
        assert!(said.contains("did you mean `tests`?"), "{said}");
    }
    let doctor = world.run(&["doctor"]);
    assert_eq!(doctor.code, 1);
    assert!(doctor.out.contains("✗ project") && doctor.out.contains("callboard.toml:3:1"), "{doctor:?}");
    assert_eq!(world.json(&["ls"]), serde_json::json!([]), "what is recorded can still be read");
}

#[test]
fn stores_that_are_none() {
    let world = World::new();
    world.session(&["component_test", "Pricing"]);
    rusqlite::Connection::open(&world.store).unwrap().pragma_update(None, "user_version", 99).unwrap();
    for command in ["ls", "inbox"] {
        let said = world.fails(2, &[command]);
        assert!(said.contains("was written by a newer callboard") && said.contains("--store"), "{said}");
    }
    assert!(world.run(&["doctor"]).out.contains("✗ store"));
    world.write("notes.txt", "these are notes");
    assert!(world.fails(2, &["ls", "--store", "notes.txt"]).contains("is not a store of callboard's"));
    assert_eq!(fs::read_to_string(world.project.join("notes.txt")).unwrap(), "these are notes");
    assert!(world.fails(2, &["ls", "--store", "."]).contains("but a folder"));
    assert!(world.fails(1, &["ls", "--store", "notes.txt/callboard.db"]).contains("cannot open the store"));
}

#[test]
fn a_store_that_may_only_be_read() {
    let world = World::new();
    drop(world.open());
    let program = world.folder.join("callboard");
    // Not by this process: what it has open for writing is busy as long as a child that is just starting has it, too.
    let copied = std::process::Command::new("cp").args([env!("CARGO_BIN_EXE_callboard"), program.as_str()]).status();
    assert!(copied.unwrap().success());
    set_mode(&world.store, 0o444);
    set_mode(&world.folder, 0o555);
    for arguments in [&["trust", "--yes"][..], &["ls"]] {
        let mut command = world.command_of(program.as_str(), arguments);
        // Permissions mean nothing to root.
        if rustix::process::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        let ran = ran(&mut command);
        if arguments == ["ls"] && ran.code == 0 {
            continue; // Reading may work, where SQLite finds its shared memory.
        }
        let (out, err) = (ran.out, ran.err);
        assert_eq!(ran.code, 1, "{out}{err}");
        assert!(err.contains("the store") && err.contains("check"), "{err}");
    }
    set_mode(&world.folder, 0o755);
}

#[test]
fn without_an_engine_nobody_is_waited_for() {
    let world = World::new();
    let id = world.session(&["component_test", "Pricing", "--mode", "manual"]);
    let said = world.fails(1, &["advance", &id]);
    assert!(said.contains("stays on record") && said.contains("callboard engine run"), "{said}");
    let status = world.run(&["engine", "status"]);
    assert_eq!((status.code, status.out.contains("no engine")), (1, true));
    assert!(world.run(&["engine", "status", "--json"]).out.contains("\"alive\": false"));
    assert!(world.ok(&["engine", "stop"]).contains("no engine"));
    assert_eq!(world.json(&["engine", "stop"])["stopped"], false);
}

#[test]
fn the_board_and_the_demo_need_a_terminal() {
    let world = World::new();
    assert!(world.fails(2, &[]).contains("needs a terminal"));
    assert!(world.fails(2, &["demo", "there"]).contains("demo --headless"));
    assert!(!world.project.join("there").exists(), "nothing was made");
    fs::create_dir(world.project.join("there")).unwrap();
    assert!(world.fails(2, &["demo", "--headless", "there"]).contains("is there already"));
    assert!(world.fails(2, &["demo", "--json"]).contains("--headless"));
}

#[test]
fn init_does_not_overwrite_and_says_what_it_needs() {
    let world = World::new();
    assert!(world.fails(2, &["init"]).contains("is there already"));
    fs::remove_file(world.project.join("callboard.toml")).unwrap();
    assert!(world.fails(2, &["init"]).contains("has no Cargo.toml"));
}

#[test]
fn a_checkout_that_is_detached_and_dirty_is_worked_from_and_left_as_it_is() {
    let world = World::trusted();
    world.git(&["checkout", "--quiet", "--detach"]);
    world.write("run.sh.orig", "untracked");
    world.edit("agent.sh", "cat > /dev/null", "cat > /dev/null # mine");
    world.git(&["add", "agent.sh"]);
    let before = world.git(&["status", "--porcelain=v2", "--branch"]);
    let id = world.session(&["component_test", "Pricing"]);
    let ran = world.run(&["run", &id]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.git(&["status", "--porcelain=v2", "--branch"]), before);
    let session = world.json(&["show", &id]);
    assert_eq!(session["base_commit"], world.git(&["rev-parse", "HEAD"]).trim());
}

#[test]
fn a_push_that_is_refused_fails_the_session_and_keeps_its_work() {
    let world = World::new();
    world.edit("callboard.toml", "agent = \"sh\"", "agent = \"sh\"\nremote = \"origin\"");
    world.commit_all("Push");
    let bare = world.folder.join("shop.git");
    world.git(&["init", "--quiet", "--bare", bare.as_str()]);
    world.git(&["remote", "add", "origin", bare.as_str()]);
    let hook = bare.join("hooks/pre-receive");
    fs::write(&hook, "#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n").unwrap();
    executable(&hook);
    world.ok(&["trust", "--yes"]);
    let id = world.session(&["component_test", "Pricing"]);
    let ran = world.run(&["run", &id]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("not on a Friday"), "{ran:?}");
    let session = world.json(&["show", &id]);
    assert_eq!(session["status"], "failed");
    let branch = session["branch"].as_str().unwrap();
    assert!(world.git(&["show", &format!("{branch}:tests/pricing.txt")]).contains("adds"), "its work is on its branch");
    assert!(world.ok(&["inbox"]).contains("a look"));
    fs::remove_file(&hook).unwrap();
    let _engine = world.engine();
    world.ok(&["retry", &id]);
    world.wait(&id, "the push is tried again", |session| session["status"] == "complete");
    assert!(world.git(&["--git-dir", bare.as_str(), "branch", "--list", branch]).contains(branch));
}

#[test]
fn a_commit_hook_that_refuses_fails_the_session_with_its_output() {
    let world = World::trusted();
    let hook = world.project.join(".git/hooks/pre-commit");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, "#!/bin/sh\nprintf '\\033[31mno tests on \\033]0;owned\\007Sundays\\033[0m\\n' >&2\nexit 1\n")
        .unwrap();
    executable(&hook);
    let id = world.session(&["component_test", "Pricing"]);
    let ran = world.run(&["run", &id]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("no tests on Sundays") && !ran.err.contains('\u{1b}'), "{ran:?}");
    assert!(world.ok(&["why", &id]).contains("no tests on"));
}

#[test]
fn commands_that_nobody_agreed_to_are_not_run() {
    let world = World::new();
    let id = world.session(&["component_test", "Pricing"]);
    let ran = world.run(&["run", &id]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("callboard trust"), "{ran:?}");
    assert!(world.ok(&["inbox"]).contains("a decision"));
    assert_eq!(world.json(&["show", &id])["halt"]["reason"], "environment");
    let asked = world.run(&["trust"]);
    assert_eq!(asked.code, 2, "{asked:?}");
    assert!(asked.out.contains("sh agent.sh") && asked.err.contains("--yes"), "{asked:?}");
    assert!(world.ok(&["trust", "--yes"]).contains("agreed"));
    assert!(world.ok(&["trust"]).contains("already"));
    world.edit("callboard.toml", "\"agent.sh\"", "\"agent.sh\", \"--quick\"");
    assert_eq!(world.run(&["trust"]).code, 2, "a change asks again");
}

fn executable(path: &camino::Utf8Path) {
    set_mode(path, 0o755);
}

fn set_mode(path: &camino::Utf8Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

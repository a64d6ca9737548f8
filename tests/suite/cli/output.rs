//! What people read: help, tables, colours, pipes.

use std::{
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use super::world::{World, ran};

const COMMANDS: [&str; 27] = [
    "init",
    "demo",
    "doctor",
    "trust",
    "new",
    "ls",
    "show",
    "events",
    "run",
    "advance",
    "retry",
    "reactivate",
    "cancel",
    "mode",
    "approve",
    "override",
    "inbox",
    "why",
    "preview",
    "next",
    "criterion",
    "component",
    "story",
    "workflow",
    "engine",
    "completions",
    "man",
];

#[test]
fn every_command_has_help() {
    let world = World::empty();
    let all = world.ok(&["--help"]);
    for command in COMMANDS.iter().chain(&["report"]) {
        assert!(all.contains(&format!("\n  {command} ")), "{command} is not in {all}");
        let help = world.ok(&[command, "--help"]);
        assert!(help.contains("Usage: callboard "), "{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
        assert_eq!(help, world.ok(&["help", command]));
    }
    let version = format!("callboard {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(world.ok(&["--version"]), version);
}

#[test]
fn shells_complete_commands_and_their_arguments() {
    let world = World::empty();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = world.ok(&["completions", shell]);
        assert!(script.contains("reactivate") && script.contains("context-file"), "{shell}: {script}");
    }
    let completed = |words: &str, word: &str| {
        let script = format!(
            "eval \"$CALLBOARD\"; COMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _callboard callboard {word} x; printf '%s ' \"${{COMPREPLY[@]}}\""
        );
        let mut bash = Command::new("bash");
        bash.args(["--norc", "-c", &script]).env("CALLBOARD", world.ok(&["completions", "bash"]));
        ran(&mut bash).out
    };
    assert_eq!(completed("callboard crit", "crit"), "criterion ");
    assert_eq!(completed("callboard criterion uns", "uns"), "unset ");
    assert_eq!(completed("callboard new context_t", "context_t"), "context_testing ");
    assert!(world.fails(2, &["completions", "tcsh"]).contains("bash, elvish, fish, powershell, zsh"));
}

#[test]
fn every_command_has_a_manual_page() {
    let world = World::empty();
    for command in COMMANDS.iter().chain(&["report"]) {
        let page = world.ok(&["man", command]);
        assert!(page.contains(&format!(".TH callboard-{command} 1")), "{page}");
        assert!(page.contains(&format!("callboard {}", env!("CARGO_PKG_VERSION"))), "{page}");
    }
    assert!(world.ok(&["man"]).contains("\n.SH SUBCOMMANDS\n"));
    assert!(world.ok(&["man", "report", "parse"]).contains(".TH callboard-report-parse 1"));
    assert!(world.fails(2, &["man", "reprot"]).contains("there are: init, demo"));
}

#[test]
fn lists_are_aligned_and_children_stand_under_their_parent() {
    let world = World::trusted();
    let orders = world.session(&["context_testing", "Orders"]);
    let single = world.session(&["component_test", "Pricing", "--mode", "manual"]);
    assert_eq!(world.run(&["run", &orders]).code, 0);
    let list = world.ok(&["ls"]);
    let lines: Vec<&str> = list.lines().collect();
    let columns = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<String>>();
    assert_eq!(columns(lines[0]), ["ID", "KIND", "COMPONENT", "STATUS", "AGE", "STEP"]);
    for (line, (component, status)) in lines[1..].iter().zip([
        ("Orders", "complete"),
        ("Pricing", "complete"),
        ("Total", "complete"),
        ("Pricing", "active"),
    ]) {
        assert_eq!(columns(line)[2..4], [component, status], "{list}");
        let at = lines[0].find("STATUS").unwrap();
        assert_eq!(&line[at..at + status.len()], status, "{list}");
    }
    assert!(lines[2].contains("    Pricing") || lines[2].contains("  Pricing"), "children are indented: {list}");
    assert!(lines[4].ends_with("before initialize"), "{list}");
    assert!(lines.iter().all(|line| *line == line.trim_end()), "{list}");
    let inbox = world.run(&["inbox"]);
    assert_eq!(inbox.out.lines().count(), 2, "{inbox:?}");
    assert!(inbox.out.contains("advance") && inbox.out.contains(&single[single.len() - 8..]), "{inbox:?}");
    let shown = world.ok(&["show", &orders]);
    for expected in
        ["status        complete", "branch        callboard/context_testing/orders", "\nchildren\n", "#1: ok in "]
    {
        assert!(shown.contains(expected), "{expected:?} is not in {shown}");
    }
}

#[test]
fn nothing_to_show_is_said_beside_the_output() {
    let world = World::new();
    for (command, said) in [("ls", "callboard new"), ("inbox", "nothing waits")] {
        let ran = world.run(&[command]);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""));
        assert!(ran.err.contains(said), "{ran:?}");
        assert_eq!(world.json(&[command]), serde_json::json!([]));
    }
}

#[test]
fn colours_come_when_they_are_asked_for() {
    let world = World::new();
    world.session(&["component_test", "Pricing"]);
    let coloured = |arguments: &[&str], no_color: Option<&str>| {
        let mut command = world.command(&[&["ls"], arguments].concat());
        command.envs(no_color.map(|value| ("NO_COLOR", value)));
        ran(&mut command).out.contains('\u{1b}')
    };
    assert!(!coloured(&[], None), "this is no terminal");
    assert!(coloured(&["--color", "always"], None));
    assert!(coloured(&["--color=always"], Some("1")), "what is typed wins");
    assert!(!coloured(&["--color", "never"], None));
    assert!(!world.ok(&["ls", "--json", "--color", "always"]).contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let world = World::trusted();
    let id = world.session(&["component_test", "Pricing"]);
    world.run(&["run", &id]);
    for arguments in
        [&["ls"][..], &["show", &id, "--json"], &["events", &id], &["workflow", "integration"], &["--help"]]
    {
        let mut child = world.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(0) && said.is_empty(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn following_ends_when_nobody_reads_any_more() {
    let world = World::trusted();
    world.edit("agent.sh", "cat > /dev/null", "cat > /dev/null; while :; do echo tick; sleep 0.05; done");
    world.commit_all("An agent that never ends");
    let id = world.session(&["component_test", "Pricing"]);
    let _engine = world.engine();
    let mut child = world.command(&["events", &id, "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    while !first.contains("tick") {
        first.clear();
        assert!(out.read_line(&mut first).unwrap() > 0, "it ended before the agent spoke");
    }
    drop(out);
    assert!(child.wait().unwrap().success());
    world.ok(&["cancel", &id]);
}

#[test]
fn workflows_are_printed_in_every_format() {
    let world = World::empty();
    for kind in ["component_design", "component_test", "component_coding", "context_testing", "integration"] {
        assert!(world.ok(&["workflow", kind]).contains("finalize"));
        assert!(world.ok(&["workflow", kind, "--format", "mermaid"]).starts_with("stateDiagram"));
        let json = world.ok(&["workflow", kind, "--format", "json"]);
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
    }
}

#[test]
fn reports_are_read_from_files_and_pipes() {
    let world = World::empty();
    world.write(
        "report.xml",
        r#"<testsuite><testcase name="a"/><testcase name="b"><failure message="no"/></testcase></testsuite>"#,
    );
    let out = world.ok(&["report", "parse", "--format", "junit", "report.xml"]);
    let run: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&run["status"], &run["passed"], &run["failed"]), (&"failed".into(), &1.into(), &1.into()));
    let mut command = world.command(&["report", "parse", "--format", "cargo-test", "-"]);
    let log = "\nrunning 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n";
    world.write("log", log);
    command.stdin(std::fs::File::open(world.project.join("log")).unwrap());
    assert!(ran(&mut command).out.contains(r#""status": "passed""#));
    assert!(
        world.fails(2, &["report", "parse", "--format", "junit", "absent.xml"]).contains("absent.xml cannot be read")
    );
    assert!(
        world
            .fails(2, &["report", "parse", "--format", "junti", "report.xml"])
            .contains("similar value exists: 'junit'")
    );
}

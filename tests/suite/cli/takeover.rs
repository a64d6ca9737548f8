//! Taking over a conversation: when it is refused, and what waits for it meanwhile.

use std::fs::{File, create_dir_all};

use rustix::fs::{FlockOperation, flock};

use super::world::World;

/// An agent that ends before it has said anything, when it is talked with.
const BROKEN: &str = "echo broken >&2; exit 1\n";

fn coding(world: &World, mode: &str, agent: &str) -> String {
    world.session(&["component_coding", "Pricing", "--base", "main", "--mode", mode, "--agent", agent])
}

/// As a person at another terminal who has the conversation.
fn taken(world: &World, id: &str) -> File {
    let folder = world.store.with_extension("d").join("conversations");
    create_dir_all(&folder).unwrap();
    let file = File::create(folder.join(format!("{id}.lock"))).unwrap();
    flock(&file, FlockOperation::NonBlockingLockExclusive).unwrap();
    file
}

fn advance(world: &World, id: &str, step: &str) {
    world.ok(&["advance", id]);
    world.wait(id, step, |session| {
        let last = session["interactions"].as_array().and_then(|all| all.last());
        last.is_some_and(|last| last["step"] == step && !last["result"].is_null())
    });
}

#[test]
fn refused_with_a_reason() {
    let world = World::trusted();
    let path = world.claude(BROKEN);
    let refused = |id: &str, expected: &str| {
        let said = world.fails(1, &["takeover", id]);
        assert!(said.starts_with("refused: ") && said.contains(expected), "{expected}: {said}");
    };
    let id = coding(&world, "manual", "claude");
    refused(&id, "no conversation yet");
    assert!(world.fails(2, &["takeover", "0000"]).contains("0000"));
    let _engine = world.engine_with(&[("PATH", &path)]);
    advance(&world, &id, "initialize");
    refused(&id, "no conversation yet");
    advance(&world, &id, "generate_implementation");
    assert!(
        world.fails(2, &["takeover", &id]).contains("in a terminal, and this is none"),
        "nothing but a terminal is missing"
    );

    // Nobody else may go on with it, and neither may callboard.
    let held = taken(&world, &id);
    refused(&id, "another terminal has its conversation");
    for arguments in [&["advance", &id][..], &["mode", &id, "auto"]] {
        assert!(world.fails(1, arguments).contains("taken over in a terminal"), "{arguments:?}");
    }
    world.ok(&["mode", &id, "manual"]);
    drop(held);

    // What the project's file brings needs consent, as ever.
    world.write(
        "callboard.toml",
        &format!("{}\n[agents.claude]\ncommand = [\"./claude\"]\n", include_str!("../../data/cli/callboard.toml")),
    );
    refused(&id, "callboard trust");
    world.write(
        "callboard.toml",
        &format!("{}\n[sandbox]\nmode = \"worktree\"\n", include_str!("../../data/cli/callboard.toml")),
    );
    refused(&id, "[sandbox]");
    world.write("callboard.toml", include_str!("../../data/cli/callboard.toml"));
    let worktree = world.json(&["show", &id])["worktree"].as_str().unwrap().to_owned();
    std::fs::rename(&worktree, format!("{worktree}-away")).unwrap();
    refused(&id, "no worktree");
    std::fs::rename(format!("{worktree}-away"), &worktree).unwrap();

    // A conversation of a program that nobody knows how to go on with.
    let other = world.session(&["component_test", "Total", "--base", "main", "--mode", "manual", "--agent", "sh"]);
    advance(&world, &other, "initialize");
    advance(&world, &other, "generate_tests_and_fixtures");
    refused(&other, "its agent sh (protocol command)");
}

#[test]
fn a_session_at_work_is_not_taken_over() {
    let world = World::trusted();
    let path = world.claude("while [ ! -e ../../../../go ]; do sleep 0.05; done; exit 1\n");
    let id = coding(&world, "auto", "claude");
    let said = world.fails(1, &["takeover", &id]);
    assert!(said.contains("its mode is auto: put it to manual first"), "{said}");
    let _engine = world.engine_with(&[("PATH", &path)]);
    world.wait(&id, "its agent is at work", |session| session["step"] == "generate_implementation");
    let said = world.fails(1, &["takeover", &id]);
    assert!(said.contains("generate_implementation is running: wait until it has ended, or interrupt it"), "{said}");
    world.ok(&["mode", &id, "manual"]);
    assert!(world.fails(1, &["takeover", &id]).contains("is running"));
    world.write("../go", "");
    world.wait(&id, "the step has ended", |session| !session["interactions"][1]["result"].is_null());
    assert!(world.fails(2, &["takeover", &id]).contains("in a terminal, and this is none"));
}

#[test]
fn an_attempt_never_goes_on_with_what_is_taken() {
    let world = World::trusted();
    let path = world.claude(BROKEN);
    let id = coding(&world, "auto", "claude");
    let held = taken(&world, &id);
    let _engine = world.engine_with(&[("PATH", &path)]);
    let halted = world.wait(&id, "it is halted", |session| session["halt"].is_object());
    assert_eq!(halted["halt"]["reason"], "environment", "{halted}");
    let why = world.ok(&["why", &id]);
    assert!(why.contains("taken over in a terminal: end that, then retry"), "{why}");
    drop(held);
    world.ok(&["retry", &id]);
    let halted = world.wait(&id, "its agent was tried", |session| session["halt"]["reason"] == "iteration_limit");
    assert_eq!(halted["step"], "generate_implementation");
}

//! Whole component sessions per second (worktree, agent, tests, commit), against a shell script that does the same git work and
//! starts the same programs under `xargs -P 8`.
//!
//! `cargo bench --bench sessions [-- --quick]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark stops at the first surprise and says it"
)]

mod support;

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
    time::Instant,
};

use callboard::model::{SessionKind, Step};
use rusqlite::Connection;
use support::{
    engine,
    table::{Aim, median, note, ratio, row},
    world::{Config, World, git},
};

/// The agent: the cheapest program that writes a file. The tests: the test file is itself the report that they passed.
const AGENT: &[&str] = &["cp", "/proc/sys/kernel/random/uuid", "work.txt"];
const TESTS: &[&str] = &["cp", "{file}", "{report}"];

/// `git worktree add` reads every other worktree, and fails on one that another `git` is making at that moment: then it is done
/// again.
const SCRIPT: &str = r#"set -e
until git -C "$ROOT" worktree add --quiet --force -B "bench/$1" "$PLACE/trees/$1" "$BASE" 2>/dev/null; do
  rm -rf "$PLACE/trees/$1"
done
cd "$PLACE/trees/$1"
cp /proc/sys/kernel/random/uuid work.txt
cp "tests/$1_test.xml" "$PLACE/reports/$1.xml"
git add -A
git commit --quiet -m "Implement $1"
"#;

fn main() {
    let quick = support::quick();
    let (rounds, sessions) = if quick { (1, 8) } else { (7, 64) };
    let rounds = support::argument("--rounds").map_or(rounds, |text| text.parse().unwrap());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // Removed at the end: for some seconds a file system goes around what was just deleted.
    let mut worlds = Vec::new();
    for _ in 0..rounds {
        let (left, right) = (world(sessions), world(sessions));
        let start = support::processor_micros();
        let our = by_engine(&left, sessions);
        let between = support::processor_micros();
        let their = by_script(&right, sessions);
        let end = support::processor_micros();
        #[expect(clippy::cast_precision_loss, reason = "a rate")]
        let each = |from: f64, to: f64| (to - from) / 1e3 / sessions as f64;
        note(format!(
            "{sessions} sessions; engine {our:.1}/s ({:.1} ms of processor each), script {their:.1}/s ({:.1})",
            each(start, between),
            each(between, end)
        ));
        worlds.extend([left, right]);
        ours.push(our);
        theirs.push(their);
    }
    let times = ratio(&ours, &theirs);
    row(
        "whole component sessions per second, 8 at a time",
        format!("{:.0}", median(&ours)),
        format!("script under `xargs -P 8`: {:.0}; {times:.2} times as fast", median(&theirs)),
        times,
        &Aim::AtLeast(1.5, " times"),
    );
}

fn world(sessions: usize) -> World {
    let config = Config { components: sessions, agents: 8, tests: 8, iterations: 5, agent: AGENT, runner: TESTS };
    let world = World::new(&config);
    // Neither side pays for git's housekeeping.
    git(&world.root, &["config", "gc.auto", "0"]);
    git(&world.root, &["config", "maintenance.auto", "false"]);
    world
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn by_engine(world: &World, sessions: usize) -> f64 {
    for nth in 0..sessions {
        world.session(SessionKind::ComponentCoding, &format!("part{nth}"), Step::Initialize, false);
    }
    engine::drive(world);
    let connection = Connection::open(&world.store).unwrap();
    let (complete, micros): (i64, i64) = connection
        .query_row(
            "SELECT (SELECT count(*) FROM sessions WHERE status = 'complete' AND last_commit <> base_commit), \
             max(completed_at) - min(started_at) FROM interactions",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(usize::try_from(complete).unwrap(), sessions, "every session is complete with a commit of its own");
    sessions as f64 / (micros as f64 / 1e6)
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
fn by_script(world: &World, sessions: usize) -> f64 {
    let script = world.folder().join("session.sh");
    fs::write(&script, SCRIPT).unwrap();
    for folder in ["trees", "reports"] {
        fs::create_dir_all(world.folder().join(folder)).unwrap();
    }
    let names: String = (0..sessions).map(|nth| format!("part{nth}\n")).collect();
    let begun = Instant::now();
    let mut xargs = Command::new("xargs")
        .args(["-P", "8", "-n", "1", "sh", script.as_str()])
        .envs([("ROOT", world.root.as_str()), ("PLACE", world.folder().as_str()), ("BASE", &world.base)])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    xargs.stdin.take().unwrap().write_all(names.as_bytes()).unwrap();
    assert!(xargs.wait().unwrap().success(), "every script ended well");
    sessions as f64 / begun.elapsed().as_secs_f64()
}

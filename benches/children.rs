//! A thousand children under one parent: whether the last hundred are as fast as the first, the engine's memory, and the
//! store's size.
//!
//! `cargo bench --bench children [-- --quick]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark stops at the first surprise and says it"
)]

mod support;

use std::{fs, process::Command};

use callboard::model::{SessionKind, Step};
use rusqlite::Connection;
use support::{
    engine,
    table::{Aim, median, note, row},
    world::{Config, World, git},
};

/// Each child writes a file of its own, so that the branches merge.
const AGENT: &[&str] = &["sh", "-c", "echo done > $CALLBOARD_COMPONENT.txt"];
const TESTS: &[&str] = &["cp", "{file}", "{report}"];

/// What one run gave.
struct Run {
    first: f64,
    last: f64,
    validation: f64,
    peak_mib: f64,
    store_kib: f64,
}

fn main() {
    if let Some(store) = support::argument("--engine") {
        engine::drive_store(store.into());
        return;
    }
    let quick = support::quick();
    let (rounds, children) = if quick { (1, 40) } else { (3, 1000) };
    let rounds = support::argument("--rounds").map_or(rounds, |text| text.parse().unwrap());
    let share = children / 10;
    let runs: Vec<Run> = (0..rounds).map(|_| run(children, share)).collect();
    let all = |value: fn(&Run) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>());
    let slower = all(|run| run.last / run.first);
    row(
        &format!("{children} children under one parent: the last {share}"),
        format!("{:.2} s", all(|run| run.last)),
        format!("the first {share}: {:.2} s; {slower:.2} times", all(|run| run.first)),
        slower,
        &Aim::AtMost(1.1, " times"),
    );
    let none = |what: &str, value: String, about: &str| row(what, value, about, 0.0, &Aim::None);
    none(
        &format!("{children} children: merged and judged together"),
        format!("{:.1} s", all(|run| run.validation)),
        "",
    );
    none(
        &format!("{children} children: the engine's memory at its peak"),
        format!("{:.0} MiB", all(|run| run.peak_mib)),
        "",
    );
    none(
        &format!("{children} children: store per session"),
        format!("{:.1} KiB", all(|run| run.store_kib)),
        "4 steps each",
    );
}

fn run(children: usize, share: usize) -> Run {
    let world =
        World::new(&Config { components: children, agents: 8, tests: 8, iterations: 5, agent: AGENT, runner: TESTS });
    slim(&world, children);
    let parent = world.session(SessionKind::ContextCoding, "Shop", Step::Initialize, false);
    let program = std::env::current_exe().unwrap();
    let peak = Command::new(program).args(["--engine", world.store.as_str()]).output().unwrap();
    assert!(peak.status.success(), "{}", String::from_utf8_lossy(&peak.stderr));
    let peak: f64 = String::from_utf8_lossy(&peak.stdout).trim().parse().unwrap();
    let connection = Connection::open(&world.store).unwrap();
    let status: String =
        connection.query_row("SELECT status FROM sessions WHERE id = ?1", [parent], |row| row.get(0)).unwrap();
    assert_eq!(status, "complete", "the parent came to its end");
    let mut ended: Vec<i64> = connection
        .prepare("SELECT updated_at FROM sessions WHERE parent IS NOT NULL AND status = 'complete' ORDER BY 1")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(ended.len(), children, "every child is complete");
    let (begun, judged): (i64, i64) = connection
        .query_row(
            "SELECT started_at, completed_at FROM interactions WHERE step = 'spawn_component_coding_sessions'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    ended.insert(0, begun);
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let store_kib = fs::metadata(&world.store).unwrap().len() as f64 / 1024.0 / (children + 1) as f64;
    let run = Run {
        first: seconds(ended[share] - ended[0]),
        last: seconds(ended[children] - ended[children - share]),
        validation: seconds(judged - ended[children]),
        peak_mib: peak,
        store_kib,
    };
    let hundreds: Vec<String> = ended
        .chunks(share)
        .filter_map(|chunk| Some(format!("{:.2}", seconds(chunk.last()? - chunk.first()?))))
        .collect();
    note(format!(
        "{children} children; every {share}: {}; validation {:.1} s; {peak:.0} MiB",
        hundreds.join(" "),
        run.validation
    ));
    run
}

#[expect(clippy::cast_precision_loss, reason = "a duration")]
fn seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}

/// One test file for all, and no code: a thousand worktrees of two thousand files would measure the disk.
fn slim(world: &World, children: usize) {
    let toml = world.root.join("callboard.toml");
    let text = fs::read_to_string(&toml).unwrap().replace("tests/{name}_test.xml", "tests/part0_test.xml");
    fs::write(&toml, text).unwrap();
    for nth in 0..children {
        fs::remove_file(world.root.join(format!("src/part{nth}.rs"))).unwrap();
        if nth > 0 {
            fs::remove_file(world.root.join(format!("tests/part{nth}_test.xml"))).unwrap();
        }
    }
    git(&world.root, &["commit", "--quiet", "--all", "-m", "Keep one test for all"]);
}

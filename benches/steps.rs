//! Steps per second when agents and tests do nothing, against a loop written by hand that starts the same processes and makes
//! two durable transactions a step.
//!
//! `cargo bench --bench steps [-- --quick]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark stops at the first surprise and says it"
)]

mod limit;
mod support;

use callboard::model::{SessionKind, Step};
use rusqlite::Connection;
use support::{
    engine,
    table::{Aim, median, note, ratio, row},
    world::{Config, World},
};

use limit::Shape;

/// What the sessions do, over and over.
struct Workload {
    name: &'static str,
    start: Step,
    /// The processes of consecutive steps.
    commands: &'static [&'static [&'static str]],
    agents: u32,
    tests: u32,
    /// The agent's command; the runner's.
    agent: &'static [&'static str],
    runner: &'static [&'static str],
}

const WORKLOADS: [Workload; 2] = [
    // An agent that does nothing and says that it failed is asked again.
    Workload {
        name: "agent steps",
        start: Step::GenerateImplementation,
        commands: &[&["false"]],
        agents: 8,
        tests: 1,
        agent: &["false"],
        runner: &["true", "{file}", "{report}"],
    },
    // Tests that say nothing could not run; an agent mends it by changing one file; the tests run again.
    Workload {
        name: "test and fix steps in turn",
        start: Step::RunTests,
        commands: &[&["true", "tests/part0_test.xml", "/tmp/no-report.xml"], CHANGE],
        agents: 4,
        tests: 4,
        agent: CHANGE,
        runner: &["true", "{file}", "{report}"],
    },
];

/// The cheapest program that changes a file.
const CHANGE: &[&str] = &["cp", "/proc/sys/kernel/random/uuid", "work.txt"];

fn main() {
    let quick = support::quick();
    let (rounds, sessions, iterations) = if quick { (1, 8, 5) } else { (7, 128, 5) };
    let number = |name: &str, usual: usize| support::argument(name).map_or(usual, |text| text.parse().unwrap());
    let (rounds, sessions) = (number("--rounds", rounds), number("--sessions", sessions));
    // Removed at the end: for some seconds a file system goes around what was just deleted.
    let mut worlds = Vec::new();
    for workload in WORKLOADS {
        let only = support::argument("--only");
        if only.is_some_and(|only| !workload.name.starts_with(&only)) {
            continue;
        }
        let (mut engine, mut limit, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let world = World::new(&Config {
                components: 1,
                agents: workload.agents,
                tests: workload.tests,
                iterations,
                agent: workload.agent,
                runner: workload.runner,
            });
            for _ in 0..sessions {
                world.session(SessionKind::ComponentCoding, "part0", workload.start, true);
            }
            note(format!("{}: the engine begins", workload.name));
            let start = support::processor_micros();
            engine::drive(&world);
            let driven = support::processor_micros();
            note("it has ended");
            let (steps, rate, shape) = read(&world);
            engine.push(rate);
            limit.push(limit::durable(&world, workload.commands, steps, &shape));
            let written = support::processor_micros();
            bare.push(limit::bare(&world, workload.commands, steps));
            let spawned = support::processor_micros();
            worlds.push(world);
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let each = |from: f64, to: f64| (to - from) / steps as f64;
            note(format!(
                "{}: {steps} steps; engine {rate:.0}/s ({:.0} µs of processor each), limit {:.0}/s ({:.0}), bare {:.0}/s ({:.0})",
                workload.name,
                each(start, driven),
                limit[limit.len() - 1],
                each(driven, written),
                bare[bare.len() - 1],
                each(written, spawned),
            ));
        }
        let share = ratio(&engine, &limit);
        row(
            &format!("steps per second, {}, 8 at a time", workload.name),
            format!("{:.0}", median(&engine)),
            format!("by hand {:.0}, only spawning {:.0}: {share:.2} of the limit", median(&limit), median(&bare)),
            share,
            &Aim::AtLeast(0.8, ""),
        );
    }
}

/// How many steps were made, how many per second, and how large their rows are.
fn read(world: &World) -> (usize, f64, Shape) {
    let connection = Connection::open(&world.store).unwrap();
    let row = connection.query_row(
        "SELECT count(*), max(completed_at) - min(started_at), avg(length(command)), avg(length(result)), \
         avg(length(CASE WHEN command ->> 'type' = 'agent' THEN command ->> 'prompt' END)), \
         sum(status IS NULL) FROM interactions",
        [],
        |row| {
            let pending: i64 = row.get(5)?;
            assert_eq!(pending, 0, "every step has ended");
            let shape = Shape {
                command: row.get(2)?,
                result: row.get(3)?,
                prompt: row.get::<_, Option<f64>>(4)?.unwrap_or(0.0),
            };
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, shape))
        },
    );
    let (steps, micros, shape) = row.unwrap();
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = steps as f64 / (micros as f64 / 1e6);
    (usize::try_from(steps).unwrap(), rate, shape)
}

//! The board in a terminal: from its start to its first frame with a small and with a large store, while it has nothing to do, and
//! from a key to its frame while sixteen children write as fast as they can.
//!
//! `cargo bench --bench board [-- --quick]`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark stops at the first surprise and says it"
)]

mod screen;
mod support;

use std::{
    fs,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use callboard::model::{SessionId, SessionKind, Step};
use rusqlite::{Connection, params};
use screen::Screen;
use support::{
    engine,
    table::{Aim, median, note, percentile, row},
    world::{Config, World},
};

const BOARD: &str = env!("CARGO_BIN_EXE_callboard");

fn main() {
    if let Some(store) = support::argument("--engine") {
        return engine::drive_store(store.into());
    }
    if std::env::args().any(|argument| argument == "--minimal") {
        return minimal();
    }
    let quick = support::quick();
    let only = support::argument("--only");
    let wanted = |name: &str| only.as_ref().is_none_or(|only| only == name);
    if wanted("start") {
        start(quick);
    }
    if wanted("idle") {
        idle(if quick { 2 } else { 10 });
    }
    if wanted("flood") {
        flood(quick);
    }
}

/// The least that ratatui can do: one paragraph, and the end at a key.
fn minimal() {
    let mut terminal = ratatui::init();
    terminal.draw(|frame| frame.render_widget("minimal", frame.area())).unwrap();
    crossterm::event::read().unwrap();
    ratatui::restore();
}

fn board(world: &World) -> Screen {
    let arguments = ["--project", world.root.as_str(), "--store", world.store.as_str()];
    // The engine, where one is wanted, runs already.
    Screen::open(BOARD, &arguments, &[("CALLBOARD_NO_ENGINE", "1"), ("HOME", world.folder().as_str())])
}

fn world(agent: &[&str], sessions: usize) -> World {
    let world = World::new(&Config {
        components: 16,
        agents: 16,
        tests: 1,
        iterations: 2,
        agent,
        runner: &["true", "{file}", "{report}"],
    });
    for nth in 0..sessions {
        world.session(SessionKind::ComponentCoding, &format!("part{nth}"), Step::GenerateImplementation, true);
    }
    world
}

/// From exec to the frame that shows the sessions.
fn start(quick: bool) {
    let rounds = if quick { 3 } else { 21 };
    let small = world(&["true"], 16);
    let large = world(&["true"], 0);
    let (sessions, events) = if quick { (200, 20_000) } else { (10_000, 5_000_000) };
    grow(&large, sessions, events);
    #[expect(clippy::cast_precision_loss, reason = "a size")]
    let size = fs::metadata(&large.store).unwrap().len() as f64 / f64::from(1 << 20);
    let (mut ours, mut many, mut least) = (Vec::new(), Vec::new(), Vec::new());
    let program = std::env::current_exe().unwrap();
    for _ in 0..rounds {
        least.push(first(Screen::open(program.to_str().unwrap(), &["--minimal"], &[]), "minimal"));
        ours.push(first(board(&small), "part1"));
        many.push(first(board(&large), "part1"));
    }
    note(format!("exec to first frame: minimal {least:.1?}, small {ours:.1?}, large {many:.1?}"));
    let peer = format!("a minimal ratatui program: {:.1} ms", median(&least));
    row(
        "exec to first frame, 16 sessions",
        format!("{:.1} ms", median(&ours)),
        &peer,
        median(&ours),
        &Aim::AtMost(10.0, " ms"),
    );
    row(
        &format!("exec to first frame, {sessions} sessions and {events} events ({size:.0} MiB)"),
        format!("{:.1} ms", median(&many)),
        &peer,
        median(&many),
        &Aim::AtMost(25.0, " ms"),
    );
}

fn first(screen: Screen, shows: &str) -> f64 {
    let at = screen.wait(|text| text.contains(shows));
    at.duration_since(screen.begun).as_secs_f64() * 1e3
}

/// Fills a store by SQL, in one transaction.
fn grow(world: &World, sessions: u32, events: u32) {
    let mut connection = Connection::open(&world.store).unwrap();
    let transaction = connection.transaction().unwrap();
    let project: i64 = transaction.query_row("SELECT id FROM projects", [], |row| row.get(0)).unwrap();
    let at = callboard::engine::now() - 86_400_000_000;
    for nth in 0..sessions {
        let active = nth + 100 > sessions;
        transaction
            .prepare_cached(
                "INSERT INTO sessions (row, id, project, kind, component, status, mode, generation, created_at, updated_at, step, \
                 step_seq, step_status, iteration, step_started_at, next, events) VALUES (?1, ?2, ?3, 'component_coding', ?4, ?5, \
                 'agentic', 1, ?6, ?6, 'run_tests', 3, 'ok', 1, ?6, ?7, ?8)",
            )
            .unwrap()
            .execute(params![
                nth + 1,
                SessionId::generate(),
                project,
                format!("part{}", nth % 16),
                if active { "active" } else { "complete" },
                at + i64::from(nth),
                active.then_some("finalize"),
                events / sessions,
            ])
            .unwrap();
    }
    transaction
        .execute_batch(&format!(
            "INSERT INTO generations (session, number, start, context, version, origin, opened_at) \
             SELECT row, 1, 'initialize', '', 1, '{{\"by\":\"new\"}}', created_at FROM sessions;
             INSERT INTO interactions (id, session, seq, generation, step, iteration, version, status, started_at, completed_at, command, result) \
             SELECT randomblob(16), s.row, n.column1, 1, n.column2, 1, 1, 'ok', s.created_at, s.created_at, n.column3, \
             '{{\"status\":\"ok\",\"code\":0,\"error_message\":null,\"data\":null,\"duration_ms\":5}}' FROM sessions s, (VALUES \
             (1, 'initialize', '{{\"type\":\"git\",\"operations\":[]}}'), \
             (2, 'generate_implementation', json_object('type', 'agent', 'agent', 'nobody', 'prompt', printf('%.4000c', 'p'))), \
             (3, 'run_tests', '{{\"type\":\"tests\",\"argv\":[\"true\"],\"directory\":\"/\"}}')) n;
             WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {each}) \
             INSERT INTO events (session, n, interaction, at, body) SELECT s.row, n.n, 2, s.created_at, \
             '{{\"type\":\"agent_text\",\"text\":\"Reading the design, and then some of the code around it.\\n\"}}' \
             FROM sessions s, n ORDER BY s.row, n.n;",
            each = events / sessions
        ))
        .unwrap();
    transaction.commit().unwrap();
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").unwrap();
}

/// What a board costs that has nothing to show.
fn idle(seconds: u64) {
    let world = world(&["true"], 16);
    let screen = board(&world);
    screen.wait(|text| text.contains("part1"));
    thread::sleep(Duration::from_secs(2));
    let before = screen.cost();
    thread::sleep(Duration::from_secs(seconds));
    let after = screen.cost();
    let (ticks, switches) = (after.0 - before.0, after.1 - before.1);
    row(
        &format!("idle board over {seconds} s: processor ticks, wake-ups"),
        format!("{ticks}, {switches}"),
        "–",
        f64::from(ticks + switches),
        &Aim::AtMost(0.0, ""),
    );
}

const FLOOD: &str = "yes 'A line of output that an agent might write, of some length, and then more.'";

/// Sixteen children that write as fast as they can; keys meanwhile.
fn flood(quick: bool) {
    let (seconds, keys) = if quick { (6, 10) } else { (25, 300) };
    let flooding =
        format!("timeout {seconds} yes 'A line of output that an agent might write, of some length, and then more.'");
    let world = world(&["sh", "-c", &flooding], 16);
    let program = std::env::current_exe().unwrap();
    let engine =
        Command::new(&program).args(["--engine", world.store.as_str()]).stdout(Stdio::piped()).spawn().unwrap();
    let ours = {
        let screen = board(&world);
        screen.wait(|text| text.contains("part1"));
        thread::sleep(Duration::from_secs(1));
        let times = screen.keys(keys, "?", "\x1b", |text| text.contains("Keys"));
        let peak = support::engine::peak_mib(&screen.pid().to_string());
        (times, peak)
    };
    let (engine_peak, kept) = settle(engine, &world);
    let peer = tmux(&world, keys);
    let (p50, p99) = (percentile(&ours.0, 0.5), percentile(&ours.0, 0.99));
    let peer = peer.map_or_else(
        || String::from("tmux: not installed"),
        |times| {
            format!("tmux with the same flood: {:.1} ms, {:.1} ms", percentile(&times, 0.5), percentile(&times, 0.99))
        },
    );
    row(
        "key to frame while 16 children flood: p50, p99",
        format!("{p50:.1} ms, {p99:.1} ms"),
        peer,
        p99,
        &Aim::AtMost(16.0, " ms"),
    );
    row(
        "memory at its peak meanwhile: board, engine",
        format!("{:.0} MiB, {engine_peak:.0} MiB", ours.1),
        "–",
        0.0,
        &Aim::None,
    );
    row(
        "output recorded up to its cap",
        kept.clone(),
        "–",
        f64::from(u8::from(kept.starts_with("all"))),
        &Aim::AtLeast(1.0, ""),
    );
}

/// The same flood in tmux, sixteen panes of it; the key opens its command line.
fn tmux(world: &World, keys: usize) -> Option<Vec<f64>> {
    Command::new("tmux").arg("-V").output().ok()?;
    let socket = world.folder().join("tmux");
    let mut arguments = vec!["-S", socket.as_str(), "-f", "/dev/null", "new-session", FLOOD];
    for _ in 1..16 {
        arguments.extend([";", "split-window", FLOOD, ";", "select-layout", "tiled"]);
    }
    let screen = Screen::open("tmux", &arguments, &[("HOME", world.folder().as_str())]);
    screen.wait(|text| text.contains("A line"));
    thread::sleep(Duration::from_secs(1));
    let times =
        screen.keys(keys, "\x02:", "\x03", |text| text.lines().last().is_some_and(|last| last.starts_with(':')));
    Command::new("tmux").args(["-S", socket.as_str(), "kill-server"]).status().ok()?;
    Some(times)
}

/// Waits for the engine's end; answers its peak, and whether every byte was recorded that the cap allows.
fn settle(engine: Child, world: &World) -> (f64, String) {
    let output = engine.wait_with_output().unwrap();
    let peak = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap_or(0.0);
    let connection = Connection::open(&world.store).unwrap();
    let outputs: Vec<(String, u64, u64)> = connection
        .prepare(
            "SELECT result ->> '$.output.path', result ->> '$.output.bytes', result ->> '$.output.kept' FROM interactions \
             WHERE step = 'generate_implementation' AND result ->> '$.output.path' IS NOT NULL",
        )
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs(), row.get::<_, i64>(2)?.unsigned_abs())))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    let cap = callboard::model::Limits::default().output;
    let whole = |(path, bytes, kept): &(String, u64, u64)| {
        *kept == (*bytes).min(cap) && fs::metadata(path).is_ok_and(|file| file.len() == *kept)
    };
    let written: u64 = outputs.iter().map(|(_, bytes, _)| bytes).sum();
    let good = outputs.iter().filter(|output| whole(output)).count();
    let how = if good == outputs.len() && good > 0 { "all" } else { "not all" };
    (peak, format!("{how}: {good} of {} outputs, {} MiB written", outputs.len(), written >> 20))
}

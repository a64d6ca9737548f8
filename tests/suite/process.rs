//! Tests of `process`, with real processes. They wait for what a process says or for what becomes of it, never for a time.
//! `leftovers` is a lower bound here: a run may also end what a test beside it left without a trace of its origin.

use std::future::{Future, pending};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use callboard::engine::process::{
    Chunk, Finished, Grace, LINE_CUT, MESSAGE_CAP, Marker, RUN_MARKER, STORE_MARKER, Spec, adopt_orphans, clean_env,
    end_marked, run, talk,
};
use callboard::model::Exit;
use camino::{Utf8Path, Utf8PathBuf};
use tokio::sync::{Notify, mpsc};

/// Longer than any test takes, so that a process that lives so long was forgotten.
const LONG: Duration = Duration::from_secs(600);

/// A process that is ended must be gone well before those that nobody ends.
const SOON: Duration = Duration::from_secs(60);

fn marker() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(super) fn spec(argv: &[&str]) -> Spec {
    adopt_orphans().unwrap();
    Spec {
        argv: argv.iter().map(|one| (*one).to_owned()).collect(),
        directory: "/".into(),
        env: clean_env(&[]),
        stdin: None,
        timeout: LONG,
        inactivity: LONG,
        pulse: None,
        grace: Grace { interrupt: Duration::from_millis(100), terminate: Duration::from_millis(100) },
        marker: marker(),
        confinement: None,
        record: None,
        cap: u64::MAX,
        keep: 64 << 10,
    }
}

pub(super) fn sh(script: &str) -> Spec {
    spec(&["sh", "-c", script])
}

fn block<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(future)
}

pub(super) fn finish(spec: Spec) -> Finished {
    block(run(spec, |_| (), pending()))
}

/// Runs until this text was printed, and then cancels.
pub(super) fn cancel_at(spec: Spec, text: &str) -> Finished {
    block(async {
        let (seen, mut all) = (Notify::new(), String::new());
        let watch = |chunk: Chunk| {
            all += &chunk.text;
            if all.contains(text) {
                seen.notify_one();
            }
        };
        run(spec, watch, seen.notified()).await
    })
}

pub(super) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The pids that were printed, one a line.
fn pids(finished: &Finished) -> Vec<u32> {
    text(&finished.stdout).lines().filter_map(|line| line.parse().ok()).collect()
}

/// Parent and state of a process, zombie or not.
fn status(pid: u32) -> Option<(u32, String)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let state = fields.next()?.to_owned();
    Some((fields.next()?.parse().ok()?, state))
}

fn is_alive(pid: u32) -> bool {
    status(pid).is_some_and(|(_, state)| state != "Z" && state != "X")
}

fn wait_until(condition: impl Fn() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < SOON, "it did not come true");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(super) fn temp() -> (tempfile::TempDir, Utf8PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = Utf8Path::from_path(directory.path()).unwrap().to_owned();
    (directory, path)
}

fn reason(spec: Spec) -> String {
    let exit = finish(spec).exit;
    let Exit::NotStarted { message } = exit else { panic!("it ran: {exit:?}") };
    message
}

fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() << 10
}

#[test]
fn a_process_has_what_it_was_given_and_nothing_else() {
    has_what_it_was_given(|spec| spec);
}

pub(super) fn has_what_it_was_given(held: fn(Spec) -> Spec) {
    let (_guard, directory) = temp();
    let mut spec = sh("cat; pwd; env | sort; echo problem >&2; exit 7");
    spec.directory.clone_from(&directory);
    spec.stdin = Some(b"read\n".to_vec());
    let path = std::env::var("PATH").unwrap();
    spec.env = vec![("PATH".into(), path.clone()), ("PWD".into(), directory.to_string())];
    let run_marker = spec.marker.clone();
    let finished = finish(held(spec));
    assert_eq!(finished.exit, Exit::Code { code: 7 });
    let expected = format!("read\n{directory}\n{RUN_MARKER}={run_marker}\nPATH={path}\nPWD={directory}\n");
    assert_eq!(text(&finished.stdout).replace("_=/usr/bin/env\n", ""), expected);
    assert_eq!(text(&finished.stderr), "problem\n");
    assert_eq!(finished.bytes, (finished.stdout.len() + finished.stderr.len()) as u64);
    assert_eq!((finished.kept, finished.record_error), (0, None));
}

#[test]
fn the_signal_that_killed_it_is_told() {
    assert_eq!(finish(sh("kill -KILL $$")).exit, Exit::Signal { signal: 9 });
}

#[test]
fn why_it_did_not_start_is_told() {
    tells_why_it_did_not_start(|spec| spec);
}

pub(super) fn tells_why_it_did_not_start(held: fn(Spec) -> Spec) {
    let reason = |spec| reason(held(spec));
    let (_guard, directory) = temp();
    let file = |name: &str, content: &str, mode| {
        let path = directory.join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.to_string()
    };
    let plain = file("plain", "#!/bin/sh\n", 0o644);
    let orphaned = file("orphaned", "#!/no/such/interpreter\n", 0o755);
    let garbage = file("garbage", "garbage", 0o755);
    let inside = |argv: &[&str]| Spec { directory: directory.clone(), ..spec(argv) };
    let on_path = |name: &str| Spec { env: vec![("PATH".into(), directory.to_string())], ..inside(&[name]) };

    assert_eq!(reason(spec(&["no-such-program"])), "the program `no-such-program` was not found in PATH");
    assert_eq!(reason(spec(&["/no/such/program"])), "the program `/no/such/program` was not found");
    assert!(reason(inside(&["./plain"])).contains("plain` is not executable"));
    assert_eq!(reason(on_path("plain")), format!("`{plain}` is not executable: it lacks the permission (chmod +x)"));
    assert!(reason(spec(&[&orphaned])).ends_with("the interpreter that it names was not found"));
    assert!(reason(spec(&[&garbage])).contains("is not a program"));
    assert_eq!(reason(spec(&["/etc"])), "`/etc` is a directory, not a program");
    for argv in ["sh", "./sh", "no-such-program"] {
        let gone = directory.join("gone");
        let lost = Spec { directory: gone.clone(), ..spec(&[argv]) };
        assert_eq!(reason(lost), format!("the directory to run in does not exist: `{gone}`"));
    }
    let lost = Spec { directory: plain.clone().into(), ..spec(&["sh"]) };
    assert_eq!(reason(lost), format!("the directory to run in is not a directory: `{plain}`"));
    assert!(reason(spec(&[])).contains("no program to run"));
    assert!(reason(spec(&["sh", "-c", "a\0b"])).contains("could not be started"));
    assert!(reason(spec(&["true", &"a".repeat(200_000)])).ends_with("too long"));
}

#[test]
fn a_program_with_a_slash_is_found_from_its_directory() {
    let (_guard, directory) = temp();
    std::fs::create_dir(directory.join("bin")).unwrap();
    std::os::unix::fs::symlink("/bin/sh", directory.join("bin/shell")).unwrap();
    let finished = finish(Spec { directory, ..spec(&["bin/shell", "-c", "echo $0"]) });
    assert_eq!(text(&finished.stdout), "bin/shell\n");
}

#[test]
fn it_may_run_for_so_long_and_no_longer() {
    let timeout = Duration::from_millis(300);
    let finished = finish(Spec { timeout, ..sh("while :; do echo still here; done") });
    assert_eq!(finished.exit, Exit::Timeout);
    assert!(finished.duration >= timeout && finished.duration < SOON);
}

#[test]
fn silence_ends_it_and_output_on_either_stream_does_not() {
    let (_guard, directory) = temp();
    let inactivity = Duration::from_millis(1500);
    let script = "i=0; while [ $i -lt 20 ]; do i=$((i+1)); echo $i >&$((i % 2 + 1)); sleep 0.1; done; exec sleep 1000";
    let finished = finish(Spec { inactivity, directory, ..sh(script) });
    assert_eq!(finished.exit, Exit::Inactive);
    assert!(text(&finished.stdout).ends_with("20\n") && text(&finished.stderr).ends_with("19\n"));
    assert!(finished.duration > inactivity && finished.duration < SOON);
}

#[test]
fn no_limit_is_no_limit() {
    let (timeout, inactivity) = (Duration::MAX, Duration::MAX);
    assert_eq!(finish(Spec { timeout, inactivity, ..spec(&["true"]) }).exit, Exit::Code { code: 0 });
}

#[test]
fn a_polite_process_may_clean_up_before_it_ends() {
    let mut spec = sh("trap 'echo bye; exit 3' INT; echo ready; while :; do sleep 0.01; done");
    spec.grace = Grace { interrupt: LONG, terminate: LONG };
    let finished = cancel_at(spec, "ready");
    assert_eq!(finished.exit, Exit::Cancelled);
    assert_eq!(text(&finished.stdout), "ready\nbye\n");
    assert!(finished.duration < SOON);
}

#[test]
fn a_process_that_ignores_every_request_is_killed() {
    let finished = cancel_at(sh("trap '' INT TERM; echo $$; echo ready; while :; do sleep 1; done"), "ready");
    assert_eq!(finished.exit, Exit::Cancelled);
    assert!(finished.duration < SOON);
    assert!(!is_alive(pids(&finished)[0]));
}

#[test]
fn who_left_the_group_is_ended_with_it() {
    for prefix in ["setsid", "env -i setsid", "trap '' TERM; setsid"] {
        let script = format!("{prefix} sh -c 'echo $$; echo ready; exec sleep 1000' & wait");
        let finished = cancel_at(sh(&script), "ready");
        assert_eq!(finished.exit, Exit::Cancelled);
        assert!(!is_alive(pids(&finished)[0]), "{prefix}");
        assert!(finished.leftovers >= 1, "{prefix}");
    }
}

#[test]
fn who_left_group_and_parent_is_ended_with_it() {
    let script = "(setsid sh -c 'echo $$; exec sleep 1000' &); echo ready; sleep 1000";
    let mut spec = sh(script);
    spec.grace.interrupt = LONG;
    block(async {
        let (seen, mut all) = (Notify::new(), String::new());
        let watch = |chunk: Chunk| {
            all += &chunk.text;
            if all.lines().count() == 2 {
                seen.notify_one();
            }
        };
        let finished = run(spec, watch, seen.notified()).await;
        assert!(!is_alive(pids(&finished)[0]));
    });
}

#[test]
fn an_orphan_that_holds_the_pipe_holds_nobody_up() {
    for prefix in ["", "setsid", "nohup"] {
        let (_guard, directory) = temp();
        let begun = directory.join("begun");
        let orphan = format!("{prefix} sh -c 'echo $$; trap \"\" TERM; : > {begun}; exec sleep 1000'");
        let finished = finish(sh(&format!("({orphan} &); until [ -e {begun} ]; do sleep 0.01; done; exit 4")));
        assert_eq!(finished.exit, Exit::Code { code: 4 });
        assert!(finished.leftovers >= 1);
        assert!(finished.duration < SOON);
        assert_eq!(status(pids(&finished)[0]), None, "not even a zombie");
    }
}

#[test]
fn a_server_in_the_background_is_ended() {
    let finished = finish(sh("setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!"));
    assert!(finished.exit == Exit::Code { code: 0 } && finished.leftovers >= 1);
    assert!(!is_alive(pids(&finished)[0]));
    let finished = finish(sh("sleep 1000 >/dev/null 2>&1 & echo $!"));
    assert!(!is_alive(pids(&finished)[0]));
}

#[test]
fn last_words_of_the_background_are_heard() {
    let finished = finish(sh("(sleep 0.05; echo late) & exit 0"));
    assert_eq!(text(&finished.stdout), "late\n");
}

#[test]
fn an_orphan_without_a_trace_goes_with_the_last_run_that_may_have_started_it() {
    let finished = finish(sh("(env -i setsid sh -c 'echo $$; exec sleep 1000' &); sleep 0.1"));
    let pid = pids(&finished)[0];
    // Runs of other tests may have been there before it. When they are over, any run ends it.
    wait_until(|| finish(spec(&["true"])).exit == Exit::Code { code: 0 } && status(pid).is_none());
}

#[test]
fn a_gigabyte_of_output_needs_little_memory() {
    let before = memory();
    let (mut most, mut length) = (0, 0);
    let spec = sh("yes 'a line of the length that the lines of a test report usually have' | head -c 1000000000");
    let chunks = |chunk: Chunk| {
        length += chunk.text.len();
        if length % 50 == 0 {
            most = most.max(memory());
        }
    };
    let finished = block(run(spec, chunks, pending()));
    assert_eq!((finished.exit, finished.bytes, length), (Exit::Code { code: 0 }, 1_000_000_000, 1_000_000_000));
    assert!(finished.stdout.len() < 66 << 10);
    assert!(finished.stdout.starts_with(b"a line of") && text(&finished.stdout).contains("bytes left out …]"));
    assert!(most.saturating_sub(before) < 100 << 20, "{before} {most}");
}

#[test]
fn a_line_without_end_is_cut_and_said_to_be() {
    let mut seen = String::new();
    let script = "head -c 100000000 /dev/zero | tr '\\0' x; echo; echo next";
    let finished = block(run(sh(script), |chunk| seen += &chunk.text, pending()));
    assert_eq!(finished.bytes, 100_000_006);
    assert_eq!(seen, format!("{}{LINE_CUT}\nnext\n", "x".repeat(64 << 10)));
}

#[test]
fn a_character_may_come_in_pieces_and_garbage_is_shown_as_such() {
    let (_guard, directory) = temp();
    let go = directory.join("go");
    let script = "printf 'a\\303'; while [ ! -e go ]; do sleep 0.01; done; printf '\\251\\377\\000b\\342\\202'";
    let mut seen = String::new();
    let chunks = |chunk: Chunk| {
        seen += &chunk.text;
        std::fs::write(&go, "").unwrap();
    };
    let finished = block(run(Spec { directory: directory.clone(), ..sh(script) }, chunks, pending()));
    assert_eq!(seen, "aé\u{fffd}\0b\u{fffd}");
    assert_eq!(finished.stdout, b"a\xc3\xa9\xff\0b\xe2\x82");
}

#[test]
fn the_record_has_all_up_to_its_cap() {
    let (_guard, directory) = temp();
    let path = directory.join("record");
    let record = Some(path.clone());
    let finished = finish(Spec { record: record.clone(), cap: 10, ..sh("printf 12345678; printf 90abcdef") });
    assert_eq!((finished.bytes, finished.kept, finished.record_error), (16, 10, None));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "1234567890");
    assert_eq!(text(&finished.stdout), "1234567890abcdef");
    let finished = finish(Spec { record, ..sh("printf new") });
    assert_eq!((finished.kept, std::fs::read_to_string(&path).unwrap().as_str()), (3, "new"));
}

#[test]
fn a_full_disk_stops_the_record_but_not_the_process() {
    for path in ["/dev/full", "/dev/null/no/folder/record"] {
        let finished = finish(Spec { record: Some(path.into()), ..sh("echo one; echo two; exit 5") });
        assert_eq!((finished.exit, text(&finished.stdout)), (Exit::Code { code: 5 }, "one\ntwo\n"));
        assert_eq!(finished.kept, 0);
        assert!(finished.record_error.unwrap().contains(path));
    }
}

#[test]
fn a_long_prompt_is_read_whole_or_not_at_all() {
    let prompt = || Some(vec![b'p'; 5 << 20]);
    assert_eq!(finish(Spec { stdin: prompt(), ..sh("exit 6") }).exit, Exit::Code { code: 6 });
    assert_eq!(finish(Spec { stdin: prompt(), ..sh("sleep 0.2; exit 6") }).exit, Exit::Code { code: 6 });
    assert_eq!(text(&finish(Spec { stdin: prompt(), ..sh("wc -c") }).stdout).trim(), (5 << 20).to_string());
    let finished = cancel_at(Spec { stdin: prompt(), ..sh("echo ready; exec sleep 1000") }, "ready");
    assert_eq!(finished.exit, Exit::Cancelled);
    // What it writes while it reads must be read while it is written.
    assert_eq!(finish(Spec { stdin: prompt(), ..spec(&["cat"]) }).bytes, 5 << 20);
}

#[test]
fn fifty_at_once_leave_nothing() {
    let all: Vec<Finished> = block(async {
        let script = "sleep 1000 & echo $!; (setsid sh -c 'echo $$; exec sleep 1000' &); (true &); sleep 0.2; exit 1";
        let runs: Vec<_> = (0..50).map(|_| tokio::spawn(run(sh(script), |_| (), pending()))).collect();
        let mut all = Vec::new();
        for one in runs {
            all.push(one.await.unwrap());
        }
        all
    });
    let me = std::process::id();
    for finished in &all {
        assert!(finished.exit == Exit::Code { code: 1 } && finished.leftovers >= 2, "{finished:?}");
        for pid in pids(finished) {
            assert!(status(pid).is_none_or(|(parent, _)| parent != me), "{pid} is still there");
        }
    }
}

#[test]
fn other_children_are_left_to_those_who_wait_for_them() {
    let mut other = Command::new("true").process_group(0).spawn().unwrap();
    wait_until(|| !is_alive(other.id()));
    finish(sh("(setsid true &); sleep 1000 &"));
    assert!(other.wait().unwrap().success());
}

#[test]
fn a_program_that_is_just_being_written_is_waited_for() {
    let (_guard, directory) = temp();
    let path = directory.join("script");
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut file, b"#!/bin/sh\nexit 8\n").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let finished = block(async {
        let running = tokio::spawn(run(spec(&[path.as_str()]), |_| (), pending()));
        tokio::task::yield_now().await;
        drop(file);
        running.await.unwrap()
    });
    assert_eq!(finished.exit, Exit::Code { code: 8 });
}

#[test]
fn exactly_the_marked_are_ended() {
    let store = marker();
    let child = |env: &[(&str, &str)]| {
        let mut command = Command::new("sleep");
        command.arg("1000").envs(env.iter().copied()).process_group(0).spawn().unwrap()
    };
    let mut marked = child(&[(STORE_MARKER, &store), (RUN_MARKER, "old")]);
    let mut stubborn = Command::new("sh");
    stubborn.args(["-c", "trap '' TERM; while :; do sleep 1; done"]);
    let mut stubborn = stubborn.env(STORE_MARKER, &store).env(RUN_MARKER, "older").spawn().unwrap();
    let longer = format!("{store}0");
    let mut spared = [
        child(&[(STORE_MARKER, &longer), (RUN_MARKER, "old")]),
        child(&[("X_CALLBOARD_STORE", &store), (RUN_MARKER, "old")]),
        child(&[("OTHER", &format!("{STORE_MARKER}={store}")), (RUN_MARKER, "old")]),
        child(&[(STORE_MARKER, &store)]),
    ];
    let ended = block(end_marked(Marker::Store(&store), Duration::from_millis(100)));
    assert!(ended >= 2, "both, and perhaps a `sleep` of the second: {ended}");
    assert!(!is_alive(marked.id()) && !is_alive(stubborn.id()));
    assert!(spared.iter().all(|child| is_alive(child.id())));
    marked.wait().unwrap();
    stubborn.wait().unwrap();
    for child in &mut spared {
        child.kill().unwrap();
        child.wait().unwrap();
    }

    let run_marker = marker();
    let mut marked = child(&[(RUN_MARKER, &run_marker)]);
    assert_eq!(block(end_marked(Marker::Run(&run_marker), LONG)), 1);
    marked.wait().unwrap();
}

#[test]
fn to_drop_it_is_to_kill_it() {
    let (_guard, directory) = temp();
    let script = "trap '' INT TERM; echo $$ >one; setsid sh -c 'echo $$ >two; echo ready; exec sleep 1000' & wait";
    block(async {
        let seen = Notify::new();
        let running = run(Spec { directory: directory.clone(), ..sh(script) }, |_| seen.notify_one(), pending());
        tokio::select! {
            _ = running => panic!("it ended by itself"),
            () = seen.notified() => {}
        }
    });
    for name in ["one", "two"] {
        let pid = std::fs::read_to_string(directory.join(name)).unwrap().trim().parse().unwrap();
        wait_until(|| !is_alive(pid));
    }
}

#[test]
fn a_process_is_talked_with_until_nobody_has_anything_to_say() {
    let (sender, receiver) = mpsc::channel(4);
    let finished = block(async {
        let (mut said, mut sender) = (String::new(), Some(sender));
        let answer = |chunk: Chunk| {
            said += &chunk.text;
            while let Some((line, rest)) = said.split_once('\n') {
                match line.strip_prefix("more ").map(|n| n.parse::<u32>().unwrap()) {
                    Some(0) => sender = None,
                    Some(n) => sender.as_ref().unwrap().try_send(format!("{}\n", n - 1).into_bytes()).unwrap(),
                    None => panic!("{line}"),
                }
                said = rest.to_owned();
            }
        };
        let first = Spec { stdin: Some(b"5\n".to_vec()), ..sh("while read -r n; do echo more $n; done; exit 7") };
        talk(first, receiver, answer, pending()).await
    });
    assert_eq!(finished.exit, Exit::Code { code: 7 });
    assert_eq!(text(&finished.stdout), "more 5\nmore 4\nmore 3\nmore 2\nmore 1\nmore 0\n");
}

#[test]
fn who_does_not_listen_is_not_waited_for() {
    let (sender, receiver) = mpsc::channel(1);
    let deaf = sh("exec <&-; echo ready; sleep 0.1; exit 3");
    let say = |_: Chunk| while sender.try_send(vec![b'x'; 1 << 20]).is_ok() {};
    let finished = block(talk(deaf, receiver, say, pending()));
    assert_eq!(finished.exit, Exit::Code { code: 3 });
    assert!(sender.is_closed());
}

#[test]
fn a_message_may_be_long_but_not_endless() {
    for (length, whole) in [(1 << 20, true), (MESSAGE_CAP + 1, false)] {
        let (sender, receiver) = mpsc::channel(1);
        drop(sender);
        let mut said = String::new();
        let long = sh(&format!("head -c {length} /dev/zero | tr '\\0' x; echo; echo next"));
        block(talk(long, receiver, |chunk| said += &chunk.text, pending()));
        let (first, rest) = said.split_once('\n').unwrap();
        assert_eq!(rest, "next\n");
        assert_eq!(first.len() == length && !first.contains(LINE_CUT), whole);
    }
}

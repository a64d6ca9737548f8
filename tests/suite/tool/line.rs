//! The socket of a confined agent's sessions tool: whoever means ill, whoever has no business there, and engines that are killed.

use std::{
    fs::File,
    io::{BufReader, Read as _, Write as _},
    net::Shutdown,
    os::{fd::AsRawFd as _, unix::net::UnixStream},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use callboard::{
    engine::socket,
    model::{SessionId, Status},
    tool::wire::{Asked, Told},
};
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use super::{
    super::integration::{Shop, until},
    called,
    confined::{said, shop, shop_with, sockets},
};
use crate::confine::is_possible;

/// A test of this binary, as a confined process runs it.
fn inside(name: &str) -> String {
    let binary = std::env::current_exe().unwrap();
    format!("'{}' --exact tool::line::{name} --ignored --nocapture 2>&1 || exit 20\n", binary.display())
}

/// The socket that this process was given; `None`: a person runs the tests that others run.
fn given() -> Option<Utf8PathBuf> {
    std::env::var("CALLBOARD_SOCKET").ok().map(Into::into)
}

/// A connection; its name is that of its open folder, which may lie deep.
fn connect(socket: &Utf8Path) -> UnixStream {
    let folder = File::open(socket.parent().unwrap()).unwrap();
    UnixStream::connect(format!("/proc/self/fd/{}/{}", folder.as_raw_fd(), socket.file_name().unwrap())).unwrap()
}

/// What is answered to these bytes, and nothing after it.
fn answer(socket: &Utf8Path, bytes: &[u8]) -> Told {
    let mut stream = connect(socket);
    // Whoever is answered before it has said everything cannot say more.
    stream.write_all(bytes).unwrap_or_default();
    stream.shutdown(Shutdown::Write).unwrap_or_default();
    told(stream)
}

fn told(stream: UnixStream) -> Told {
    let mut all = Vec::new();
    // An end with bytes that nobody read is an error, after the answer.
    for byte in BufReader::new(stream).bytes() {
        match byte {
            Ok(byte) => all.push(byte),
            Err(_) => break,
        }
    }
    serde_json::from_slice(&all).unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&all)))
}

/// An engine that drives one session, and does not outlive a test that fails.
struct Engine(Child);

impl Drop for Engine {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn own() -> Asked {
    Asked { tool: "get_session".into(), arguments: Map::new(), session: None }
}

#[test]
fn bytes_that_are_no_calls_are_refused_and_the_next_call_is_answered() {
    if !is_possible() {
        return;
    }
    let (shop, id) = shop("network = \"off\"", &format!("{}wake\n", inside("bytes")));
    assert_eq!(shop.run(id), 0, "{}\n{}", shop.story(), said(&shop, id));
    assert_eq!(called(&shop, id), ["get_session", "reactivate_session", "get_session", "reactivate_session"]);
}

#[test]
#[ignore = "run by another test, in a sandbox"]
fn bytes() {
    let Some(socket) = given() else { return };
    let line = |value: Value| format!("{value}\n").into_bytes();
    let deep = format!("{{\"tool\": {}\n", "[".repeat(500_000)).into_bytes();
    for (bytes, why) in [
        (b"garbage\n".to_vec(), "this is none"),
        (b"\xff\xfe\x00\x1b[2J\n".to_vec(), "this is none"),
        (b"\n".to_vec(), "this is none"),
        (b"".to_vec(), "this is none"),
        (b"{\"tool\": \"get_session\"".to_vec(), "this is none"),
        (deep, "this is none"),
        (vec![b'x'; 3 << 20], "at most 1048576 bytes"),
        (vec![b'\0'; 3 << 20], "at most 1048576 bytes"),
        (line(json!({"tool": "get_session", "account": "other"})), "unknown field `account`"),
        (line(json!({"tool": "delete_everything"})), "there is no tool \"delete_everything\""),
    ] {
        let Told::Failed(said) = answer(&socket, &bytes) else { panic!("{why}") };
        assert!(said.contains(why) && said.len() < 1_000 && !said.contains('\u{1b}'), "{said}");
    }
    let me = std::env::var("CALLBOARD_SESSION_ID").unwrap();
    for (call, why) in [
        (json!({"tool": "get_session", "session": "other"}), "answers nobody else"),
        (json!({"tool": "get_session", "session": ""}), "answers nobody else"),
        (json!({"tool": "get_session", "arguments": {"account": "other"}}), "there is no argument \"account\""),
        (
            json!({"tool": "reactivate_session", "arguments": {"component": "Cart", "reason": "x".repeat(10_000)}}),
            "at most 4096",
        ),
    ] {
        let Told::Refused(said) = answer(&socket, &line(call)) else { panic!("{why}") };
        assert!(said.contains(why), "{said}");
    }
    // Those who come and go, and those who ask twice at once.
    for _ in 0..200 {
        drop(connect(&socket));
    }
    let twice = [line(json!({"tool": "get_session", "session": me})), line(json!({"tool": "list_sessions"}))].concat();
    let Told::Done(session) = answer(&socket, &twice) else { panic!("it is refused") };
    assert_eq!(session["id"], json!(me));
}

#[test]
fn those_who_say_nothing_are_sent_away_and_keep_nobody_out_for_long() {
    if !is_possible() {
        return;
    }
    let (shop, id) = shop("", &format!("{}wake\n", inside("silent")));
    assert_eq!(shop.run(id), 0, "{}\n{}", shop.story(), said(&shop, id));
}

#[test]
#[ignore = "run by another test, in a sandbox"]
fn silent() {
    let Some(socket) = given() else { return };
    let begun = Instant::now();
    let silent: Vec<UnixStream> = (0..16).map(|_| connect(&socket)).collect();
    let callers: Vec<_> = (0..20)
        .map(|_| {
            let socket = socket.clone();
            thread::spawn(move || (socket::ask(&socket, &own()).unwrap(), begun.elapsed()))
        })
        .collect();
    // Another that never takes its answer.
    let mut deaf = connect(&socket);
    deaf.write_all(b"{\"tool\": \"list_sessions\"}\n").unwrap();
    for stream in silent {
        let Told::Failed(why) = told(stream) else { panic!("it is answered") };
        assert_eq!(why, "no call came within 5 s");
    }
    for caller in callers {
        let (told, after) = caller.join().unwrap();
        assert!(matches!(told, Told::Done(_)) && after >= Duration::from_secs(5), "{told:?} after {after:?}");
    }
}

/// The only socket that there is.
fn only_socket(shop: &Shop) -> Utf8PathBuf {
    let [name] = sockets(shop).try_into().unwrap();
    shop.folder.join("callboard.d/sockets").join(name).join("tool")
}

/// Cart's tests, which are confined as well, find the socket of the agent that had Cart woken.
#[test]
fn nobody_but_the_agent_is_answered() {
    if !is_possible() {
        return;
    }
    let callboard = env!("CARGO_BIN_EXE_callboard");
    // What has lost its parent waits for that, and tells in a file.
    let fix = r#"
wake || exit 7
cart=$("$callboard" tool list_sessions --arguments '{"component": "Cart", "kind": "component_coding"}' | sed -n 's/^ *"id": "\(.*\)",*$/\1/p')
cat > orphan.tmp <<'END'
until [ -e orphaned.tmp ] || ! [ -e agent.sh ]; do sleep 0.02; done
"$1" tool get_session > orphan-said.tmp 2>&1; echo "code $?" >> orphan-said.tmp; mv orphan-said.tmp orphan-told.tmp
END
setsid -f sh orphan.tmp "$callboard"
echo > orphaned.tmp
wait_for orphan-told.tmp
sed 's/^/ORPHAN /' orphan-told.tmp
until "$callboard" tool get_session --arguments "{\"session\": \"$cart\"}" | grep '"status": "complete"' > /dev/null; do
  [ -e agent.sh ] || exit 8; sleep 0.05
done
wait_for go.tmp; rm *.tmp
"#;
    let tests = format!(
        "for socket in ${{CALLBOARD_STORE%.db}}.d/sockets/*/tool; do if [ -S $socket ]; then\n\
         echo TESTS TRY; '{callboard}' tool get_session --socket $socket\n\
         attempt=$(basename $(dirname $socket)); CALLBOARD_RUN=$attempt '{callboard}' tool get_session --socket $socket\nfi; done 2>&1\n"
    );
    let (shop, id) = shop_with("", fix, &tests);
    let mut engine = Engine(shop.start(id));
    until("it calls", || called(&shop, id).len() > 1);
    let path = only_socket(&shop);
    let Told::Refused(why) = socket::ask(&path, &own()).unwrap() else { panic!("anybody is answered") };
    assert!(why.contains("answers only processes that the session's agent started"), "{why}");
    std::fs::write(shop.store().session(id).unwrap().worktree.unwrap().join("go.tmp"), "").unwrap();
    assert!(engine.0.wait().unwrap().success(), "{}\n{}", shop.story(), said(&shop, id));
    let told = said(&shop, id);
    assert!(told.contains("ORPHAN code 1") && told.contains("ORPHAN callboard: refused"), "{told}");
    let by_tests = said(&shop, shop.coding("Cart"));
    assert!(by_tests.contains("TESTS TRY") && !by_tests.contains("\"attempts\""), "{by_tests}");
    assert_eq!(
        by_tests.matches("answers only processes").count(),
        2 * by_tests.matches("TESTS TRY").count(),
        "{by_tests}"
    );
    // Its attempt has ended.
    let gone = socket::ask(&path, &own()).unwrap_err().to_string();
    assert!(gone.contains("nobody answers") && sockets(&shop).is_empty(), "{gone}");
}

/// The engine is killed when a call is about to be made, while it is made, and after it was granted: the next engine goes on, and
/// nothing is done twice.
fn killed_when(what: &str, so: impl Fn(&Shop, SessionId) -> bool) {
    let (shop, id) = shop("", "\"$callboard\" tool get_session > /dev/null || exit 7\nwake; wait_for never\n");
    let engine = Engine(shop.start(id));
    until(what, || so(&shop, id));
    drop(engine);
    let path = only_socket(&shop);
    let gone = socket::ask(&path, &own()).unwrap_err().to_string();
    assert!(gone.contains("nobody answers"), "{what}: {gone}");
    // The next attempt's agent asks the same, and ends.
    let fix = shop.store().session(id).unwrap().worktree.unwrap().join("fix.sh");
    std::fs::write(fix, "wake\n").unwrap();
    assert_eq!(shop.run(id), 0, "{what}: {}\n{}", shop.story(), said(&shop, id));
    assert_eq!(sockets(&shop), Vec::<String>::new(), "{what}");
    let cart = shop.store().session(shop.coding("Cart")).unwrap();
    assert_eq!((cart.status, cart.generation), (Status::Complete, 2), "{what}: {}", shop.story());
    let woken = shop.steps(cart.id).iter().filter(|step| *step == "fix_test_failures").count();
    assert_eq!(woken, 1, "{what}: {}", shop.story());
    let fixes = shop.steps(id).into_iter().filter(|step| step.starts_with("fix_integration")).collect::<Vec<_>>();
    assert_eq!(fixes, ["fix_integration_test_failures:interrupted", "fix_integration_test_failures"], "{what}");
    let session = shop.store().session(id).unwrap();
    let since = format!("{}..{}", session.base_commit.unwrap(), session.branch.unwrap());
    let subjects = shop.git(&["log", "--format=%s", &since]);
    assert_eq!(subjects.matches("Merge: Implement Cart").count(), 1, "{what}: {subjects}");
}

#[test]
fn an_engine_that_is_killed_repeats_nothing_and_leaves_nothing() {
    if !is_possible() {
        return;
    }
    let calls = |shop: &Shop, id, tool: &str| called(shop, id).iter().any(|called| called == tool);
    let noted = |shop: &Shop, id, start: &str| shop.notes(id).iter().any(|note| note.starts_with(start));
    killed_when("it looks", |shop, id| calls(shop, id, "get_session"));
    killed_when("it asks", |shop, id| calls(shop, id, "reactivate_session"));
    killed_when("it is granted", |shop, id| noted(shop, id, "Granted"));
}

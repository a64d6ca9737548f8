//! Confined processes on the real kernel: nothing is written elsewhere, and all else is as without.

use std::{
    fs,
    net::TcpListener,
    os::unix::fs::{PermissionsExt as _, symlink},
    process::Command,
    sync::atomic::{AtomicU32, Ordering},
};

use callboard::{
    engine::process::{Confinement, Finished, Spec, landlock},
    model::Exit,
};
use camino::{Utf8Path, Utf8PathBuf};

use super::process::{cancel_at, finish, has_what_it_was_given, sh, spec, tells_why_it_did_not_start, temp, text};

/// Whether this machine can confine. Where it cannot, whoever looks at the output reads that nothing was tested.
pub(super) fn is_possible() -> bool {
    let lacks = landlock().lacks(false);
    if let Some(why) = &lacks {
        eprintln!("NOT TESTED, nothing can be confined here: {why}");
    }
    lacks.is_none()
}

/// The process, which may write at these places.
fn at(places: &[&Utf8Path], spec: Spec) -> Spec {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = Utf8PathBuf::from_path_buf(std::env::temp_dir()).unwrap();
    let refusal = folder.join(format!("callboard-{}-{n}.refusal", std::process::id()));
    let write = places.iter().copied().chain([Utf8Path::new("/dev/null")]).map(Utf8Path::to_owned).collect();
    let program = env!("CARGO_BIN_EXE_callboard").into();
    Spec { confinement: Some(Confinement { program, write, network: true, refusal }), ..spec }
}

/// A process that is confined to nothing but its directory.
fn held(spec: Spec) -> Spec {
    let directory = spec.directory.clone();
    let places = if directory.is_dir() && directory != "/" { vec![directory.as_path()] } else { Vec::new() };
    at(&places, spec)
}

fn said(finished: &Finished) -> String {
    format!("{}{}", text(&finished.stdout), text(&finished.stderr))
}

/// A folder to write in, and one beside it.
fn folders() -> (tempfile::TempDir, Utf8PathBuf, Utf8PathBuf) {
    let (guard, root) = temp();
    let (inside, outside) = (root.join("inside"), root.join("outside"));
    for folder in [&inside, &outside] {
        fs::create_dir(folder).unwrap();
    }
    fs::write(outside.join("kept"), "as it was").unwrap();
    (guard, inside, outside)
}

#[test]
fn it_is_started_and_told_as_without() {
    if !is_possible() {
        return;
    }
    has_what_it_was_given(held);
    tells_why_it_did_not_start(held);
    assert_eq!(finish(held(sh("kill -KILL $$"))).exit, Exit::Signal { signal: 9 });
    assert_eq!(finish(held(sh("exit 1"))).exit, Exit::Code { code: 1 });
    assert_eq!(text(&finish(held(spec(&["sh", "-c", "echo $0"]))).stdout), "sh\n");
    // A Rust program ignores the signal that ends those who write for nobody; what it becomes must not.
    assert_eq!(finish(held(sh("trap - PIPE; sh -c 'kill -PIPE $$; echo lives'"))).stdout, b"");
    let finished = cancel_at(held(sh("trap 'exit 0' INT; echo up; while :; do sleep 0.01; done")), "up");
    assert_eq!(finished.exit, Exit::Cancelled);
}

#[test]
fn nothing_stays_of_the_way_it_was_started() {
    if !is_possible() {
        return;
    }
    let (_guard, inside, _) = folders();
    let spec = held(Spec { directory: inside, ..sh("ls -l /proc/self/fd; cat /proc/$$/cmdline | tr '\\0' ' '") });
    let refusal = spec.confinement.clone().unwrap().refusal;
    let finished = finish(spec);
    assert!(!refusal.exists());
    let said = said(&finished);
    assert!(!said.contains("refusal") && !said.contains("confine"), "{said}");
    assert!(said.ends_with("' ' '") || said.contains("sh -c"), "{said}");
}

#[test]
fn it_writes_inside_and_nowhere_else() {
    if !is_possible() {
        return;
    }
    let (_guard, inside, outside) = folders();
    symlink(&outside, inside.join("folder")).unwrap();
    symlink(outside.join("kept"), inside.join("file")).unwrap();
    symlink(outside.join("new"), inside.join("dangling")).unwrap();
    // Each line is one attempt; what fails is told by its number.
    let attempts = [
        "echo x > OUT/new",
        "echo x >> OUT/kept",
        "truncate -s 0 OUT/kept",
        "rm OUT/kept",
        "mv OUT/kept OUT/moved",
        "mv OUT/kept here",
        "mkdir OUT/folder",
        "ln -s /etc OUT/link",
        "mkfifo OUT/pipe",
        "echo x > folder/new",
        "echo x > file",
        "echo x > dangling",
        "ln OUT/kept hard && echo x > hard",
        "(setsid sh -c 'echo x > OUT/new')",
        "sh -c 'sh -c \"echo x > OUT/new\"'",
        "env -i /bin/sh -c 'echo x > OUT/new'",
        "echo x > /proc/self/root/OUT/new",
    ];
    let mut script =
        "echo a > one && mkdir two && mv one two/ && ln two/one three && rm three && echo fine\n".to_owned();
    for (n, attempt) in attempts.iter().enumerate() {
        script += &format!("if {}; then echo WENT {n}; fi\n", attempt.replace("OUT", outside.as_str()));
    }
    let finished = finish(held(Spec { directory: inside.clone(), ..sh(&script) }));
    let said = said(&finished);
    assert!(said.contains("fine") && !said.contains("WENT"), "{said}");
    assert!(said.contains("Permission denied"), "{said}");
    assert_eq!(fs::read_to_string(inside.join("two/one")).unwrap(), "a\n");
    let left: Vec<String> =
        fs::read_dir(&outside).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(left, ["kept"]);
    assert_eq!(fs::read_to_string(outside.join("kept")).unwrap(), "as it was");
}

/// An orphan in a session of its own is as confined as those that it came from.
#[test]
fn an_orphan_stays_confined() {
    if !is_possible() {
        return;
    }
    let (_guard, inside, outside) = folders();
    let script =
        format!("setsid -f sh -c 'echo x > {outside}/new; echo tried > done'; until [ -s done ]; do sleep 0.01; done");
    let finished = finish(held(Spec { directory: inside, ..sh(&script) }));
    assert_eq!(finished.exit, Exit::Code { code: 0 });
    assert!(said(&finished).contains("Permission denied"), "{}", said(&finished));
    assert!(!outside.join("new").exists());
}

#[test]
fn it_signals_nobody_outside() {
    if !is_possible() || !matches!(landlock(), callboard::engine::process::Landlock::Version(6..)) {
        return;
    }
    let mut other = Command::new("sleep").arg("1000").spawn().unwrap();
    let finished = finish(held(sh(&format!("sleep 1000 & kill -KILL $! && echo own; kill -KILL {}", other.id()))));
    assert!(other.try_wait().unwrap().is_none(), "{}", said(&finished));
    assert_eq!(text(&finished.stdout), "own\n");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn tcp_is_cut_off_only_if_asked() {
    if !is_possible() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let connect = spec(&["bash", "-c", &format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected")]);
    if Command::new("bash").arg("--version").output().is_err() {
        eprintln!("NOT TESTED: there is no bash to connect with");
        return;
    }
    assert_eq!(text(&finish(held(connect.clone())).stdout), "connected\n");
    let mut offline = held(connect);
    if let Some(confinement) = &mut offline.confinement {
        confinement.network = false;
    }
    let finished = finish(offline);
    assert_ne!(finished.exit, Exit::Code { code: 0 });
    assert!(said(&finished).contains("Permission denied"), "{}", said(&finished));
}

#[test]
fn what_cannot_be_confined_does_not_run() {
    if !is_possible() {
        return;
    }
    let (_guard, inside, _) = folders();
    let ran = inside.join("ran");
    let script = sh(&format!("echo ran > {ran}"));
    let reason = |spec: Spec| match finish(spec).exit {
        Exit::NotStarted { message } => message,
        exit => panic!("it ran: {exit:?}"),
    };
    let gone = reason(at(&[&inside, "/no/such/place".into()], script.clone()));
    assert!(gone.contains("could not be confined") && gone.contains("/no/such/place"), "{gone}");
    let another = |program: &Utf8Path| {
        let mut spec = at(&[&inside], script.clone());
        if let Some(confinement) = &mut spec.confinement {
            confinement.program = program.to_owned();
        }
        spec
    };
    let missing = reason(another("/no/such/callboard".into()));
    assert!(missing.contains("could not be confined: `/no/such/callboard`"), "{missing}");
    // A program that ends well without having confined anything is not taken for what it should have become.
    let liar = inside.join("liar");
    fs::write(&liar, "#!/bin/sh\nexit 0\n").unwrap();
    fs::set_permissions(&liar, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(reason(another(&liar)).contains("could not be confined"));
    assert!(!ran.exists());
}

//! Engines inside another program: several in one process, each with its own store.

use std::{future::pending, time::Duration};

use callboard::{
    engine::{self, Ended, Holder, Lock, Options, process::Grace},
    model::{SessionId, Status},
    project::Settings,
};

use super::lab::{Lab, Shape};

fn options(lab: &Lab, only: Option<SessionId>) -> Options {
    let short = Duration::from_millis(300);
    Options {
        store: lab.store.clone(),
        only: only.map(|id| (lab.scope(), id)),
        idle: None,
        settings: Settings::default(),
        grace: Grace { interrupt: short, terminate: short },
        program: None,
    }
}

fn lock(lab: &Lab) -> Lock {
    let holder = Holder { pid: std::process::id(), since: engine::now(), version: String::new(), foreground: true };
    Lock::acquire(&lab.store, &holder).unwrap().unwrap()
}

/// `git` runs with this process's environment here, so the repository itself says what the machine must not.
fn own(lab: &Lab) {
    let hooks = lab.project.join(".git/hooks");
    for (name, value) in [
        ("user.name", "Ada"),
        ("user.email", super::lab::EMAIL),
        ("commit.gpgSign", "false"),
        ("core.excludesFile", "/dev/null"),
        ("core.hooksPath", hooks.as_str()),
    ] {
        lab.git(&["config", name, value]);
    }
}

#[test]
fn two_engines_live_in_one_process() {
    let labs = [0, 1].map(|_| Lab::with(Shape { components: vec!["Alpha", "Beta"], ..Shape::default() }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut sessions = Vec::new();
    for lab in &labs {
        own(lab);
        let act = "setsid sleep 600 & (setsid sleep 600 &); mkdir -p tests; echo 'adds one' > tests/$name.t";
        lab.act("any-generate_tests_and_fixtures", act);
        sessions.push(lab.session("context_testing", "Shop"));
    }
    let locks = labs.each_ref().map(lock);
    let (one, two) = runtime.block_on(async {
        let first = engine::run(options(&labs[0], Some(sessions[0])), pending());
        let second = engine::run(options(&labs[1], Some(sessions[1])), pending());
        tokio::join!(first, second)
    });
    drop(locks);
    assert_eq!((one.unwrap(), two.unwrap()), (Ended::Settled, Ended::Settled));
    for (lab, id) in labs.iter().zip(sessions) {
        assert_eq!(lab.get(id).status, Status::Complete, "{}", lab.story());
        lab.nobody_left();
    }
}

#[test]
fn an_engine_drives_only_what_it_was_told_to_and_ends_when_it_is_told_to() {
    let lab = Lab::with(Shape { components: vec!["Alpha", "Beta"], ..Shape::default() });
    own(&lab);
    let (mine, other) = (lab.session("component_test", "Alpha"), lab.session("component_test", "Beta"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let held = lock(&lab);
    assert_eq!(runtime.block_on(engine::run(options(&lab, Some(mine)), pending())).unwrap(), Ended::Settled);
    assert_eq!((lab.get(mine).status, lab.steps(other).len()), (Status::Complete, 0));
    // All of it, until it is told to stop.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let options_of_all = options(&lab, None);
    let all = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(engine::run(options_of_all, async { stopped.await.unwrap_or(()) }))
    });
    lab.completes(other);
    stop.send(()).unwrap();
    let ended = all.join().unwrap();
    assert_eq!(ended.unwrap(), Ended::Stopped);
    // And until there is nothing to do.
    let idle = Options { idle: Some(Duration::from_millis(50)), ..options(&lab, None) };
    assert_eq!(runtime.block_on(engine::run(idle, pending())).unwrap(), Ended::Idle);
    drop(held);
}

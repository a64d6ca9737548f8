//! Many sessions in one repository at once, with somebody else's housekeeping in between.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use callboard::git::CommitOutcome;

use super::world::{World, write};

#[test]
fn eight_sessions_prepare_commit_and_remove_at_once() {
    let world = World::new();
    for number in 0..50 {
        world.write(&format!("src/{number}.rs"), "x\n");
    }
    world.commit_all("files");
    let before = world.fingerprint();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                world.git(&["pack-refs", "--all"]);
                world.git(&["worktree", "prune"]);
                world.git(&["repack", "-q", "-a", "-d"]);
            }
        });
        let sessions: Vec<_> = (0..8)
            .map(|session| {
                let world = &world;
                scope.spawn(move || {
                    for round in 0..4 {
                        let name = format!("s{session}-{round}");
                        let tree = world.tree(&name);
                        write(&tree.root().join(format!("{name}.rs")), &name);
                        let outcome = world.commit(&tree, &name);
                        assert!(matches!(outcome, CommitOutcome::Committed { .. }), "{outcome:?}");
                        if round % 2 == 0 {
                            world.repo().remove_worktree(tree.root(), false).unwrap();
                        }
                    }
                })
            })
            .collect();
        let ended: Vec<_> = sessions.into_iter().map(thread::ScopedJoinHandle::join).collect();
        over.store(true, Ordering::Relaxed);
        assert!(ended.iter().all(Result::is_ok));
    });
    assert_eq!(world.fingerprint(), before);
    assert_eq!(world.git(&["branch", "--list", "callboard/*"]).lines().count(), 32);
    assert_eq!(world.git(&["worktree", "list"]).lines().count(), 17);
    world.git(&["fsck", "--no-progress"]);
}

#[test]
fn a_burst_of_first_worktrees() {
    // The folders `worktrees` and `refs/heads/callboard/…` are made by all of them at once.
    for _ in 0..5 {
        let world = World::new();
        thread::scope(|scope| {
            for session in 0..8 {
                let world = &world;
                scope.spawn(move || assert!(world.prepare(&format!("s{session}")).created));
            }
        });
        assert_eq!(world.git(&["worktree", "list"]).lines().count(), 9);
    }
}

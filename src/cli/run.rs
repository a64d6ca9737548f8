//! `run`: drives a session and its children in the foreground, in this process when no engine is at work yet.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use crate::{
    engine::{Ended, client},
    model::SessionId,
    store::{SessionFilter, Store, Watch},
};

use super::{
    args::{Global, One},
    engine::{drive, ensure, lock, options},
    error::CliError,
    follow::{Follower, Standing},
    output,
    place::Place,
    print,
};

/// The exit code of a command that was interrupted.
pub(super) const INTERRUPTED: u8 = 130;

pub(super) fn run(global: &Global, args: &One) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    place.project()?;
    let store = place.open()?;
    let id = store.find(&args.id)?;
    let code = to_its_end(&place, &store, id, args.json)?;
    if args.json {
        print::json(&output::whole(&store, &store.session(id)?, &store.board_row(id)?)?);
    }
    Ok(code)
}

/// Drives a session until it has ended or needs a person; answers the exit code.
pub(super) fn to_its_end(place: &Place, store: &Store, id: SessionId, quiet: bool) -> Result<u8, CliError> {
    let Some(_lock) = lock(&place.store, true)? else { return follow(place, store, id, quiet) };
    let done = Arc::new(AtomicBool::new(false));
    let teller = tell(place, id, quiet, Arc::clone(&done))?;
    let only = Some((place.scope.clone(), id));
    let ended = drive(options(place.store.clone(), place.settings()?, only, None), std::future::pending());
    done.store(true, Ordering::Release);
    if teller.join().is_err() {
        tracing::error!("the follower panicked");
    }
    let ended = ended?;
    drop(_lock);
    hand_over(place, store, id)?;
    match ended {
        Ended::Stopped => Ok(INTERRUPTED),
        Ended::Idle | Ended::Settled => Ok(Follower::new(true).look(store, id)?.code()),
    }
}

/// Follows in a thread of its own what the engine in this process does.
fn tell(place: &Place, id: SessionId, quiet: bool, done: Arc<AtomicBool>) -> Result<thread::JoinHandle<()>, CliError> {
    let store = place.open()?;
    Ok(thread::spawn(move || {
        let mut follower = Follower::new(quiet);
        let watch = Watch::new(store.path()).ok();
        let told = client::wait_for(watch.as_ref(), None, || {
            // Read before the look: what the engine did last is seen once more after its end.
            let last = done.load(Ordering::Acquire);
            follower.look(&store, id).map(|_| last.then_some(()))
        });
        if let Err(error) = told {
            print::error(&error.to_string());
        }
    }))
}

/// Other sessions that were at work while this process was the engine go on in the background.
fn hand_over(place: &Place, store: &Store, id: SessionId) -> Result<(), CliError> {
    let active = store.sessions(SessionFilter { status: Some(crate::model::Status::Active), kind: None })?;
    let others =
        active.iter().any(|(session, row)| session.id != id && session.parent_id != Some(id) && row.need().is_none());
    if others { ensure(&place.store) } else { Ok(()) }
}

/// Follows what another engine does.
fn follow(place: &Place, store: &Store, id: SessionId, quiet: bool) -> Result<u8, CliError> {
    let watch = Watch::new(&place.store).ok();
    let mut follower = Follower::new(quiet);
    let code = client::wait_for(watch.as_ref(), None, || match follower.look(store, id)? {
        standing @ (Standing::Ended(_) | Standing::Halted) => Ok(Some(standing.code())),
        Standing::Going => ensure(&place.store).map(|()| None),
    })?;
    Ok(code.unwrap_or(INTERRUPTED))
}

//! `demo`: a small project of its own, the script agent and the real test runner. No key, no network, no installed agent.

mod files;

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::{
    git::{self, Founding},
    model::{HaltReason, IntentAction, Mode, SessionId, SessionKind, Status},
    store::Store,
};

use super::{
    act,
    args::{Demo, Global},
    board,
    engine::ensure,
    error::CliError,
    follow::LOOK_EVERY,
    output,
    place::Place,
    print,
    run::{self, INTERRUPTED},
    session::{self, Wanted},
};

/// The context that the demo works on.
const CONTEXT: &str = "Orders";
/// What is done to it, in order.
const KINDS: [SessionKind; 3] = [SessionKind::ContextTesting, SessionKind::ContextCoding, SessionKind::Integration];
/// What nobody's word stands for when tests outside the context broke: without the board there is no person to ask.
const NOTE: &str = "The demo goes on by itself: the agent has to take back what it changed in Billing.";

pub(super) fn demo(global: &Global, args: &Demo) -> Result<u8, CliError> {
    if !args.headless {
        board::needs_terminal("`callboard demo --headless` does the same without the board")?;
    }
    let folder = fresh_folder(args.folder.as_deref())?;
    let root = write_project(&folder)?;
    let store = Some(global.store.clone().unwrap_or_else(|| folder.join("callboard.db")));
    let global = Global { project: Some(root.clone()), store, ..global.clone() };
    let place = Place::at(root, &global)?;
    if args.headless { headless(&place, args.json) } else { with_board(&place, &global, &folder) }
}

/// The folder that was asked for, or the first of `callboard-demo`, `callboard-demo-2`, … that is not there.
fn fresh_folder(asked: Option<&Utf8Path>) -> Result<Utf8PathBuf, CliError> {
    let candidates: Box<dyn Iterator<Item = Utf8PathBuf>> = match asked {
        Some(folder) => Box::new(std::iter::once(folder.to_owned())),
        None => Box::new(
            std::iter::once("callboard-demo".into()).chain((2..100).map(|n| format!("callboard-demo-{n}").into())),
        ),
    };
    for folder in candidates {
        match fs::create_dir(&folder) {
            Ok(()) => {
                return folder
                    .canonicalize_utf8()
                    .map_err(|error| CliError::Failed(format!("the folder {folder} cannot be entered: {error}")));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && asked.is_none() => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(CliError::Usage(format!("{folder} is there already: name a folder that is not")));
            }
            Err(error) => return Err(CliError::Failed(format!("the folder {folder} cannot be made: {error}"))),
        }
    }
    Err(CliError::Usage("there are many demo folders here already: remove some, or name a new one".into()))
}

/// Writes the project, its repository and its bare remote; answers the project's root.
fn write_project(folder: &Utf8Path) -> Result<Utf8PathBuf, CliError> {
    let root = folder.join("shop");
    for (path, content) in files::FILES {
        let path = root.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, content)?;
    }
    git::found(&Founding { root: &root, bare: &folder.join("shop.git"), message: "Begin the shop" })?;
    let hook = root.join(".git/hooks/pre-commit");
    fs::create_dir_all(root.join(".git/hooks"))?;
    fs::write(&hook, files::PRE_COMMIT)?;
    fs::set_permissions(&hook, fs::Permissions::from_mode(0o755))?;
    Ok(root)
}

fn begin(place: &Place, kind: SessionKind) -> Result<SessionId, CliError> {
    let wanted = Wanted { kind, component: CONTEXT.into(), mode: Mode::Auto, agent: None, base: None };
    session::create(place, &place.project()?, wanted)
}

fn headless(place: &Place, as_json: bool) -> Result<u8, CliError> {
    let store = place.open()?;
    let mut ids = Vec::new();
    let mut code = 0;
    for kind in KINDS {
        let id = begin(place, kind)?;
        ids.push(id);
        code = run::to_its_end(place, &store, id, as_json)?;
        if is_halted(&store, id)? {
            override_(place, id, as_json)?;
            code = run::to_its_end(place, &store, id, as_json)?;
        }
        if code != 0 {
            break;
        }
    }
    if as_json {
        print::json(&report(place, &store, &ids)?);
    } else {
        summarise(place, &store, &ids)?;
    }
    Ok(code)
}

/// Whether it waits for a person's word about tests that it broke outside its context.
fn is_halted(store: &Store, id: SessionId) -> Result<bool, CliError> {
    Ok(store.board_row(id)?.halt == Some(HaltReason::ArchitecturalFailure))
}

/// Asks what `callboard override` asks; the engine that drives the session next carries it out.
fn override_(place: &Place, id: SessionId, quiet: bool) -> Result<(), CliError> {
    act::submit(&mut place.open()?, id, IntentAction::Override { note: NOTE.into(), seen: None })?;
    if !quiet {
        print::note(&format!("{:18} {:20} overridden: {NOTE}", SessionKind::Integration, CONTEXT));
    }
    Ok(())
}

fn report(place: &Place, store: &Store, ids: &[SessionId]) -> Result<Value, CliError> {
    let mut sessions = Vec::new();
    for id in ids {
        sessions.push(output::whole(store, &store.session(*id)?, &store.board_row(*id)?)?);
        for child in store.children(*id)? {
            sessions.push(output::whole(store, &child, &store.board_row(child.id)?)?);
        }
    }
    let complete = all_complete(store, ids)?;
    let criteria = store.criteria(Some(CONTEXT))?;
    Ok(json!({
        "project": place.root, "store": place.store, "complete": complete, "sessions": sessions, "criteria": criteria,
    }))
}

fn all_complete(store: &Store, ids: &[SessionId]) -> Result<bool, CliError> {
    for id in ids {
        if store.session(*id)?.status != Status::Complete {
            return Ok(false);
        }
    }
    Ok(ids.len() == KINDS.len())
}

fn summarise(place: &Place, store: &Store, ids: &[SessionId]) -> Result<(), CliError> {
    print::line("");
    for id in ids {
        let session = store.session(*id)?;
        let branch = session.branch.unwrap_or_default();
        print::line(&format!("{:16} {} {} on {branch}", session.kind, session.component, session.status));
    }
    for criterion in store.criteria(Some(CONTEXT))? {
        print::line(&format!("{:16} {} {}", criterion.standing(), criterion.id, criterion.text));
    }
    print::line(&format!("the project is {}; look around with", place.root));
    print::line(&format!("  {} ls", typed(place)));
    Ok(())
}

/// How this place is named on the command line.
fn typed(place: &Place) -> String {
    let (root, store) = (print::shell(place.root.as_str()), print::shell(place.store.as_str()));
    format!("{} --project {root} --store {store}", print::program())
}

/// Opens the board, while each session follows the one before as soon as that is complete.
fn with_board(place: &Place, global: &Global, folder: &Utf8Path) -> Result<u8, CliError> {
    let first = begin(place, KINDS[0])?;
    ensure(&place.store)?;
    let (quit, gone) = channel::<()>();
    let follow = {
        let place = Place::at(place.root.clone(), global)?;
        thread::spawn(move || then_the_others(&place, first, &gone))
    };
    let shown = board::at(place, global);
    drop(quit);
    let followed = follow.join().unwrap_or(Ok(()));
    let code = shown?;
    followed?;
    print::line(&format!("the demo is in {folder}; what runs goes on. Open its board again with"));
    print::line(&format!("  {}", typed(place)));
    print::line("be rid of it with");
    print::line(&format!(
        "  {} engine stop --store {} && rm -r {}",
        print::program(),
        print::shell(place.store.as_str()),
        print::shell(folder.as_str())
    ));
    Ok(if code == INTERRUPTED { 0 } else { code })
}

/// Begins each of the other sessions once the one before is complete, unless the board is left before.
fn then_the_others(place: &Place, first: SessionId, gone: &Receiver<()>) -> Result<(), CliError> {
    let store: Store = place.open()?;
    let mut last = first;
    for kind in KINDS.into_iter().skip(1) {
        // One that failed may be opened again, by a person who decides its halt or reactivates it.
        while store.session(last)?.status != Status::Complete {
            match gone.recv_timeout(LOOK_EVERY) {
                Err(RecvTimeoutError::Timeout) => {}
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
        last = begin(place, kind)?;
        ensure(&place.store)?;
    }
    Ok(())
}

//! Whether a command works now, and if not, why not.

use std::borrow::Cow;

use crate::{
    model::{HaltReason, Mode, Performer, Request, SessionId, Status, Step},
    store::{BoardRow, Need},
    workflow,
};

use super::{
    keys::{Command, Go, Reply},
    model::Model,
    snapshot::Snapshot,
    stack::Overlay,
};

/// Why a command does not work now.
pub type Refusal = Cow<'static, str>;

/// Whether a command works now.
///
/// # Errors
/// Why not, as the end of a sentence that begins with the command's label: "advance: it has ended".
pub fn able(command: Command, model: &Model, snapshot: &Snapshot) -> Result<(), Refusal> {
    match command {
        Command::Advance => session(model, snapshot).and_then(advance),
        Command::Retry => session(model, snapshot).and_then(retry),
        Command::Reactivate | Command::Redesign
            if session(model, snapshot).is_ok_and(|row| row.halt.is_some() && row.status.is_terminal()) =>
        {
            Err("its halt is not decided yet: A approves, O overrides, H shows it".into())
        }
        Command::Reactivate => session(model, snapshot).and_then(|row| match row.status {
            Status::Active => Err("it is still active; reactivate is for sessions that have ended".into()),
            Status::Complete | Status::Failed | Status::Cancelled => Ok(()),
        }),
        Command::Redesign => session(model, snapshot).and_then(|row| match row.status {
            _ if row.kind.is_for_context() => Err("only a component is designed anew, not a whole context".into()),
            Status::Active => Err("it is still active; redesign is for sessions that have ended".into()),
            Status::Complete | Status::Failed | Status::Cancelled => Ok(()),
        }),
        Command::Say => session(model, snapshot).and_then(|row| match row.status {
            _ if !workflow::has_agent(row.kind) => Err("it has no agent; its children have".into()),
            Status::Active => Ok(()),
            status @ (Status::Complete | Status::Failed | Status::Cancelled) => Err(ended(status)),
        }),
        Command::Interrupt => session(model, snapshot).and_then(|row| {
            let step = row.step.filter(|_| row.is_running()).map(|step| (step, step.performer()));
            match step {
                Some((_, Performer::Agent | Performer::Tests | Performer::Git)) => Ok(()),
                Some((_, Performer::Spawn)) => Err("its children are at work; interrupt those".into()),
                Some((step, Performer::Check)) => Err(format!("{step} ends by itself soon").into()),
                None => Err("none of its steps is running".into()),
            }
        }),
        Command::Cancel | Command::Mode => session(model, snapshot).and_then(|row| match row.status {
            Status::Active => Ok(()),
            status @ (Status::Complete | Status::Failed | Status::Cancelled) => Err(ended(status)),
        }),
        Command::TakeOver => session(model, snapshot).and_then(|row| take_over(row, snapshot)),
        Command::Approve => session(model, snapshot).and_then(|row| match row.halt {
            Some(_) => Ok(()),
            None => asks(model, snapshot, row, "it is not halted, there is nothing to decide"),
        }),
        Command::Refuse => session(model, snapshot).and_then(|row| match row.halt {
            Some(_) => Err("it is halted: A approves, O overrides, r tries again".into()),
            None => asks(model, snapshot, row, "its agent asks for nothing"),
        }),
        Command::Override => session(model, snapshot).and_then(|row| match row.halt {
            Some(_) => Ok(()),
            None => Err("it is not halted, there is nothing to decide".into()),
        }),
        Command::Halt => match model.selected.and_then(|id| snapshot.inspected(id)) {
            Some(inspected) if inspected.detail.halt.is_some() => Ok(()),
            Some(_) => Err("it was never halted".into()),
            None => session(model, snapshot).and(Err("it is still being read".into())),
        },
        Command::Permit => session(model, snapshot).and_then(|row| {
            let question = snapshot.inspected(row.id).and_then(|inspected| inspected.detail.question.as_ref());
            match (row.asks, question) {
                (0, _) => Err("its agent asks nothing".into()),
                (_, None) => Err("it is still being read".into()),
                (_, Some(_)) => Ok(()),
            }
        }),
        Command::Why => match model.selected.and_then(|id| snapshot.inspected(id)) {
            Some(_) => Ok(()),
            None => session(model, snapshot).and(Err("it is still being read".into())),
        },
        Command::CopyBranch => match model.selected.and_then(|id| snapshot.inspected(id)) {
            Some(inspected) if inspected.detail.session.branch.is_some() => Ok(()),
            Some(_) | None => session(model, snapshot).and(Err("it has no branch yet; Y copies its id".into())),
        },
        Command::CopyId | Command::Go(Go::In) | Command::Show(_) | Command::NextPane | Command::PreviousPane => {
            session(model, snapshot).map(|_| ())
        }
        Command::Go(Go::Fold) => session(model, snapshot).and_then(|row| {
            let children = snapshot.tree.node(row.id).is_some_and(|node| node.children.all > 0);
            if children && model.filter.is_empty() {
                Ok(())
            } else if children {
                Err("the filter shows every row that fits".into())
            } else {
                Err("it has no children".into())
            }
        }),
        Command::Inbox | Command::Go(Go::NextNeed | Go::PreviousNeed) => {
            if snapshot.tree.counts.waiting > 0 {
                Ok(())
            } else {
                Err("nothing waits for you".into())
            }
        }
        Command::Filter => some(!snapshot.tree.nodes.is_empty(), "there are no sessions yet"),
        Command::Reply(Reply::Jump) => match model.overlays.last() {
            Some(Overlay::Inbox { chosen: Some(_) }) => Ok(()),
            Some(_) | None => Err("nothing waits for you".into()),
        },
        Command::Move(_)
        | Command::Go(Go::Out | Go::Back)
        | Command::Reply(
            Reply::Close | Reply::Choose | Reply::Yes | Reply::No | Reply::Send | Reply::Keep | Reply::Drop,
        )
        | Command::Zoom
        | Command::Help
        | Command::Redraw
        | Command::Suspend
        | Command::Quit => Ok(()),
    }
}

fn some(is: bool, otherwise: &'static str) -> Result<(), Refusal> {
    if is { Ok(()) } else { Err(otherwise.into()) }
}

fn session<'a>(model: &Model, snapshot: &'a Snapshot) -> Result<&'a BoardRow, Refusal> {
    let node = model.selected.and_then(|id: SessionId| snapshot.tree.node(id));
    match node {
        Some(node) => Ok(&node.row),
        None => Err("no session is selected".into()),
    }
}

/// Whether there is a request of its agent to rule on.
fn asks(model: &Model, snapshot: &Snapshot, row: &BoardRow, otherwise: &'static str) -> Result<(), Refusal> {
    match (row.need(), request(model, snapshot)) {
        (Some(Need::Request), Some(_)) => Ok(()),
        (Some(Need::Request), None) => Err("it is still being read".into()),
        (Some(Need::Decision { .. } | Need::Permission | Need::Advance | Need::Failed) | None, _) => {
            Err(otherwise.into())
        }
    }
}

/// What the selected session's agent asks for first.
pub(super) fn request<'a>(model: &Model, snapshot: &'a Snapshot) -> Option<&'a Request> {
    model.selected.and_then(|id| snapshot.inspected(id))?.detail.requests.first()
}

fn ended(status: Status) -> Refusal {
    format!("it is {status}; R reactivates it").into()
}

fn advance(row: &BoardRow) -> Result<(), Refusal> {
    if row.status.is_terminal() {
        return Err(ended(row.status));
    }
    if row.halt.is_some() {
        return Err("it is halted: A approves, O overrides, r tries again".into());
    }
    if row.is_running() {
        return Err(format!("{} is running", row.step.map_or("its step", |step| step.as_str())).into());
    }
    match row.mode {
        Mode::Manual if row.waits_for_its_agent() => Ok(()),
        Mode::Manual if row.next.as_deref() == Some("waiting") => {
            Err("it waits for its children; w says for which".into())
        }
        Mode::Manual => Ok(()),
        mode @ (Mode::Auto | Mode::Agentic) => Err(format!("it goes on by itself, its mode is {mode}").into()),
    }
}

fn take_over(row: &BoardRow, snapshot: &Snapshot) -> Result<(), Refusal> {
    if row.is_running() {
        return Err(format!("{} is running", row.step.map_or("its step", |step| step.as_str())).into());
    }
    match row.mode {
        _ if row.status.is_terminal() || row.halt.is_some() => {}
        Mode::Manual => {}
        mode @ (Mode::Auto | Mode::Agentic) => {
            return Err(format!("its next step begins by itself, its mode is {mode}; m puts it to manual").into());
        }
    }
    match snapshot.inspected(row.id).map(|inspected| &inspected.detail.session) {
        None => Err("it is still being read".into()),
        Some(session) if session.conversation_id.is_none() => Err("its agent has no conversation yet".into()),
        Some(session) if session.worktree.is_none() => Err("it has no worktree yet".into()),
        Some(_) => Ok(()),
    }
}

fn retry(row: &BoardRow) -> Result<(), Refusal> {
    match row.halt {
        Some(HaltReason::ArchitecturalFailure) => {
            return Err("tests outside its context broke: A closes it, O goes on".into());
        }
        Some(
            HaltReason::ArchitecturalIssue
            | HaltReason::IterationLimit
            | HaltReason::NoProgress
            | HaltReason::MergeConflict
            | HaltReason::AgentUnavailable
            | HaltReason::Environment,
        ) => return Ok(()),
        None => {}
    }
    Err(match row.status {
        // What finalize could not do is tried again; nothing else of a session that has ended is.
        Status::Failed if row.step == Some(Step::Finalize) => return Ok(()),
        Status::Active if row.waits_for_its_agent() => return Ok(()),
        Status::Active if row.is_running() => "its step is running".into(),
        Status::Active => "nothing of it failed or is halted; w says what it waits for".into(),
        status @ (Status::Failed | Status::Complete | Status::Cancelled) => ended(status),
    })
}

//! Following a session, its children and those that it has woken in the foreground.

use std::{collections::HashMap, time::Duration};

use crate::{
    model::{HaltReason, Mode, ResultStatus, SessionId, Status, Step},
    store::{BoardRow, Store},
    tui, workflow,
};

use super::{error::CliError, print};

/// How a session that was driven stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has ended.
    Ended(Status),
    /// Nothing of it can go on without a person.
    Halted,
    /// It goes on.
    Going,
}

impl Standing {
    /// The exit code of `run` (DESIGN 10).
    pub(super) const fn code(self) -> u8 {
        match self {
            Self::Ended(Status::Complete) => 0,
            Self::Ended(Status::Failed) => 1,
            Self::Ended(Status::Cancelled) => 4,
            Self::Halted | Self::Ended(Status::Active) | Self::Going => 3,
        }
    }
}

/// What is worth a line when it changes.
type Said = (Option<Step>, u32, Option<ResultStatus>, Status, Option<HaltReason>, bool);

/// What was said of each session last.
#[derive(Default)]
pub(super) struct Follower {
    said: HashMap<SessionId, Said>,
    quiet: bool,
}

impl Follower {
    pub(super) fn new(quiet: bool) -> Self {
        Self { said: HashMap::new(), quiet }
    }

    /// Looks at a session, its children and those that it has woken, says what is new, and answers how it stands.
    pub(super) fn look(&mut self, store: &Store, root: SessionId) -> Result<Standing, CliError> {
        let rows = family(store, root)?;
        for row in &rows {
            self.say(store, row)?;
        }
        Ok(standing(&rows))
    }

    fn say(&mut self, store: &Store, row: &BoardRow) -> Result<(), CliError> {
        let now = (row.step, row.iteration, row.step_status, row.status, row.halt, row.asks > 0);
        if self.said.insert(row.id, now) == Some(now) || self.quiet {
            return Ok(());
        }
        let what = match (row.status, row.halt, row.step, row.step_status) {
            (_, Some(reason), _, _) => {
                let message = store.last_halt(row.id)?.map(|halt| halt.message).unwrap_or_default();
                format!("halted ({reason}): {message}")
            }
            (Status::Active, None, _, _) if row.asks > 0 => {
                let question = store.question(row.id)?;
                let what = question.map(|it| tui::visible(&format!("{}: {}", it.tool, it.title))).unwrap_or_default();
                format!("its agent asks: {what} (callboard allow|deny {})", row.id.short())
            }
            (Status::Failed, None, _, _) => {
                format!("failed: {}", store.last_error(row.id)?.unwrap_or_default())
            }
            (Status::Complete | Status::Cancelled, None, _, _) => row.status.to_string(),
            (Status::Active, None, Some(step), Some(ResultStatus::Error)) => {
                let message = store.last_error(row.id)?.unwrap_or_default();
                format!("{step}: {}", workflow::headline(&message))
            }
            (Status::Active, None, Some(step), Some(ResultStatus::Ok | ResultStatus::Warning)) => format!("{step}: ok"),
            (Status::Active, None, Some(step), None) if row.iteration > 1 => {
                format!("{step} (attempt {})", row.iteration)
            }
            (Status::Active, None, Some(step), None) => step.to_string(),
            (Status::Active, None, None, _) => return Ok(()),
        };
        print::note(&format!("{:18} {:20} {what}", row.kind, row.component));
        Ok(())
    }
}

fn family(store: &Store, root: SessionId) -> Result<Vec<BoardRow>, CliError> {
    let mut rows = vec![store.board_row(root)?];
    for child in store.children(root)? {
        rows.push(store.board_row(child.id)?);
    }
    for other in store.waits_for(root)? {
        if rows.iter().all(|row| row.id != other.id) {
            rows.push(store.board_row(other.id)?);
        }
    }
    Ok(rows)
}

fn standing(rows: &[BoardRow]) -> Standing {
    let Some(root) = rows.first() else { return Standing::Going };
    if root.status.is_terminal() && root.halt.is_none() {
        return Standing::Ended(root.status);
    }
    let stands = |row: &BoardRow| {
        let waits = row.requests > 0 || row.mode == Mode::Manual;
        row.status.is_terminal() || row.halt.is_some() || (waits && !row.is_running())
    };
    // A parent whose children stand, stands with them; one whose children have all ended goes on by itself.
    let children = rows.get(1..).unwrap_or_default();
    let blocked = children.iter().any(|row| !row.status.is_terminal()) && children.iter().all(stands);
    if stands(root) || blocked { Standing::Halted } else { Standing::Going }
}

/// So often a follower looks when nothing tells it to.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);

//! What came of an invocation: told from the exit code and from the repository, from the output only where git says it
//! nowhere else. `output` is what the process wrote, both streams in one.

use super::{GitError, Tree};
use crate::model::Exit;

/// The most bytes of output that a message carries; the end is kept, that is where the reason stands.
const TAIL: usize = 4000;

/// What came of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitOutcome {
    /// There is a new commit.
    Committed {
        /// Its id.
        commit: String,
    },
    /// Nothing was staged.
    NothingToCommit,
    /// A hook, the signing program or git itself said no.
    Refused {
        /// What it said.
        message: String,
    },
}

/// What came of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MergeOutcome {
    /// There is a merge commit.
    Merged {
        /// Its id.
        commit: String,
    },
    /// Everything was there already.
    UpToDate,
    /// Somebody has to decide; the merge is in progress.
    Conflict {
        /// The files, relative to the worktree.
        files: Vec<String>,
    },
    /// It failed otherwise. The merge may be in progress (a hook refused): [`Tree::merge_in_progress`].
    Failed {
        /// What git said.
        message: String,
    },
}

/// What came of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PushOutcome {
    /// The remote's branch is where ours is.
    Pushed,
    /// It was there already.
    UpToDate,
    /// The remote, a hook or the way there said no.
    Rejected {
        /// What was said.
        message: String,
    },
}

impl Tree {
    /// What came of [`Tree::commit`].
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn committed(&self, exit: &Exit, output: &str) -> Result<CommitOutcome, GitError> {
        if exit.code() == Some(0) {
            return Ok(CommitOutcome::Committed { commit: self.head()?.commit });
        }
        if exit.code() == Some(1) && !self.has_staged()? {
            return Ok(CommitOutcome::NothingToCommit);
        }
        Ok(CommitOutcome::Refused { message: said("git commit", exit, output) })
    }

    /// What came of [`Tree::merge`].
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn merged(&self, exit: &Exit, output: &str) -> Result<MergeOutcome, GitError> {
        if exit.code() == Some(0) {
            let up_to_date = output.lines().any(|line| line.starts_with("Already up to date"));
            return Ok(if up_to_date {
                MergeOutcome::UpToDate
            } else {
                MergeOutcome::Merged { commit: self.head()?.commit }
            });
        }
        let files = self.conflicted_files()?;
        Ok(if files.is_empty() {
            MergeOutcome::Failed { message: said("git merge", exit, output) }
        } else {
            MergeOutcome::Conflict { files }
        })
    }
}

/// What came of [`Tree::push`].
#[must_use]
pub fn pushed(exit: &Exit, output: &str) -> PushOutcome {
    if exit.code() != Some(0) {
        return PushOutcome::Rejected { message: said("git push", exit, output) };
    }
    // `--porcelain`: one line per ref, a flag and a tab first.
    if output.lines().any(|line| line.starts_with("=\t")) { PushOutcome::UpToDate } else { PushOutcome::Pushed }
}

/// The end of what a process said, or, when it said nothing, how it ended.
fn said(command: &str, exit: &Exit, output: &str) -> String {
    let ended = match exit {
        Exit::Code { code } => format!("`{command}` ended with exit code {code}"),
        Exit::Signal { signal } => format!("`{command}` died of signal {signal}"),
        Exit::Timeout => format!("`{command}` took too long and was ended"),
        Exit::Inactive => format!("`{command}` was silent for too long and was ended"),
        Exit::Cancelled => format!("`{command}` was cancelled"),
        Exit::NotStarted { message } => {
            format!("expected to run `{command}`, found {message}; install git and have it on PATH")
        }
    };
    let output = output.trim();
    let start = (output.len().saturating_sub(TAIL)..=output.len()).find(|&at| output.is_char_boundary(at)).unwrap_or(0);
    match (&output[start..], exit) {
        ("", _) => ended,
        (tail, Exit::Code { .. }) => tail.to_owned(),
        (tail, Exit::Signal { .. } | Exit::Timeout | Exit::Inactive | Exit::Cancelled | Exit::NotStarted { .. }) => {
            format!("{ended}\n{tail}")
        }
    }
}

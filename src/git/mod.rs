//! What git is asked and how its answers are read. git2 reads, and makes branches and worktrees; whatever runs hooks,
//! signs or asks for credentials is an [`Invocation`] of the user's own `git`, which the engine runs.
//!
//! - [`Repo`]: the user's repository. Nothing here writes to its checkout, its index or its stash.
//! - [`Tree`]: the worktree of one session, which callboard made. Only such a worktree is ever staged, committed or merged.
//!
//! Everything blocks, nothing spawns, sleeps or reads the clock.

mod attributes;
mod confine;
mod copy;
mod diff;
mod error;
mod found;
mod invocation;
mod name;
mod outcome;
mod place;
mod repo;
mod snapshot;
mod stage;
mod tree;
mod unfinished;
mod worktree;

pub use copy::{Copied, Skipped};
pub use diff::{ChangedFile, FileChange, FilePatch, Patch, PatchLine, Sign};
pub use error::GitError;
pub use found::{Founding, found};
pub use invocation::{INHERITED, Invocation};
pub use name::{branch_name, slug};
pub use outcome::{CommitOutcome, MergeOutcome, PushOutcome, pushed};
pub use repo::{Head, Progress, Repo};
pub use stage::Staged;
pub use tree::Tree;
pub use worktree::Prepared;

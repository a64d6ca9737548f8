//! The worktree of one session.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use camino::{Utf8Path, Utf8PathBuf};
use git2::{Delta, Diff, DiffOptions, FileMode, Index, Repository, StatusOptions};

use super::{
    GitError, Head, Repo,
    error::Doing,
    place::admin_name,
    repo::{self, canonical},
};

/// The worktree of one session, opened once for several questions. A worktree that callboard did not make cannot be
/// opened, so nothing of the user's is ever staged or committed through it.
pub struct Tree {
    inner: Repository,
    root: Utf8PathBuf,
}

/// How a path differs from the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// It is no longer there.
    Gone,
    /// A file or a symbolic link with this mode.
    Content(u32),
    /// A repository of its own, submodule or not.
    Nested,
}

impl std::fmt::Debug for Tree {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tree").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Tree {
    /// Opens a worktree that [`Repo::prepare`] made.
    ///
    /// # Errors
    /// When it is none, or its repository cannot be read.
    pub fn open(worktree: &Utf8Path) -> Result<Self, GitError> {
        let inner = repo::open(worktree)?;
        let root = canonical(worktree)?;
        let admin = inner.path().file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !inner.is_worktree() || admin != admin_name(&root) {
            return Err(GitError::Worktree {
                path: root,
                expected: "a worktree that callboard made".into(),
                found: "another checkout".into(),
                hint: "sessions work in their own worktrees only".into(),
            });
        }
        Ok(Self { inner, root })
    }

    /// Its folder, canonical.
    #[must_use]
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// Its commit and branch.
    ///
    /// # Errors
    /// When HEAD cannot be read.
    pub fn head(&self) -> Result<Head, GitError> {
        repo::head(&self.inner, &self.root)
    }

    /// Whether anything is not committed: staged, changed, deleted or new and not ignored.
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn is_dirty(&self) -> Result<bool, GitError> {
        Ok(!self.uncommitted()?.is_empty())
    }

    /// What is not committed; a new folder counts as one.
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn uncommitted(&self) -> Result<Vec<String>, GitError> {
        self.index()?;
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(false);
        let statuses = self.inner.statuses(Some(&mut options)).doing(|| format!("comparing {}", self.root))?;
        Ok(statuses.iter().map(|entry| String::from_utf8_lossy(entry.path_bytes()).into_owned()).collect())
    }

    /// The files that a merge left for somebody to decide.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn conflicted_files(&self) -> Result<Vec<String>, GitError> {
        let index = self.index()?;
        let conflicts = index.conflicts().doing(|| format!("reading the conflicts of {}", self.root))?;
        let mut files: Vec<String> = conflicts
            .flatten()
            .filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor))
            .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// Whether a merge was begun and neither committed nor given up.
    #[must_use]
    pub fn merge_in_progress(&self) -> bool {
        self.inner.path().join("MERGE_HEAD").exists()
    }

    /// Lets git believe the times of files that were written just before the index. A file that is as young as the index
    /// might have been changed at the same instant, so git reads it whole, each time; an index that is touched a moment later is
    /// younger than all of them. Only right while nobody has changed a file since.
    ///
    /// # Errors
    /// When the index is not there.
    pub fn trust_files(&self) -> Result<(), GitError> {
        use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, utimensat};
        let index = self.inner.path().join("index");
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
        let times = Timestamps { last_access: now, last_modification: now };
        let touched = utimensat(CWD, &index, &times, AtFlags::empty()).map_err(std::io::Error::from);
        touched.doing(|| format!("touching {}", index.display()))
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.inner
    }

    /// The index as it is on disk now: a `git` may have written it since.
    pub(super) fn index(&self) -> Result<Index, GitError> {
        let doing = || format!("reading the index of {}", self.root);
        let mut index = self.inner.index().map_err(|error| self.index_error(error))?;
        index.read(false).doing(doing)?;
        Ok(index)
    }

    /// Every path whose file differs from the index. New files in new folders are named one by one.
    pub(super) fn changes(&self, index: &Index) -> Result<BTreeMap<PathBuf, Change>, GitError> {
        let mut options = DiffOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true).include_unreadable(true);
        let diff = self.inner.diff_index_to_workdir(Some(index), Some(&mut options));
        let diff = diff.doing(|| format!("comparing {}", self.root))?;
        Ok(self.described(&diff))
    }

    fn described(&self, diff: &Diff<'_>) -> BTreeMap<PathBuf, Change> {
        let mut changes = BTreeMap::new();
        for delta in diff.deltas() {
            let (old, new) = (delta.old_file(), delta.new_file());
            let Some(path) = new.path().or(old.path()) else { continue };
            let change = match delta.status() {
                Delta::Unmodified | Delta::Ignored => continue,
                Delta::Deleted if old.mode() == FileMode::Commit => Some(Change::Nested),
                Delta::Deleted => Some(Change::Gone),
                Delta::Added
                | Delta::Modified
                | Delta::Renamed
                | Delta::Copied
                | Delta::Untracked
                | Delta::Typechange
                | Delta::Unreadable
                | Delta::Conflicted => on_disk(&self.root.as_std_path().join(path), new.mode()),
            };
            if let Some(change) = change {
                // A nested repository comes as `folder/`.
                let path: PathBuf = path.components().collect();
                changes.insert(path, change);
            }
        }
        changes
    }

    fn index_error(&self, error: git2::Error) -> GitError {
        if error.message().contains("unsupported") {
            return GitError::Unsupported {
                path: self.root.clone(),
                found: error.message().into(),
                hint: "`git update-index --no-split-index` in it, and `git config core.splitIndex false`".into(),
            };
        }
        GitError::Git2 { doing: format!("reading the index of {}", self.root), source: error }
    }
}

impl Repo {
    /// [`Tree::conflicted_files`] of a session's worktree.
    ///
    /// # Errors
    /// When it is no session's worktree, or cannot be read.
    pub fn conflicted_files(&self, worktree: &Utf8Path) -> Result<Vec<String>, GitError> {
        Tree::open(worktree)?.conflicted_files()
    }

    /// [`Tree::merge_in_progress`] of a session's worktree; false when it is none.
    #[must_use]
    pub fn merge_in_progress(&self, worktree: &Utf8Path) -> bool {
        Tree::open(worktree).is_ok_and(|tree| tree.merge_in_progress())
    }
}

/// What is there; `None` for what git does not keep (sockets, pipes).
fn on_disk(path: &Path, mode: FileMode) -> Option<Change> {
    let Ok(metadata) = fs::symlink_metadata(path) else { return Some(Change::Gone) };
    let kind = metadata.file_type();
    if kind.is_dir() {
        Some(Change::Nested)
    } else if kind.is_symlink() {
        Some(Change::Content(FileMode::Link.into()))
    } else if kind.is_file() {
        Some(Change::Content(if mode == FileMode::BlobExecutable { mode } else { FileMode::Blob }.into()))
    } else {
        None
    }
}

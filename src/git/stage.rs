//! Staging: one comparison with the index, then only what differs. Where a conversion is involved that libgit2 does not
//! do, the user's `git add` does it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use git2::{FileMode, Repository};

use super::{
    GitError, Invocation, Tree,
    attributes::{self, Attributes},
    error::Doing,
    tree::Change,
};

/// What became of staging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Staged {
    /// It is done.
    Done {
        /// Whether there is something to commit.
        something: bool,
        /// Repositories inside the worktree, submodules too: never staged, a commit of a parent cannot hold them.
        skipped: Vec<String>,
    },
    /// Filters, encodings or line ends are involved: run `add`, then ask [`Tree::has_staged`].
    UseGit {
        /// `git add` of everything.
        add: Invocation,
        /// As in `Done`.
        skipped: Vec<String>,
    },
}

impl Tree {
    /// Stages every change, new and deleted file that git does not ignore, in the worktree's own index.
    ///
    /// # Errors
    /// When a file cannot be read or the index not be written; another process that holds `index.lock` is named.
    pub fn stage_all(&self) -> Result<Staged, GitError> {
        const TRIES: u32 = 3;
        let mut staged = self.try_stage_all();
        for _ in 1..TRIES {
            // Another git that tidies the object store up may take a folder away just before an object is put there.
            match &staged {
                Err(GitError::Git2 { source, .. }) if source.class() == git2::ErrorClass::Os => {
                    staged = self.try_stage_all();
                }
                Ok(_) | Err(_) => break,
            }
        }
        staged
    }

    fn try_stage_all(&self) -> Result<Staged, GitError> {
        let mut index = self.index()?;
        let changes = self.changes(&index)?;
        let nested = |(path, change): (&PathBuf, &Change)| {
            (*change == Change::Nested).then(|| path.to_string_lossy().into_owned())
        };
        let skipped: BTreeSet<String> = changes.iter().filter_map(nested).collect();
        if self.needs_git(&changes, self.attributes(&index, &changes)) {
            let add = Invocation::add(self.root(), &skipped);
            return Ok(Staged::UseGit { add, skipped: skipped.into_iter().collect() });
        }
        let mut written = false;
        // A file that became a folder has to go before the folder's files come.
        for (path, change) in &changes {
            let was_file = || index.get_path(path, 0).is_some_and(|entry| entry.mode != u32::from(FileMode::Commit));
            if *change == Change::Gone || (*change == Change::Nested && was_file()) {
                index.remove_path(path).doing(|| format!("staging the deletion of {}", path.display()))?;
                written = true;
            }
        }
        for (path, change) in &changes {
            if matches!(change, Change::Content(_)) {
                index.add_path(path).doing(|| format!("staging {}", path.display()))?;
                written = true;
            }
        }
        if written {
            index.write().doing(|| format!("writing the index of {}", self.root()))?;
        }
        Ok(Staged::Done { something: self.has_staged()?, skipped: skipped.into_iter().collect() })
    }

    /// Whether a commit would have something in it; a merge that only waits for its commit counts.
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn has_staged(&self) -> Result<bool, GitError> {
        if self.merge_in_progress() {
            return Ok(true);
        }
        let index = self.index()?;
        let doing = || format!("comparing the index of {} with HEAD", self.root());
        let head = self.repository().head().and_then(|head| head.peel_to_tree()).doing(doing)?;
        let diff = self.repository().diff_tree_to_index(Some(&head), Some(&index), None).doing(doing)?;
        Ok(diff.deltas().len() > 0)
    }

    /// What conversions may touch this worktree's files.
    pub(super) fn attributes(&self, index: &git2::Index, changes: &BTreeMap<PathBuf, Change>) -> Attributes {
        let root = self.root().as_std_path();
        let tracked = index
            .iter()
            .filter(|entry| entry.path.ends_with(b".gitattributes"))
            .map(|entry| root.join(String::from_utf8_lossy(&entry.path).as_ref()));
        let new = changes.keys().filter(|path| path.ends_with(".gitattributes")).map(|path| root.join(path));
        tracked
            .chain(new)
            .filter_map(|file| fs::read(file).ok())
            .fold(Attributes::outside(self.repository()), |all, text| all.or(Attributes::of(&text)))
    }

    fn needs_git(&self, changes: &BTreeMap<PathBuf, Change>, attributes: Attributes) -> bool {
        if attributes == Attributes::default() {
            return false;
        }
        let repository = self.repository();
        changes.iter().filter(|(_, change)| matches!(change, Change::Content(_))).any(|(path, _)| {
            (attributes.drivers && attributes::has_driver(repository, path))
                || (attributes.lines && self.has_carriage_return(path))
        }) || (attributes.lines && insists_on_line_ends(repository))
    }

    /// Without one, no conversion of line ends changes what is committed.
    fn has_carriage_return(&self, path: &Path) -> bool {
        fs::read(self.root().as_std_path().join(path)).is_ok_and(|text| text.contains(&b'\r'))
    }
}

/// `core.safecrlf = true` refuses files that libgit2 would take.
fn insists_on_line_ends(repository: &Repository) -> bool {
    repository.config().is_ok_and(|config| config.get_bool("core.safecrlf").unwrap_or(false))
}

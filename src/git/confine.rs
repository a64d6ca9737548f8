//! What of a repository a process in a session's worktree has to write for git to work there.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{
    GitError, Repo,
    error::Doing,
    place::{Found, Place},
};

impl Repo {
    /// The folders that git writes when it commits on `branch` in `worktree`: objects, the worktree's own state, and the branch
    /// with its neighbours of the same kind. Not the hooks, the configuration, the checkout's index, the stash, or any other
    /// branch or tag.
    ///
    /// # Errors
    /// When the worktree's place cannot be found, or a folder of its branch cannot be made.
    pub fn writable(&self, worktree: &Utf8Path, branch: Option<&str>) -> Result<Vec<Utf8PathBuf>, GitError> {
        let mut folders = vec![self.common.join("objects"), self.place(worktree)?.admin];
        let refs = branch.and_then(|branch| Some(Utf8Path::new("refs/heads").join(Utf8Path::new(branch).parent()?)));
        for folder in refs.iter().flat_map(|refs| [self.common.join(refs), self.common.join("logs").join(refs)]) {
            // Packed branches leave no folder, and without one there is no place for a rule.
            fs::create_dir_all(&folder).doing(|| format!("making {folder}"))?;
            folders.push(folder);
        }
        // What git LFS has fetched.
        folders.extend(Some(self.common.join("lfs")).filter(|folder| folder.is_dir()));
        Ok(folders)
    }

    /// Makes sure that git, started in the worktree, works on this repository: what was confined there may have made
    /// `.git` or its state lead elsewhere, with hooks and programs of its own.
    ///
    /// # Errors
    /// When it leads elsewhere.
    pub fn expect_own(&self, worktree: &Utf8Path) -> Result<(), GitError> {
        let place = self.place(worktree)?;
        if matches!(place.look()?, Found::Ours) && place.is_linked() && self.is_plain(&place) {
            return Ok(());
        }
        Err(GitError::Worktree {
            path: place.worktree,
            expected: format!("a worktree of {}", self.root),
            found: "one whose .git was changed".into(),
            hint: "do not run git in that worktree, it would do what is set up there; cancel the session, and make a new one".into(),
        })
    }

    /// Whether a worktree's state leads back here and brings no configuration.
    fn is_plain(&self, place: &Place) -> bool {
        let common = fs::read_to_string(place.admin.join("commondir")).unwrap_or_default();
        let leads_here =
            place.admin.join(common.trim_end()).canonicalize_utf8().is_ok_and(|common| common == self.common);
        let is_a_file = |path: &Utf8Path| fs::symlink_metadata(path).is_ok_and(|found| found.is_file());
        leads_here
            && is_a_file(&place.worktree.join(".git"))
            && fs::symlink_metadata(place.admin.join("config.worktree")).is_err()
    }
}

//! Ignored files that a new worktree gets from the user's checkout: `.env` and its like.

use std::{fs, io};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};

use super::{GitError, Repo, Tree, error::Doing, place::Place, repo::canonical, worktree::remove_file};

/// What became of the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Copied {
    /// Those that the worktree got.
    pub copied: Vec<String>,
    /// Those that it did not get.
    pub skipped: Vec<Skipped>,
}

/// A file that was not copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// The file as it was given.
    pub file: String,
    /// Why, for people.
    pub reason: String,
}

impl Repo {
    /// Copies files, relative to the root, from the user's checkout into a worktree. A file is skipped when it is missing,
    /// already there (a session may have changed it), no plain file, not ignored by git (it would be committed), or when
    /// it leads out of either folder, by `..` or by a symbolic link.
    ///
    /// # Errors
    /// When the worktree is no session's, or a copy cannot be written.
    pub fn copy_ignored(&self, worktree: &Utf8Path, files: &[Utf8PathBuf]) -> Result<Copied, GitError> {
        let tree = Tree::open(worktree)?;
        let place = self.place(tree.root())?;
        let mut result = Copied::default();
        for file in files {
            match self.refusal(&tree, file)? {
                Some(reason) => result.skipped.push(Skipped { file: file.to_string(), reason: reason.into() }),
                None => {
                    self.copy(&place, file)?;
                    result.copied.push(file.to_string());
                }
            }
        }
        Ok(result)
    }

    /// Why a file is not copied.
    fn refusal(&self, tree: &Tree, file: &Utf8Path) -> Result<Option<&'static str>, GitError> {
        let plain = |part: Utf8Component<'_>| matches!(part, Utf8Component::Normal(_));
        if file.as_str().is_empty() || !file.components().all(plain) {
            return Ok(Some("it is no path below the root"));
        }
        let source = self.root.join(file);
        let Ok(metadata) = fs::metadata(&source) else { return Ok(Some("it is not there")) };
        if !metadata.is_file() {
            return Ok(Some("it is no plain file"));
        }
        if !canonical(&source)?.starts_with(&self.root) {
            return Ok(Some("it leads out of the checkout"));
        }
        let target = tree.root().join(file);
        if fs::symlink_metadata(&target).is_ok() {
            return Ok(Some("the worktree has it already"));
        }
        let linked = |folder: &Utf8Path| fs::symlink_metadata(folder).is_ok_and(|metadata| !metadata.is_dir());
        if target.ancestors().skip(1).take_while(|folder| folder != &tree.root()).any(linked) {
            return Ok(Some("it leads out of the worktree"));
        }
        let tracked = tree.index()?.get_path(file.as_std_path(), 0).is_some();
        let ignored = tree.repository().is_path_ignored(file).doing(|| format!("asking whether {file} is ignored"))?;
        Ok((tracked || !ignored).then_some("git does not ignore it there, so it would be committed"))
    }

    /// Whole or not at all: a half-written file would count as already there the next time.
    fn copy(&self, place: &Place, file: &Utf8Path) -> Result<(), GitError> {
        let (source, target, new) = (self.root.join(file), place.worktree.join(file), place.beside("copy"));
        let doing = || format!("copying {source} to {target}");
        remove_file(&new)?;
        fs::copy(&source, &new).doing(doing)?;
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder).doing(doing)?;
        }
        let renamed: io::Result<()> = fs::rename(&new, &target);
        renamed.doing(doing)
    }
}

//! Where a session's worktree stands, and whether what stands there is ours.
//!
//! git keeps an administrative folder per worktree (gitrepository-layout(5)). callboard names it after the worktree's
//! path, so that any later call finds it without a search and knows that callboard made it.

use std::{fmt::Write as _, fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use sha2::{Digest as _, Sha256};

use super::{
    GitError,
    error::Doing,
    repo::{Repo, canonical},
};

/// A worktree's folder and its administrative folder.
pub(super) struct Place {
    /// The worktree's folder; its parent is canonical.
    pub(super) worktree: Utf8PathBuf,
    /// The administrative folder that callboard gives it.
    pub(super) admin: Utf8PathBuf,
}

/// What stands where a worktree is to be.
pub(super) enum Found {
    /// Nothing at all.
    Nothing,
    /// An empty folder, or one that was left when making a worktree was cut off.
    Empty,
    /// A worktree that callboard made; its administrative folder may be gone.
    Ours,
    /// Something else, described.
    Foreign(String),
}

/// The name of the administrative folder for a worktree with this canonical path.
pub(super) fn admin_name(worktree: &Utf8Path) -> String {
    let mut name = String::from("callboard-");
    for byte in Sha256::digest(worktree.as_str()).iter().take(8) {
        // Writing to a String cannot fail.
        write!(name, "{byte:02x}").ok();
    }
    name
}

impl Repo {
    /// Where a worktree stands. Its parent folder must be there.
    pub(super) fn place(&self, worktree: &Utf8Path) -> Result<Place, GitError> {
        let (Some(parent), Some(leaf)) = (worktree.parent(), worktree.file_name()) else {
            return Err(GitError::BadPath {
                path: worktree.to_string(),
                hint: "give the worktree's own folder".into(),
            });
        };
        let worktree = canonical(parent)?.join(leaf);
        for (inside, what) in [(&self.root, "the user's checkout"), (&self.common, "the repository's own folder")] {
            if worktree.starts_with(inside) {
                return Err(GitError::Worktree {
                    path: worktree,
                    expected: "a place of its own for the worktree".into(),
                    found: format!("a path inside {what}"),
                    hint: "choose a data folder outside the project".into(),
                });
            }
        }
        let admin = self.common.join("worktrees").join(admin_name(&worktree));
        Ok(Place { worktree, admin })
    }
}

impl Place {
    /// What stands there now.
    pub(super) fn look(&self) -> Result<Found, GitError> {
        let kind = match fs::symlink_metadata(&self.worktree) {
            Ok(metadata) => metadata.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error).doing(|| format!("looking at {}", self.worktree)),
        };
        if !kind.is_dir() {
            return Ok(Found::Foreign(if kind.is_symlink() { "a symbolic link".into() } else { "a file".into() }));
        }
        let alone = self.holds_only_git()?;
        let link = self.worktree.join(".git");
        match fs::read_to_string(&link) {
            Ok(text) if text.is_empty() && alone => Ok(Found::Empty),
            Ok(text) => Ok(self.whose(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound && alone => Ok(Found::Empty),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Found::Foreign("a folder that is no worktree of callboard".into()))
            }
            Err(_) if link.is_dir() => Ok(Found::Foreign("a repository of its own".into())),
            Err(error) => Err(error).doing(|| format!("reading {link}")),
        }
    }

    /// Whether the administrative folder is whole. One that was cut off, or that belongs to another folder, is not.
    pub(super) fn is_linked(&self) -> bool {
        let link = self.worktree.join(".git");
        let back = fs::read_to_string(self.admin.join("gitdir")).unwrap_or_default();
        Utf8Path::new(back.trim_end()) == link
            && fs::read_to_string(self.admin.join("commondir")).is_ok_and(|common| !common.trim().is_empty())
            && fs::read_to_string(self.admin.join("HEAD")).is_ok_and(|head| !head.trim().is_empty())
    }

    /// Whether the folder has nothing in it but `.git`.
    pub(super) fn holds_only_git(&self) -> Result<bool, GitError> {
        let entries = fs::read_dir(&self.worktree).doing(|| format!("reading {}", self.worktree))?;
        Ok(entries.flatten().all(|entry| entry.file_name() == ".git"))
    }

    /// The error for something foreign where the worktree is to be.
    pub(super) fn foreign(&self, found: String) -> GitError {
        GitError::Worktree {
            path: self.worktree.clone(),
            expected: "nothing, or the worktree that callboard made".into(),
            found,
            hint: "move it away; callboard deletes nothing that it did not make".into(),
        }
    }

    /// Whose worktree it is, told from its `.git` file. A repository that was moved is still ours: then the file names an
    /// administrative folder with our name that is no longer there.
    fn whose(&self, link: &str) -> Found {
        let target = Utf8Path::new(link.trim_end().strip_prefix("gitdir: ").unwrap_or_default());
        let ours = target == self.admin
            || (target.file_name() == self.admin.file_name() && fs::symlink_metadata(target).is_err());
        if ours { Found::Ours } else { Found::Foreign(format!("a worktree of {target}")) }
    }
}

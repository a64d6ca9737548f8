//! Worktrees: made, mended and removed. Every order of writes here may be cut off anywhere, and `prepare` goes on from
//! there.

use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use git2::{ErrorCode, TreeWalkMode, TreeWalkResult, build::CheckoutBuilder};

use super::{
    GitError, Invocation, Repo, Tree,
    attributes::Attributes,
    error::Doing,
    place::{Found, Place},
    repo,
};

/// Written into a worktree's administrative folder until its `.git` file is there, so that `git worktree prune` leaves it.
const LOCK: &str = "callboard is making this worktree\n";

/// How often a step is tried when another process changes the same folder at that moment (`git pack-refs` removes empty
/// ones).
const TRIES: u32 = 5;

/// A worktree that is ready, or all but its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prepared {
    /// The branch that it has checked out.
    pub branch: String,
    /// Its folder, canonical: what later steps must use.
    pub worktree: Utf8PathBuf,
    /// Where the branch left its base: the commit that changes are counted from.
    pub base_commit: String,
    /// Whether this call made the branch.
    pub created: bool,
    /// Whether this call wrote the files: a moment later, and before anybody changes one, [`Tree::trust_files`] is due.
    pub filled: bool,
    /// Must be run before the worktree is used: its files pass through a filter driver (LFS, for one), and only the user's
    /// `git` runs those. `None` nearly always.
    pub checkout: Option<Invocation>,
}

impl Repo {
    /// Makes the branch at `base`, and a worktree for it, as far as they are not there yet. A branch that is already there
    /// keeps its commit, a worktree keeps its files; whatever an interrupted call left is completed. No process may be
    /// working in the worktree: lock files that a killed git left there are removed.
    ///
    /// # Errors
    /// When `base` leads to no commit, the branch cannot be or is checked out elsewhere, or the folder holds something
    /// that callboard did not make (it is left alone).
    pub fn prepare(&self, worktree: &Utf8Path, branch: &str, base: &str) -> Result<Prepared, GitError> {
        let parent = worktree.parent().unwrap_or(worktree);
        fs::create_dir_all(parent).doing(|| format!("making {parent}"))?;
        let place = self.place(worktree)?;
        let found = place.look()?;
        if let Found::Foreign(found) = found {
            return Err(place.foreign(found));
        }
        let base = self.commit(base)?;
        self.clear_branch_lock(branch)?;
        let created = self.make_branch(branch, &base)?;
        let tip = self.tip_oid(branch)?.unwrap_or_else(|| base.id());
        let base_commit = if created { base.id() } else { self.inner.merge_base(tip, base.id()).unwrap_or(base.id()) };
        let linked = matches!(found, Found::Ours) && place.is_linked();
        if linked {
            place.expect_branch(branch)?;
            place.mend_link()?;
        } else {
            self.not_elsewhere(&place, branch, created)?;
            self.link(&place, branch)?;
        }
        place.clear_locks()?;
        let filled = !place.admin.join("index").exists();
        let checkout = if !filled {
            None
        } else {
            self.fill(&place, !linked && matches!(found, Found::Ours) && !place.holds_only_git()?)?
        };
        Ok(Prepared {
            branch: branch.into(),
            worktree: place.worktree,
            base_commit: base_commit.to_string(),
            created,
            filled,
            checkout,
        })
    }

    /// Removes a worktree that callboard made, and leaves its branch. One that is already gone is no error.
    ///
    /// # Errors
    /// When callboard did not make it, or (unless `force`) it has changes that are not committed.
    pub fn remove_worktree(&self, worktree: &Utf8Path, force: bool) -> Result<(), GitError> {
        if !worktree.parent().is_some_and(Utf8Path::exists) {
            return Ok(());
        }
        let place = self.place(worktree)?;
        let trash = place.beside("removing");
        match place.look()? {
            Found::Foreign(found) => return Err(place.foreign(found)),
            Found::Nothing => {}
            Found::Empty => fs::remove_dir_all(&place.worktree).doing(|| format!("removing {}", place.worktree))?,
            Found::Ours => {
                if !force {
                    place.expect_clean()?;
                }
                remove_folder(&trash)?;
                // One rename: cut off before it nothing is lost, cut off after it nothing of the worktree is left in place.
                fs::rename(&place.worktree, &trash).doing(|| format!("moving {} away", place.worktree))?;
            }
        }
        remove_folder(&place.admin)?;
        remove_folder(&trash)
    }

    /// Takes away the lock of the branch that somebody left who was killed while making or moving it. The session's branch
    /// has no other user.
    fn clear_branch_lock(&self, branch: &str) -> Result<(), GitError> {
        remove_file(&self.common.join(format!("refs/heads/{branch}.lock")))
    }

    /// Makes the branch unless it is there. True when this call made it.
    fn make_branch(&self, branch: &str, base: &git2::Commit<'_>) -> Result<bool, GitError> {
        if !git2::Branch::name_is_valid(branch).unwrap_or(false) {
            return Err(GitError::Branch {
                branch: branch.into(),
                found: "git does not take it as a branch name".into(),
                hint: "use letters, digits, `-`, `_` and `/`".into(),
            });
        }
        for attempt in 1.. {
            if self.tip_oid(branch)?.is_some() {
                return Ok(false);
            }
            match self.inner.branch(branch, base, false) {
                Ok(_) => return Ok(true),
                Err(error) if error.code() == ErrorCode::Exists => return Ok(false),
                Err(error) if attempt == TRIES => {
                    self.no_branch_above(branch)?;
                    return Err(GitError::Branch {
                        branch: branch.into(),
                        found: error.message().into(),
                        hint: "look at `git branch --list`".into(),
                    });
                }
                Err(_) => {}
            }
        }
        Ok(false)
    }

    /// A branch that two worktrees have checked out moves under the feet of one of them.
    fn not_elsewhere(&self, place: &Place, branch: &str, created: bool) -> Result<(), GitError> {
        if created {
            return Ok(());
        }
        let is_on_it = |admin: &Utf8Path| {
            fs::read_to_string(admin.join("HEAD"))
                .is_ok_and(|head| head.trim_end().strip_prefix("ref: refs/heads/") == Some(branch))
        };
        let checked_out = |at: Utf8PathBuf| GitError::Branch {
            branch: branch.into(),
            found: format!("it is checked out in {at}"),
            hint: format!("switch to another branch there: `git -C '{at}' switch -`"),
        };
        if self.common.file_name() == Some(".git") && is_on_it(&self.common) {
            return Err(checked_out(self.common.parent().unwrap_or(&self.common).into()));
        }
        let Ok(entries) = self.common.join("worktrees").read_dir_utf8() else { return Ok(()) };
        for admin in entries.flatten().filter(|admin| admin.path() != place.admin && is_on_it(admin.path())) {
            let link = fs::read_to_string(admin.path().join("gitdir")).unwrap_or_default();
            let link = Utf8Path::new(link.trim_end());
            if link.exists() {
                return Err(checked_out(link.parent().unwrap_or(link).into()));
            }
        }
        Ok(())
    }

    /// Ties the folder to the repository. git2's own call would open every other worktree first, and two of them at once
    /// trip over each other.
    fn link(&self, place: &Place, branch: &str) -> Result<(), GitError> {
        let new = self.common.join(format!("{}.new", place.admin.file_name().unwrap_or_default()));
        remove_folder(&new)?;
        remove_folder(&place.admin)?;
        let link = place.worktree.join(".git");
        let write = |name: &str, text: String| {
            let file = new.join(name);
            fs::write(&file, text).doing(|| format!("writing {file}"))
        };
        fs::create_dir(&new).doing(|| format!("making {new}"))?;
        write("locked", LOCK.into())?;
        write("commondir", "../..\n".into())?;
        write("gitdir", format!("{link}\n"))?;
        write("HEAD", format!("ref: refs/heads/{branch}\n"))?;
        let worktrees = self.common.join("worktrees");
        for attempt in 1.. {
            fs::create_dir_all(&worktrees).doing(|| format!("making {worktrees}"))?;
            match fs::rename(&new, &place.admin) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempt < TRIES => {}
                Err(error) => return Err(error).doing(|| format!("making {}", place.admin)),
            }
        }
        fs::create_dir_all(&place.worktree).doing(|| format!("making {}", place.worktree))?;
        fs::write(&link, format!("gitdir: {}\n", place.admin)).doing(|| format!("writing {link}"))?;
        place.unlock()
    }

    /// Gives a worktree without an index its files, or, when it `keeps` its files, an index that shows what they changed.
    fn fill(&self, place: &Place, keeps: bool) -> Result<Option<Invocation>, GitError> {
        let inner = repo::open(&place.worktree)?;
        let doing = || format!("filling {}", place.worktree);
        let tree = inner.head().and_then(|head| head.peel_to_tree()).doing(doing)?;
        if keeps {
            let mut index = inner.index().doing(doing)?;
            index.read_tree(&tree).and_then(|()| index.write()).doing(doing)?;
            return Ok(None);
        }
        let attributes = Attributes::outside(&inner).or(inside(&inner, &tree));
        if attributes.drivers {
            return Ok(Some(Invocation::checkout(&place.worktree)));
        }
        let mut checkout = CheckoutBuilder::new();
        // Asking for each file's filters costs more than writing it.
        checkout.force().recreate_missing(true).disable_filters(attributes == Attributes::default());
        inner.checkout_tree(tree.as_object(), Some(&mut checkout)).doing(doing)?;
        Ok(None)
    }
}

impl Place {
    /// A worktree on another branch is somebody's work in progress.
    fn expect_branch(&self, branch: &str) -> Result<(), GitError> {
        let head =
            fs::read_to_string(self.admin.join("HEAD")).doing(|| format!("reading HEAD of {}", self.worktree))?;
        if head.trim_end().strip_prefix("ref: refs/heads/") == Some(branch) {
            return Ok(());
        }
        Err(GitError::Worktree {
            path: self.worktree.clone(),
            expected: format!("a worktree on branch {branch}"),
            found: format!("HEAD at {}", head.trim_end().trim_start_matches("ref: refs/heads/")),
            hint: format!("bring the work there onto the branch, then `git switch {branch}` in it"),
        })
    }

    /// After the repository was moved the `.git` file names the old place.
    fn mend_link(&self) -> Result<(), GitError> {
        let link = self.worktree.join(".git");
        let wanted = format!("gitdir: {}\n", self.admin);
        if fs::read_to_string(&link).is_ok_and(|text| text == wanted) {
            return self.unlock();
        }
        fs::write(&link, wanted).doing(|| format!("writing {link}"))?;
        self.unlock()
    }

    /// Takes away our own lock; one that a person set stays.
    fn unlock(&self) -> Result<(), GitError> {
        let lock = self.admin.join("locked");
        if fs::read_to_string(&lock).is_ok_and(|text| text == LOCK || text.is_empty()) {
            remove_file(&lock)?;
        }
        Ok(())
    }

    /// Takes away what a killed git left of the locks that only this worktree has.
    fn clear_locks(&self) -> Result<(), GitError> {
        let entries = self.admin.read_dir_utf8().doing(|| format!("reading {}", self.admin))?;
        for entry in entries.flatten().filter(|entry| entry.path().extension() == Some("lock")) {
            remove_file(entry.path())?;
        }
        Ok(())
    }

    /// A path beside the worktree, so in the same file system, and not in anybody's way.
    pub(super) fn beside(&self, what: &str) -> Utf8PathBuf {
        self.worktree.with_file_name(format!(".{}.{what}", self.worktree.file_name().unwrap_or_default()))
    }

    fn expect_clean(&self) -> Result<(), GitError> {
        if !self.is_linked() {
            if self.holds_only_git()? {
                return Ok(());
            }
            return Err(GitError::Worktree {
                path: self.worktree.clone(),
                expected: "a worktree that git knows".into(),
                found: "files without the repository's record of them".into(),
                hint: "reactivate the session, which mends it, or remove it by force".into(),
            });
        }
        let files = Tree::open(&self.worktree)?.uncommitted()?;
        if files.is_empty() { Ok(()) } else { Err(GitError::Uncommitted { worktree: self.worktree.clone(), files }) }
    }
}

/// What the attributes files in this tree may do.
fn inside(repository: &git2::Repository, tree: &git2::Tree<'_>) -> Attributes {
    let mut attributes = Attributes::default();
    let walked = tree.walk(TreeWalkMode::PreOrder, |_, entry| {
        if entry.name_bytes() == b".gitattributes" {
            let text = repository.find_blob(entry.id()).map(|blob| blob.content().to_vec()).unwrap_or_default();
            attributes = attributes.or(Attributes::of(&text));
        }
        TreeWalkResult::Ok
    });
    // A tree that cannot be walked cannot be checked out either, and that call says why.
    walked.ok();
    attributes
}

fn remove_folder(folder: &Utf8Path) -> Result<(), GitError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error).doing(|| format!("removing {folder}")),
        _ => Ok(()),
    }
}

pub(super) fn remove_file(file: &Utf8Path) -> Result<(), GitError> {
    match fs::remove_file(file) {
        // Nor is it there when a file stands where its folder would be.
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Err(error).doing(|| format!("removing {file}"))
        }
        _ => Ok(()),
    }
}

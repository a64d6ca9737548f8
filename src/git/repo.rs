//! The user's repository: what is asked of it without touching its checkout.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::Once,
};

use camino::{Utf8Component, Utf8Path, Utf8PathBuf};
use git2::{Branch, ErrorClass, ErrorCode, ObjectType, Oid, Repository, RepositoryOpenFlags};

use super::{GitError, error::Doing, place::admin_name};

/// The user's repository, opened at the root of a checkout.
pub struct Repo {
    pub(super) inner: Repository,
    /// The checkout's root, canonical.
    pub(super) root: Utf8PathBuf,
    /// The folder that all worktrees share (`.git` of the first one), canonical.
    pub(super) common: Utf8PathBuf,
}

/// Where a checkout stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The commit's id.
    pub commit: String,
    /// The branch; `None` when HEAD is detached.
    pub branch: Option<String>,
}

/// The checkout's commit, and what was asked of it about earlier ones: the way to one is long, and gone once.
pub struct Progress<'a> {
    repo: &'a Repo,
    now: git2::Commit<'a>,
    /// What was asked about, with its commit if the checkout's came after it.
    earlier: HashMap<String, Option<git2::Commit<'a>>>,
}

impl Progress<'_> {
    /// Whether the checkout's commit came after `commit` and has other content at one of these paths.
    ///
    /// # Errors
    /// When there is no such commit, or the repository cannot be read.
    pub fn moved_on(&mut self, commit: &str, paths: &[String]) -> Result<bool, GitError> {
        let then = match self.earlier.entry(commit.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(asked) => {
                let is_behind = self.repo.is_ancestor(commit, &self.now.id().to_string())?;
                asked.insert(if is_behind { Some(self.repo.commit(commit)?) } else { None })
            }
        };
        let Some(then) = then else { return Ok(false) };
        for path in paths {
            if self.repo.blob(then, path)? != self.repo.blob(&self.now, path)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl std::fmt::Debug for Repo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Repo").field("root", &self.root).finish_non_exhaustive()
    }
}

impl Repo {
    /// Opens the repository whose checkout has this root; a linked worktree of the user's is as good as the first one.
    ///
    /// # Errors
    /// When `root` is no checkout's root, a bare repository, or one that libgit2 does not read.
    pub fn open(root: &Utf8Path) -> Result<Self, GitError> {
        let inner = open(root)?;
        let refused = |found: &str, hint: &str| {
            Err(GitError::NotARepository { path: root.into(), found: found.into(), hint: hint.into() })
        };
        let Some(workdir) = inner.workdir().and_then(Utf8Path::from_path) else {
            return refused("a bare repository", "`git worktree add` makes a checkout of it; give that one");
        };
        let root_found = canonical(root)?;
        if canonical(workdir)? != root_found {
            return refused("a repository's own folder", "give the folder with the project's files");
        }
        let common = Utf8Path::from_path(inner.commondir()).map(canonical).transpose()?;
        let Some(common) = common else {
            return refused("a path that is not UTF-8", "move the repository");
        };
        Ok(Self { inner, root: root_found, common })
    }

    /// The checkout that this worktree belongs to, when callboard made it for a session; `None` for checkouts that a
    /// person made.
    #[must_use]
    pub fn made_for(&self) -> Option<Utf8PathBuf> {
        let admin = Utf8Path::from_path(self.inner.path())?;
        if admin.file_name() != Some(admin_name(&self.root).as_str()) {
            return None;
        }
        let first = open(&self.common).ok()?;
        Utf8Path::from_path(first.workdir()?).and_then(|root| root.canonicalize_utf8().ok())
    }

    /// The commit and branch of the user's checkout.
    ///
    /// # Errors
    /// [`GitError::NoCommit`] when nothing was ever committed.
    pub fn head(&self) -> Result<Head, GitError> {
        head(&self.inner, &self.root)
    }

    /// The id of the commit that a branch, a tag or any other revision leads to.
    ///
    /// # Errors
    /// [`GitError::NoRevision`] when it leads to none.
    pub fn resolve(&self, rev: &str) -> Result<String, GitError> {
        Ok(self.commit(rev)?.id().to_string())
    }

    /// The commit of a branch; `None` when there is no such branch.
    ///
    /// # Errors
    /// When the branch cannot be read.
    pub fn tip(&self, branch: &str) -> Result<Option<String>, GitError> {
        Ok(self.tip_oid(branch)?.map(|oid| oid.to_string()))
    }

    /// Whether `a` is `b`, or came before it.
    ///
    /// # Errors
    /// When one of them leads to no commit.
    pub fn is_ancestor(&self, a: &str, b: &str) -> Result<bool, GitError> {
        let (a, b) = (self.commit(a)?.id(), self.commit(b)?.id());
        Ok(a == b || self.inner.graph_descendant_of(b, a).doing(|| format!("comparing {a} with {b}"))?)
    }

    /// The user's email in git's configuration.
    #[must_use]
    pub fn user_email(&self) -> Option<String> {
        let email = self.inner.config().and_then(|config| config.get_string("user.email")).ok()?;
        Some(email.trim().to_owned()).filter(|email| !email.is_empty())
    }

    /// The names of the remotes.
    #[must_use]
    pub fn remotes(&self) -> Vec<String> {
        remotes(&self.inner)
    }

    /// Whether the commit has a file at this path, relative to the root.
    ///
    /// # Errors
    /// When `commit` leads to no commit, or its tree cannot be read.
    pub fn file_exists_at(&self, commit: &str, path: &str) -> Result<bool, GitError> {
        if path.is_empty() || !Utf8Path::new(path).components().all(|part| matches!(part, Utf8Component::Normal(_))) {
            return Ok(false);
        }
        Ok(self.blob(&self.commit(commit)?, path)?.is_some())
    }

    /// Whether the commit `theirs` has another file at this path than `own`, and that not because `own` changed it.
    ///
    /// # Errors
    /// When one of them leads to no commit, or cannot be read.
    pub fn changed_by(&self, path: &str, own: &str, theirs: &str) -> Result<bool, GitError> {
        let (own, theirs) = (self.commit(own)?, self.commit(theirs)?);
        let (here, there) = (self.blob(&own, path)?, self.blob(&theirs, path)?);
        if here == there || there.is_none() {
            return Ok(false);
        }
        match self.inner.merge_base(own.id(), theirs.id()) {
            Ok(base) => Ok(self.blob(&self.commit(&base.to_string())?, path)? != there),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(true),
            Err(error) => Err(error).doing(|| format!("finding what {} and {} have in common", own.id(), theirs.id())),
        }
    }

    /// What was done earlier, compared with the checkout's commit.
    ///
    /// # Errors
    /// [`GitError::NoCommit`] when nothing was ever committed.
    pub fn progress(&self) -> Result<Progress<'_>, GitError> {
        Ok(Progress { repo: self, now: self.commit(&self.head()?.commit)?, earlier: HashMap::new() })
    }

    /// The file that a commit has at a path, if it has one.
    fn blob(&self, commit: &git2::Commit<'_>, path: &str) -> Result<Option<Oid>, GitError> {
        let doing = || format!("looking for {path} in {}", commit.id());
        match commit.tree().doing(doing)?.get_path(path.as_ref()) {
            Ok(entry) => Ok((entry.kind() == Some(ObjectType::Blob)).then(|| entry.id())),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::Invalid) => Ok(None),
            Err(error) => Err(error).doing(doing),
        }
    }

    /// The first of `wanted`, `wanted-2`, `wanted-3`… that is no branch, is not in the way of one, and is not `taken`.
    ///
    /// # Errors
    /// [`GitError::Branch`] when no number helps: the name is not a branch name, or a branch is where its folder must be.
    pub fn free_branch(&self, wanted: &str, taken: &dyn Fn(&str) -> bool) -> Result<String, GitError> {
        if !Branch::name_is_valid(wanted).unwrap_or(false) {
            return Err(GitError::Branch {
                branch: wanted.into(),
                found: "git does not take it as a branch name".into(),
                hint: "use letters, digits, `-`, `_` and `/`".into(),
            });
        }
        self.no_branch_above(wanted)?;
        for number in 1_u32.. {
            let name = if number == 1 { wanted.to_owned() } else { format!("{wanted}-{number}") };
            if !taken(&name) && self.tip_oid(&name)?.is_none() && !self.has_branches_below(&name)? {
                return Ok(name);
            }
        }
        Ok(wanted.into())
    }

    /// The commit that a revision leads to.
    pub(super) fn commit(&self, rev: &str) -> Result<git2::Commit<'_>, GitError> {
        commit(&self.inner, rev)
    }

    pub(super) fn tip_oid(&self, branch: &str) -> Result<Option<Oid>, GitError> {
        match self.inner.refname_to_id(&format!("refs/heads/{branch}")) {
            Ok(oid) => Ok(Some(oid)),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => Ok(None),
            Err(error) => Err(error).doing(|| format!("reading branch {branch}")),
        }
    }

    /// A branch `a` and a branch `a/b` cannot both be.
    pub(super) fn no_branch_above(&self, branch: &str) -> Result<(), GitError> {
        for (end, _) in branch.match_indices('/') {
            if self.tip_oid(&branch[..end])?.is_some() {
                let above = &branch[..end];
                return Err(GitError::Branch {
                    branch: branch.into(),
                    found: format!("there is a branch {above:?}, and git keeps no branches below a branch"),
                    hint: format!("rename it: `git branch -m {above} other-name`"),
                });
            }
        }
        Ok(())
    }

    fn has_branches_below(&self, branch: &str) -> Result<bool, GitError> {
        let below = self
            .inner
            .references_glob(&format!("refs/heads/{branch}/*"))
            .doing(|| format!("looking for branches below {branch}"))?;
        Ok(below.flatten().next().is_some())
    }
}

/// Opens exactly this folder: no search above it, no look at the environment.
pub(super) fn open(root: &Utf8Path) -> Result<Repository, GitError> {
    // As git itself: an object that is read is not hashed again, one that was just written is not looked for.
    static AS_GIT: Once = Once::new();
    AS_GIT.call_once(|| {
        git2::opts::strict_hash_verification(false);
        git2::opts::strict_object_creation(false);
    });
    let above: [&str; 0] = [];
    Repository::open_ext(root, RepositoryOpenFlags::NO_SEARCH, above).map_err(|error| GitError::opening(root, error))
}

pub(super) fn canonical(path: &Utf8Path) -> Result<Utf8PathBuf, GitError> {
    path.canonicalize_utf8().doing(|| format!("finding {path}"))
}

pub(super) fn head(repository: &Repository, root: &Utf8Path) -> Result<Head, GitError> {
    let head = match repository.head() {
        Ok(head) => head,
        Err(error) if matches!(error.code(), ErrorCode::UnbornBranch | ErrorCode::NotFound) => {
            return Err(GitError::NoCommit { path: root.into() });
        }
        Err(error) => return Err(error).doing(|| format!("reading HEAD of {root}")),
    };
    let commit = head.peel_to_commit().doing(|| format!("reading the commit of HEAD in {root}"))?.id().to_string();
    let branch = if head.is_branch() { head.shorthand().ok().map(str::to_owned) } else { None };
    Ok(Head { commit, branch })
}

pub(super) fn commit<'repo>(repository: &'repo Repository, rev: &str) -> Result<git2::Commit<'repo>, GitError> {
    repository.revparse_single(rev).and_then(|object| object.peel_to_commit()).map_err(|source| {
        if matches!(source.class(), ErrorClass::Odb | ErrorClass::Zlib | ErrorClass::Os) && !is_missing(&source) {
            return GitError::Git2 { doing: format!("reading {rev}"), source };
        }
        GitError::NoRevision { rev: rev.into() }
    })
}

pub(super) fn remotes(repository: &Repository) -> Vec<String> {
    let Ok(names) = repository.remotes() else { return Vec::new() };
    names.iter().flatten().flatten().map(str::to_owned).collect()
}

fn is_missing(error: &git2::Error) -> bool {
    matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec | ErrorCode::Ambiguous | ErrorCode::Peel)
}

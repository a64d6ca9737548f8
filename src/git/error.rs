//! What can go wrong, each with what was expected, what was found and what to try.

use std::{fmt::Write as _, io};

use camino::{Utf8Path, Utf8PathBuf};
use git2::ErrorCode;

/// Why git could not be asked, or why its answer is no.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The folder is not the root of a checkout.
    #[error("expected the root of a git checkout, found {found} at {path}; {hint}")]
    NotARepository {
        /// The folder.
        path: Utf8PathBuf,
        /// What it is instead.
        found: String,
        /// What to try.
        hint: String,
    },
    /// The repository has no commit to start from.
    #[error("expected a commit to start from, found none in {path}; commit something first")]
    NoCommit {
        /// The repository's root.
        path: Utf8PathBuf,
    },
    /// A name that leads to no commit.
    #[error(
        "expected a commit, a branch or a tag, found {rev:?}, which is none; `git branch --all` lists the branches"
    )]
    NoRevision {
        /// The name as it was given.
        rev: String,
    },
    /// A repository that libgit2 refuses.
    #[error("expected a repository that callboard can read, found {found} in {path}; {hint}")]
    Unsupported {
        /// The repository.
        path: Utf8PathBuf,
        /// The property that is in the way.
        found: String,
        /// What to try.
        hint: String,
    },
    /// A worktree's folder is not as it must be.
    #[error("expected {expected} at {path}, found {found}; {hint}")]
    Worktree {
        /// The folder.
        path: Utf8PathBuf,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
        /// What to try.
        hint: String,
    },
    /// A branch that cannot be made or used.
    #[error("cannot use branch {branch:?}: {found}; {hint}")]
    Branch {
        /// The branch, without `refs/heads/`.
        branch: String,
        /// What is in the way.
        found: String,
        /// What to try.
        hint: String,
    },
    /// The worktree has changes that removing it would lose.
    #[error(
        "expected nothing uncommitted in {worktree}, found {}; commit it, or remove the worktree by force",
        listed(files)
    )]
    Uncommitted {
        /// The worktree.
        worktree: Utf8PathBuf,
        /// The changed files, relative to it.
        files: Vec<String>,
    },
    /// A remote that is not configured.
    #[error(
        "expected one of the repository's remotes ({}), found {remote:?}; `git remote add` makes one",
        listed(known)
    )]
    Remote {
        /// The name as it was given.
        remote: String,
        /// The remotes that there are.
        known: Vec<String>,
    },
    /// A path or pattern that must not be used.
    #[error("expected a path below the repository's root, found {path:?}; {hint}")]
    BadPath {
        /// The path as it was given.
        path: String,
        /// What to try.
        hint: String,
    },
    /// The file system said no.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// What the system said.
        source: io::Error,
    },
    /// libgit2 said no.
    #[error("{doing}: {}", source.message())]
    Git2 {
        /// What was being done.
        doing: String,
        /// What libgit2 said.
        source: git2::Error,
    },
}

impl GitError {
    /// The error of opening the repository at `path`.
    pub(super) fn opening(path: &Utf8Path, error: git2::Error) -> Self {
        let message = error.message().to_owned();
        let unsupported =
            |hint: &str| Self::Unsupported { path: path.into(), found: message.clone(), hint: hint.into() };
        if error.code() == ErrorCode::Owner {
            return unsupported(&format!(
                "it belongs to another user; `git config --global --add safe.directory '{path}'` trusts it"
            ));
        }
        if error.code() == ErrorCode::NotFound && path.join(".git").is_file() {
            return Self::NotARepository {
                path: path.into(),
                found: "a worktree that its repository no longer knows".into(),
                hint: "reactivate the session, which mends it; `git worktree repair` mends one of your own".into(),
            };
        }
        if error.code() == ErrorCode::NotFound {
            return match git2::Repository::discover(path) {
                Ok(found) => Self::NotARepository {
                    path: path.into(),
                    found: format!(
                        "a folder inside the repository {}",
                        found.workdir().unwrap_or_else(|| found.path()).display()
                    ),
                    hint: "give that repository's root".into(),
                },
                Err(_) => Self::NotARepository {
                    path: path.into(),
                    found: "no repository".into(),
                    hint: "`git init` makes one".into(),
                },
            };
        }
        if message.contains("unsupported") || message.contains("unknown object format") {
            return unsupported(
                "callboard works with SHA-1 repositories with the files ref format and without partial clone; a full \
                 `git clone` with these defaults works",
            );
        }
        Self::Git2 { doing: format!("opening the repository {path}"), source: error }
    }
}

/// Adds what was being done to a foreign error.
pub(super) trait Doing<T> {
    /// `doing` is a participle phrase without a capital or a dot: "reading HEAD".
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, GitError>;
}

impl<T> Doing<T> for Result<T, git2::Error> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, GitError> {
        self.map_err(|source| GitError::Git2 { doing: doing(), source })
    }
}

impl<T> Doing<T> for Result<T, io::Error> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, GitError> {
        self.map_err(|source| GitError::Io { doing: doing(), source })
    }
}

/// At most five of them: a message is read on one line.
fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".into();
    }
    let mut text = names.iter().take(5).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > 5 {
        // Writing to a String cannot fail.
        write!(text, " and {} more", names.len() - 5).ok();
    }
    text
}

//! The commands that the user's own `git` runs: hooks, signing and credential helpers work as they do by hand.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{GitError, Tree, attributes};

/// What the user's `git` needs of the user's environment to act as it does by hand: its configuration, its keys, its
/// agents. Everything else, above all `GIT_DIR`, `GIT_INDEX_FILE` and `GIT_WORK_TREE`, must not reach it.
pub const INHERITED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GNUPGHOME",
    "GIT_SSH",
    "GIT_SSH_COMMAND",
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "GIT_CONFIG_NOSYSTEM",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTPS_PROXY",
    "NO_PROXY",
];

/// Settings for every command: no housekeeping in the background beside parallel sessions, no daemon left behind, and an
/// index that libgit2 reads.
const SETTINGS: &[&str] = &[
    "gc.auto=0",
    "maintenance.auto=false",
    "core.fsmonitor=false",
    "core.splitIndex=false",
    "index.sparse=false",
    "rerere.enabled=false",
];

/// Readable messages in one language, and no way to wait for a person.
const ENVIRONMENT: &[(&str, &str)] = &[
    ("LC_ALL", "C.UTF-8"),
    ("LANGUAGE", "C"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "true"),
    ("SSH_ASKPASS_REQUIRE", "never"),
    ("GCM_INTERACTIVE", "never"),
    ("GIT_EDITOR", "true"),
    ("GIT_SEQUENCE_EDITOR", "true"),
    ("GIT_MERGE_AUTOEDIT", "no"),
    ("GIT_PAGER", "cat"),
];

/// A program to run: never through a shell, never with more environment than [`INHERITED`] and `env`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The program and its arguments.
    pub argv: Vec<String>,
    /// Where it runs.
    pub directory: Utf8PathBuf,
    /// What its environment has beside the clean one.
    pub env: Vec<(String, String)>,
    /// What it reads; `None`: nothing. It may end without reading (a hook refused): a broken pipe is no error.
    pub stdin: Option<Vec<u8>>,
}

impl Invocation {
    /// `git` with callboard's settings, more `-c` settings, and a command.
    pub(super) fn git(directory: &Utf8Path, settings: &[String], command: &[&str]) -> Self {
        let mut argv = vec!["git".to_owned()];
        for setting in SETTINGS.iter().map(|&setting| setting.to_owned()).chain(settings.iter().cloned()) {
            argv.extend(["-c".to_owned(), setting]);
        }
        argv.extend(command.iter().map(|&part| part.to_owned()));
        Self {
            argv,
            directory: directory.into(),
            env: ENVIRONMENT.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            stdin: None,
        }
    }

    /// Fills a new worktree where a filter driver (LFS, for one) has to make the files.
    pub(super) fn checkout(worktree: &Utf8Path) -> Self {
        Self::git(worktree, &[], &["reset", "--hard", "--quiet", "HEAD"])
    }

    /// Makes these files what they are in HEAD, staged and in the worktree.
    pub(super) fn restore(worktree: &Utf8Path, files: &[String]) -> Self {
        let paths = files.iter().flat_map(|file| format!(":(top,literal){file}\0").into_bytes()).collect();
        let command = ["checkout", "--quiet", "HEAD", "--pathspec-from-file=-", "--pathspec-file-nul"];
        Self { stdin: Some(paths), ..Self::git(worktree, &[], &command) }
    }

    /// Stages everything but the nested repositories.
    pub(super) fn add(worktree: &Utf8Path, except: &BTreeSet<String>) -> Self {
        let mut paths = b":(top)\0".to_vec();
        for path in except {
            paths.extend_from_slice(format!(":(top,exclude,literal){path}\0").as_bytes());
        }
        let command = ["add", "--all", "--pathspec-from-file=-", "--pathspec-file-nul"];
        Self { stdin: Some(paths), ..Self::git(worktree, &[], &command) }
    }
}

impl Tree {
    /// Commits what is staged. Hooks run, and may refuse.
    #[must_use]
    pub fn commit(&self, message: &str) -> Invocation {
        let commit = Invocation::git(self.root(), &[], &["commit", "--cleanup=whitespace", "--file=-"]);
        Invocation { stdin: Some(message.as_bytes().to_vec()), ..commit }
    }

    /// Merges a branch, always with a merge commit so that its sessions stay visible. In the files that match one of the
    /// `union` patterns (gitattributes patterns from the root) both sides' lines are kept, unless the project's own
    /// `.gitattributes` says otherwise.
    ///
    /// # Errors
    /// When a pattern is none, or the attributes cannot be written into `attributes`, a folder outside the project.
    pub fn merge(
        &self,
        branch: &str,
        message: &str,
        union: &[String],
        attributes: &Utf8Path,
    ) -> Result<Invocation, GitError> {
        let mut settings = Vec::new();
        if !union.is_empty() {
            let file = attributes::write_union(self.repository(), union, attributes)?;
            settings.push(format!("core.attributesFile={file}"));
        }
        let branch = format!("refs/heads/{branch}");
        let command = [
            "merge",
            "--no-ff",
            "--commit",
            "--no-squash",
            "--no-edit",
            "--no-autostash",
            "--no-stat",
            "--cleanup=whitespace",
            "-m",
            message,
            "--",
            &branch,
        ];
        Ok(Invocation::git(self.root(), &settings, &command))
    }

    /// Gives up the merge that is in progress.
    #[must_use]
    pub fn merge_abort(&self) -> Invocation {
        Invocation::git(self.root(), &[], &["merge", "--abort"])
    }

    /// Pushes a branch under its own name; never by force, and without making it anyone's upstream.
    ///
    /// # Errors
    /// When `remote` is not one of the repository's remotes: an address would send the code anywhere.
    pub fn push(&self, remote: &str, branch: &str) -> Result<Invocation, GitError> {
        let known = super::repo::remotes(self.repository());
        if !known.iter().any(|name| name == remote) {
            return Err(GitError::Remote { remote: remote.into(), known });
        }
        let refspec = format!("refs/heads/{branch}:refs/heads/{branch}");
        let command = ["push", "--porcelain", "--no-follow-tags", "--no-progress", "--", remote, &refspec];
        Ok(Invocation::git(self.root(), &[], &command))
    }
}

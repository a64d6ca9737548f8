//! A new repository of a folder that is not one yet: for the demo.

use std::fs;

use camino::Utf8Path;
use git2::{Repository, RepositoryInitOptions, Signature};

use super::{GitError, error::Doing};

/// What a new repository is made from.
#[derive(Debug, Clone, Copy)]
pub struct Founding<'a> {
    /// The folder; everything in it that it does not ignore is committed.
    pub root: &'a Utf8Path,
    /// Where its remote `origin` is made, a bare repository.
    pub bare: &'a Utf8Path,
    /// The message of the first commit.
    pub message: &'a str,
}

/// Makes a repository on branch `main` with one commit, and a bare remote that has it too. Whoever has told git no name
/// commits under one of the repository's own; hooks are this repository's, wherever the user keeps theirs.
///
/// # Errors
/// When git cannot write there.
pub fn found(founding: &Founding<'_>) -> Result<(), GitError> {
    let Founding { root, bare, message } = founding;
    let doing = |what: &'static str| move || format!("making the repository: {what}");
    let mut options = RepositoryInitOptions::new();
    options.initial_head("main").mkpath(true).no_reinit(true);
    let repo = Repository::init_opts(root, &options).doing(doing("init"))?;
    let mut config = repo.config().doing(doing("config"))?;
    if config.get_string("user.name").is_err() || config.get_string("user.email").is_err() {
        config.set_str("user.name", "Callboard Demo").doing(doing("config"))?;
        config.set_str("user.email", "demo@callboard.invalid").doing(doing("config"))?;
    }
    config.set_str("core.hooksPath", root.join(".git/hooks").as_str()).doing(doing("config"))?;
    config.set_bool("commit.gpgSign", false).doing(doing("config"))?;
    let mut index = repo.index().doing(doing("index"))?;
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).doing(doing("add"))?;
    index.write().doing(doing("index"))?;
    let tree = repo.find_tree(index.write_tree().doing(doing("tree"))?).doing(doing("tree"))?;
    let author = repo.signature().or_else(|_| Signature::now("Callboard Demo", "demo@callboard.invalid"));
    let author = author.doing(doing("author"))?;
    repo.commit(Some("HEAD"), &author, &author, message, &tree, &[]).doing(doing("commit"))?;
    if let Some(parent) = bare.parent() {
        fs::create_dir_all(parent).doing(doing("the remote's folder"))?;
    }
    let mut bare_options = RepositoryInitOptions::new();
    bare_options.initial_head("main").bare(true).mkpath(true).no_reinit(true);
    Repository::init_opts(bare, &bare_options).doing(doing("the remote"))?;
    let mut remote = repo.remote("origin", bare.as_str()).doing(doing("the remote"))?;
    remote.push(&["refs/heads/main:refs/heads/main"], None).doing(doing("push"))
}

//! Writing a first `callboard.toml` by looking at what is there.

mod plan;
mod render;
mod scan;

use std::{
    fs,
    io::{self, Write as _},
};

use camino::{Utf8Path, Utf8PathBuf};

use super::{ConfigError, FILE, Project, read};

/// What only git knows and the caller tells.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InitFacts {
    /// The remote that finished work is pushed to; `None`: the file says how to name one, and nothing is pushed.
    pub remote: Option<String>,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitReport {
    /// The file.
    pub path: Utf8PathBuf,
    /// The contexts that were found.
    pub contexts: Vec<String>,
    /// How many components they have together.
    pub components: usize,
    /// What a person should look at, one sentence each.
    pub notes: Vec<String>,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// There is a `callboard.toml` already.
    #[error("{path} is there already\nhint: edit it, or delete it first")]
    AlreadyThere {
        /// The file.
        path: Utf8PathBuf,
    },
    /// This is no project of a kind that is known.
    #[error(
        "{root} has no Cargo.toml\nhint: `callboard init` knows Rust projects with cargo; for another project write \
         callboard.toml by hand, with tests = \"custom\" and a [runner] whose commands write JUnit XML"
    )]
    NotSupported {
        /// The folder.
        root: Utf8PathBuf,
    },
    /// A `Cargo.toml` cannot be read.
    #[error("{0}")]
    Manifest(ConfigError),
    /// What was about to be written could not be read again: a mistake of callboard's.
    #[error("the configuration that fits this project would not load:\n{0}")]
    Unloadable(ConfigError),
    /// The file could not be written.
    #[error("{path} cannot be written: {source}\nhint: see whether the folder is yours to write in")]
    Write {
        /// The file.
        path: Utf8PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Looks at the Rust project in `root` and writes its `callboard.toml`: contexts are modules with sub-modules, components are
/// these sub-modules. What is not sure is commented. A file that is there already is left alone.
pub fn init(root: &Utf8Path, facts: &InitFacts) -> Result<InitReport, InitError> {
    let path = root.join(FILE);
    if path.symlink_metadata().is_ok() {
        return Err(InitError::AlreadyThere { path });
    }
    let found = scan::scan(root)?;
    let mut plan = plan::plan(root, &found);
    let remote = facts.remote.clone().filter(|remote| read::remote(remote.clone()).is_ok());
    if remote.is_none() {
        plan.notes.extend(
            facts.remote.iter().map(|remote| format!("{remote:?} cannot be named as a remote: nothing is pushed")),
        );
    }
    let text = render::render(&plan, remote.as_deref());
    let project = Project::parse(root, &text).map_err(InitError::Unloadable)?;
    write(&path, &text)?;
    let contexts = project.components.iter().filter(|one| one.kind.is_context()).map(|one| one.name.clone()).collect();
    let components = project.components.iter().filter(|one| !one.kind.is_context()).count();
    Ok(InitReport { path, contexts, components, notes: plan.notes })
}

fn write(path: &Utf8Path, text: &str) -> Result<(), InitError> {
    let written = fs::File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|source| {
        let path = path.to_owned();
        let is_there = source.kind() == io::ErrorKind::AlreadyExists;
        if is_there { InitError::AlreadyThere { path } } else { InitError::Write { path, source } }
    })
}

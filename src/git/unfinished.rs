//! Merges of callboard's own that were cut off: git leaves no trace of one that is killed while it writes files or while a
//! hook looks at it, only its changes. Those are told from an agent's by a note of what was uncommitted before.

use std::{collections::BTreeSet, fs, io, path::PathBuf};

use git2::StatusOptions;
use serde::{Deserialize, Serialize};

use super::{GitError, Invocation, Tree, error::Doing};

/// How things stood when a merge began.
#[derive(Serialize, Deserialize)]
struct Note {
    head: String,
    uncommitted: BTreeSet<String>,
}

impl Tree {
    /// Notes that callboard merges here, until [`Tree::merge_ended`].
    ///
    /// # Errors
    /// When the worktree cannot be read, or the note cannot be written.
    pub fn merge_begins(&self) -> Result<(), GitError> {
        let note = Note { head: self.head()?.commit, uncommitted: self.uncommitted_files()? };
        let text = serde_json::to_vec(&note).map_err(io::Error::from);
        text.and_then(|text| fs::write(self.note(), text)).doing(|| format!("writing {}", self.note().display()))
    }

    /// Whether a merge that callboard began has not ended. Once it has its commit and its hooks are through, a merge in
    /// progress is somebody else's.
    ///
    /// # Errors
    /// When HEAD cannot be read.
    pub fn merge_is_ours(&self) -> Result<bool, GitError> {
        Ok(self.begun()?.is_some() || (self.note().exists() && self.is_committed()?))
    }

    /// Whether HEAD is the commit of the merge in progress: git forgets the merge only after the last hook.
    fn is_committed(&self) -> Result<bool, GitError> {
        let Ok(merged) = fs::read_to_string(self.repository().path().join("MERGE_HEAD")) else { return Ok(false) };
        let head = self.head()?.commit;
        let commit = git2::Oid::from_str(&head).and_then(|oid| self.repository().find_commit(oid));
        let commit = commit.doing(|| format!("reading {head}"))?;
        Ok(merged.lines().all(|line| commit.parent_ids().any(|parent| parent.to_string() == line.trim())))
    }

    /// The note of a merge that callboard began on the commit that is still HEAD.
    fn begun(&self) -> Result<Option<Note>, GitError> {
        let note = fs::read(self.note()).ok().and_then(|text| serde_json::from_slice::<Note>(&text).ok());
        let head = self.head()?.commit;
        Ok(note.filter(|note| note.head == head))
    }

    /// Nothing of callboard's own merge is left to be taken back.
    ///
    /// # Errors
    /// When the note cannot be removed.
    pub fn merge_ended(&self) -> Result<(), GitError> {
        match fs::remove_file(self.note()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).doing(|| format!("removing {}", self.note().display()))
            }
            _ => Ok(()),
        }
    }

    /// Takes back what a merge of callboard's own that was cut off before its commit has changed, and nothing else: what was
    /// uncommitted before stays as it is. New files are removed at once; the invocation, if there is one, restores the others.
    ///
    /// # Errors
    /// When the worktree or its index cannot be read or written.
    pub fn merge_taken_back(&self) -> Result<Option<Invocation>, GitError> {
        let Some(note) = self.begun()? else { return Ok(None) };
        let repository = self.repository();
        let commit = git2::Oid::from_str(&note.head).and_then(|oid| repository.find_commit(oid));
        let tree = commit.and_then(|commit| commit.tree()).doing(|| format!("reading {}", note.head))?;
        let touched = self.uncommitted_files()?.into_iter().filter(|file| !note.uncommitted.contains(file));
        let (old, new): (Vec<String>, Vec<String>) = touched.partition(|file| tree.get_path(file.as_ref()).is_ok());
        self.remove_new(&new)?;
        Ok((!old.is_empty()).then(|| Invocation::restore(self.root(), &old)))
    }

    fn remove_new(&self, files: &[String]) -> Result<(), GitError> {
        if files.is_empty() {
            return Ok(());
        }
        let mut index = self.index()?;
        for file in files {
            let path = self.root().join(file);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).doing(|| format!("removing {path}"));
                }
                _ => {}
            }
            if index.get_path(file.as_ref(), 0).is_some() {
                index.remove_path(file.as_ref()).doing(|| format!("unstaging {path}"))?;
            }
        }
        index.write().doing(|| format!("writing the index of {}", self.root()))
    }

    /// [`Tree::uncommitted`], file by file.
    fn uncommitted_files(&self) -> Result<BTreeSet<String>, GitError> {
        self.index()?;
        let mut options = StatusOptions::new();
        options.include_untracked(true).recurse_untracked_dirs(true);
        let statuses = self.repository().statuses(Some(&mut options)).doing(|| format!("comparing {}", self.root()))?;
        // What has no name in UTF-8 is left alone.
        Ok(statuses.iter().filter_map(|entry| entry.path().ok().map(str::to_owned)).collect())
    }

    fn note(&self) -> PathBuf {
        self.repository().path().join("callboard-merge")
    }
}

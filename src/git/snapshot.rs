//! The content of a worktree in one word.

use std::{
    collections::BTreeMap,
    fs,
    path::{Component, Path},
};

use git2::{FileMode, ObjectType, Oid};
use sha2::{Digest as _, Sha256};

use super::{GitError, Tree, attributes, tree::Change};

/// The bits of an index entry's flags that say which side of a conflict it is.
const STAGE: u16 = 0x3000;

impl Tree {
    /// Identifies the exact content of the worktree: path, mode and bytes of every file that git does not ignore. Equal
    /// before and after exactly when nothing was changed; staging and committing alone change nothing. Files are read
    /// only where their stat differs from the index, or is too young to be trusted.
    ///
    /// (One exception: staging a file whose line ends git converts changes the hash.)
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn change_hash(&self) -> Result<String, GitError> {
        let index = self.index()?;
        let changes = self.changes(&index)?;
        let mut files: BTreeMap<Vec<u8>, (u32, Oid)> = index
            .iter()
            .filter(|entry| entry.flags & STAGE == 0)
            .map(|entry| (entry.path, (entry.mode, entry.id)))
            .collect();
        if self.attributes(&index, &changes).drivers {
            self.read_filtered(&mut files);
        }
        for (path, change) in &changes {
            let key = path.as_os_str().as_encoded_bytes().to_vec();
            match change {
                Change::Gone => files.remove(&key),
                Change::Content(mode) => files.insert(key, (*mode, self.content(path))),
                Change::Nested => files.insert(key, (FileMode::Commit.into(), self.nested(path))),
            };
        }
        let mut hash = Sha256::new();
        for (path, (mode, content)) in &files {
            hash.update(mode.to_be_bytes());
            hash.update(content.as_bytes());
            hash.update(path);
            hash.update([0]);
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Identifies the content of these files as they are now, or of the whole worktree when none is named. What is not there,
    /// and what is not inside, counts as empty.
    ///
    /// # Errors
    /// When the worktree cannot be read.
    pub fn content_hash(&self, files: &[String]) -> Result<String, GitError> {
        if files.is_empty() {
            return self.change_hash();
        }
        let mut hash = Sha256::new();
        for file in files {
            let path = Path::new(file);
            let inside = path.components().all(|part| matches!(part, Component::Normal(_)));
            let content = if inside { self.content(path) } else { Oid::ZERO_SHA1 };
            hash.update(content.as_bytes());
            hash.update(file);
            hash.update([0]);
        }
        Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// The index holds what a filter driver made of a file; whether the file still matches it, only the file tells.
    fn read_filtered(&self, files: &mut BTreeMap<Vec<u8>, (u32, Oid)>) {
        for (path, (_, content)) in files {
            let Ok(path) = std::str::from_utf8(path) else { continue };
            if attributes::has_driver(self.repository(), path.as_ref()) {
                *content = self.content(path.as_ref());
            }
        }
    }

    /// The id of a file's bytes as they are on disk; the zero id for one that cannot be read.
    fn content(&self, path: &Path) -> Oid {
        let file = self.root().as_std_path().join(path);
        let read = match fs::read_link(&file) {
            Ok(target) => Oid::hash_object(ObjectType::Blob, target.as_os_str().as_encoded_bytes()),
            Err(_) => Oid::hash_file(ObjectType::Blob, &file),
        };
        read.unwrap_or(Oid::ZERO_SHA1)
    }

    /// The commit of a repository inside the worktree.
    fn nested(&self, path: &Path) -> Oid {
        git2::Repository::open(self.root().as_std_path().join(path))
            .and_then(|repository| repository.refname_to_id("HEAD"))
            .unwrap_or(Oid::ZERO_SHA1)
    }
}

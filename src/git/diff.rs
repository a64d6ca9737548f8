//! What a session changed since its base, for people and for checks.

use std::collections::BTreeSet;

use git2::{Diff, DiffFormat, DiffOptions};

use super::{GitError, Tree, error::Doing, repo};

/// Files above this size are shown as binary: nobody reads them in a pane.
const LARGEST: i64 = 4 * 1024 * 1024;

impl Tree {
    /// The ids of the commits that came after `base`, and of `base` itself.
    ///
    /// # Errors
    /// When `base` leads to no commit, or the history cannot be read.
    pub fn commits_since(&self, base: &str) -> Result<BTreeSet<String>, GitError> {
        let base = repo::commit(self.repository(), base)?.id();
        let doing = || format!("reading the history of {}", self.root());
        let mut walk = self.repository().revwalk().doing(doing)?;
        walk.push_head().and_then(|()| walk.hide(base)).doing(doing)?;
        let mut found = BTreeSet::from([base.to_string()]);
        for commit in walk {
            found.insert(commit.doing(doing)?.to_string());
        }
        Ok(found)
    }

    /// The files that differ between the commit `base` and the worktree as it is now, new ones included; sorted.
    ///
    /// # Errors
    /// When `base` leads to no commit, or the worktree cannot be read.
    pub fn changed_files(&self, base: &str) -> Result<Vec<String>, GitError> {
        let diff = self.since(base, &mut DiffOptions::new())?;
        let mut files: Vec<String> = diff
            .deltas()
            .filter_map(|delta| delta.new_file().path_bytes().or(delta.old_file().path_bytes()))
            .map(|path| String::from_utf8_lossy(path).into_owned())
            .collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// The same as a patch for people: renames found, bytes that are not UTF-8 replaced, cut after about `cap` bytes with a
    /// last line that says so.
    ///
    /// # Errors
    /// When `base` leads to no commit, or the worktree cannot be read.
    pub fn diff_text(&self, base: &str, cap: usize) -> Result<String, GitError> {
        let mut options = DiffOptions::new();
        options.show_untracked_content(true).max_size(LARGEST).indent_heuristic(true);
        let mut diff = self.since(base, &mut options)?;
        let mut similar = git2::DiffFindOptions::new();
        similar.renames(true).for_untracked(true);
        diff.find_similar(Some(&mut similar)).doing(|| format!("finding renames in {}", self.root()))?;
        let mut patch: Vec<u8> = Vec::new();
        let mut cut = false;
        let printed = diff.print(DiffFormat::Patch, |_, _, line| {
            if matches!(line.origin(), '+' | '-' | ' ') {
                patch.extend(u8::try_from(line.origin()));
            }
            let room = cap.saturating_sub(patch.len());
            let content = line.content();
            cut = content.len() > room;
            patch.extend_from_slice(&content[..content.len().min(room)]);
            !cut
        });
        if !cut {
            printed.doing(|| format!("comparing {} with {base}", self.root()))?;
        }
        let mut text = String::from_utf8_lossy(&patch).into_owned();
        if cut {
            text.push_str(&format!("\n… cut after {cap} bytes\n"));
        }
        Ok(text)
    }

    fn since(&self, base: &str, options: &mut DiffOptions) -> Result<Diff<'_>, GitError> {
        self.index()?;
        options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true);
        let tree = repo::commit(self.repository(), base)?.tree().doing(|| format!("reading the tree of {base}"))?;
        self.repository()
            .diff_tree_to_workdir_with_index(Some(&tree), Some(options))
            .doing(|| format!("comparing {} with {base}", self.root()))
    }
}

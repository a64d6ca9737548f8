//! What a session changed since its base, for people and for checks.

use std::collections::BTreeSet;

use git2::{Delta, Diff, DiffDelta, DiffFindOptions, DiffFormat, DiffOptions};
use serde::{Deserialize, Serialize};

use super::{GitError, Repo, Tree, error::Doing, repo};

/// Files above this size are shown as binary: nobody reads them in a pane.
const LARGEST: i64 = 4 * 1024 * 1024;

/// So much of one line is kept, in bytes.
const LONGEST: usize = 4 * 1024;

/// What a session changed, for people. Bytes that are not UTF-8 are replaced; control characters are still in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patch {
    /// In the order of their paths.
    pub files: Vec<FilePatch>,
    /// How many files differ; more than are in `files` where it was cut.
    pub all: usize,
    /// Whether the rest was left out since there was too much: the counts of the last file, and of all, are what was seen.
    pub cut: bool,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilePatch {
    /// Where it is now, or was last.
    pub path: String,
    /// Where it was before, when it was moved.
    pub from: Option<String>,
    /// What became of it.
    pub change: FileChange,
    /// How many lines are new.
    pub added: u32,
    /// How many lines are gone.
    pub removed: u32,
    /// Whether it has no lines to show.
    pub binary: bool,
    /// Its size in bytes where that is why it has none: nobody reads so much of it in a pane, so its lines are not counted.
    pub too_large: Option<u64>,
    /// Its changed lines with some around them.
    pub lines: Vec<PatchLine>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// It is new.
    Added,
    /// It is gone.
    Deleted,
    /// It has another content, or another kind.
    Modified,
    /// It is elsewhere, perhaps with another content.
    Renamed,
}

/// One line of a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatchLine {
    /// What it is.
    pub sign: Sign,
    /// Its number in the new file; in the old one, when it is gone. 0: it has none.
    pub number: u32,
    /// Its text, without the line's end.
    pub text: String,
}

/// What a line of a patch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// The head of a group of lines.
    Hunk,
    /// A line that did not change.
    Context,
    /// A line that is new.
    Added,
    /// A line that is gone.
    Removed,
}

impl Patch {
    /// The patch as programs write it, one file after the other.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for file in &self.files {
            let from = file.from.as_ref().unwrap_or(&file.path);
            text.push_str(&format!("--- {from}\n+++ {}\n", file.path));
            for line in &file.lines {
                let sign = match line.sign {
                    Sign::Hunk => "",
                    Sign::Context => " ",
                    Sign::Added => "+",
                    Sign::Removed => "-",
                };
                text.push_str(&format!("{sign}{}\n", line.text));
            }
        }
        if self.cut {
            text.push_str("… cut\n");
        }
        text
    }

    /// How many lines are new and how many are gone, in all files.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        self.files
            .iter()
            .fold((0, 0), |(added, removed), file| (added + u64::from(file.added), removed + u64::from(file.removed)))
    }
}

/// One file that is different in two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedFile {
    /// Relative to the root.
    pub path: String,
    /// Where it was before, if it was moved.
    pub from: Option<String>,
    /// Lines that came and lines that went; `None` for a file that has no lines, or too many.
    pub lines: Option<(usize, usize)>,
    /// Whether it has lines that were not counted, since it is too large.
    pub too_large: bool,
}

impl Repo {
    /// The files that differ between two commits, by path: at most the first `at_most`, and how many there are in all.
    ///
    /// # Errors
    /// When one of them leads to no commit, or cannot be read.
    pub fn changed_between(
        &self,
        base: &str,
        commit: &str,
        at_most: usize,
    ) -> Result<(Vec<ChangedFile>, usize), GitError> {
        let doing = || format!("comparing {commit} with {base}");
        let (old, new) = (self.commit(base)?.tree().doing(doing)?, self.commit(commit)?.tree().doing(doing)?);
        let mut options = DiffOptions::new();
        options.max_size(LARGEST).include_typechange(true);
        let mut diff = self.inner.diff_tree_to_tree(Some(&old), Some(&new), Some(&mut options)).doing(doing)?;
        diff.find_similar(Some(DiffFindOptions::new().renames(true))).doing(doing)?;
        let mut found = Vec::new();
        for at in 0..diff.deltas().len().min(at_most) {
            let Some(delta) = diff.get_delta(at) else { break };
            let name = |file: git2::DiffFile<'_>| {
                file.path_bytes().map(|path| String::from_utf8_lossy(path).into_owned()).unwrap_or_default()
            };
            let (from, path) = (name(delta.old_file()), name(delta.new_file()));
            let from = Some(from).filter(|from| delta.status() == git2::Delta::Renamed && *from != path);
            let (mut lines, mut too_large) = (None, false);
            if let Some(patch) = git2::Patch::from_diff(&diff, at).doing(doing)? {
                // Whether a file is binary is known once it was read.
                if patch.delta().flags().is_binary() {
                    too_large = size_if_too_large(&patch.delta()).is_some();
                } else {
                    let (_, came, went) = patch.line_stats().doing(doing)?;
                    lines = Some((came, went));
                }
            }
            found.push(ChangedFile { path, from, lines, too_large });
        }
        Ok((found, diff.deltas().len()))
    }
}

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

    /// What differs between the commit `base` and the worktree as it is now, new files included: of these paths only, or of
    /// all when none is given. Lines are kept up to about `cap` bytes.
    ///
    /// # Errors
    /// When `base` leads to no commit, or the worktree cannot be read.
    pub fn patch(&self, base: &str, paths: &[String], cap: usize) -> Result<Patch, GitError> {
        let mut options = for_people(paths);
        let diff = self.since(base, options.show_untracked_content(true))?;
        read(diff, cap).doing(|| format!("comparing {} with {base}", self.root()))
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

impl Repo {
    /// What differs between two commits: for a session whose worktree is gone. See [`Tree::patch`].
    ///
    /// # Errors
    /// When one of them leads to no commit, or cannot be read.
    pub fn patch(&self, base: &str, tip: &str, paths: &[String], cap: usize) -> Result<Patch, GitError> {
        let tree = |revision: &str| {
            let commit = repo::commit(&self.inner, revision)?;
            commit.tree().doing(|| format!("reading the tree of {revision}"))
        };
        let (old, new) = (tree(base)?, tree(tip)?);
        let diff = self.inner.diff_tree_to_tree(Some(&old), Some(&new), Some(&mut for_people(paths)));
        let doing = || format!("comparing {tip} with {base}");
        read(diff.doing(doing)?, cap).doing(doing)
    }
}

fn for_people(paths: &[String]) -> DiffOptions {
    let mut options = DiffOptions::new();
    // A path is a path here, whatever characters it has.
    options.max_size(LARGEST).indent_heuristic(true).disable_pathspec_match(true);
    for path in paths {
        options.pathspec(path);
    }
    options
}

fn read(mut diff: Diff<'_>, cap: usize) -> Result<Patch, git2::Error> {
    let mut similar = git2::DiffFindOptions::new();
    similar.renames(true).for_untracked(true);
    diff.find_similar(Some(&mut similar))?;
    let mut patch = Patch { all: diff.deltas().len(), ..Patch::default() };
    let mut room = cap;
    let printed = diff.print(DiffFormat::Patch, |delta, _, line| {
        let path = delta.new_file().path_bytes().or(delta.old_file().path_bytes()).unwrap_or_default();
        let path = String::from_utf8_lossy(path);
        if patch.files.last().is_none_or(|file| file.path != path) {
            if path.len() >= room {
                patch.cut = true;
                return false;
            }
            room -= path.len();
            patch.files.push(file(&delta, path.into_owned()));
        }
        let Some(file) = patch.files.last_mut() else { return true };
        let (sign, number) = match line.origin() {
            '+' => (Sign::Added, line.new_lineno()),
            '-' => (Sign::Removed, line.old_lineno()),
            ' ' => (Sign::Context, line.new_lineno()),
            'H' => (Sign::Hunk, None),
            'B' => {
                file.binary = true;
                file.too_large = size_if_too_large(&delta);
                return true;
            }
            // The file's head, and what says that a file ends without a line's end.
            _ => return true,
        };
        file.added += u32::from(sign == Sign::Added);
        file.removed += u32::from(sign == Sign::Removed);
        let content = line.content();
        let content = content.strip_suffix(b"\n").unwrap_or(content);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let kept = content.get(..content.len().min(LONGEST)).unwrap_or_default();
        if kept.len() >= room {
            patch.cut = true;
            return false;
        }
        room -= kept.len() + 1;
        let mut text = String::from_utf8_lossy(kept).into_owned();
        if kept.len() < content.len() {
            text.push('…');
        }
        file.lines.push(PatchLine { sign, number: number.unwrap_or(0), text });
        true
    });
    if !patch.cut {
        printed?;
    }
    Ok(patch)
}

/// The size of a file that was taken for binary since nobody reads so much.
fn size_if_too_large(delta: &DiffDelta<'_>) -> Option<u64> {
    let size = delta.new_file().size().max(delta.old_file().size());
    Some(size).filter(|size| *size > LARGEST.unsigned_abs())
}

fn file(delta: &DiffDelta<'_>, path: String) -> FilePatch {
    let before = delta.old_file().path_bytes().map(|path| String::from_utf8_lossy(path).into_owned());
    let change = match delta.status() {
        Delta::Added | Delta::Untracked | Delta::Copied => FileChange::Added,
        Delta::Deleted => FileChange::Deleted,
        Delta::Renamed => FileChange::Renamed,
        Delta::Modified
        | Delta::Unmodified
        | Delta::Ignored
        | Delta::Typechange
        | Delta::Unreadable
        | Delta::Conflicted => FileChange::Modified,
    };
    let from = before.filter(|from| change == FileChange::Renamed && *from != path);
    FilePatch { path, from, change, added: 0, removed: 0, binary: false, too_large: None, lines: Vec::new() }
}

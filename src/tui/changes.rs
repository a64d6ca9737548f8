//! What the selected session changed. Git is asked on a thread of its own: a large worktree takes its time, and neither the
//! screen nor the store's thread waits for it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
};

use camino::Utf8PathBuf;

use crate::{
    git::{FileChange, FilePatch, Patch, PatchLine, Repo, Sign, Tree},
    model::{Halt, SessionId, StepResult},
    workflow::{Validity, validity},
};

use super::{
    clean::{clean_line, visible, width},
    text::{Line, Lines, Page, Tone},
    words,
};

/// So much of a patch is shown, in bytes: nobody reads more of it in a pane.
const CAP: usize = 512 * 1024;
/// Lines of a patch are named from here on, so that others can stand before them.
const FIRST: u64 = 1 << 32;

/// What git is asked.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) session: SessionId,
    /// The project's repository: for when the worktree is gone.
    pub(super) root: Utf8PathBuf,
    pub(super) worktree: Option<Utf8PathBuf>,
    /// The commit that the session's branch began at.
    pub(super) base: Option<String>,
    pub(super) branch: Option<String>,
    /// Only these files; all when none is named.
    pub(super) files: Vec<String>,
    /// The newest halt with what its step found.
    pub(super) halt: Option<(Halt, Option<StepResult>)>,
}

/// What a session changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The session.
    pub session: SessionId,
    /// The files that were asked about; none: all.
    pub files: Vec<String>,
    /// The patch, or why there is none.
    pub lines: Lines,
    /// The content of the files that the newest halt is about, in one word.
    pub content: Option<String>,
    /// Whether the decision about the newest halt still is about what is there.
    pub validity: Option<Validity>,
}

/// Asks git.
pub(super) fn changes(job: Job) -> Changes {
    let tree = job.worktree.as_ref().and_then(|worktree| Tree::open(worktree).ok());
    let content = match (&job.halt, &tree) {
        (Some((halt, _)), Some(tree)) => tree.content_hash(&crate::workflow::halted_files(halt)).ok(),
        (None, _) | (_, None) => None,
    };
    let decided = job.halt.as_ref().and_then(|(halt, result)| Some((halt, halt.decision.as_ref()?, result.as_ref())));
    let validity = decided.map(|(halt, decision, result)| validity(decision, content.as_deref(), halt, result));
    let decided_on = decided.and_then(|(halt, _, _)| halt.evidence.pointer("/about/patch"));
    let decided_on = decided_on.and_then(|patch| serde_json::from_value::<Patch>(patch.clone()).ok());
    if let (Some(patch), Some(base), false) = (decided_on, &job.base, job.files.is_empty()) {
        let lines = lines(&patch, base, &Of::Decision);
        return Changes { session: job.session, files: job.files, lines, content, validity };
    }
    let lines = match (&job.base, &tree) {
        (None, _) => said(Tone::Dim, "Nothing yet: the session has no branch."),
        (Some(base), Some(tree)) => shown(tree.patch(base, &job.files, CAP), base, &Of::Worktree),
        (Some(base), None) => match &job.branch {
            Some(branch) => {
                let patch = Repo::open(&job.root).and_then(|repo| repo.patch(base, branch, &job.files, CAP));
                shown(patch, base, &Of::Branch(branch))
            }
            None => said(Tone::Dim, "Nothing yet: the session has no branch."),
        },
    };
    Changes { session: job.session, files: job.files, lines, content, validity }
}

/// What the patch is of.
enum Of<'a> {
    /// The worktree, as it is.
    Worktree,
    /// The branch: the worktree is gone.
    Branch(&'a str),
    /// What was decided on, as it was then.
    Decision,
}

impl Of<'_> {
    const fn note(&self) -> &'static str {
        match self {
            Self::Worktree => "",
            Self::Branch(_) => "  committed; its worktree is gone",
            Self::Decision => "  as it was when that was decided",
        }
    }

    /// Where the rest of a patch is that was cut.
    fn rest(&self, base: &str) -> String {
        let base = short(base);
        match self {
            Self::Worktree => {
                format!("in its worktree `git diff {base}` has all of it but the new files, which `git status` names")
            }
            Self::Branch(branch) => format!("`git diff {base} {}` has all of it", visible(branch)),
            Self::Decision => "no more of it was kept".to_owned(),
        }
    }
}

fn said(tone: Tone, text: &str) -> Lines {
    let mut page = Page::from(FIRST);
    page.add(|it| it.with(tone, text));
    page.done()
}

fn shown(patch: Result<Patch, crate::git::GitError>, base: &str, of: &Of<'_>) -> Lines {
    match patch {
        Ok(patch) if patch.files.is_empty() => {
            said(Tone::Dim, &format!("Nothing differs from {}.{}", short(base), of.note()))
        }
        Ok(patch) => lines(&patch, base, of),
        Err(error) => said(Tone::Bad, &clean_line(&error.to_string())),
    }
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

fn lines(patch: &Patch, base: &str, of: &Of<'_>) -> Lines {
    let mut page = Page::from(FIRST);
    let (added, removed) = patch.counts();
    // What was not read is not counted.
    let least = if patch.cut || patch.files.iter().any(|file| file.too_large.is_some()) { "≥" } else { "" };
    let files = words::count(patch.all, "file", "files");
    let shown = if patch.files.len() < patch.all { format!("{} of ", patch.files.len()) } else { String::new() };
    page.add(|line| {
        line.with(Tone::Strong, format!("{shown}{files}"))
            .with(Tone::Good, format!("  +{least}{added}"))
            .with(Tone::Bad, format!(" −{least}{removed}"))
            .with(Tone::Dim, format!("  since {}{}", short(base), of.note()))
    });
    let names = patch.files.iter().map(|file| width(&named(file))).max().unwrap_or(0).min(60);
    let last = patch.files.len().saturating_sub(1);
    let count = |line: Line, at: usize, file: &FilePatch| count(line, file, patch.cut && at == last);
    for (at, file) in patch.files.iter().enumerate() {
        let (sign, tone) = sign(file.change);
        let name = named(file);
        let pad = " ".repeat(names.saturating_sub(width(&name)));
        page.add(|line| count(line.with(tone, format!("{sign} ")).with(Tone::Plain, name + &pad), at, file).hanging(2));
    }
    for (at, file) in patch.files.iter().enumerate() {
        page.add(|line| line);
        page.add(|line| count(line.with(Tone::Title, format!("━ {}", named(file))), at, file).hanging(2));
        if file.too_large.is_some() {
            page.add(|line| line.with(Tone::Dim, "  too large to be shown"));
        } else if file.binary {
            page.add(|line| line.with(Tone::Dim, "  not text"));
        }
        let digits = file.lines.iter().map(|line| line.number).max().unwrap_or(0).to_string().len();
        for line in &file.lines {
            page.add(|it| one(it, line, digits));
        }
    }
    if patch.cut {
        page.add(|line| line);
        page.add(|line| line.with(Tone::Warn, format!("… cut after {} KiB; {}", CAP / 1024, of.rest(base))).hanging(2));
    }
    page.done()
}

fn named(file: &FilePatch) -> String {
    let path = visible(&file.path);
    file.from.as_ref().map_or_else(|| path.clone(), |from| format!("{} → {path}", visible(from)))
}

/// Its counts; where it was cut, they are the least that it has.
fn count(line: Line, file: &FilePatch, cut: bool) -> Line {
    if let Some(size) = file.too_large {
        return line.with(Tone::Dim, format!("  {} MiB, its lines are not counted", size / 1024 / 1024));
    }
    let least = if cut { "≥" } else { "" };
    let line = if file.added > 0 { line.with(Tone::Good, format!("  +{least}{}", file.added)) } else { line };
    if file.removed > 0 { line.with(Tone::Bad, format!("  −{least}{}", file.removed)) } else { line }
}

const fn sign(change: FileChange) -> (&'static str, Tone) {
    match change {
        FileChange::Added => ("A", Tone::Good),
        FileChange::Deleted => ("D", Tone::Bad),
        FileChange::Modified => ("M", Tone::Busy),
        FileChange::Renamed => ("R", Tone::Busy),
    }
}

fn one(it: Line, line: &PatchLine, digits: usize) -> Line {
    let text = visible(&line.text.replace('\t', "    "));
    let (sign, tone) = match line.sign {
        Sign::Hunk => return it.with(Tone::Dim, text),
        Sign::Context => (' ', Tone::Output),
        Sign::Added => ('+', Tone::Good),
        Sign::Removed => ('-', Tone::Bad),
    };
    it.with(Tone::Dim, format!("{:>digits$} ", line.number)).with(tone, format!("{sign}{text}")).hanging(digits + 2)
}

/// The thread that asks git. A newer job stands for an older one that was not begun.
pub(super) struct Differ {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    todo: Mutex<(Option<Job>, bool)>,
    filled: std::sync::Condvar,
}

impl Differ {
    /// Starts it. `done` gets what it finds.
    ///
    /// # Errors
    /// When the system refuses a thread.
    pub(super) fn start(done: impl Fn(Changes) + Send + 'static) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("board-git".into()).spawn(move || {
            while let Some(job) = theirs.next() {
                done(changes(job));
            }
        })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    pub(super) fn ask(&self, job: Job) {
        self.shared.todo.lock().unwrap_or_else(PoisonError::into_inner).0 = Some(job);
        self.shared.filled.notify_one();
    }
}

impl Shared {
    fn next(&self) -> Option<Job> {
        let mut todo = self.todo.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if todo.1 {
                return None;
            }
            if let Some(job) = todo.0.take() {
                return Some(job);
            }
            todo = self.filled.wait(todo).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Differ {
    /// The thread ends by itself when it is done with what it does: leaving the board does not wait for git.
    fn drop(&mut self) {
        self.shared.todo.lock().unwrap_or_else(PoisonError::into_inner).1 = true;
        self.shared.filled.notify_one();
        drop(self.thread.take());
    }
}

//! `report`: a document about a session, and reading what test runners print.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use camino::Utf8Path;

use crate::{
    engine,
    git::{ChangedFile, FilePatch, Repo, Tree},
    model::{Generation, Halt, Interaction, Limits, Origin, Session, SessionId},
    report::{self, Bond, Changes, Facts, Holding, Told},
    store::{SessionFilter, Store},
    workflow::{self, Validity},
};

use super::{
    args::{Document, Global, Report, ReportCommand},
    error::CliError,
    input,
    place::Place,
    print,
};

/// So much of what is not committed is counted, in bytes.
const WORKTREE: usize = 8 * 1024 * 1024;
/// Larger reports are not read.
const LIMIT: u64 = 256 * 1024 * 1024;
/// So many sessions beside the one that was asked for are told of.
const OTHERS: usize = 60;
/// So much of what was asked about a session is told.
const ASKED: usize = 300;
/// So many files of a session's changes are told.
const FILES: usize = 300;

pub(super) fn report(global: &Global, args: &Report) -> Result<u8, CliError> {
    if let Some(ReportCommand::Parse { format, file }) = &args.what {
        print::json(&format.parse(&input::read(file, "report", LIMIT)?, Utf8Path::new(".")));
        return Ok(0);
    }
    let place = Place::find(global)?;
    let store = place.open()?;
    let id = store.find(args.id.as_deref().unwrap_or_default())?;
    let facts = Collector::new(&place, &store)?.facts(id)?;
    let text = match format(args) {
        Document::Markdown => report::markdown(&facts),
        Document::Html => report::html(&facts),
    };
    match &args.output {
        None => print::raw(&text),
        Some(file) => {
            fs::write(file, text).map_err(|error| CliError::Failed(format!("{file} cannot be written: {error}")))?;
            print::note(&format!("written to {file}"));
        }
    }
    Ok(0)
}

fn format(args: &Report) -> Document {
    let ending = args.output.as_deref().and_then(Utf8Path::extension).unwrap_or_default();
    let by_name = if matches!(ending, "html" | "htm") { Document::Html } else { Document::Markdown };
    args.format.unwrap_or(by_name)
}

/// Collects what a report is made from.
struct Collector<'a> {
    place: &'a Place,
    store: &'a Store,
    /// Without it, nothing is known of the changes; why it is not there.
    repo: Result<Repo, String>,
    sessions: BTreeMap<SessionId, Session>,
}

impl<'a> Collector<'a> {
    fn new(place: &'a Place, store: &'a Store) -> Result<Self, CliError> {
        let sessions = store.sessions(SessionFilter::default())?;
        Ok(Self {
            place,
            store,
            repo: Repo::open(&place.root).map_err(|error| error.to_string()),
            sessions: sessions.into_iter().map(|(session, _)| (session.id, session)).collect(),
        })
    }

    fn facts(&self, id: SessionId) -> Result<Facts, CliError> {
        let family = self.family(id);
        let mut others: Vec<(Bond, Told)> = Vec::new();
        let mut left_out = 0;
        for session in self.sessions.values().filter(|session| session.id != id) {
            let bond = if family.contains(&session.id) {
                Bond::Child
            } else if session.generation > 1 && self.generations_by(session.id, &family)?.next().is_some() {
                Bond::Woken
            } else {
                continue;
            };
            if others.len() < OTHERS {
                others.push((bond, self.told(session.id, (bond == Bond::Woken).then_some(&family))?));
            } else {
                left_out += 1;
            }
        }
        let subject = self.told(id, None)?;
        let name = |session: &Session| format!("The {} session of {}", session.kind, session.component);
        Ok(Facts {
            project: self.place.project().map_or_else(|_| self.folder(), |project| project.name),
            made_at: engine::now(),
            // Those of a context's components are for the components' own tests.
            criteria: self.place.criteria(self.store, Some(&subject.session.component))?,
            subject,
            others,
            left_out,
            names: self.sessions.values().map(|session| (session.id, name(session))).collect(),
        })
    }

    fn folder(&self) -> String {
        self.place.root.file_name().unwrap_or_default().to_owned()
    }

    /// A session and everything that it spawned.
    fn family(&self, id: SessionId) -> BTreeSet<SessionId> {
        let mut family = BTreeSet::from([id]);
        // Ids sort by when they were made, but a clock may be set back: as often as it takes.
        loop {
            let before = family.len();
            for session in self.sessions.values() {
                if session.parent_id.is_some_and(|parent| family.contains(&parent)) {
                    family.insert(session.id);
                }
            }
            if family.len() == before {
                return family;
            }
        }
    }

    /// The generations of a session that one of a family opened.
    fn generations_by(
        &self,
        id: SessionId,
        family: &BTreeSet<SessionId>,
    ) -> Result<impl Iterator<Item = Generation> + use<'_>, CliError> {
        let family = family.clone();
        let generations = self.store.generations(id)?;
        Ok(generations
            .into_iter()
            .filter(move |it| matches!(&it.origin, Origin::Session { id } if family.contains(id))))
    }

    /// What is told of a session; of one that was woken, what it did when this family had woken it.
    fn told(&self, id: SessionId, woken_by: Option<&BTreeSet<SessionId>>) -> Result<Told, CliError> {
        let session = self.store.session(id)?;
        let generations: Vec<Generation> = match woken_by {
            Some(family) => self.generations_by(id, family)?.collect(),
            None => self.store.generations(id)?,
        };
        let counts: BTreeSet<u32> = generations.iter().map(|generation| generation.number).collect();
        let all = self.store.interactions(id, 0)?;
        let interactions: Vec<Interaction> = all.into_iter().filter(|it| counts.contains(&it.generation)).collect();
        let mut halts = Vec::new();
        for halt in self.store.halts(id)? {
            if woken_by.is_none() || interactions.iter().any(|it| it.seq == halt.seq) {
                let holding = self.holding(&session, &halt)?;
                halts.push((halt, holding));
            }
        }
        let shown = |seq: u32| interactions.iter().any(|it| it.seq == seq);
        let ledger = self.store.ledger(id)?.into_iter().filter(|row| shown(row.first) || shown(row.last)).collect();
        Ok(Told {
            standing: self.standing(&session)?,
            asked: self.store.asked(id, ASKED)?,
            changes: self.changes(&session),
            woke: self.store.woke(id)?,
            generations,
            interactions,
            halts,
            ledger,
            session,
        })
    }

    fn standing(&self, session: &Session) -> Result<Option<String>, CliError> {
        if session.status.is_terminal() {
            return Ok(None);
        }
        let limits = self.place.project().map_or_else(|_| Limits::default(), |project| project.limits);
        let engine = engine::holder(&self.place.store).is_some();
        let facts = self.store.facts(&self.store.detail(session.id)?, &limits, engine, engine::now())?;
        Ok(Some(workflow::why(&facts).state))
    }

    /// Whether the decision about a halt still is about what it was made on.
    fn holding(&self, session: &Session, halt: &Halt) -> Result<Option<Holding>, CliError> {
        let Some(decision) = &halt.decision else { return Ok(None) };
        let tree = match session.worktree.as_ref().map(|worktree| (worktree, Tree::open(worktree))) {
            Some((_, Ok(tree))) => tree,
            Some((worktree, Err(error))) if worktree.exists() => return Ok(Some(Holding::Unknown(error.to_string()))),
            Some((_, Err(_))) | None => return Ok(Some(Holding::Unknown("its worktree is gone".to_owned()))),
        };
        let result = self.store.interaction(session.id, halt.seq)?.and_then(|interaction| interaction.result);
        let content = tree.content_hash(&workflow::halted_files(halt)).ok();
        Ok(Some(match workflow::validity(decision, content.as_deref(), halt, result.as_ref()) {
            Validity::Holds => Holding::Holds,
            Validity::Void => Holding::Void,
            Validity::Unknown => Holding::Unknown("its worktree cannot be read".to_owned()),
        }))
    }

    /// What is committed on a session's branch, by git.
    fn changes(&self, session: &Session) -> Changes {
        let noted = |note: String| Changes { note: Some(note), ..Changes::default() };
        let (Some(branch), Some(base)) = (&session.branch, &session.base_commit) else {
            return noted("It has no branch yet.".to_owned());
        };
        let repo = match &self.repo {
            Ok(repo) => repo,
            Err(error) => return noted(format!("The repository cannot be read: {error}.")),
        };
        if let Some(changes) = uncommitted(session, base) {
            return changes;
        }
        let (tip, note) = match (repo.tip(branch), &session.commit) {
            (Ok(Some(tip)), _) => (tip, None),
            (Ok(None), Some(commit)) => {
                let note = format!("The branch {branch} is gone; this is what its last recorded commit has.");
                (commit.clone(), Some(note))
            }
            (Ok(None), None) => {
                return noted(format!("The branch {branch} is gone, and no commit of it is on record."));
            }
            (Err(error), _) => return noted(format!("The branch {branch} cannot be read: {error}.")),
        };
        match repo.changed_between(base, &tip, FILES) {
            Ok((_, 0)) => noted("Nothing is committed on its branch.".to_owned()),
            Ok((files, all)) => Changes { range: Some((base.clone(), tip)), files, all, note },
            Err(error) if note.is_some() => noted(format!("The branch {branch} is gone, and so is its work: {error}.")),
            Err(error) => noted(format!("What changed cannot be read: {error}.")),
        }
    }
}

/// What the worktree of a session has, if not all of it is committed.
fn uncommitted(session: &Session, base: &str) -> Option<Changes> {
    let tree = Tree::open(session.worktree.as_ref()?).ok()?;
    if !tree.is_dirty().ok()? {
        return None;
    }
    let patch = tree.patch(base, &[], WORKTREE).ok()?;
    let count = |lines: u32| usize::try_from(lines).unwrap_or(usize::MAX);
    let file = |file: &FilePatch| ChangedFile {
        path: file.path.clone(),
        from: file.from.clone(),
        lines: (!file.binary).then(|| (count(file.added), count(file.removed))),
        too_large: file.too_large.is_some(),
    };
    Some(Changes {
        range: Some((base.to_owned(), "worktree".to_owned())),
        files: patch.files.iter().take(FILES).map(file).collect(),
        all: patch.all,
        note: Some("Not all of it is committed: this is what the worktree has now.".to_owned()),
    })
}

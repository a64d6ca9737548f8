//! Reading the store for the screen, and writing to it what the person asks for. What is read is bounded: it does not grow
//! with what the sessions have written, and what did not change is not made anew.

use std::{
    collections::HashMap,
    sync::{Arc, mpsc::Sender},
};

use camino::Utf8Path;

use crate::{
    git::Repo,
    model::{
        Answer, Command, Data, Intent, IntentAction, IntentId, Interaction, Limits, Micros, Origin, ResultStatus,
        SessionId, Status, Step,
    },
    store::{Board, Change, CriterionRecord, Detail, Store, StoreError},
    workflow::{Chapters, halted_files, story, why},
};

use super::{
    EngineStart, EngineWatch, Message,
    changes::{self, Changes, Differ, Job},
    live::{Newest, Span, Window},
    snapshot::{Criteria, Inspected, Snapshot, Story},
    tree::{Node, Tree},
};

/// Of the sessions that have ended so many are on the board.
pub(super) const ENDED: u32 = 400;
/// What others wrote is looked at no more often than this, in microseconds: a flood of writes costs no more than that.
const PAUSE: Micros = 60_000;
/// An engine is started no more often than this, in microseconds.
const STARTS: Micros = 10_000_000;
/// Git is asked the same again no more often than this, in microseconds.
const GIT_PAUSE: Micros = 2_000_000;

/// What the screen looks at, and so what the worker reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// The selected session.
    pub session: Option<SessionId>,
    /// Which of its events.
    pub span: Span,
    /// Children whose newest event is shown.
    pub children: Vec<SessionId>,
    /// Whether the inbox is open.
    pub inbox: bool,
    /// Whether its story is read.
    pub story: bool,
    /// Whether its acceptance criteria are looked at.
    pub criteria: bool,
    /// What of its changes is looked at.
    pub changes: Option<Wanted>,
}

/// What of a session's changes is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Everything.
    All,
    /// The files that its newest halt is about.
    Halted,
}

/// Something to be asked of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The number under which its answer comes back.
    pub ticket: u64,
    /// The session that it is about.
    pub session: SessionId,
    /// What.
    pub action: IntentAction,
}

/// Reads the store.
pub(super) struct Reader {
    store: Store,
    project: String,
    engine: EngineWatch,
    start: EngineStart,
    started_at: Option<Micros>,
    limits: Limits,
    now: fn() -> Micros,
    view: View,
    window: Option<Window>,
    snapshot: Snapshot,
    board: Board,
    version: Option<i64>,
    read_at: Option<Micros>,
    open: Vec<(u64, IntentId)>,
    differ: Option<Differ>,
    asked: Option<Asked>,
    compared: Option<Compared>,
    /// The attempts of the session whose story is read: what has ended never changes, and is read once.
    attempts: Vec<Interaction>,
}

/// What git was asked about last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Asked {
    session: SessionId,
    wanted: Wanted,
    /// The session's newest attempt, how it ended, and how the session stands.
    state: (u32, Option<ResultStatus>, Status),
    decided: bool,
    at: Micros,
}

/// Criteria beside the checkout.
struct Compared {
    /// As the store has them.
    read: Vec<CriterionRecord>,
    /// As they stand, all told.
    standing: Vec<CriterionRecord>,
    /// When git was asked.
    at: Micros,
}

impl Reader {
    /// A reader that has read nothing.
    #[must_use]
    pub(super) fn new(
        store: Store,
        project: String,
        (engine, start): (EngineWatch, EngineStart),
        limits: Limits,
        now: fn() -> Micros,
    ) -> Self {
        let view = View {
            session: None,
            span: Span::Tail,
            children: Vec::new(),
            inbox: false,
            story: false,
            criteria: false,
            changes: None,
        };
        Self {
            store,
            project,
            engine,
            start,
            started_at: None,
            limits,
            now,
            view,
            window: None,
            snapshot: Snapshot::default(),
            board: Board::default(),
            version: None,
            read_at: None,
            open: Vec::new(),
            differ: None,
            asked: None,
            compared: None,
            attempts: Vec::new(),
        }
    }

    /// From now on git is asked on this thread.
    pub(super) fn ask_git_on(&mut self, differ: Differ) {
        self.differ = Some(differ);
    }

    /// Takes in what git said.
    pub(super) fn changed(&mut self, changes: Changes) -> bool {
        let wanted = self.view.changes.is_some() && self.view.session == Some(changes.session);
        let news = wanted && self.snapshot.changes.as_deref() != Some(&changes);
        if news {
            self.snapshot.changes = Some(Arc::new(changes));
        }
        news
    }

    /// The board for the first frame.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(super) fn first(&mut self) -> Result<Snapshot, StoreError> {
        self.read_board()?;
        self.check_engine();
        Ok(self.snapshot.clone())
    }

    /// The snapshot with another session in view.
    pub(super) fn looked_at(&mut self, view: View) -> Snapshot {
        self.look(view);
        self.snapshot.clone()
    }

    /// What was read last.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.snapshot.clone()
    }

    /// Where the store is.
    pub(super) fn path(&self) -> &Utf8Path {
        self.store.path()
    }

    /// How long the store is to be left alone, in microseconds.
    pub(super) fn rest(&self) -> Micros {
        self.read_at.map_or(0, |at| (at + PAUSE - (self.now)()).clamp(0, PAUSE))
    }

    pub(super) fn ask(&mut self, ask: Ask, news: &Sender<Message>) {
        let id = IntentId::generate();
        let intent = Intent { id, session_id: ask.session, user: String::new(), action: ask.action, at: (self.now)() };
        let message = match self.store.apply(&vec![Change::Ask(intent)]) {
            Ok(()) => {
                self.open.push((ask.ticket, id));
                self.need_engine();
                Message::Asked { ticket: ask.ticket }
            }
            Err(error) => Message::NotAsked { ticket: ask.ticket, why: error.to_string() },
        };
        news.send(message).unwrap_or_default();
    }

    pub(super) fn look(&mut self, view: View) -> bool {
        let other = view.session != self.view.session;
        let children = other || view.children != self.view.children;
        let inbox = view.inbox && !self.view.inbox;
        let story = other || view.story != self.view.story;
        let criteria = other || view.criteria != self.view.criteria;
        let changes = other || view.changes != self.view.changes;
        self.view = view;
        let read = |reader: &mut Self| -> Result<(), StoreError> {
            if other {
                reader.read_detail()?;
            }
            if children {
                reader.read_newest()?;
            }
            if inbox {
                reader.read_inbox()?;
            }
            if story {
                reader.read_story()?;
            }
            if criteria {
                reader.compared = None;
                reader.read_criteria()?;
            }
            if changes {
                reader.snapshot.changes = None;
                reader.asked = None;
                reader.read_changes()?;
            }
            reader.read_live()
        };
        let result = read(self);
        self.note_trouble(result);
        true
    }

    /// Reads what others may have written. Answers whether they had.
    pub(super) fn refresh(&mut self, news: &Sender<Message>) -> bool {
        self.read_at = Some((self.now)());
        let version = self.store.data_version().ok();
        if version.is_some() && version == self.version && self.snapshot.trouble.is_none() {
            return false;
        }
        self.version = version;
        let read = |reader: &mut Self| -> Result<(), StoreError> {
            reader.read_board()?;
            reader.read_detail()?;
            reader.read_live()?;
            reader.read_newest()?;
            if reader.view.inbox {
                reader.read_inbox()?;
            }
            reader.read_story()?;
            reader.read_criteria()?;
            reader.read_changes()?;
            reader.read_answers(news)
        };
        let result = read(self);
        self.note_trouble(result);
        true
    }

    fn note_trouble(&mut self, result: Result<(), StoreError>) {
        self.snapshot.trouble = result.err().map(|error| error.to_string());
    }

    /// Has an engine started if there is none; not twice in a row, since one takes a moment to come up.
    fn need_engine(&mut self) {
        let now = (self.now)();
        let just = self.started_at.is_some_and(|at| (0..STARTS).contains(&(now - at)));
        if !just && !(self.engine)() {
            self.started_at = Some(now);
            (self.start)();
        }
    }

    pub(super) fn check_engine(&mut self) -> bool {
        // What was being done when an engine died is taken up by the next one.
        if self.snapshot.tree.counts.running > 0 {
            self.need_engine();
        }
        let alive = (self.engine)();
        let news = alive != self.snapshot.engine;
        self.snapshot.engine = alive;
        news
    }

    fn read_board(&mut self) -> Result<(), StoreError> {
        let mut board = self.store.board(ENDED)?;
        if board.project.is_empty() {
            board.project.clone_from(&self.project);
        }
        if board != self.board {
            self.board = board.clone();
            let tree = Tree::new(board);
            let ended = tree.nodes.len() - tree.counts.active;
            self.snapshot.more = ended >= ENDED as usize;
            self.snapshot.tree = Arc::new(tree);
        }
        Ok(())
    }

    fn read_detail(&mut self) -> Result<(), StoreError> {
        let Some(session) = self.view.session else {
            self.snapshot.inspected = None;
            return Ok(());
        };
        // What was read last and what is read now are of one moment.
        let _glance = self.store.glance()?;
        let last = self.snapshot.inspected(session).map(|last| self.store.detail_since(&last.detail));
        let detail = match last.unwrap_or_else(|| self.store.detail(session)) {
            Ok(detail) => Detail { events: 0, ..detail },
            Err(StoreError::UnknownSession { .. }) => {
                self.snapshot.inspected = None;
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let anew = || self.store.detail(session).map(|anew| Detail { events: 0, ..anew }).ok();
        debug_assert_eq!(anew().as_ref(), Some(&detail), "what was kept is stale");
        let facts = self.store.facts(&detail, &self.limits, self.snapshot.engine, (self.now)())?;
        let inspected = Inspected { detail, why: why(&facts) };
        if self.snapshot.inspected.as_deref() != Some(&inspected) {
            self.snapshot.inspected = Some(Arc::new(inspected));
        }
        Ok(())
    }

    fn read_live(&mut self) -> Result<(), StoreError> {
        let Some(session) = self.view.session else {
            self.snapshot.live = None;
            self.window = None;
            return Ok(());
        };
        let total = self.store.event_count(session)?;
        let mut window =
            self.window.take().filter(|window| window.session() == session).unwrap_or(Window::new(session));
        if let Some((after, at_most)) = window.wants(self.view.span, total) {
            window.add(&self.store.events(session, after, at_most)?);
        }
        let live = window.show(total);
        self.window = Some(window);
        if self.snapshot.live.as_deref() != Some(&live) {
            self.snapshot.live = Some(Arc::new(live));
        }
        Ok(())
    }

    fn read_story(&mut self) -> Result<(), StoreError> {
        let Some(inspected) = self.snapshot.inspected.clone().filter(|_| self.view.story) else {
            self.snapshot.story = None;
            self.attempts = Vec::new();
            return Ok(());
        };
        let detail = &inspected.detail;
        let session = detail.session.id;
        if self.attempts.first().is_some_and(|first| first.session_id != session) {
            self.attempts.clear();
        }
        self.attempts.pop_if(|last| last.result.is_none());
        let first = detail.attempts.first().map_or(0, |first| first.seq.saturating_sub(1));
        let known = self.attempts.last().map_or(0, |last| last.seq);
        let mut read = self.store.interactions(session, known.max(first))?;
        for attempt in &mut read {
            // Long, and not told.
            if let Command::Agent { prompt, .. } = &mut attempt.command {
                prompt.clear();
            }
        }
        self.attempts.extend(read);
        self.attempts.retain(|attempt| attempt.seq > first);
        let named = |node: &Node| (node.row.id, format!("The {} session of {}", node.row.kind, node.name));
        let wakers = detail.generations.iter().filter_map(|generation| match &generation.origin {
            Origin::Session { id } => Some(*id),
            Origin::New | Origin::Person { .. } => None,
        });
        let names = wakers.chain(detail.session.parent_id).filter_map(|id| self.snapshot.tree.node(id).map(named));
        let sentences = story(Chapters {
            session: &detail.session,
            generations: &detail.generations,
            interactions: &self.attempts,
            halts: &detail.halts,
            woke: &self.store.woke(session)?,
            names: &names.collect(),
        });
        let story = Story { session, sentences };
        if self.snapshot.story.as_deref() != Some(&story) {
            self.snapshot.story = Some(Arc::new(story));
        }
        Ok(())
    }

    fn read_criteria(&mut self) -> Result<(), StoreError> {
        let inspected = self.snapshot.inspected.as_ref().filter(|_| self.view.criteria);
        let Some((session, component)) = inspected.map(|it| (it.detail.session.id, &it.detail.session.component))
        else {
            self.snapshot.criteria = None;
            self.compared = None;
            return Ok(());
        };
        let records = self.store.criteria_around(component)?;
        let records = self.compare(records);
        let found = self.store.last_result(session, Step::ValidateAcceptanceCriteria)?;
        let (checks, gap_analysis) = match found.and_then(|result| result.data) {
            Some(Data::Criteria { criteria, gap_analysis }) => (criteria, gap_analysis),
            Some(_) | None => (Vec::new(), None),
        };
        let criteria = Criteria { session, records, checks, gap_analysis };
        if self.snapshot.criteria.as_deref() != Some(&criteria) {
            self.snapshot.criteria = Some(Arc::new(criteria));
        }
        Ok(())
    }

    /// Whether the checkout has moved on since the criteria were shown. Git is not asked at each write of a busy session: the
    /// way from an old commit to the checkout's is long.
    fn compare(&mut self, read: Vec<CriterionRecord>) -> Vec<CriterionRecord> {
        let at = (self.now)();
        let holds = |last: &&Compared| last.read == read && (0..GIT_PAUSE).contains(&(at - last.at));
        if let Some(last) = self.compared.as_ref().filter(holds) {
            return last.standing.clone();
        }
        let mut standing = read.clone();
        if let Ok(repo) = Repo::open(Utf8Path::new(&self.store.scope().project))
            && let Ok(mut progress) = repo.progress()
        {
            for record in &mut standing {
                record.compare(|commit, files| progress.moved_on(commit, files).unwrap_or(false));
            }
        }
        self.compared = Some(Compared { read, standing: standing.clone(), at });
        standing
    }

    /// Has git asked what the selected session changed, when somebody looks at that and it may have changed since.
    fn read_changes(&mut self) -> Result<(), StoreError> {
        let (Some(wanted), Some(inspected)) = (self.view.changes, self.snapshot.inspected.clone()) else {
            self.snapshot.changes = None;
            self.asked = None;
            return Ok(());
        };
        let detail = &inspected.detail;
        let last = detail.attempts.last();
        let now = Asked {
            session: detail.session.id,
            wanted,
            state: (last.map_or(0, |last| last.seq), last.and_then(|last| last.status), detail.session.status),
            decided: detail.halt.as_ref().is_some_and(|halt| halt.decision.is_some()),
            at: (self.now)(),
        };
        let same = self.asked.as_ref().is_some_and(|asked| {
            // A halt is decided by what is shown: it is looked at again when anything happens.
            let moving = detail.row.is_running() || wanted == Wanted::Halted;
            let settled = !moving || now.at - asked.at < GIT_PAUSE;
            settled && Asked { at: asked.at, ..now.clone() } == *asked
        });
        if same {
            return Ok(());
        }
        self.asked = Some(now);
        let job = self.job(detail, wanted)?;
        match &self.differ {
            Some(differ) => differ.ask(job),
            None => self.snapshot.changes = Some(Arc::new(changes::changes(job))),
        }
        Ok(())
    }

    fn job(&self, detail: &Detail, wanted: Wanted) -> Result<Job, StoreError> {
        let session = &detail.session;
        let result = match &detail.halt {
            Some(halt) => self.store.interaction(session.id, halt.seq)?.and_then(|interaction| interaction.result),
            None => None,
        };
        let files = match (wanted, &detail.halt) {
            (Wanted::Halted, Some(halt)) => halted_files(halt),
            (Wanted::Halted | Wanted::All, _) => Vec::new(),
        };
        Ok(Job {
            session: session.id,
            root: self.store.scope().project.clone().into(),
            worktree: session.worktree.clone(),
            base: session.base_commit.clone(),
            branch: session.branch.clone(),
            files,
            halt: detail.halt.clone().map(|halt| (halt, result)),
        })
    }

    fn read_newest(&mut self) -> Result<(), StoreError> {
        let mut newest = HashMap::new();
        for child in &self.view.children {
            if let Some(event) = self.store.last_event(*child)? {
                newest.insert(*child, Newest::of(&event));
            }
        }
        if *self.snapshot.newest != newest {
            self.snapshot.newest = Arc::new(newest);
        }
        Ok(())
    }

    fn read_inbox(&mut self) -> Result<(), StoreError> {
        let mut items = Vec::new();
        for node in &self.snapshot.tree.nodes {
            items.extend(self.store.inbox_item(&node.row)?);
        }
        items.sort_by_key(|item| item.since);
        self.snapshot.inbox = Arc::new(items);
        Ok(())
    }

    fn read_answers(&mut self, news: &Sender<Message>) -> Result<(), StoreError> {
        let mut answered = Vec::new();
        for (ticket, id) in &self.open {
            if let Some(answer) = self.store.answer(*id)? {
                answered.push((*ticket, answer));
            }
        }
        for (ticket, answer) in answered {
            self.open.retain(|(open, _)| *open != ticket);
            tell(news, ticket, answer);
        }
        Ok(())
    }
}

fn tell(news: &Sender<Message>, ticket: u64, answer: Answer) {
    news.send(Message::Answered { ticket, answer }).unwrap_or_default();
}

//! What the screen itself remembers: only what a second window on the same store would not share.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use jiff::tz::TimeZone;
use ratatui::layout::Rect;

use crate::model::{IntentAction, Micros, SessionId, Status};

use super::{
    changes::Changes,
    keys::Scope,
    layout::{self, Areas, Focus, SessionAreas},
    live::{Live, Span},
    panes::{self, Moment, Pane},
    reader::{View, Wanted},
    scroll::{Port, Position},
    snapshot::{Criteria, Inspected, Snapshot, Story},
    stack::Overlay,
    text::{Lines, Tone},
    theme::Colors,
    tree::Tree,
};

/// So many rows at most are above the pane's names.
const HEAD: usize = 12;

/// One sentence to the person, above the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// When it appeared.
    pub at: Micros,
}

/// Something that was asked of the engine and is not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The session.
    pub session: SessionId,
    /// What.
    pub action: IntentAction,
    /// Both in words.
    pub words: String,
}

/// What a pane's lines were made from: while it is the same, so are they.
#[derive(Debug)]
struct Source {
    session: Option<SessionId>,
    pane: Pane,
    inspected: Option<Arc<Inspected>>,
    live: Option<Arc<Live>>,
    story: Option<Arc<Story>>,
    criteria: Option<Arc<Criteria>>,
    changes: Option<Arc<Changes>>,
    /// For what moves with the time.
    second: Micros,
}

impl Source {
    fn of(model: &Model, snapshot: &Snapshot) -> Self {
        let second = if model.pane == Pane::History { model.now / 1_000_000 } else { 0 };
        Self {
            session: model.selected,
            pane: model.pane,
            inspected: snapshot.inspected.clone(),
            live: snapshot.live.clone(),
            story: snapshot.story.clone(),
            criteria: snapshot.criteria.clone(),
            changes: snapshot.changes.clone(),
            second,
        }
    }

    fn is(&self, other: &Self) -> bool {
        fn same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
            a.map(Arc::as_ptr) == b.map(Arc::as_ptr)
        }
        (self.session, self.pane, self.second) == (other.session, other.pane, other.second)
            && same(self.inspected.as_ref(), other.inspected.as_ref())
            && same(self.live.as_ref(), other.live.as_ref())
            && same(self.story.as_ref(), other.story.as_ref())
            && same(self.criteria.as_ref(), other.criteria.as_ref())
            && same(self.changes.as_ref(), other.changes.as_ref())
    }
}

/// What the screen remembers.
#[derive(Debug)]
pub struct Model {
    /// Columns and rows.
    pub size: (u16, u16),
    /// Now.
    pub now: Micros,
    /// The zone in which times are shown.
    pub zone: TimeZone,
    /// The colours that may be used.
    pub colors: Colors,
    /// The selected session.
    pub selected: Option<SessionId>,
    /// What the keys that move act on.
    pub focus: Focus,
    /// The pane that is shown.
    pub pane: Pane,
    /// Whether tree or pane have the screen to themselves.
    pub zoomed: bool,
    /// What the sessions' texts must have in them.
    pub filter: String,
    /// What is on top, the topmost last.
    pub overlays: Vec<Overlay>,
    /// What is said to the person.
    pub notice: Option<Notice>,
    /// What was asked and is not answered yet, by ticket.
    pub asked: BTreeMap<u64, Asked>,
    pub(super) tickets: u64,
    pub(super) folded: HashSet<SessionId>,
    pub(super) positions: HashMap<Pane, Position>,
    /// The first row of the tree that is drawn.
    pub(super) top: usize,
    known: HashSet<SessionId>,
    /// Those that had an active child when the tree was listed last.
    at_work: HashSet<SessionId>,
    /// Made from the snapshot, and made anew when it or what is above changes: the rows of the tree that are not folded
    /// away or filtered out, as places in its nodes, and where each session is among them.
    pub(super) rows: Vec<usize>,
    places: HashMap<SessionId, usize>,
    /// The tree that they were made from.
    listed: Option<Arc<Tree>>,
    /// The lines of the pane, and what they were made from.
    pub(super) lines: Lines,
    filled: Option<Source>,
    /// The lines above it.
    pub(super) head: Lines,
    /// The children that are shown above it, as places in the tree's nodes, and how many are not shown.
    pub(super) children: (Vec<usize>, usize),
}

impl Model {
    /// Of a screen of this size.
    #[must_use]
    pub fn new(size: (u16, u16), now: Micros, zone: TimeZone, colors: Colors) -> Self {
        Self {
            size,
            now,
            zone,
            colors,
            selected: None,
            focus: Focus::Tree,
            pane: Pane::Live,
            zoomed: false,
            filter: String::new(),
            overlays: Vec::new(),
            notice: None,
            asked: BTreeMap::new(),
            tickets: 0,
            folded: HashSet::new(),
            positions: HashMap::new(),
            top: 0,
            known: HashSet::new(),
            at_work: HashSet::new(),
            rows: Vec::new(),
            places: HashMap::new(),
            listed: None,
            lines: Lines::new(),
            filled: None,
            head: Lines::new(),
            children: (Vec::new(), 0),
        }
    }

    /// Where keys are looked up: only what is on top gets them.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match (self.overlays.last(), self.focus) {
            (Some(overlay), _) => overlay.scope(),
            (None, Focus::Tree) => Scope::Tree,
            (None, Focus::Pane) => Scope::Pane,
        }
    }

    /// Where everything is.
    #[must_use]
    pub fn areas(&self) -> Areas {
        layout::areas(self.size.0, self.size.1, self.focus, self.zoomed)
    }

    /// Where the parts of the selected session are.
    #[must_use]
    pub fn session_areas(&self) -> SessionAreas {
        let area = self.areas().session;
        let head = Port { lines: &self.head, width: usize::from(area.width), height: HEAD }.rows(Position::Top).len();
        let (children, hidden) = &self.children;
        let block = if children.is_empty() { 0 } else { children.len() + usize::from(*hidden > 0) + 1 };
        layout::session(area, head, block)
    }

    /// The pane's lines and room.
    #[must_use]
    pub fn port(&self) -> Port<'_> {
        let area: Rect = self.session_areas().pane;
        Port { lines: &self.lines, width: usize::from(area.width), height: usize::from(area.height) }
    }

    /// Where the pane stands.
    #[must_use]
    pub fn position(&self) -> Position {
        let begin = if self.pane.follows() { Position::Tail } else { Position::Top };
        self.positions.get(&self.pane).copied().unwrap_or(begin)
    }

    /// The row of the selected session.
    #[must_use]
    pub fn place(&self) -> Option<usize> {
        self.selected.and_then(|selected| self.places.get(&selected)).copied()
    }

    /// When it is, and where.
    #[must_use]
    pub const fn moment(&self) -> Moment<'_> {
        Moment { now: self.now, zone: &self.zone }
    }

    /// What the worker is to read for this screen.
    #[must_use]
    pub fn view(&self, snapshot: &Snapshot) -> View {
        let span = match (self.pane, self.position()) {
            (Pane::Live, Position::At { key, .. }) => Span::Around(key.0),
            (Pane::Live, Position::Top) => Span::Around(1),
            (Pane::Live, Position::Tail) => Span::Tail,
            (Pane::Prompt | Pane::Failures | Pane::Criteria | Pane::Diff | Pane::History, _) => Span::Tail,
        };
        let ids = self.children.0.iter().filter_map(|child| snapshot.tree.nodes.get(*child)).map(|node| node.row.id);
        View {
            session: self.selected,
            span,
            children: ids.collect(),
            inbox: self.overlays.iter().any(|overlay| matches!(overlay, Overlay::Inbox { .. })),
            story: self.pane == Pane::History,
            criteria: self.pane == Pane::Criteria,
            changes: if self.overlays.iter().any(|overlay| matches!(overlay, Overlay::Halt { .. })) {
                Some(Wanted::Halted)
            } else {
                (self.pane == Pane::Diff).then_some(Wanted::All)
            },
        }
    }

    /// Selects a session, and opens what it is folded away in.
    pub fn select(&mut self, snapshot: &Snapshot, session: SessionId) {
        let mut at = snapshot.tree.find(session).and_then(|at| snapshot.tree.parent(at));
        let mut opened = false;
        while let Some(parent) = at {
            if let Some(node) = snapshot.tree.nodes.get(parent) {
                opened |= self.folded.remove(&node.row.id);
            }
            at = snapshot.tree.parent(parent);
        }
        if self.selected != Some(session) {
            self.selected = Some(session);
            self.positions.clear();
        }
        if opened {
            self.list(snapshot);
        }
    }

    /// Makes the rows of the tree if it is another one than before.
    pub fn relist(&mut self, snapshot: &Snapshot) {
        if !self.listed.as_ref().is_some_and(|tree| Arc::ptr_eq(tree, &snapshot.tree)) {
            self.list(snapshot);
        }
    }

    /// Makes the rows of the tree: after it, the filter or what is folded changed.
    pub fn list(&mut self, snapshot: &Snapshot) {
        self.listed = Some(Arc::clone(&snapshot.tree));
        let tree = &snapshot.tree;
        for node in &tree.nodes {
            if self.known.insert(node.row.id) && node.children.all > 0 && node.row.status.is_terminal() {
                self.folded.insert(node.row.id);
            }
            // A child that is woken is not hidden; a person may fold it away again.
            if node.children.active == 0 {
                self.at_work.remove(&node.row.id);
            } else if self.at_work.insert(node.row.id) {
                self.folded.remove(&node.row.id);
            }
        }
        if self.known.len() > 2 * tree.nodes.len() + 1_000 {
            self.known.retain(|id| tree.find(*id).is_some());
            self.folded.retain(|id| tree.find(*id).is_some());
            self.at_work.retain(|id| tree.find(*id).is_some());
        }
        let before = self.place().unwrap_or(self.top);
        self.rows = if self.filter.is_empty() { self.unfolded(snapshot) } else { self.matching(snapshot) };
        let id = |at: &usize| tree.nodes.get(*at).map(|node| node.row.id);
        self.places = self.rows.iter().enumerate().filter_map(|(place, at)| Some((id(at)?, place))).collect();
        if self.place().is_none() {
            self.selected = self.nearest(snapshot, before);
            self.positions.clear();
        }
    }

    fn unfolded(&self, snapshot: &Snapshot) -> Vec<usize> {
        let nodes = &snapshot.tree.nodes;
        let mut rows = Vec::new();
        let mut at = 0;
        while let Some(node) = nodes.get(at) {
            rows.push(at);
            at = if self.folded.contains(&node.row.id) { node.end } else { at + 1 };
        }
        rows
    }

    /// What has the filter's text, with what is above it.
    fn matching(&self, snapshot: &Snapshot) -> Vec<usize> {
        let nodes = &snapshot.tree.nodes;
        let wanted = self.filter.to_lowercase();
        let mut kept = vec![false; nodes.len()];
        for (at, node) in nodes.iter().enumerate().rev() {
            let below = snapshot.tree.children(at).any(|child| kept[child]);
            kept[at] = below || node.text.contains(&wanted);
        }
        (0..nodes.len()).filter(|at| kept[*at]).collect()
    }

    /// What is selected when nothing is, or when what was is gone: what its parent was, or the row that took its place.
    fn nearest(&self, snapshot: &Snapshot, before: usize) -> Option<SessionId> {
        let tree = &snapshot.tree;
        let parents = std::iter::successors(self.selected.and_then(|id| tree.find(id)), |at| tree.parent(*at));
        let visible =
            parents.filter_map(|at| tree.nodes.get(at).map(|node| node.row.id)).find(|id| self.places.contains_key(id));
        let row = self.rows.get(before.min(self.rows.len().saturating_sub(1)));
        visible.or_else(|| row.and_then(|at| tree.nodes.get(*at)).map(|node| node.row.id))
    }

    /// Makes what the pane shows: after the snapshot, the selection, the pane, the size or the second changed.
    pub fn fill(&mut self, snapshot: &Snapshot) {
        let tree = &snapshot.tree;
        let found = self.selected.and_then(|id| Some((id, tree.find(id)?)));
        let Some((id, at)) = found else {
            self.lines = Lines::new();
            self.filled = None;
            self.head = Lines::new();
            self.children = (Vec::new(), 0);
            return;
        };
        let inspected = snapshot.inspected(id);
        let area = self.areas().session;
        let columns = usize::from(area.width);
        self.head = tree
            .nodes
            .get(at)
            .map(|node| panes::head(node, inspected, self.now, columns, area.height))
            .unwrap_or_default();
        // What is left for them, but for the line below them.
        let head = Port { lines: &self.head, width: columns, height: HEAD }.rows(Position::Top).len();
        let room = usize::from(layout::session(area, head, usize::MAX).children.height).saturating_sub(1);
        self.children = match self.pane {
            Pane::Live => panes::shown(tree, at, room),
            Pane::Prompt | Pane::Failures | Pane::Criteria | Pane::Diff | Pane::History => (Vec::new(), 0),
        };
        let source = Source::of(self, snapshot);
        if self.filled.as_ref().is_some_and(|filled| filled.is(&source)) {
            return;
        }
        self.lines = match inspected {
            Some(inspected) => panes::page(self.pane, inspected, snapshot, self.moment()),
            None => Lines::new(),
        };
        self.filled = Some(source);
    }

    /// Keeps the selected row of the tree in view.
    pub fn follow(&mut self) {
        let height = usize::from(self.areas().tree.height).max(1);
        let place = self.place().unwrap_or(0);
        let margin = (height / 4).min(3);
        let lowest = (place + margin + 1).saturating_sub(height);
        let highest = place.saturating_sub(margin);
        self.top = if highest < lowest { place.saturating_sub(height / 2) } else { self.top.clamp(lowest, highest) };
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }

    /// Whether something on the screen moves with the time.
    #[must_use]
    pub fn is_moving(&self, snapshot: &Snapshot) -> bool {
        snapshot.tree.counts.running > 0
    }

    /// The sessions that end when this one is cancelled: itself and the active ones below it.
    #[must_use]
    pub fn would_end(snapshot: &Snapshot, session: SessionId) -> usize {
        let Some(at) = snapshot.tree.find(session) else { return 0 };
        let below = snapshot.tree.nodes.get(snapshot.tree.below(at)).unwrap_or_default();
        below.iter().filter(|node| node.row.status == Status::Active).count()
    }
}

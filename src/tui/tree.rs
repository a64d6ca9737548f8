//! The sessions as a tree: made once per change of the board, off the screen's thread.

use std::collections::HashMap;

use crate::{
    model::{SessionId, Status},
    store::{Board, BoardRow},
};

use super::{clean::clean_line, words};

/// A session in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The session.
    pub row: BoardRow,
    /// Its component's name, clean.
    pub name: String,
    /// How deep it is: 0 for one without a parent.
    pub depth: usize,
    /// Where the next session stands that is not below this one.
    pub end: usize,
    /// Its children, those that are active and those that ended well among them.
    pub children: Children,
    /// Of the sessions anywhere below, those that need a person.
    pub needs_below: usize,
    /// What a filter looks at, in lower case.
    pub text: String,
    /// The name of the session that woke it, if another one than its parent did.
    pub woken_by: Option<String>,
    /// The names of the sessions that it woke, but for its children.
    pub woke: Vec<String>,
}

impl Node {
    /// Whether it has a filter's text.
    #[must_use]
    pub fn fits(&self, filter: &str) -> bool {
        self.text.contains(&filter.to_lowercase())
    }
}

/// How the direct children of a session fare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Children {
    /// All.
    pub all: usize,
    /// Still at work, waiting or halted.
    pub active: usize,
    /// Complete.
    pub complete: usize,
    /// Failed.
    pub failed: usize,
}

/// How many sessions stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Active.
    pub active: usize,
    /// Active with an attempt being made.
    pub running: usize,
    /// Those that need a person.
    pub waiting: usize,
    /// Complete.
    pub complete: usize,
    /// Failed.
    pub failed: usize,
    /// Cancelled.
    pub cancelled: usize,
}

/// The sessions as a tree, parents before their children; the newest root first, children in the order in which they were
/// made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tree {
    /// The project's name, clean.
    pub project: String,
    /// The sessions.
    pub nodes: Vec<Node>,
    /// How they stand.
    pub counts: Counts,
    index: HashMap<SessionId, usize>,
}

impl Tree {
    /// The tree of what the store knows.
    #[must_use]
    pub fn new(board: Board) -> Self {
        let Board { project, rows } = board;
        let position: HashMap<SessionId, usize> = rows.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
        let mut below: Vec<Vec<usize>> = vec![Vec::new(); rows.len()];
        let mut roots = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            // A parent was made before its children; anything else would be no tree.
            match row.parent_id.and_then(|parent| position.get(&parent)).filter(|parent| **parent < at) {
                Some(parent) => below[*parent].push(at),
                None => roots.push(at),
            }
        }
        let mut tree = Self { project: clean_line(&project), ..Self::default() };
        // Depth first without recursion; `None` says that everything below a node is in place.
        let mut rows: Vec<Option<BoardRow>> = rows.into_iter().map(Some).collect();
        let mut stack: Vec<(usize, usize, Option<usize>)> = roots.into_iter().map(|root| (root, 0, None)).collect();
        while let Some((at, depth, placed)) = stack.pop() {
            if let Some(node) = placed {
                tree.close(node);
                continue;
            }
            let Some(row) = rows[at].take() else { continue };
            let node = tree.open(row, depth);
            stack.push((at, depth, Some(node)));
            stack.extend(below[at].iter().rev().map(|child| (*child, depth + 1, None)));
        }
        tree.link();
        tree
    }

    /// Joins those that were woken by another session than their parent with the ones that woke them.
    fn link(&mut self) {
        for at in 0..self.nodes.len() {
            let Some(node) = self.nodes.get(at) else { continue };
            let waker = node.row.woken_by.filter(|waker| node.row.parent_id != Some(*waker));
            let Some(waker) = waker.and_then(|waker| self.find(waker)) else { continue };
            let woken = node.name.clone();
            if let Some(waker) = self.nodes.get_mut(waker) {
                waker.woke.push(woken);
                let name = waker.name.clone();
                self.nodes[at].woken_by = Some(name);
            }
        }
    }

    /// Where a session stands.
    #[must_use]
    pub fn find(&self, id: SessionId) -> Option<usize> {
        self.index.get(&id).copied()
    }

    /// A session's node.
    #[must_use]
    pub fn node(&self, id: SessionId) -> Option<&Node> {
        self.find(id).and_then(|at| self.nodes.get(at))
    }

    /// Where the direct children of a session stand.
    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes.get(at).map_or(0, |node| node.end);
        std::iter::successors(Some(at + 1), |child| self.nodes.get(*child).map(|node| node.end))
            .take_while(move |child| *child < end)
    }

    /// Where everything below a session stands.
    #[must_use]
    pub fn below(&self, at: usize) -> std::ops::Range<usize> {
        at + 1..self.nodes.get(at).map_or(at + 1, |node| node.end)
    }

    /// Where a session's parent stands.
    #[must_use]
    pub fn parent(&self, at: usize) -> Option<usize> {
        self.nodes.get(at).and_then(|node| node.row.parent_id).and_then(|parent| self.find(parent))
    }

    fn open(&mut self, row: BoardRow, depth: usize) -> usize {
        let at = self.nodes.len();
        let counts = &mut self.counts;
        match row.status {
            Status::Active => counts.active += 1,
            Status::Complete => counts.complete += 1,
            Status::Failed => counts.failed += 1,
            Status::Cancelled => counts.cancelled += 1,
        }
        counts.running += usize::from(row.is_running());
        counts.waiting += usize::from(row.need().is_some());
        let name = clean_line(&row.component);
        let step = row.step.map_or("", words::step);
        let halt = row.halt.map_or("", |reason| reason.as_str());
        let text = format!("{name} {} {} {} {step} {halt}", row.kind, words::kind(row.kind), row.status).to_lowercase();
        self.index.insert(row.id, at);
        let children = Children::default();
        self.nodes.push(Node {
            row,
            name,
            depth,
            end: at + 1,
            children,
            needs_below: 0,
            text,
            woken_by: None,
            woke: Vec::new(),
        });
        at
    }

    fn close(&mut self, at: usize) {
        let end = self.nodes.len();
        self.nodes[at].end = end;
        let (row, below) = (&self.nodes[at].row, self.nodes[at].needs_below);
        let (status, needs) = (row.status, usize::from(row.need().is_some()) + below);
        // A row whose parent is not on the board is a root here.
        let Some(parent) = self.parent(at).filter(|_| self.nodes[at].depth > 0) else { return };
        let parent = &mut self.nodes[parent];
        parent.needs_below += needs;
        parent.children.all += 1;
        match status {
            Status::Active => parent.children.active += 1,
            Status::Complete => parent.children.complete += 1,
            Status::Failed => parent.children.failed += 1,
            Status::Cancelled => {}
        }
    }
}

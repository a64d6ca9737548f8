//! What the store says, at one moment: made by the worker, drawn by the screen, changed by nobody.

use std::{collections::HashMap, sync::Arc};

use crate::{
    model::{CriterionCheck, SessionId},
    store::{CriterionRecord, Detail, InboxItem},
    workflow::{Sentence, Why},
};

use super::{
    changes::Changes,
    live::{Live, Newest},
    tree::Tree,
};

/// Everything that the panes show of the selected session, but for its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// What the store knows; its count of events stands still, since that of [`Live`] moves.
    pub detail: Detail,
    /// Why it stands where it stands.
    pub why: Why,
}

/// What happened in the selected session, in sentences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Story {
    /// The session.
    pub session: SessionId,
    /// In the order in which it happened.
    pub sentences: Vec<Sentence>,
}

/// The acceptance criteria that the selected session is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criteria {
    /// The session.
    pub session: SessionId,
    /// How each stands on record, in the order of the stories.
    pub records: Vec<CriterionRecord>,
    /// How the session itself found them last; empty when it did not look.
    pub checks: Vec<CriterionCheck>,
    /// What it found missing.
    pub gap_analysis: Option<String>,
}

/// What the store says, at one moment. Parts that did not change are the same allocation as before.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The sessions.
    pub tree: Arc<Tree>,
    /// The selected session.
    pub inspected: Option<Arc<Inspected>>,
    /// Its events.
    pub live: Option<Arc<Live>>,
    /// Its story; only kept while somebody reads it.
    pub story: Option<Arc<Story>>,
    /// Its acceptance criteria; only kept while somebody looks at them.
    pub criteria: Option<Arc<Criteria>>,
    /// What it changed; only kept while somebody looks at that.
    pub changes: Option<Arc<Changes>>,
    /// What its children did last.
    pub newest: Arc<HashMap<SessionId, Newest>>,
    /// What waits for a person; only kept while somebody looks at it.
    pub inbox: Arc<Vec<InboxItem>>,
    /// Whether an engine is alive.
    pub engine: bool,
    /// Why the store cannot be read, if it cannot.
    pub trouble: Option<String>,
    /// Whether the board has only the newest of the sessions that ended.
    pub more: bool,
}

impl Snapshot {
    /// What is known of a session, if it is the selected one.
    #[must_use]
    pub fn inspected(&self, session: SessionId) -> Option<&Inspected> {
        self.inspected.as_deref().filter(|inspected| inspected.detail.row.id == session)
    }

    /// The events of a session, if it is the selected one.
    #[must_use]
    pub fn live(&self, session: SessionId) -> Option<&Live> {
        self.live.as_deref().filter(|live| live.session == session)
    }

    /// The story of a session, if it is the selected one.
    #[must_use]
    pub fn story(&self, session: SessionId) -> Option<&Story> {
        self.story.as_deref().filter(|story| story.session == session)
    }

    /// The criteria of a session, if it is the selected one.
    #[must_use]
    pub fn criteria(&self, session: SessionId) -> Option<&Criteria> {
        self.criteria.as_deref().filter(|criteria| criteria.session == session)
    }

    /// What a session changed, if it is the selected one.
    #[must_use]
    pub fn changes(&self, session: SessionId) -> Option<&Changes> {
        self.changes.as_deref().filter(|changes| changes.session == session)
    }
}

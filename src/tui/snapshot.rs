//! What the store says, at one moment: made by the worker, drawn by the screen, changed by nobody.

use std::{collections::HashMap, sync::Arc};

use crate::{
    model::SessionId,
    store::{Detail, InboxItem},
    workflow::Why,
};

use super::{
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

/// What the store says, at one moment. Parts that did not change are the same allocation as before.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// The sessions.
    pub tree: Arc<Tree>,
    /// The selected session.
    pub inspected: Option<Arc<Inspected>>,
    /// Its events.
    pub live: Option<Arc<Live>>,
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
}

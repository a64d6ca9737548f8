//! Events on their way to the store: batched, merged and bounded.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Notify;

use crate::{
    engine::clock,
    model::{Event, EventKind, Scope, SessionId},
    store::{Change, Writer},
};

/// So much text of one attempt becomes events; the rest is only in its output file.
const TEXT_PER_ATTEMPT: usize = 4 * 1024 * 1024;
/// An event takes so much beside its text.
const EVENT: usize = 64;
/// What is said once an attempt has said as much as it may.
const CUT: &str = "More came than is shown here; the output file has it up to its own cap.";
/// Text that follows text is one event up to this size.
const MERGE: usize = 16 * 1024;
/// So long events wait for others to be written with.
const BATCH_FOR: Duration = Duration::from_millis(25);

/// The events of all attempts on their way to the store.
pub(super) struct Recorder {
    writer: Arc<Writer>,
    waiting: Mutex<Vec<(Arc<Scope>, Event)>>,
    filled: Notify,
}

impl Recorder {
    pub(super) fn new(writer: Arc<Writer>) -> Arc<Self> {
        Arc::new(Self { writer, waiting: Mutex::default(), filled: Notify::new() })
    }

    /// Writes events in batches, for ever. Without events it does not wake.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            self.filled.notified().await;
            tokio::time::sleep(BATCH_FOR).await;
            self.flush();
        }
    }

    /// Hands everything to the writer, in order and before whatever it is given next.
    pub(super) fn flush(&self) {
        let waiting = std::mem::take(&mut *self.lock());
        for run in waiting.chunk_by(|(a, _), (b, _)| Arc::ptr_eq(a, b)) {
            if let Some((scope, _)) = run.first() {
                self.writer.post(scope, vec![Change::Events(run.iter().map(|(_, event)| event.clone()).collect())]);
            }
        }
    }

    fn push(&self, scope: &Arc<Scope>, event: Event) {
        let mut waiting = self.lock();
        if let Some((_, last)) = waiting.last_mut()
            && last.session_id == event.session_id
            && last.interaction == event.interaction
            && merge(&mut last.kind, &event.kind)
        {
            return;
        }
        let first = waiting.is_empty();
        waiting.push((Arc::clone(scope), event));
        drop(waiting);
        if first {
            self.filled.notify_one();
        }
    }

    /// The list is whole even if a thread panicked while it held the lock.
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<Scope>, Event)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Appends text to text of the same stream, if both fit in one event.
fn merge(last: &mut EventKind, next: &EventKind) -> bool {
    match (last, next) {
        (EventKind::AgentText { text }, EventKind::AgentText { text: more }) if text.len() + more.len() <= MERGE => {
            text.push_str(more);
            true
        }
        (EventKind::AgentThought { text }, EventKind::AgentThought { text: more })
            if text.len() + more.len() <= MERGE =>
        {
            text.push_str(more);
            true
        }
        (EventKind::Output { text, stderr }, EventKind::Output { text: more, stderr: other })
            if stderr == other && text.len() + more.len() <= MERGE =>
        {
            text.push_str(more);
            true
        }
        _ => false,
    }
}

/// Where one attempt puts its events.
#[derive(Clone)]
pub(super) struct Tap {
    recorder: Arc<Recorder>,
    scope: Arc<Scope>,
    session: SessionId,
    seq: u32,
    left: usize,
}

impl Tap {
    pub(super) fn new(recorder: &Arc<Recorder>, scope: &Arc<Scope>, session: SessionId, seq: u32) -> Self {
        Self { recorder: Arc::clone(recorder), scope: Arc::clone(scope), session, seq, left: TEXT_PER_ATTEMPT }
    }

    /// Something happened.
    pub(super) fn event(&self, kind: EventKind) {
        let event = Event { session_id: self.session, n: 0, interaction: self.seq, at: clock::now(), kind };
        self.recorder.push(&self.scope, event);
    }

    /// Something that callboard has to say.
    pub(super) fn note(&self, text: impl Into<String>) {
        self.event(EventKind::Note { text: text.into() });
    }

    /// Something happened that an agent says: bounded as its text is.
    pub(super) fn bounded(&mut self, kind: EventKind) {
        let length = match kind {
            EventKind::AgentText { text } => return self.text(text, |text| EventKind::AgentText { text }),
            EventKind::AgentThought { text } => return self.text(text, |text| EventKind::AgentThought { text }),
            EventKind::Output { text, stderr } => return self.text(text, |text| EventKind::Output { text, stderr }),
            EventKind::ToolCall { ref tool, ref title } => tool.len() + title.len(),
            EventKind::ToolEnd { ref tool, ref text, .. } => tool.len() + text.len(),
            EventKind::FileEdit { ref path, ref diff } => path.len() + diff.len(),
            EventKind::Plan { ref items } => items.iter().map(|item| item.text.len() + EVENT).sum(),
            EventKind::Permission { ref tool, ref title, ref by, .. } => tool.len() + title.len() + by.len(),
            EventKind::Message { ref user, ref text, .. } => user.len() + text.len(),
            EventKind::Command { line: ref text } | EventKind::Note { ref text } => text.len(),
            EventKind::Usage(_) => return self.event(kind),
        };
        let length = length + EVENT;
        if length <= self.left {
            self.left -= length;
            self.event(kind);
        } else if self.left > 0 {
            self.left = 0;
            self.note(CUT);
        }
    }

    /// Text came. Once the attempt has said as much as it may, only that is noted.
    pub(super) fn text(&mut self, text: String, kind: impl FnOnce(String) -> EventKind) {
        if self.left == 0 {
            return;
        }
        if text.len() <= self.left {
            self.left -= text.len();
            self.event(kind(text));
            return;
        }
        let cut = text.floor_char_boundary(self.left);
        self.left = 0;
        self.event(kind(text[..cut].to_owned()));
        self.note(CUT);
    }
}

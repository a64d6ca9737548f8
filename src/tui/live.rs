//! A window on a session's events, as lines. It holds so much and no more, however fast and long the session writes.

use std::{collections::VecDeque, sync::Arc};

use crate::model::{Event, EventKind, MessageState, Micros, PlanState, SessionId, Usage};

use super::{
    clean::{clean, clean_line, elide, exposed},
    text::{Line, Lines, Tone},
};

/// So many events are in a window at the tail.
pub const EVENTS: u32 = 1_000;
/// So many are in a window somewhere else.
pub const AROUND: u32 = 400;
/// So much text is in a window at the tail, in bytes.
const BYTES: usize = 1 << 20;
/// So much of one event is shown, in bytes.
const EVENT: usize = 64 * 1024;
/// So many lines of a diff or a plan are shown.
const DIFF: usize = 200;
/// So much of one line is shown, in bytes.
const LINE: usize = 4 * 1024;

/// Which part of the events a window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// The newest, and those that come.
    Tail,
    /// Those around this one.
    Around(u64),
}

/// What the board has of a session's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The session.
    pub session: SessionId,
    /// The lines; a key is an event's number and the line in it.
    pub lines: Lines,
    /// The first event in the window; 0: there is none.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// How many there are at all.
    pub total: u64,
}

/// A window that events are put into.
#[derive(Debug)]
pub struct Window {
    session: SessionId,
    lines: VecDeque<Arc<Line>>,
    first: u64,
    last: u64,
    bytes: usize,
    /// The stream whose last line is still open, and the attempt that it belongs to.
    open: Option<(Stream, u32)>,
    interaction: u32,
    /// Whether what is old goes when too much came.
    tail: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Agent,
    Thought,
    Output,
    Stderr,
}

impl Window {
    /// An empty window.
    #[must_use]
    pub const fn new(session: SessionId) -> Self {
        Self { session, lines: VecDeque::new(), first: 0, last: 0, bytes: 0, open: None, interaction: 0, tail: true }
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> SessionId {
        self.session
    }

    /// The events that are to be read so that the window shows `span` of `total`: those after a number, and how many.
    /// `None`: it does already.
    #[must_use]
    pub fn wants(&mut self, span: Span, total: u64) -> Option<(u64, u32)> {
        match span {
            Span::Tail => {
                self.tail = true;
                let newest = total.saturating_sub(u64::from(EVENTS));
                if self.last >= total {
                    return None;
                }
                if newest > self.last {
                    self.empty();
                }
                Some((self.last.max(newest), EVENTS))
            }
            Span::Around(event) => {
                let half = u64::from(AROUND) / 2;
                let near_start = self.first > 1 && event < self.first + half / 4;
                let near_end = self.last < total && event + half / 2 > self.last;
                let after = event.saturating_sub(half).min(total.saturating_sub(2 * half));
                let whole = self.first == after + 1 && self.last >= total.min(after + 2 * half);
                if whole || !(near_start || near_end || self.last == 0) {
                    return None;
                }
                self.empty();
                self.tail = false;
                Some((after, AROUND))
            }
        }
    }

    fn empty(&mut self) {
        *self = Self { tail: self.tail, ..Self::new(self.session) };
    }

    /// Puts events in, which follow those that are there.
    pub fn add(&mut self, events: &[Event]) {
        for event in events {
            if self.first == 0 {
                self.first = event.n;
            }
            self.last = event.n;
            self.put(event);
        }
        while self.tail
            && (self.last - self.first >= u64::from(EVENTS) || self.bytes > BYTES)
            && let Some(line) = self.lines.front()
            && line.key.0 < self.last
        {
            let event = line.key.0;
            while let Some(line) = self.lines.front().filter(|line| line.key.0 == event) {
                self.bytes = self.bytes.saturating_sub(size(line));
                self.lines.pop_front();
            }
            self.first = self.lines.front().map_or(self.last, |line| line.key.0.max(event + 1));
        }
    }

    /// What the window shows.
    #[must_use]
    pub fn show(&self, total: u64) -> Live {
        Live {
            session: self.session,
            lines: self.lines.iter().cloned().collect(),
            first: self.first,
            last: self.last,
            total: total.max(self.last),
        }
    }

    fn put(&mut self, event: &Event) {
        if event.interaction != self.interaction {
            self.interaction = event.interaction;
            self.open = None;
        }
        match &event.kind {
            EventKind::AgentText { text } => self.stream(event, Stream::Agent, text),
            EventKind::AgentThought { text } => self.stream(event, Stream::Thought, text),
            EventKind::Output { text, stderr: false } => self.stream(event, Stream::Output, text),
            EventKind::Output { text, stderr: true } => self.stream(event, Stream::Stderr, text),
            EventKind::ToolCall { .. }
            | EventKind::ToolEnd { .. }
            | EventKind::FileEdit { .. }
            | EventKind::Plan { .. }
            | EventKind::Permission { .. }
            | EventKind::Message { .. }
            | EventKind::Usage(_)
            | EventKind::Command { .. }
            | EventKind::Note { .. } => {
                self.open = None;
                self.push(single(event));
                for (line, part) in more(event).into_iter().zip(1..) {
                    self.push(Line { key: (event.n, part), ..line });
                }
            }
        }
    }

    /// Pieces of a stream follow each other without a separator: a line goes on until its end was written.
    fn stream(&mut self, event: &Event, stream: Stream, text: &str) {
        if text.is_empty() {
            return;
        }
        let shown = &text[..text.floor_char_boundary(EVENT)];
        let cleaned = clean(shown);
        let mut pieces = cleaned.split('\n');
        let mut part = 0;
        if self.open == Some((stream, event.interaction))
            && let Some(last) = self.lines.back()
            && size(last) < LINE
            && let Some(piece) = pieces.next()
        {
            let mut line = Line::clone(last);
            if let Some((_, text)) = line.runs.last_mut() {
                text.push_str(piece);
            }
            self.bytes += piece.len();
            self.lines.pop_back();
            self.lines.push_back(Arc::new(line));
        }
        for piece in pieces {
            self.push(line(event.n, part, stream, piece));
            part += 1;
        }
        if shown.len() < text.len() {
            let left = text.len() - shown.len();
            self.push(Line::new((event.n, part)).with(Tone::Dim, format!("  … {left} more bytes")));
        }
        self.open = Some((stream, event.interaction));
        if cleaned.ends_with('\n') {
            // The empty piece after the last newline is where the next text begins.
            if let Some(line) = self.lines.pop_back() {
                self.bytes = self.bytes.saturating_sub(size(&line));
            }
            self.open = None;
        }
    }

    fn push(&mut self, line: Line) {
        self.bytes += size(&line);
        self.lines.push_back(Arc::new(line));
    }
}

fn size(line: &Line) -> usize {
    line.runs.iter().map(|(_, text)| text.len() + 32).sum()
}

fn line(event: u64, part: u32, stream: Stream, text: &str) -> Line {
    let end = text.floor_char_boundary(LINE);
    let (sign, mark, tone) = match stream {
        Stream::Agent => (Tone::Agent, "", Tone::Agent),
        Stream::Thought => (Tone::Dim, "~ ", Tone::Dim),
        Stream::Output => (Tone::Dim, "  ", Tone::Output),
        Stream::Stderr => (Tone::Stderr, "! ", Tone::Stderr),
    };
    let cut = if end < text.len() { format!(" … {} more bytes", text.len() - end) } else { String::new() };
    let mut line = Line::new((event, part)).with(sign, mark).hanging(mark.len());
    // Even an empty text is a run: what follows is appended to it.
    line.runs.push((tone, text[..end].to_owned()));
    line.with(Tone::Dim, cut)
}

fn single(event: &Event) -> Line {
    let line = Line::new((event.n, 0)).hanging(2);
    let short = |text: &str| clean_line(&text[..text.floor_char_boundary(LINE)]);
    // Of what an agent may do, or wants to, nothing is left out.
    let whole = |text: &str| clean_line(&exposed(text[..text.floor_char_boundary(LINE)].trim_end_matches('\n')));
    match &event.kind {
        EventKind::ToolCall { tool, title } => {
            line.with(Tone::Tool, "⚙ ").with(Tone::Tool, whole(tool)).with(Tone::Plain, format!(" {}", whole(title)))
        }
        EventKind::ToolEnd { tool, ok: true, text } => {
            let line = line.with(Tone::Good, "✓ ").with(Tone::Dim, short(tool));
            line.with(Tone::Output, format!(" {}", short(text.lines().next().unwrap_or_default())))
        }
        EventKind::ToolEnd { tool, ok: false, text } => {
            let line = line.with(Tone::Bad, "✗ ").with(Tone::Tool, short(tool));
            line.with(Tone::Stderr, format!(" {}", short(text.lines().next().unwrap_or_default())))
        }
        EventKind::FileEdit { path, .. } => line.with(Tone::Good, "✎ ").with(Tone::Tool, short(path)),
        EventKind::Plan { items } => {
            let done = items.iter().filter(|item| item.state == PlanState::Done).count();
            line.with(Tone::Title, format!("☰ plan, {done} of {} done", items.len()))
        }
        EventKind::Permission { tool, title, allowed, by } => {
            let (tone, mark) = if *allowed { (Tone::Good, "? allowed ") } else { (Tone::Warn, "? denied ") };
            let line =
                line.with(tone, mark).with(Tone::Tool, whole(tool)).with(Tone::Plain, format!(" {}", whole(title)));
            line.with(Tone::Dim, format!(" ({})", whole(by)))
        }
        EventKind::Message { user, text, state } => {
            let line = line.with(Tone::Key, "✉ ");
            match state {
                MessageState::Queued => {
                    line.with(Tone::Key, format!("{}: ", short(user))).with(Tone::Plain, short(first(text)))
                }
                MessageState::Delivered | MessageState::Seen => {
                    let tone = if *state == MessageState::Seen { Tone::Good } else { Tone::Dim };
                    line.with(tone, format!("{state} ")).with(Tone::Dim, elide(&short(first(text)), 60))
                }
            }
        }
        EventKind::Usage(used) => line.with(Tone::Dim, format!("Σ {}", usage(used))),
        EventKind::Command { line: command } => line.with(Tone::Command, format!("$ {}", whole(command))),
        EventKind::Note { text } => line.with(Tone::Note, format!("» {}", whole(text))),
        EventKind::AgentText { text } | EventKind::AgentThought { text } | EventKind::Output { text, .. } => {
            line.with(Tone::Plain, short(text))
        }
    }
}

fn first(text: &str) -> &str {
    text.trim().lines().next().unwrap_or_default()
}

/// The lines of an event beyond its first: what is different in a file, the items of a plan.
fn more(event: &Event) -> Vec<Line> {
    let short = |text: &str| clean_line(&text[..text.floor_char_boundary(LINE)]);
    let line = |tone: Tone, text: String| Line::new((event.n, 0)).with(tone, text).hanging(4);
    match &event.kind {
        EventKind::FileEdit { diff, .. } => {
            let tone = |text: &str| match text.as_bytes().first() {
                Some(b'+') => Tone::Good,
                Some(b'-') => Tone::Bad,
                Some(_) | None => Tone::Dim,
            };
            let lines = diff.lines().take(DIFF).map(|text| line(tone(text), format!("  {}", short(text))));
            let left = diff.lines().count().saturating_sub(DIFF);
            let rest = (left > 0).then(|| line(Tone::Dim, format!("  … {left} more lines")));
            lines.chain(rest).collect()
        }
        EventKind::Plan { items } => {
            let item = |item: &crate::model::PlanItem| {
                let (tone, mark) = match item.state {
                    PlanState::Pending => (Tone::Dim, plan_mark(item.state)),
                    PlanState::Active => (Tone::Busy, plan_mark(item.state)),
                    PlanState::Done => (Tone::Good, plan_mark(item.state)),
                };
                line(tone, format!("  {mark} {}", short(&item.text)))
            };
            items.iter().take(DIFF).map(item).collect()
        }
        EventKind::Message { text, state: MessageState::Queued, .. } => {
            text.trim().lines().skip(1).take(DIFF).map(|text| line(Tone::Plain, format!("  {}", short(text)))).collect()
        }
        EventKind::AgentText { .. }
        | EventKind::AgentThought { .. }
        | EventKind::ToolCall { .. }
        | EventKind::ToolEnd { .. }
        | EventKind::Permission { .. }
        | EventKind::Message { .. }
        | EventKind::Usage(_)
        | EventKind::Output { .. }
        | EventKind::Command { .. }
        | EventKind::Note { .. } => Vec::new(),
    }
}

/// How far an item of a plan is, in one character.
#[must_use]
pub const fn plan_mark(state: PlanState) -> &'static str {
    match state {
        PlanState::Pending => "·",
        PlanState::Active => "▸",
        PlanState::Done => "✓",
    }
}

/// What an agent used up, in words.
#[must_use]
pub fn usage(usage: &Usage) -> String {
    let Usage { input_tokens, cached_tokens, output_tokens, cost_microdollars } = usage;
    let cost = cost_microdollars.map_or_else(String::new, |cost| {
        let (dollars, rest) = (cost / 1_000_000, cost % 1_000_000 / 100);
        format!(", ${dollars}.{rest:04}")
    });
    format!("{input_tokens} tokens in ({cached_tokens} of them cached), {output_tokens} out{cost}")
}

/// What a session did last, in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Newest {
    /// When.
    pub at: Micros,
    /// What.
    pub line: Arc<Line>,
}

impl Newest {
    /// Of an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        let text = |text: &str| clean_line(text[..text.floor_char_boundary(LINE)].trim_end());
        let line = match &event.kind {
            EventKind::AgentText { text: said } => Line::new((event.n, 0)).with(Tone::Agent, text(said)),
            EventKind::AgentThought { text: said } => Line::new((event.n, 0)).with(Tone::Dim, text(said)),
            EventKind::Output { text: out, stderr: false } => Line::new((event.n, 0)).with(Tone::Output, text(out)),
            EventKind::Output { text: out, stderr: true } => Line::new((event.n, 0)).with(Tone::Stderr, text(out)),
            EventKind::ToolCall { .. }
            | EventKind::ToolEnd { .. }
            | EventKind::FileEdit { .. }
            | EventKind::Plan { .. }
            | EventKind::Permission { .. }
            | EventKind::Message { .. }
            | EventKind::Usage(_)
            | EventKind::Command { .. }
            | EventKind::Note { .. } => single(event),
        };
        Self { at: event.at, line: Arc::new(line) }
    }
}

//! What stands above the panes: which session, how far, and what stands in its way.

use crate::{
    model::{MessageState, Micros, Status},
    store::Need,
    tui::{
        clean::{clean, clean_line, elide, visible, width},
        snapshot::Inspected,
        text::{Line, Lines, Page, Tone, wrap},
        tree::Node,
        words,
    },
    workflow::{Why, headline, position},
};

use super::Moment;

/// So many rows of a message and of a hint are above the pane, where there is room; all are in the History.
const ROWS: (usize, usize) = (4, 2);
/// The same where there is little.
const FEW_ROWS: (usize, usize) = (2, 1);
/// So much of a message is looked at, in bytes.
const LOOKED_AT: usize = 4 * 1024;
/// In fewer rows there is little room.
const LOW: u16 = 30;

/// In so many rows and more, mode, agent and branch are said.
const ROOMY: u16 = 16;
/// In fewer rows there is room for one line above the panes.
const CRAMPED: u16 = 6;

/// What is said loudly has a bar at its left.
const BAR: &str = "▌ ";

/// Which session, how far, and what stands in its way.
#[must_use]
pub(crate) fn head(node: &Node, inspected: Option<&Inspected>, now: Micros, columns: usize, rows: u16) -> Lines {
    let row = &node.row;
    let mut page = Page::default();
    let (glyph, tone) = words::glyph(row);
    let kind = words::kind(row.kind);
    // The fullest of these that fits; where there is room for nothing else, a halt is said here.
    let about = [
        row.halt.filter(|_| rows < CRAMPED).map_or_else(String::new, |it| format!("  HALTED {}", words::reason(it))),
        format!("  {kind} · {}", state(node, now, false)),
        format!("  {kind} · {}", state(node, now, true)),
        format!("  {}", state(node, now, true)),
    ];
    let fits = |about: &&String| !about.is_empty() && 2 + width(&node.name) + width(about) <= columns;
    let about = about.iter().find(fits).or(about.last()).cloned().unwrap_or_default();
    let name = elide(&node.name, columns.saturating_sub(2 + width(&about)).max(8));
    let room = columns.saturating_sub(2 + width(&name));
    page.add(|line| line.with(tone, format!("{glyph} ")).with(Tone::Strong, name).with(Tone::Dim, elide(&about, room)));
    if let (true, Some(inspected)) = (rows >= ROOMY, inspected) {
        let place = place(inspected);
        page.add(|line| line.with(Tone::Dim, elide(&format!("  {place}"), columns)));
    }
    let Some(inspected) = inspected else { return page.done() };
    let (told, hinted) = if rows < LOW { FEW_ROWS } else { ROWS };
    let told = |page: &mut Page, tone, text: &str| {
        // Where there is little room a message is told in one line, which leads on to what it announces.
        let text = if rows < LOW { headline(text) } else { text.to_owned() };
        bar(page, tone, &text, columns, told);
    };
    let hint = |page: &mut Page, text: &str| bar(page, Tone::Dim, text, columns, hinted);
    match row.need() {
        Some(Need::Decision { reason }) => {
            page.add(|line| {
                line.marked(Tone::Warn, BAR).with(Tone::Warn, format!("HALTED  {}", words::reason(reason)))
            });
            let halt = inspected.detail.halt.as_ref();
            let message = halt.map(|halt| clean(&halt.message)).unwrap_or_default();
            told(&mut page, Tone::Plain, &message);
            hint(&mut page, &inspected.why.hint);
        }
        Some(Need::Request) => {
            page.add(|line| line.marked(Tone::Warn, BAR).with(Tone::Warn, "ASKS  for your word"));
            let request = inspected.detail.requests.first();
            told(&mut page, Tone::Plain, &request.map(|it| clean(&it.in_words())).unwrap_or_default());
            hint(&mut page, "A approves it, x refuses it; either may have a note, which its agent is told.");
        }
        Some(Need::Permission) => {
            page.add(|line| line.marked(Tone::Warn, BAR).with(Tone::Warn, "ITS AGENT ASKS"));
            if let Some(question) = &inspected.detail.question {
                told(&mut page, Tone::Plain, &visible(&format!("{}: {}", question.tool, question.title)));
            }
            hint(&mut page, "p answers. Without an answer it is told no after a while.");
        }
        Some(Need::Advance) => {
            page.add(|line| {
                let line = line.marked(Tone::Warn, BAR).with(Tone::Warn, clean_line(&inspected.why.state));
                line.with(Tone::Dim, format!(" {}", clean_line(&inspected.why.hint)))
            });
        }
        Some(Need::Failed) => {
            page.add(|line| line.marked(Tone::Bad, BAR).with(Tone::Bad, "FAILED"));
            let error = inspected.detail.attempts.iter().rev().find_map(|attempt| attempt.error_message.as_deref());
            told(&mut page, Tone::Plain, &clean(error.unwrap_or_default()));
            hint(&mut page, &inspected.why.hint);
        }
        None if row.status == Status::Active && (!row.is_running() || node.children.active > 0) => {
            page.add(|line| line.marked(Tone::Busy, BAR).with(Tone::Busy, clean_line(&inspected.why.state)));
        }
        None => {}
    }
    if let Some(waiting) = unseen(inspected).filter(|_| rows >= CRAMPED) {
        page.add(|line| line.with(Tone::Key, elide(&format!("✉ {waiting}"), columns)));
    }
    page.done()
}

/// What its agent has not taken in yet, in words.
fn unseen(inspected: &Inspected) -> Option<String> {
    let (unseen, session) = (&inspected.detail.unseen, &inspected.detail.session);
    let first = unseen.first()?;
    let text = clean_line(first.text.trim().lines().next().unwrap_or_default());
    let more = if unseen.len() > 1 { format!(" (and {} more)", unseen.len() - 1) } else { String::new() };
    let where_ = match first.state() {
        _ if session.status.is_terminal() => "its agent never heard",
        MessageState::Queued => "for its agent's next prompt",
        MessageState::Delivered | MessageState::Seen => "told its agent, not taken in yet",
    };
    Some(format!("{where_}{more}: {text}"))
}

/// A text beside the bar, cut where it takes more than so many rows.
fn bar(page: &mut Page, tone: Tone, text: &str, columns: usize, rows: usize) {
    let text = &text[..text.floor_char_boundary(LOOKED_AT)];
    let mut left = rows;
    let lines: Vec<&str> = text.trim_end().lines().filter(|line| !line.trim().is_empty()).collect();
    for (at, text) in lines.iter().enumerate() {
        let marked = |text: &str| Line::new((0, 0)).marked(Tone::Warn, BAR).with(tone, text);
        let takes = |text: &str| wrap(&marked(text), columns).len();
        let last = left <= takes(text) && at + 1 < lines.len();
        let mut shown = if last { format!("{text} …") } else { (*text).to_owned() };
        let mut room = columns.saturating_mul(left);
        while takes(&shown) > left && room > 0 {
            shown = elide(text, room);
            room -= 1;
        }
        page.add(|line| line.marked(Tone::Warn, BAR).with(tone, shown.as_str()));
        left = left.saturating_sub(takes(&shown));
        if left == 0 {
            return;
        }
    }
}

/// `run_tests 3/5 ×2 · 3m 12s`, or how it ended.
fn state(node: &Node, now: Micros, short: bool) -> String {
    let row = &node.row;
    let mut out = String::new();
    match (row.status, row.step) {
        (Status::Active, Some(step)) => {
            out.push_str(if short { words::step(step) } else { step.as_str() });
            if let Some((at, of)) = position(row.kind, step) {
                out.push_str(&format!(" {at}/{of}"));
            }
            if row.iteration > 1 {
                out.push_str(&format!(" ×{}", row.iteration));
            }
            if row.generation > 1 {
                out.push_str(&format!(" gen {}", row.generation));
            }
            let since = if row.is_running() { row.step_started_at.unwrap_or(row.updated_at) } else { row.updated_at };
            out.push_str(&format!(" · {}", words::exact(now - since)));
        }
        (Status::Active, None) => out.push_str("not begun"),
        (status @ (Status::Complete | Status::Failed | Status::Cancelled), _) => {
            out.push_str(&format!("{status} after {}", words::exact(row.updated_at - row.opened_at)));
        }
    }
    out
}

/// `agentic · claude · callboard/component_coding/pricing`
fn place(inspected: &Inspected) -> String {
    let session = &inspected.detail.session;
    let agent = session.agent.as_deref().map(clean_line);
    let branch = session.branch.as_deref().map(clean_line);
    let parts = [Some(session.mode.to_string()), agent, branch.or_else(|| Some("no branch yet".into()))];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Who a recorded user is.
pub(super) fn person(user: &str) -> String {
    if user.is_empty() { "a person".into() } else { clean_line(user) }
}

/// Why a session stands where it stands, whole.
#[must_use]
pub(crate) fn why(name: &str, why: &Why, moment: Moment<'_>) -> Lines {
    let mut page = Page::default();
    page.add(|line| line.with(Tone::Strong, name));
    page.text(Tone::Plain, 0, &clean(&why.state));
    let since =
        format!("{} ({} ago)", words::clock(why.since, moment.now, moment.zone), words::exact(moment.now - why.since));
    page.gap();
    for (title, text) in [("rule", &why.rule), ("since", &since), ("who", &why.who), ("try", &why.hint)] {
        if !text.is_empty() {
            page.add(|line| {
                line.with(Tone::Title, format!("{title:<6} ")).with(Tone::Plain, clean_line(text)).hanging(7)
            });
        }
    }
    if !why.waits_for.is_empty() {
        page.gap();
        page.add(|line| line.with(Tone::Title, "waits for"));
        for other in &why.waits_for {
            page.add(|line| line.with(Tone::Plain, format!("  {}", clean_line(other))).hanging(4));
        }
    }
    page.done()
}

//! What is on top of the board.

use ratatui::{
    layout::Rect,
    widgets::{Block, BorderType, Clear, Widget as _},
};

use crate::{
    model::{Mode, Performer, SessionId, Step},
    store::Need,
    tui::{
        clean::{clean_line, elide, visible, width},
        keys::{self, Scope},
        layout,
        model::Model,
        panes,
        scroll::{Port, Position},
        snapshot::Snapshot,
        stack::{Editor, Overlay, Purpose, Question, RULINGS, ruling},
        text::{Line, Lines, Row, Tone, wrap},
        theme, words,
    },
};

use super::Pen;

pub(super) fn draw(pen: &mut Pen<'_>, model: &Model, snapshot: &Snapshot) {
    for overlay in &model.overlays {
        match overlay {
            Overlay::Help { position } => reading(pen, model, snapshot, overlay, "Keys", *position),
            Overlay::Why { position, .. } => reading(pen, model, snapshot, overlay, "Why", *position),
            Overlay::Halt { position, .. } => reading(pen, model, snapshot, overlay, "Halt", *position),
            Overlay::Inbox { chosen } => inbox(pen, model, snapshot, *chosen),
            Overlay::Modes { session, chosen } => modes(pen, model, snapshot, *session, *chosen),
            Overlay::Permit { session, chosen, position, .. } => {
                permit(pen, model, snapshot, overlay, (*session, *chosen, *position));
            }
            Overlay::Question(question) => ask(pen, model, snapshot, *question),
            Overlay::Editor(editor) => editing(pen, model, snapshot, editor),
            Overlay::Filter => {}
        }
    }
}

/// The lines of a text that is on top, and where they are drawn.
#[must_use]
pub(crate) fn text(model: &Model, snapshot: &Snapshot) -> Option<(Lines, Rect)> {
    lines_of(model, snapshot, model.overlays.last()?)
}

fn lines_of(model: &Model, snapshot: &Snapshot, overlay: &Overlay) -> Option<(Lines, Rect)> {
    let lines = match overlay {
        Overlay::Help { .. } => super::help(),
        Overlay::Why { session, .. } => {
            let name = name(snapshot, *session);
            let inspected = snapshot.inspected(*session)?;
            panes::why(&name, &inspected.why, model.moment())
        }
        Overlay::Halt { session, .. } => {
            let inspected = snapshot.inspected(*session)?;
            panes::halt(inspected, snapshot.changes(*session), model.moment())
        }
        Overlay::Permit { session, question, .. } => {
            let asked = snapshot.inspected(*session).and_then(|inspected| {
                // Another question may have taken its place: what is shown is what is answered.
                let asked = inspected.detail.question.as_ref().filter(|asked| asked.id == *question);
                asked.map(|asked| panes::asked(asked, &inspected.detail.session))
            });
            asked.unwrap_or_else(panes::asks_no_more)
        }
        Overlay::Inbox { .. } | Overlay::Modes { .. } | Overlay::Question(_) | Overlay::Editor(_) | Overlay::Filter => {
            return None;
        }
    };
    let (columns, rows) = model.size;
    // A diff wants room.
    let wide = match overlay {
        Overlay::Halt { .. } => 140,
        Overlay::Permit { .. } => 100,
        Overlay::Help { .. }
        | Overlay::Why { .. }
        | Overlay::Inbox { .. }
        | Overlay::Modes { .. }
        | Overlay::Question(_)
        | Overlay::Editor(_)
        | Overlay::Filter => 84,
    };
    let wide = wide.min(usize::from(columns));
    let port = Port { lines: &lines, width: wide.saturating_sub(4), height: usize::from(rows) };
    // The choices below it stay when there is little room.
    let below = if matches!(overlay, Overlay::Permit { .. }) { RULINGS.len() + 1 } else { 0 };
    let high = port.rows(Position::Top).len() + below + 2;
    let mut area = inner(layout::overlay(columns, rows.saturating_sub(1), wide, high));
    area.height = area.height.saturating_sub(u16::try_from(below).unwrap_or(0));
    Some((lines, area))
}

/// What is inside a box's border and margin; without a border where there is no room for one.
fn inner(area: Rect) -> Rect {
    if area.height < 3 || area.width < 8 {
        return area;
    }
    Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
}

/// An empty box with a title; answers what is inside.
fn frame(pen: &mut Pen<'_>, area: Rect, title: &str, tone: Tone) -> Rect {
    let area = area.intersection(pen.bounds);
    Clear.render(area, pen.buffer);
    let inside = inner(area);
    if inside != area {
        let title = elide(title, usize::from(area.width).saturating_sub(4));
        Block::bordered()
            .border_type(BorderType::Rounded)
            .border_style(pen.style(tone))
            .title(format!(" {title} "))
            .render(area, pen.buffer);
    }
    inside
}

fn name(snapshot: &Snapshot, session: SessionId) -> String {
    snapshot.tree.node(session).map_or_else(|| session.short(), |node| node.name.clone())
}

fn reading(pen: &mut Pen<'_>, model: &Model, snapshot: &Snapshot, overlay: &Overlay, title: &str, position: Position) {
    let Some((lines, inside)) = lines_of(model, snapshot, overlay) else { return };
    let port = Port { lines: &lines, width: usize::from(inside.width), height: usize::from(inside.height) };
    let more = if port.fits() { String::new() } else { format!("{title} · j k scroll") };
    let title = if more.is_empty() { title } else { &more };
    let area = if inside.width + 4 <= model.size.0 && inside.y > 0 {
        Rect { x: inside.x - 2, y: inside.y - 1, width: inside.width + 4, height: inside.height + 2 }
    } else {
        inside
    };
    let inside = frame(pen, area, title, Tone::Key);
    pen.rows(inside, &port.rows(position));
}

fn inbox(pen: &mut Pen<'_>, model: &Model, snapshot: &Snapshot, chosen: Option<SessionId>) {
    let items = &snapshot.inbox;
    let (columns, rows) = model.size;
    let high = items.len().max(1) * 2 + 2;
    let area = layout::overlay(columns, rows.saturating_sub(1), 96, high);
    let inside =
        frame(pen, area, &format!("Inbox · {} for you", words::count(items.len(), "thing", "things")), Tone::Warn);
    if items.is_empty() {
        let text = if snapshot.tree.counts.waiting > 0 { "…" } else { "Nothing waits for you." };
        pen.row(inside, 0, &[(Tone::Dim, text.into())], None);
        return;
    }
    let each: usize = if usize::from(inside.height) < 6.min(2 * items.len()) { 1 } else { 2 };
    let room = (usize::from(inside.height) / each).max(1);
    let at = items.iter().position(|item| Some(item.session_id) == chosen).unwrap_or(0);
    let first = (at + 1).saturating_sub(room);
    let names = items.iter().map(|item| width(&clean_line(&item.component))).max().unwrap_or(0).min(24);
    for (line, item) in items.iter().enumerate().skip(first).take(room) {
        let y = u16::try_from((line - first) * each).unwrap_or(u16::MAX);
        let component = elide(&clean_line(&item.component), names);
        let pad = " ".repeat(names.saturating_sub(width(&component)));
        let mark = if line == at { "▌" } else { " " };
        let over = (line == at).then(|| theme::chosen(pen.colors));
        let here = Rect { y: inside.y + y, height: 1.min(inside.height), ..inside };
        if let Some(style) = over {
            pen.fill(here, style);
        }
        let age = words::brief(model.now - item.since);
        let head: Row = vec![
            (Tone::Key, mark.into()),
            (Tone::Warn, format!("{:<7} ", words::need(item.need))),
            (Tone::Strong, format!("{component}{pad} ")),
            (Tone::Dim, format!("{:<9} {age:>4}", words::kind(item.kind))),
        ];
        pen.row(here, 0, &head, over);
        if each == 2 {
            let message =
                if item.need == Need::Permission { visible(&item.message) } else { clean_line(&item.message) };
            let message = vec![(Tone::Plain, "         ".into()), (Tone::Plain, message)];
            pen.row(inside, y + 1, &message, None);
        }
    }
}

fn modes(pen: &mut Pen<'_>, model: &Model, snapshot: &Snapshot, session: SessionId, chosen: Mode) {
    let (columns, rows) = model.size;
    let area = layout::overlay(columns, rows.saturating_sub(1), 66, Mode::ALL.len() + 2);
    let inside = frame(pen, area, &format!("Mode of {}", name(snapshot, session)), Tone::Key);
    let now = snapshot.tree.node(session).map(|node| node.row.mode);
    for (line, mode) in (0u16..).zip(Mode::ALL) {
        let text = match mode {
            Mode::Manual => "every step waits until you advance it",
            Mode::Auto => "steps follow by themselves; the agent's questions are yours",
            Mode::Agentic => "nothing is asked; only a halt stops it",
        };
        let over = (*mode == chosen).then(|| theme::chosen(pen.colors));
        let here = Rect { y: inside.y + line, height: 1, ..inside };
        if line >= inside.height {
            break;
        }
        if let Some(style) = over {
            pen.fill(here, style);
        }
        let mark = if now == Some(*mode) { "• " } else { "  " };
        let row: Row = vec![(Tone::Key, mark.into()), (Tone::Strong, format!("{mode:<8} ")), (Tone::Dim, text.into())];
        pen.row(here, 0, &row, over);
    }
}

fn permit(
    pen: &mut Pen<'_>,
    model: &Model,
    snapshot: &Snapshot,
    overlay: &Overlay,
    (session, chosen, position): (SessionId, usize, Position),
) {
    let Some((lines, text)) = lines_of(model, snapshot, overlay) else { return };
    let port = Port { lines: &lines, width: usize::from(text.width), height: usize::from(text.height) };
    let (columns, rows) = model.size;
    let high = usize::from(text.height) + RULINGS.len() + 3;
    let area = layout::overlay(columns, rows.saturating_sub(1), usize::from(text.width) + 4, high);
    let more = if port.fits() { "" } else { " · J K scroll" };
    let inside = frame(pen, area, &format!("The agent of {} asks{more}", name(snapshot, session)), Tone::Warn);
    let text = Rect { height: text.height.min(inside.height), ..inside };
    pen.rows(text, &port.rows(position));
    let first = if text.height > 0 { text.height + 1 } else { 0 };
    let asked = snapshot.inspected(session).and_then(|inspected| inspected.detail.question.as_ref());
    let files = asked.is_some_and(|question| question.files);
    for (line, (at, one)) in (first..).zip(RULINGS.iter().enumerate()) {
        if line >= inside.height {
            break;
        }
        let over = (at == chosen).then(|| theme::chosen(pen.colors));
        if let Some(style) = over {
            pen.fill(Rect { y: inside.y + line, height: 1, ..inside }, style);
        }
        pen.row(inside, line, &[(Tone::Plain, format!("  {}", ruling(*one, files)))], over);
    }
}

fn ask(pen: &mut Pen<'_>, model: &Model, snapshot: &Snapshot, question: Question) {
    let (columns, rows) = model.size;
    let (title, lines) = match question {
        Question::Cancel(session) => {
            let children = Model::would_end(snapshot, session);
            let what = if children > 0 {
                format!("It and its {} end", words::count(children, "active child", "active children"))
            } else {
                "It ends".to_owned()
            };
            let lines = vec![Line::new((0, 0)).with(
                Tone::Plain,
                format!("{what}, with every process they run. Branches, worktrees and what is recorded stay."),
            )];
            (format!("Cancel {}?", name(snapshot, session)), lines)
        }
        Question::Discard => {
            ("Leave without sending?".to_owned(), vec![Line::new((0, 0)).with(Tone::Plain, "What is written is lost.")])
        }
    };
    let wide = 60.min(usize::from(columns));
    let text: Vec<Row> = lines.iter().flat_map(|line| wrap(line, wide.saturating_sub(4))).collect();
    let area = layout::overlay(columns, rows.saturating_sub(1), wide, text.len() + 4);
    let inside = frame(pen, area, &title, Tone::Warn);
    pen.rows(inside, &text);
    let keys: Row = keys::of(Scope::Question).filter(|row| row.footer > 0).flat_map(super::keys::entry).collect();
    if let Some(last) = inside.height.checked_sub(1) {
        pen.row(inside, last, &keys, None);
    }
}

fn editing(pen: &mut Pen<'_>, model: &Model, snapshot: &Snapshot, editor: &Editor) {
    let (columns, rows) = model.size;
    let lines = editor.area.lines().len();
    let high = (lines + 5).max(9);
    let area = layout::overlay(columns, rows.saturating_sub(1), 76, high);
    let name = name(snapshot, editor.session);
    let asked = snapshot.inspected(editor.session).and_then(|inspected| inspected.detail.requests.first());
    let asked = asked.map(|request| clean_line(&request.in_words())).unwrap_or_default();
    let (title, hint) = match editor.purpose {
        Purpose::Say => {
            let running = snapshot.tree.node(editor.session).is_some_and(|node| {
                let agents = |step: Step| step.performer() == Performer::Agent;
                node.row.is_running() && node.row.step.is_some_and(agents)
            });
            let when = if running {
                "Its agent is at work and gets this:"
            } else {
                "Its agent gets this with its next prompt:"
            };
            (format!("Message to {name}"), when.to_owned())
        }
        Purpose::Reactivate => (format!("Reactivate {name}"), "Its agent goes on with this:".to_owned()),
        Purpose::Redesign => {
            (format!("Design {name} anew"), "New sessions do it, the design first. Their agents get this:".to_owned())
        }
        Purpose::Approve => (
            format!("Approve the halt of {name}"),
            "It is closed as failed. A note for the record, if you like:".to_owned(),
        ),
        Purpose::Override => (format!("Override the halt of {name}"), "It goes on. A note for the record:".to_owned()),
        Purpose::Rule { granted: true, .. } => (format!("Approve the request of {name}"), asked),
        Purpose::Rule { granted: false, .. } => (format!("Refuse the request of {name}"), asked),
    };
    let inside = frame(pen, area, &title, Tone::Key);
    let mut rest = inside;
    if inside.height >= 4 {
        pen.row(inside, 0, &[(Tone::Dim, hint)], None);
        rest = Rect { y: inside.y + 1, height: inside.height - 1, ..inside };
    }
    if rest.height > 0 && rest.width > 0 {
        editor.area.render(rest.intersection(pen.bounds), pen.buffer);
    }
}

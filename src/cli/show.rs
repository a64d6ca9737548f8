//! Looking at sessions.

use serde_json::{Value, json};

use crate::{
    engine,
    model::{Command, EventKind, Limits, MessageState, Placement, Session, SessionId, Step, StepResult},
    prompt,
    store::{Need, Store},
    tui, workflow,
};

use super::{
    args::{Events, Global, Json, One},
    error::CliError,
    output,
    place::Place,
    print::{self, Cell, Tone},
    session::tone,
};

/// Events are read so many at a time.
const PAGE: u32 = 500;

pub(super) fn show(global: &Global, args: &One) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let store = place.open()?;
    let id = store.find(&args.id)?;
    let (session, row) = (store.session(id)?, store.board_row(id)?);
    if args.json {
        print::json(&output::whole(&store, &session, &row)?);
        return Ok(0);
    }
    print::line(&format!("{} {} ({})", session.kind, session.component, session.id));
    let field = |name: &str, value: &str| print::line(&format!("  {name:13} {value}"));
    field("status", session.status.as_str());
    field("mode", session.mode.as_str());
    if let Some(next) = &row.next {
        field("next", next);
    }
    for (name, value) in [
        ("branch", session.branch.as_deref()),
        ("worktree", session.worktree.as_deref().map(|path| path.as_str())),
        ("commit", session.commit.as_deref()),
        ("agent", session.agent.as_deref()),
        ("conversation", session.conversation_id.as_deref()),
    ] {
        if let Some(value) = value {
            field(name, value);
        }
    }
    if let Some(halt) = store.last_halt(id)?.filter(|halt| halt.decision.is_none()) {
        field("halt", &format!("{}: {}", halt.reason, halt.message));
    }
    if let Some(asked) = store.question(id)? {
        let what = tui::visible(&format!("{}: {}", asked.tool, asked.title));
        field("asks", &format!("{what} (question {})", asked.id.short()));
    }
    for message in store.unseen(id)? {
        field("message", &format!("{} ({}): {}", message.state(), message.user, prompt::inline(&message.text, 80)));
    }
    history(&store, &session)?;
    failures(&store, id)?;
    children(&store, id)?;
    Ok(0)
}

/// What fails now; what was fixed is history.
fn failures(store: &Store, id: SessionId) -> Result<(), CliError> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let mut failing: Vec<_> = store.ledger(id)?.into_iter().filter(|row| row.state.is_failing()).collect();
    failing.sort_by_key(|row| Placement::rank(row.placement));
    for row in failing {
        let place = match (&row.file, row.line) {
            (Some(file), Some(line)) => format!("{file}:{line}"),
            (Some(file), None) => file.clone(),
            (None, _) => String::new(),
        };
        let state = if row.was_red_before() {
            Cell::toned("was red before", Tone::Plain)
        } else {
            Cell::toned(row.state.as_str(), Tone::Bad)
        };
        let belongs = match row.belongs() {
            Some(_) if row.was_red_before() => row.context.clone().unwrap_or_default(),
            belongs => belongs.unwrap_or_default(),
        };
        rows.push(vec!["".into(), state, row.test.into(), belongs.into(), place.into()]);
    }
    if !rows.is_empty() {
        print::line("\nfailures");
        print::table(&rows);
    }
    Ok(())
}

fn children(store: &Store, id: SessionId) -> Result<(), CliError> {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for child in store.children(id)? {
        let step = store.board_row(child.id)?.step.map_or("-", Step::as_str);
        let status = Cell::toned(child.status.as_str(), tone(child.status));
        rows.push(vec!["".into(), child.id.short().into(), child.component.into(), status, step.into()]);
    }
    if !rows.is_empty() {
        print::line("\nchildren");
        print::table(&rows);
    }
    Ok(())
}

fn history(store: &Store, session: &Session) -> Result<(), CliError> {
    print::line("");
    for it in store.interactions(session.id, 0)? {
        let ended = match &it.result {
            None => "running".to_owned(),
            Some(result) => format!("{} in {}", how(result), elapsed(result.duration_ms)),
        };
        let generation = if it.generation > 1 { format!(" (generation {})", it.generation) } else { String::new() };
        print::line(&format!("{:4}  {} #{}{generation}: {ended}", it.seq, it.step, it.iteration));
        if let Some(message) = it.result.as_ref().and_then(|result| result.error_message.as_ref()) {
            for line in message.lines() {
                print::line(&format!("        {line}"));
            }
        }
    }
    Ok(())
}

fn elapsed(milliseconds: u64) -> String {
    tui::exact(i64::try_from(milliseconds).unwrap_or(i64::MAX / 1000).saturating_mul(1000))
}

fn how(result: &StepResult) -> String {
    match result.cause {
        Some(cause) if result.test_run().is_some_and(|run| !run.status.ran()) => {
            let status = result.test_run().map_or("", |run| run.status.as_str());
            format!("{} ({cause}: {status})", result.status)
        }
        Some(cause) => format!("{} ({cause})", result.status),
        None => result.status.to_string(),
    }
}

pub(super) fn events(global: &Global, args: &Events) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let store = place.open()?;
    let id = store.find(&args.id)?;
    let watch = crate::store::Watch::new(&place.store).ok();
    let mut after = 0;
    let mut teller = Teller::default();
    engine::client::wait_for(watch.as_ref(), None, || {
        // Read before the events: what a session that has ended said is all there.
        let ended = store.session(id)?.status.is_terminal();
        after = print_events(&store, id, after, args.json, &mut teller)?;
        let over = !args.follow || ended || print::is_unread();
        Ok::<_, CliError>(over.then_some(()))
    })?;
    teller.end_line();
    Ok(0)
}

/// Prints events as they follow each other: what agents and processes say comes in pieces, everything else on lines.
#[derive(Default)]
struct Teller {
    /// The last piece did not end its line.
    is_open: bool,
}

impl Teller {
    fn tell(&mut self, event: &EventKind) {
        match event {
            EventKind::AgentText { text } | EventKind::AgentThought { text } | EventKind::Output { text, .. } => {
                self.piece(&tui::clean(text));
            }
            EventKind::ToolCall { tool, title } if title.is_empty() => self.line(&format!("• {tool}")),
            EventKind::ToolCall { tool, title } => self.line(&tui::visible(&format!("• {tool}: {title}"))),
            EventKind::ToolEnd { tool, ok, text } => {
                let first = text.lines().next().unwrap_or_default();
                self.line(&format!("  {} {tool}: {first}", if *ok { "✓" } else { "✗" }));
            }
            EventKind::FileEdit { path, diff } => {
                self.line(&format!("✎ {path}"));
                self.piece(&tui::clean(diff));
            }
            EventKind::Plan { items } => {
                for item in items {
                    self.line(&format!("  [{}] {}", tui::plan_mark(item.state), item.text));
                }
            }
            EventKind::Permission { tool, title, allowed, by } => {
                let said = if *allowed { "allowed" } else { "denied" };
                self.line(&tui::visible(&format!("{said} {tool}: {title} ({by})")));
            }
            EventKind::Message { user, text, state: MessageState::Queued } => {
                self.line(&format!("✉ {user}: {}", tui::clean(text)));
            }
            EventKind::Message { text, state, .. } => self.line(&format!("✉ {state}: {}", prompt::inline(text, 80))),
            EventKind::Usage(usage) => self.line(&format!("— {}", tui::usage(usage))),
            EventKind::Command { line } => self.line(&tui::exposed(&format!("$ {line}"))),
            EventKind::Note { text } => self.line(&tui::exposed(&format!("— {text}"))),
        }
    }

    fn piece(&mut self, text: &str) {
        if !text.is_empty() {
            print::raw(text);
            self.is_open = !text.ends_with('\n');
        }
    }

    fn line(&mut self, text: &str) {
        self.end_line();
        print::line(text);
    }

    fn end_line(&mut self) {
        if std::mem::take(&mut self.is_open) {
            print::raw("\n");
        }
    }
}

fn print_events(
    store: &Store,
    id: SessionId,
    mut after: u64,
    as_json: bool,
    teller: &mut Teller,
) -> Result<u64, CliError> {
    loop {
        let page = store.events(id, after, PAGE)?;
        let Some(last) = page.last() else { return Ok(after) };
        after = last.n;
        for event in &page {
            if as_json {
                let mut value = json!(event);
                if let Value::Object(fields) = &mut value {
                    fields.insert("at".into(), json!(output::time(event.at)));
                }
                print::json_line(&value);
                continue;
            }
            teller.tell(&event.kind);
        }
        if print::is_unread() {
            return Ok(after);
        }
    }
}

pub(super) fn inbox(global: &Global, args: &Json) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let items = place.open()?.inbox()?;
    if args.json {
        let rows: Vec<Value> = items
            .iter()
            .map(|item| {
                let mut value = json!(item);
                if let Value::Object(fields) = &mut value {
                    fields.insert("since".into(), json!(output::time(item.since)));
                }
                value
            })
            .collect();
        print::json(&rows);
        return Ok(0);
    }
    if items.is_empty() {
        print::note("nothing waits for you");
        return Ok(0);
    }
    let mut rows: Vec<Vec<Cell>> =
        vec![["ID", "COMPONENT", "KIND", "SINCE", "NEEDS", "ABOUT"].map(Cell::from).to_vec()];
    let now = engine::now();
    for item in &items {
        let (needs, tone) = match item.need {
            Need::Decision { .. } => ("a decision", Tone::Needs),
            Need::Request | Need::Permission => ("a word", Tone::Needs),
            Need::Advance => ("advance", Tone::Busy),
            Need::Failed => ("a look", Tone::Bad),
        };
        rows.push(vec![
            item.session_id.short().into(),
            item.component.as_str().into(),
            item.kind.as_str().into(),
            tui::brief(now - item.since).into(),
            Cell::toned(needs, tone),
            match item.need {
                Need::Permission => tui::visible(&item.message).into(),
                Need::Decision { .. } | Need::Request | Need::Advance | Need::Failed => {
                    workflow::headline(&item.message).into()
                }
            },
        ]);
    }
    print::table(&rows);
    print::note("`callboard why ID` says what can be done about each");
    Ok(0)
}

pub(super) fn why(global: &Global, args: &One) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let store = place.open()?;
    let id = store.find(&args.id)?;
    let limits = place.project().map_or_else(|_| Limits::default(), |project| project.limits);
    let engine = engine::holder(&place.store).is_some();
    let facts = store.facts(&store.detail(id)?, &limits, engine, engine::now())?;
    let why = workflow::why(&facts);
    if args.json {
        let mut value = json!(why);
        if let Value::Object(fields) = &mut value {
            fields.insert("since".into(), json!(output::time(why.since)));
        }
        print::json(&value);
        return Ok(0);
    }
    print::line(&why.state);
    print::line(&format!("  rule     {}", why.rule));
    for other in &why.waits_for {
        print::line(&format!("  waits    {other}"));
    }
    let ago = tui::brief(engine::now() - why.since);
    print::line(&format!("  since    {} ({ago} ago)", output::time(why.since)));
    print::line(&format!("  who      {}", why.who));
    if !why.hint.is_empty() {
        print::line(&format!("  try      {}", why.hint));
    }
    Ok(0)
}

pub(super) fn preview(global: &Global, args: &One) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let store = place.open()?;
    let id = store.find(&args.id)?;
    let options = super::engine::options(place.store.clone(), place.settings()?, None, None);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("no runtime: {error}")))?;
    let preview = runtime.block_on(engine::preview(options, &place.scope, id))?;
    if args.json {
        print::json(&json!({
            "session_id": id, "step": preview.step, "next": preview.next,
            "command": preview.command.as_ref().map(output::command), "problem": preview.problem,
            "directory": preview.directory, "sandbox": preview.sandbox,
        }));
        return Ok(0);
    }
    print::line(&format!("next: {}", preview.next));
    if let Some(directory) = &preview.directory {
        print::line(&format!("in: {directory}"));
    }
    if let Some(sandbox) = &preview.sandbox {
        print::line(&format!("sandbox: {sandbox}"));
    }
    match &preview.command {
        None | Some(Command::Check { .. }) => {}
        Some(Command::Agent { agent, prompt, .. }) => {
            print::line(&format!("agent: {agent}\n"));
            print::line(prompt.trim_end());
        }
        Some(Command::Tests { argv, .. }) => print::line(&argv.join(" ")),
        Some(Command::Git { operations }) => operations.iter().for_each(|operation| print::line(operation)),
        Some(Command::SpawnSessions { child_session_ids, reactivated }) => print::line(&format!(
            "{} child sessions, {} of them reactivated",
            child_session_ids.len(),
            reactivated.len()
        )),
    }
    if let Some(problem) = &preview.problem {
        print::line(&format!("but: {problem}"));
    }
    Ok(0)
}

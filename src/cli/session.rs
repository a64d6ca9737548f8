//! Making and listing sessions.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::{
    engine,
    git::Repo,
    model::{Generation, Intent, IntentAction, IntentId, Mode, Origin, Session, SessionId, SessionKind, Status, Step},
    project::Project,
    store::{BoardRow, Change, Need, SessionFilter},
    tui, workflow,
};

use super::{
    args::{Global, Ls, New},
    engine::ensure,
    error::CliError,
    output,
    place::Place,
    print::{self, Cell, Tone},
};

/// What a new session is to be.
pub(super) struct Wanted {
    pub(super) kind: SessionKind,
    pub(super) component: String,
    pub(super) mode: Mode,
    pub(super) agent: Option<String>,
    pub(super) base: Option<String>,
}

pub(super) fn new(global: &Global, args: &New) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let project = place.project()?;
    let wanted = Wanted {
        kind: args.kind,
        component: args.component.clone(),
        mode: args.mode,
        agent: args.agent.clone(),
        base: args.base.clone(),
    };
    let id = create(&place, &project, wanted)?;
    ensure(&place.store)?;
    if args.agent.is_none() && project.agent.is_none() {
        print::note("no agent is named: its agent steps will wait for you until callboard.toml has `agent = \"…\"`");
    }
    if args.json {
        let store = place.open()?;
        print::json(&output::session(&store, &store.session(id)?, &store.board_row(id)?)?);
    } else {
        print::line(&id.to_string());
    }
    Ok(0)
}

/// Records a new session, after everything that can be wrong with it was looked at.
pub(super) fn create(place: &Place, project: &Project, wanted: Wanted) -> Result<SessionId, CliError> {
    check(place, project, &wanted)?;
    let at = engine::now();
    let session = Session {
        agent: wanted.agent,
        base: wanted.base,
        ..Session::new(wanted.kind, &wanted.component, wanted.mode, at)
    };
    let id = session.id;
    let start = workflow::first_step(session.kind);
    let generation = Generation { number: 1, start, context: String::new(), origin: Origin::New, opened_at: at };
    let mut transition = engine::catalogue(project);
    transition.push(Change::NewSession(Box::new(session), generation));
    let user = place.scope.user.clone();
    let action = IntentAction::Start;
    transition.push(Change::Ask(Intent { id: IntentId::generate(), session_id: id, user, action, at }));
    place.open()?.apply(&transition)?;
    Ok(id)
}

fn check(place: &Place, project: &Project, wanted: &Wanted) -> Result<(), CliError> {
    project.takes(wanted.kind, &wanted.component).map_err(CliError::Usage)?;
    if let Some(agent) = &wanted.agent
        && project.agent_named(agent).is_none()
    {
        let known: Vec<&str> = project.agents.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none are configured".to_owned() } else { known.join(", ") };
        return Err(CliError::Usage(format!("there is no agent {agent:?}; expected one of: {known}")));
    }
    let repo = Repo::open(&place.root)?;
    match &wanted.base {
        Some(base) => repo.resolve(base).map(drop)?,
        None => repo.head().map(drop)?,
    }
    Ok(())
}

pub(super) fn ls(global: &Global, args: &Ls) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let store = place.open()?;
    let sessions = store.sessions(SessionFilter { status: args.status, kind: args.kind })?;
    if args.json {
        let rows: Vec<Value> =
            sessions.iter().map(|(it, row)| output::session(&store, it, row)).collect::<Result<_, _>>()?;
        print::json(&rows);
        return Ok(0);
    }
    if sessions.is_empty() {
        print::note("no session here; `callboard new context_testing NAME` makes one");
        return Ok(0);
    }
    let mut rows: Vec<Vec<Cell>> = vec![["ID", "KIND", "COMPONENT", "STATUS", "AGE", "STEP"].map(Cell::from).to_vec()];
    let now = engine::now();
    for (depth, session, row) in as_tree(&sessions) {
        rows.push(vec![
            session.id.short().into(),
            session.kind.as_str().into(),
            format!("{}{}", "  ".repeat(depth), session.component).into(),
            Cell::toned(session.status.as_str(), tone(session.status)),
            tui::brief(now - row.updated_at).into(),
            standing(session, row),
        ]);
    }
    print::table(&rows);
    Ok(0)
}

/// Children behind their parents, with their depth; in the order in which they were made otherwise.
fn as_tree(sessions: &[(Session, BoardRow)]) -> Vec<(usize, &Session, &BoardRow)> {
    let listed: HashSet<SessionId> = sessions.iter().map(|(session, _)| session.id).collect();
    let mut children: HashMap<Option<SessionId>, Vec<&(Session, BoardRow)>> = HashMap::new();
    for it in sessions {
        children.entry(it.0.parent_id.filter(|parent| listed.contains(parent))).or_default().push(it);
    }
    let below = |parent: Option<SessionId>, depth: usize| {
        children.get(&parent).into_iter().flatten().rev().map(move |it| (depth, *it))
    };
    let mut rest: Vec<(usize, &(Session, BoardRow))> = below(None, 0).collect();
    let mut found = Vec::with_capacity(sessions.len());
    while let Some((depth, (session, row))) = rest.pop() {
        found.push((depth, session, row));
        rest.extend(below(Some(session.id), depth + 1));
    }
    found
}

pub(super) const fn tone(status: Status) -> Tone {
    match status {
        Status::Active => Tone::Busy,
        Status::Complete => Tone::Good,
        Status::Failed => Tone::Bad,
        Status::Cancelled => Tone::Plain,
    }
}

/// Where a session stands: `2/4 run_tests ×3`, or what it waits for.
fn standing(session: &Session, row: &BoardRow) -> Cell {
    let step = row.step.map_or_else(|| "-".to_owned(), |step| at(session.kind, step, row.iteration));
    match row.need() {
        Some(Need::Decision { reason }) => Cell::toned(format!("{step}, halted: {reason}"), Tone::Needs),
        Some(Need::Request) => Cell::toned(format!("{step}, its agent asks for something"), Tone::Needs),
        Some(Need::Permission) => Cell::toned(format!("{step}, its agent asks"), Tone::Needs),
        Some(Need::Advance) if row.next.as_deref() != Some("waiting") => {
            Cell::toned(format!("before {}", row.next.as_deref().unwrap_or("its next step")), Tone::Needs)
        }
        Some(Need::Advance) => "waits for its children".into(),
        Some(Need::Failed) | None => step.into(),
    }
}

fn at(kind: SessionKind, step: Step, iteration: u32) -> String {
    let (position, of) = workflow::position(kind, step).unwrap_or((0, 0));
    let again = if iteration > 1 { format!(" ×{iteration}") } else { String::new() };
    format!("{position}/{of} {step}{again}")
}

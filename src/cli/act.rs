//! What is asked of the engine: each writes an intent and waits for its answer.

use std::time::Duration;

use camino::Utf8PathBuf;

use crate::{
    engine::{self, client},
    model::{Answer, Intent, IntentAction, IntentId, Lasts, Micros, RequestId, Seen, Session, SessionId, SessionKind},
    project::Project,
    store::{Change, Need, Store, Watch},
    tui,
    workflow::newest_with_work,
};

use super::{
    args::{Approve, Global, One, Override, Permit, Reactivate, Say, SetMode},
    engine::{ensure, is_unwanted},
    error::CliError,
    input,
    output::Answered,
    place::Place,
    print,
};

/// So long an answer is waited for.
const LIMIT: Duration = Duration::from_secs(30);
/// So many bytes of a context are taken: more is more than a prompt can carry.
const CONTEXT: u64 = 256 * 1024;

pub(super) fn advance(global: &Global, args: &One) -> Result<u8, CliError> {
    ask(global, &args.id, IntentAction::Advance, args.json)
}

pub(super) fn retry(global: &Global, args: &One) -> Result<u8, CliError> {
    ask(global, &args.id, IntentAction::Retry, args.json)
}

pub(super) fn interrupt(global: &Global, args: &One) -> Result<u8, CliError> {
    ask(global, &args.id, IntentAction::Interrupt, args.json)
}

pub(super) fn say(global: &Global, args: &Say) -> Result<u8, CliError> {
    let text = text(args.text.as_ref(), args.file.as_ref(), "message")?;
    let code = ask(global, &args.id, IntentAction::Say { text }, args.json)?;
    if !args.json {
        print::note("`callboard show` says how far it has come");
    }
    Ok(code)
}

/// A text as it is given, or as a file has it.
fn text(given: Option<&String>, file: Option<&Utf8PathBuf>, what: &str) -> Result<String, CliError> {
    match (given, file) {
        (Some(text), _) => Ok(text.clone()),
        (None, Some(path)) => Ok(String::from_utf8_lossy(&input::read(path, what, CONTEXT)?).into_owned()),
        (None, None) => Ok(String::new()),
    }
}

pub(super) fn cancel(global: &Global, args: &One) -> Result<u8, CliError> {
    ask(global, &args.id, IntentAction::Cancel, args.json)
}

pub(super) fn mode(global: &Global, args: &SetMode) -> Result<u8, CliError> {
    ask(global, &args.id, IntentAction::SetMode { mode: args.mode }, args.json)
}

pub(super) fn approve(global: &Global, args: &Approve) -> Result<u8, CliError> {
    match request(global, args)? {
        Some(request) => {
            ask(global, &args.id, IntentAction::Rule { request, granted: true, note: args.note.clone() }, args.json)
        }
        None => {
            let seen = halted(global, &args.id)?;
            ask(global, &args.id, IntentAction::Approve { note: args.note.clone(), seen }, args.json)
        }
    }
}

pub(super) fn refuse(global: &Global, args: &Approve) -> Result<u8, CliError> {
    let request = request(global, args)?.ok_or_else(|| {
        CliError::Refused(
            "its agent asks for nothing that waits for a person (`callboard inbox` shows who does)".into(),
        )
    })?;
    ask(global, &args.id, IntentAction::Rule { request, granted: false, note: args.note.clone() }, args.json)
}

/// What a session's agent asks for first, unless it is halted: then that is what is decided.
fn request(global: &Global, args: &Approve) -> Result<Option<RequestId>, CliError> {
    let store = Place::find(global)?.open()?;
    let session = store.find(&args.id)?;
    let asks = store.board_row(session)?.need() == Some(Need::Request);
    let first = store.open_requests(session)?.into_iter().next().filter(|_| asks);
    if let Some(request) = &first {
        print::note(&request.in_words());
    }
    Ok(first.map(|request| request.id))
}

/// The halt that a decision is about: the one that is there when the command is given.
fn halted(global: &Global, given: &str) -> Result<Option<Seen>, CliError> {
    let store = Place::find(global)?.open()?;
    let halt = store.last_halt(store.find(given)?)?;
    Ok(halt.map(|halt| Seen { halt: halt.id, content: None }))
}

pub(super) fn override_(global: &Global, args: &Override) -> Result<u8, CliError> {
    let seen = halted(global, &args.id)?;
    ask(global, &args.id, IntentAction::Override { note: args.note.clone(), seen }, args.json)
}

pub(super) fn reactivate(global: &Global, args: &Reactivate) -> Result<u8, CliError> {
    let context = text(args.context.as_ref(), args.context_file.as_ref(), "context file")?;
    let named = IntentAction::Reactivate { context: context.clone(), requester: None, redesign: args.redesign };
    let Some(component) = &args.component else {
        return ask(global, args.id.as_deref().unwrap_or_default(), named, args.json);
    };
    let place = Place::find(global)?;
    let mut store = place.open()?;
    let session = continued(&place.project()?, &store, component, args.kind)?;
    let action = if args.redesign { named } else { IntentAction::Renew { context: context.clone() } };
    let since = engine::now();
    match answered(&place, &mut store, session.id, action)? {
        Answer::Refused { why } => {
            Err(CliError::Refused(format!("{} {} ({}): {why}", session.kind, session.component, session.id.short())))
        }
        answer @ (Answer::Done | Answer::Asked) => {
            let opened = opened(&store, &session, &context, since)?;
            print::note(&decided(&session, &opened, args.redesign));
            let id = opened.last().map_or(session.id, |last| last.id);
            tell(id, answer, args.json)
        }
    }
}

/// The sessions in which a component's work goes on, in their order, as the engine decided.
fn opened(store: &Store, session: &Session, context: &str, since: Micros) -> Result<Vec<Session>, CliError> {
    let mut opened = Vec::new();
    for it in store.sessions_of(&session.component)? {
        let last = store.generations(it.id)?.pop();
        if last.is_some_and(|last| last.opened_at >= since && last.context == context) {
            opened.push(it);
        }
    }
    Ok(opened)
}

/// What the engine decided, in words.
fn decided(session: &Session, opened: &[Session], redesign: bool) -> String {
    let Session { kind, component, .. } = session;
    let named = |it: &Session| format!("{} {} ({})", it.kind, it.component, it.id.short());
    match opened {
        // It has been opened once more since.
        [] => format!("continues {}", named(session)),
        [it] if it.generation > 1 => format!("continues {}", named(it)),
        made => {
            let made: Vec<String> = made.iter().map(named).collect();
            let why = if redesign {
                format!("designs anew what was made by {}", named(session))
            } else {
                format!("the design of {component} has changed since its {kind} session ({})", session.id.short())
            };
            format!("{why}: goes on in {}", made.join(", then "))
        }
    }
}

/// The session of a component in which its work goes on.
fn continued(
    project: &Project,
    store: &Store,
    component: &str,
    kind: Option<SessionKind>,
) -> Result<Session, CliError> {
    let component = project.component(component).map_err(|error| CliError::Usage(error.to_string()))?;
    let by_default = if component.kind.is_context() { SessionKind::Integration } else { SessionKind::ComponentCoding };
    let kind = kind.unwrap_or(by_default);
    newest_with_work(store.sessions_of(&component.name)?, kind).ok_or_else(|| {
        CliError::Usage(format!(
            "{} has no {kind} session that could be continued: `callboard new {kind} {}` makes one, --kind takes another",
            component.name, component.name
        ))
    })
}

pub(super) fn permit(global: &Global, args: &Permit, allow: bool) -> Result<u8, CliError> {
    let lasts = match (args.session, args.always) {
        (true, _) => Lasts::Session,
        (false, true) => Lasts::Always,
        (false, false) => Lasts::Once,
    };
    let place = Place::find(global)?;
    let store = place.open()?;
    let session = store.find(&args.id)?;
    let Some(question) = store.question(session)? else {
        return Err(CliError::Refused("its agent asks nothing; `callboard inbox` shows whose does".into()));
    };
    let id = question.id.to_string();
    let meant = |given: &String| !given.is_empty() && (id.starts_with(given.as_str()) || id.ends_with(given.as_str()));
    if !args.question.as_ref().is_none_or(meant) {
        return Err(CliError::Refused(format!(
            "its agent asks something else now, question {}: look at it (`callboard show`), then answer",
            question.id.short()
        )));
    }
    if !args.json {
        print::line(&tui::visible(&format!("{}: {}", question.tool, question.title)));
        if !question.detail.is_empty() {
            print::line(&tui::exposed(&question.detail));
        }
        if question.files && lasts == Lasts::Always {
            let allowed = if allow { "allowed" } else { "denied" };
            let (tool, files) = (tui::visible(&question.tool), tui::visible(&question.subject));
            print::line(&format!(
                "the rule is about the file, not this change: {tool} is {allowed} any change to {files}"
            ));
        }
    }
    ask(global, &args.id, IntentAction::Permit { id: question.id, allow, lasts }, args.json)
}

fn ask(global: &Global, given: &str, action: IntentAction, as_json: bool) -> Result<u8, CliError> {
    let place = Place::find(global)?;
    let store = place.open()?;
    let session = store.find(given)?;
    ask_about(&place, store, session, action, as_json)
}

fn ask_about(
    place: &Place,
    mut store: Store,
    session: SessionId,
    action: IntentAction,
    as_json: bool,
) -> Result<u8, CliError> {
    let answer = answered(place, &mut store, session, action)?;
    tell(session, answer, as_json)
}

/// What the engine says to something that is asked of it.
fn answered(place: &Place, store: &mut Store, session: SessionId, action: IntentAction) -> Result<Answer, CliError> {
    let watch = Watch::new(&place.store).ok();
    let intent = submit(store, session, action)?;
    if is_unwanted() && engine::holder(&place.store).is_none() {
        return Err(CliError::Failed(
            "no engine is at work, and CALLBOARD_NO_ENGINE forbids to start one; what was asked stays on record and is done \
             as soon as one is (`callboard engine run`)"
                .into(),
        ));
    }
    wait_for(place, store, watch.as_ref(), intent)
}

/// Prints an answer.
fn tell(session: SessionId, answer: Answer, as_json: bool) -> Result<u8, CliError> {
    match answer {
        answer @ (Answer::Done | Answer::Asked) if as_json => {
            let answer = if answer == Answer::Done { "done" } else { "asked" };
            print::json(&Answered { session_id: session.to_string(), answer });
        }
        Answer::Done => print::line("done"),
        Answer::Asked => print::line("a person is asked (`callboard inbox`)"),
        Answer::Refused { why } => return Err(CliError::Refused(why)),
    }
    Ok(0)
}

/// Writes an intent.
pub(super) fn submit(store: &mut Store, session: SessionId, action: IntentAction) -> Result<IntentId, CliError> {
    let id = IntentId::generate();
    let user = store.scope().user.clone();
    store.apply(&vec![Change::Ask(Intent { id, session_id: session, user, action, at: engine::now() })])?;
    Ok(id)
}

/// Waits for the engine's answer. `None`: there was none in time.
pub(super) fn answer(
    place: &Place,
    store: &Store,
    watch: Option<&Watch>,
    intent: IntentId,
) -> Result<Option<Answer>, CliError> {
    client::wait_for(watch, Some(LIMIT), || {
        let answer = store.answer(intent)?;
        // At each look: an engine that was just about to end when it was looked for answers nobody.
        if answer.is_none() {
            ensure(&place.store)?;
        }
        Ok::<_, CliError>(answer)
    })
}

fn wait_for(place: &Place, store: &Store, watch: Option<&Watch>, intent: IntentId) -> Result<Answer, CliError> {
    answer(place, store, watch, intent)?.ok_or_else(|| {
        let log = place.store.with_extension("d").join("engine.log");
        CliError::Failed(format!(
            "no engine has answered within {} s; what was asked stays on record and is done as soon as one does. \
             Look at {log}, or run `callboard engine run`",
            LIMIT.as_secs()
        ))
    })
}

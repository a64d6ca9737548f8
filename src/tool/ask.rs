//! Tools that ask for something.

use serde_json::json;

use crate::{
    model::{IntentAction, Request, RequestId, Ruling, Session, SessionKind, Status, Wish},
    prompt::{clip, inline},
    store::Change,
    workflow::newest_with_work,
};

use super::call::{Call, Caller, Run, Stop, refuse};

/// A name, or the beginning of a reason.
const NAME: usize = 300;
/// Why something could not be done.
const LONG: usize = 2_000;
/// So many requests are told of.
const REQUESTS: u32 = 50;

pub(super) fn reactivate_session(call: &Call<'_>) -> Result<Run, Stop> {
    let target = target(call)?;
    let caller = &call.caller.session;
    // Told first: whoever would wait for itself needs to know that more than anything else.
    if let Some(chain) = call.store.wait_chain(target.id, caller.id)? {
        return refuse(format!("it waits for whoever asks: {chain}; they would wait for each other for ever"));
    }
    call.permitted()?;
    within_context(call, &target.component)?;
    let (context, component) = (letter(call), target.component.clone());
    let redesign = call.given.flag("redesign");
    let wish = Wish::Reactivate { session: target.id, component, context: context.clone(), redesign };
    Ok(Run::Ask {
        session: target.id,
        action: IntentAction::Reactivate { context, requester: Some(caller.id), redesign },
        words: wish.in_words(),
    })
}

pub(super) fn create_session(call: &Call<'_>) -> Result<Run, Stop> {
    call.permitted()?;
    let component = call.given.text("component").unwrap_or_default().to_owned();
    let Some(kind) = call.given.word::<SessionKind>("kind") else { return refuse("`kind` is missing") };
    if let Err(why) = call.project()?.takes(kind, &component) {
        return refuse(why);
    }
    within_context(call, &component)?;
    let context = letter(call);
    let wish = Wish::Create { session_kind: kind, component: component.clone(), context: context.clone() };
    Ok(Run::Ask {
        session: call.caller.session.id,
        action: IntentAction::Create { kind, component, context },
        words: wish.in_words(),
    })
}

/// What the agent of the other session is told.
fn letter(call: &Call<'_>) -> String {
    let text = |name: &str| call.given.text(name).unwrap_or_default();
    format!("{}\n\n{}", text("reason"), text("context")).trim().to_owned()
}

pub(super) fn report_architectural_issue(call: &Call<'_>) -> Result<Run, Stop> {
    call.permitted()?;
    let text = |name: &str| call.given.text(name).unwrap_or_default().to_owned();
    let Caller { session, seq, .. } = call.caller;
    let request = Request {
        id: RequestId::generate(),
        session_id: session.id,
        seq: *seq,
        wish: Wish::Issue { summary: text("summary"), details: text("details") },
        at: call.now,
        // It goes on record and is not asked about: the session halts, and that is what a person decides.
        ruling: Some(Ruling { granted: true, user: String::new(), note: None, opened: None, at: call.now }),
    };
    let value = json!({
        "status": "recorded",
        "message": "It is on record. Finish your step now, without working around it: then this session stops, and a person decides.",
    });
    Ok(Run::Write(vec![Change::Request(Box::new(request))], value))
}

pub(super) fn get_reactivation_status(call: &Call<'_>) -> Result<Run, Stop> {
    let mut requests = Vec::new();
    for request in call.store.requests(call.caller.session.id, REQUESTS)? {
        let (status, why) = standing(call, &request)?;
        requests.push(json!({
            "asked_for": inline(&request.wish.in_words(), NAME), "reason": inline(request.wish.reason(), NAME),
            "status": status, "why": why,
            "session": request.ruling.as_ref().and_then(|ruling| ruling.opened).map(|(session, _)| session),
        }));
    }
    Ok(Run::Known(json!({"requests": requests})))
}

/// How a request stands, in a word, and why.
fn standing(call: &Call<'_>, request: &Request) -> Result<(&'static str, Option<String>), Stop> {
    let Some(ruling) = &request.ruling else {
        return Ok(("asked", Some("a person has not answered yet".into())));
    };
    let note = ruling.note.as_deref().map(|note| clip(note, LONG));
    if !ruling.granted {
        return Ok(("refused", note));
    }
    let Some((session, generation)) = ruling.opened else {
        return Ok(if matches!(request.wish, Wish::Issue { .. }) { ("recorded", note) } else { ("could_not", note) });
    };
    let session = call.store.session(session)?;
    Ok(match session.status {
        // What was asked for is long done; what it does now is somebody else's wish.
        _ if session.generation > generation => ("resolved", Some("it has been woken again since".into())),
        Status::Active => ("at_work", note),
        Status::Complete => ("resolved", note),
        Status::Failed => ("could_not", call.store.last_error(session.id)?.map(|error| clip(&error, LONG))),
        Status::Cancelled => ("could_not", Some("it was cancelled".into())),
    })
}

/// The session that is named, or the one that goes on with the named component.
fn target(call: &Call<'_>) -> Result<Session, Stop> {
    match (call.given.text("session"), call.given.text("component")) {
        (Some(_), Some(_)) => refuse("name the session or the component, not both"),
        (None, None) => refuse("name the session that is to be woken, or its component (list_components has them)"),
        (Some(_), None) => call.session(),
        (None, Some(component)) => {
            call.permitted()?;
            maker(call, component)
        }
    }
}

fn maker(call: &Call<'_>, component: &str) -> Result<Session, Stop> {
    if let Err(error) = call.project()?.component(component) {
        return refuse(error.to_string());
    }
    within_context(call, component)?;
    match newest_with_work(call.store.sessions_of(component)?, SessionKind::ComponentCoding) {
        Some(session) => Ok(session),
        None => refuse(format!(
            "no session has written the code of {} yet, there is none to wake: create_session makes one",
            inline(component, NAME)
        )),
    }
}

/// A session may only wake sessions of its own context's components.
fn within_context(call: &Call<'_>, component: &str) -> Result<(), Stop> {
    let context = &call.caller.session.component;
    let parent = call.project()?.context_of(component).map(|parent| parent.name.as_str());
    if parent == Some(context.as_str()) {
        return Ok(());
    }
    refuse(format!(
        "{} is not a component of {}: a session wakes and makes only sessions of its own context's components; what is wrong elsewhere is \
         for a person to decide, so say it at the end of your answer",
        inline(component, NAME),
        inline(context, NAME),
    ))
}

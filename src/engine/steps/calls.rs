//! What an agent asks of callboard while it works: so far, to wake the session that made a component.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::{
    agent::script::Call,
    engine::{
        clock,
        job::Job,
        recorder::Tap,
        steps::{agent, integration::ask_store},
    },
    model::{Answer, EventKind, Intent, IntentAction, IntentId, SessionId},
    store::Change,
};

/// So often it is asked whether the engine has answered.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// So often at most.
const ASKED: u32 = 1_500;

/// Carries out a call. A call that is refused, or that this version does not know, is noted and the agent goes on, as a real
/// one would; an error ends the step.
pub(super) async fn carry_out(job: &Job, call: &Call, tap: &Tap) -> Result<(), String> {
    if call.tool != "reactivate_session" {
        tap.note(call.not_carried_out());
        return Ok(());
    }
    let text = |name: &str| call.arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let target = target(job, &call.arguments)?;
    let context = format!("{}\n\n{}", text("reason"), text("context")).trim().to_owned();
    tap.event(EventKind::ToolCall {
        tool: call.tool.clone(),
        title: format!("{}: {}", text("component"), text("reason")),
    });
    let redesign = call.arguments.get("redesign").and_then(Value::as_bool).unwrap_or(false);
    match ask(job, target, context, redesign).await? {
        Answer::Done => tap.note(format!("The session of {} is woken.", text("component"))),
        Answer::Refused { why } => tap.note(format!("The session of {} is not woken: {why}", text("component"))),
    }
    Ok(())
}

/// The session that is named, or that made the named component.
fn target(job: &Job, arguments: &Map<String, Value>) -> Result<SessionId, String> {
    if let Some(id) = arguments.get("session").and_then(Value::as_str) {
        return id.parse().map_err(|error| format!("reactivate_session: {error}"));
    }
    let component = arguments.get("component").and_then(Value::as_str).unwrap_or_default();
    let makers = agent::work(job).map(|work| work.makers.as_slice()).unwrap_or_default();
    makers
        .iter()
        .find(|(name, _)| name == component)
        .and_then(|(_, files)| files.get("code").copied())
        .ok_or_else(|| format!("reactivate_session: no session has made {component:?} yet"))
}

async fn ask(job: &Job, target: SessionId, context: String, redesign: bool) -> Result<Answer, String> {
    let id = IntentId::generate();
    let action = IntentAction::Reactivate { context, requester: Some(job.session.id), redesign };
    let intent = Intent { id, session_id: target, user: String::new(), action, at: clock::now() };
    job.shared
        .writer
        .apply(&job.scope, vec![Change::Ask(intent)])
        .await
        .map_err(|error| format!("reactivate_session: {error}"))?;
    for _ in 0..ASKED {
        let (store, scope) = (job.shared.store.clone(), job.scope.as_ref().clone());
        let answer = ask_store(store, scope, move |store| store.answer(id)).await;
        if let Some(answer) = answer.map_err(|result| result.error_message.unwrap_or_default())? {
            return Ok(answer);
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    Err("reactivate_session: the engine did not answer".into())
}

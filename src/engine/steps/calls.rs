//! What a script agent asks of callboard while it works: through the same table as every other agent.

use std::{sync::Arc, time::Duration};

use crate::{
    agent::script::Call,
    engine::{
        clock,
        job::Job,
        recorder::Tap,
        steps::{git, integration::ask_store},
    },
    model::{Answer, IntentId},
    store::Transition,
    tool::{self, Begun, Caller, Reply, Then, Tool},
};

/// So often it is asked whether the engine has answered.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// So often at most.
const ASKED: u32 = 1_500;

/// Carries out a call. One that is refused, or of a tool that there is not, is noted and the agent goes on, as a real one
/// would; an error ends the step.
pub(super) async fn carry_out(job: &Job, call: &Call, tap: &Tap) -> Result<(), String> {
    let Some(tool) = tool::find(&call.tool) else {
        tap.note(tool::unknown(&call.tool));
        return Ok(());
    };
    match try_carry_out(job, tool, call).await {
        Ok(Reply::Done(_) | Reply::Refused(_)) => Ok(()),
        Err(message) => Err(format!("{}: {message}", call.tool)),
    }
}

async fn try_carry_out(job: &Job, tool: &'static Tool, call: &Call) -> Result<Reply, String> {
    let (session, project, arguments) = (job.session.id, Arc::clone(&job.project), call.arguments.clone());
    let (caller, Begun { changes, then }) = ask(job, move |store| {
        let caller = Caller::of(store, session)?;
        let begun = tool::begin(store, Ok(&project), &caller, tool, arguments, clock::now())?;
        Ok((caller, begun))
    })
    .await?;
    write(job, changes).await?;
    let (intent, words) = match then {
        Then::Tell(reply) => return Ok(reply),
        Then::Wait { intent, words } => (intent, words),
    };
    let (changes, reply) = tool::end(&caller, &words, answer(job, intent).await?, clock::now());
    write(job, changes).await?;
    Ok(reply)
}

async fn answer(job: &Job, intent: IntentId) -> Result<Option<Answer>, String> {
    for _ in 0..ASKED {
        if let Some(answer) = ask(job, move |store| store.answer(intent)).await? {
            return Ok(Some(answer));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
    Ok(None)
}

async fn ask<T: Send + 'static>(
    job: &Job,
    question: impl FnOnce(&crate::store::Store) -> Result<T, crate::store::StoreError> + Send + 'static,
) -> Result<T, String> {
    let asked = ask_store(job.shared.store.clone(), job.scope.as_ref().clone(), question).await;
    asked.map_err(|result: git::StepError| result.error_message.unwrap_or_default())
}

/// Writes changes behind everything that the agent has said so far.
async fn write(job: &Job, changes: Transition) -> Result<(), String> {
    job.shared.recorder.flush();
    job.shared.writer.apply(&job.scope, changes).await.map_err(|error| error.to_string())
}

//! Calls of the sessions tool that the engine carries out itself: through the same table as all others.

use std::{future::pending, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    agent::script::Call,
    engine::{
        clock,
        job::{Job, Shared},
        recorder::Tap,
        steps::{git, integration::ask_store},
    },
    model::{Answer, IntentId, Scope, SessionId},
    project::Project,
    store::{Store, StoreError, Transition},
    tool::{self, Begun, Caller, Reply, Then, Tool},
};

/// So often it is asked whether the engine has answered.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// So often at most.
const ASKED: u32 = 1_500;

/// Carries out a call of a script agent. One that is refused, or of a tool that there is not, is noted and the agent goes on, as a
/// real one would; an error ends the step.
pub(super) async fn carry_out(job: &Job, call: &Call, tap: &Tap) -> Result<(), String> {
    let Some(tool) = tool::find(&call.tool) else {
        tap.note(tool::unknown(&call.tool));
        return Ok(());
    };
    match Client::of(job).call(tool, call.arguments.clone(), pending()).await {
        Ok(Reply::Done(_) | Reply::Refused(_)) => Ok(()),
        Err(message) => Err(format!("{}: {message}", call.tool)),
    }
}

/// The agent of an attempt, as whom calls are carried out.
#[derive(Clone)]
pub(super) struct Client {
    shared: Arc<Shared>,
    scope: Arc<Scope>,
    project: Arc<Project>,
    pub(super) session: SessionId,
}

impl Client {
    pub(super) fn of(job: &Job) -> Self {
        Self {
            shared: Arc::clone(&job.shared),
            scope: Arc::clone(&job.scope),
            project: Arc::clone(&job.project),
            session: job.session.id,
        }
    }

    /// Carries out a call. What it asks for is on record before anything else; once the attempt is over, its answer is not waited
    /// for.
    pub(super) async fn call(
        &self,
        tool: &'static Tool,
        arguments: Map<String, Value>,
        over: impl Future<Output = ()>,
    ) -> Result<Reply, String> {
        let (session, project) = (self.session, Arc::clone(&self.project));
        let (caller, Begun { changes, then }) = self
            .ask(move |store| {
                let caller = Caller::of(store, session)?;
                let begun = tool::begin(store, Ok(&project), &caller, tool, arguments, clock::now())?;
                Ok((caller, begun))
            })
            .await?;
        self.write(changes).await?;
        let (intent, words) = match then {
            Then::Tell(reply) => return Ok(reply),
            Then::Wait { intent, words } => (intent, words),
        };
        let answer = tokio::select! {
            biased;
            () = over => None,
            answer = self.answer(intent) => answer?,
        };
        let (changes, reply) = tool::end(&caller, &words, answer, clock::now());
        self.write(changes).await?;
        Ok(reply)
    }

    async fn answer(&self, intent: IntentId) -> Result<Option<Answer>, String> {
        for _ in 0..ASKED {
            if let Some(answer) = self.ask(move |store| store.answer(intent)).await? {
                return Ok(Some(answer));
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        Ok(None)
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, String> {
        let asked = ask_store(self.shared.store.clone(), self.scope.as_ref().clone(), question).await;
        asked.map_err(|result: git::StepError| result.error_message.unwrap_or_default())
    }

    /// Writes changes behind everything that the agent has said so far.
    async fn write(&self, changes: Transition) -> Result<(), String> {
        self.shared.recorder.flush();
        self.shared.writer.apply(&self.scope, changes).await.map_err(|error| error.to_string())
    }
}

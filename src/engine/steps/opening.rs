//! What a turn of an agent begins with.

use camino::Utf8PathBuf;

use crate::{
    agent::{Conversation, Opening},
    engine::{
        job::Job,
        steps::{agent, integration::ask_store},
    },
    model::{AgentConfig, Data, Protocol},
};

/// Gathers it.
pub(super) async fn of(
    job: &Job,
    agent: &AgentConfig,
    prompt: &str,
    conversation: Conversation,
    worktree: Utf8PathBuf,
) -> Opening {
    Opening {
        spent: spent(job, agent, &conversation).await,
        prompt: prompt.to_owned(),
        conversation,
        worktree,
        mcp: agent::sessions_tool(job),
        mode: mode(agent),
    }
}

/// What a conversation has cost so far, where its agent tells only what all of it has cost.
async fn spent(job: &Job, agent: &AgentConfig, conversation: &Conversation) -> u64 {
    let (Protocol::Acp, Conversation::Old(id)) = (agent.protocol, conversation) else { return 0 };
    let (store, scope, session, id) =
        (job.shared.store.clone(), job.scope.as_ref().clone(), job.session.id, id.clone());
    let sum = ask_store(store, scope, move |store| {
        let attempts = store.interactions(session, 0)?.into_iter();
        let costs = attempts.filter_map(|it| {
            let Some(Data::Agent(report)) = it.result?.data else { return None };
            report.usage?.cost_microdollars.filter(|_| report.conversation_id == id)
        });
        Ok(costs.fold(0, u64::saturating_add))
    });
    // A cost that is not known is no reason to stop.
    sum.await.unwrap_or_default()
}

/// The mode that an agent is to work in: what its table says, or else what suits the one that callboard knows.
fn mode(agent: &AgentConfig) -> Option<String> {
    agent.mode.clone().or_else(|| agent.preset?.mode().map(str::to_owned))
}

//! Playing the turns of the built-in script agent.

use std::{future::pending, time::Duration};

use camino::{Utf8Path, Utf8PathBuf};

use crate::{
    agent::script::{self, End, Moment, Part, Scenario, ScenarioError, Turn},
    engine::{
        job::{Job, Stopper},
        recorder::Tap,
        steps::{agent, calls, git},
    },
    model::{AgentConfig, AgentReport, Cause, Data, EventKind, StepResult},
};

/// Plays the turn that matches this moment.
pub(super) async fn play(job: &Job, agent: &AgentConfig, prompt: &str, stopper: &mut Stopper) -> StepResult {
    let limit = job.project.limits.step_timeout;
    let turn = tokio::time::timeout(limit, try_play(job, agent, prompt));
    tokio::select! {
        biased;
        () = stopper.stopped() => StepResult::error(stopper.cause(), "the agent was ended"),
        result = turn => result.unwrap_or_else(|_| {
            StepResult::error(Cause::Timeout, "the agent took too long and was ended (limits.step_timeout)")
        }),
    }
}

async fn try_play(job: &Job, agent: &AgentConfig, prompt: &str) -> StepResult {
    let (scenario, folder) = match load(job, agent) {
        Ok(loaded) => loaded,
        Err(message) => return StepResult::error(Cause::AgentUnavailable, message),
    };
    let worktree = match git::worktree(job) {
        Ok(worktree) => worktree.to_owned(),
        Err(result) => return *result,
    };
    let moment = Moment {
        kind: job.session.kind,
        component: &job.session.component,
        step: job.step,
        iteration: job.iteration,
        generation: job.session.generation,
        prompt,
    };
    let used = agent::work(job).map(|work| work.used.as_slice()).unwrap_or_default();
    let Some((index, turn)) = scenario.pick(&moment, used) else {
        return StepResult::error(Cause::Failed, scenario.why_none(&moment, used));
    };
    let report = Data::Agent(AgentReport { turn: Some(index), ..AgentReport::default() });
    let result = perform(job, turn, &worktree, &folder).await;
    result.with_data(report)
}

fn load(job: &Job, agent: &AgentConfig) -> Result<(Scenario, Utf8PathBuf), String> {
    let file = agent.scenario.as_ref().ok_or_else(|| {
        format!("the agent {:?} has no scenario: add `scenario = \"…\"` to [agents.{}]", agent.name, agent.name)
    })?;
    let path = job.project.root.join(file);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("the scenario {path} cannot be read: {error}; check [agents.{}]", agent.name))?;
    let scenario = script::parse(&text).map_err(|error| format!("{file}: {error}"))?;
    Ok((scenario, path.parent().map(Utf8Path::to_owned).unwrap_or_default()))
}

async fn perform(job: &Job, turn: &Turn, worktree: &Utf8Path, folder: &Utf8Path) -> StepResult {
    let mut tap = job.tap();
    for (at, part) in turn.parts().enumerate() {
        if at > 0 && turn.delay_ms > 0 {
            tokio::time::sleep(Duration::from_millis(turn.delay_ms)).await;
        }
        let done = match part {
            Part::Say(text) => {
                tap.text(format!("{text}\n"), |text| EventKind::AgentText { text });
                Ok(())
            }
            Part::Write(write) => edited(&tap, &write.path, script::apply(worktree, write, folder)),
            Part::Delete(path) => edited(&tap, path, script::delete(worktree, path)),
            Part::Call(call) => calls::carry_out(job, call, &tap).await,
        };
        if let Err(message) = done {
            return StepResult::error(Cause::Failed, message);
        }
    }
    if turn.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(turn.delay_ms)).await;
    }
    match &turn.end {
        End::Exit(0) => StepResult { code: Some(0), ..StepResult::ok() },
        End::Exit(code) => StepResult {
            code: Some(*code),
            ..StepResult::error(Cause::Failed, format!("the agent ended with exit code {code}"))
        },
        End::Hang => pending().await,
        End::Error(text) => StepResult::error(Cause::Failed, text.clone()),
    }
}

fn edited(tap: &Tap, path: &str, done: Result<Utf8PathBuf, ScenarioError>) -> Result<(), String> {
    done.map_err(|error| error.to_string())?;
    tap.event(EventKind::FileEdit { path: path.to_owned(), diff: String::new() });
    Ok(())
}

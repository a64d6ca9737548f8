//! What a session would do next, without doing it.

use std::sync::Arc;

use camino::Utf8PathBuf;

use crate::{
    engine::{
        EngineError, Options,
        desk::Desk,
        job::{Branches, Ears, Questions, Shared},
        places::Places,
        recorder::Recorder,
        steps,
    },
    model::{Command, Scope, SessionId, Step},
    store::{Store, Writer},
    workflow::{self, Next},
};

/// What a session would do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The step, if one comes next.
    pub step: Option<Step>,
    /// What comes next, in words.
    pub next: String,
    /// Exactly what would be done.
    pub command: Option<Command>,
    /// Where.
    pub directory: Option<Utf8PathBuf>,
    /// How far its process is held back, if it runs one.
    pub sandbox: Option<String>,
    /// What is known to stand in the way.
    pub problem: Option<String>,
}

/// What a session would do next.
///
/// # Errors
/// When the store cannot be read, or has no such session.
pub async fn preview(options: Options, scope: &Scope, session: SessionId) -> Result<Preview, EngineError> {
    let mut desk = Desk::open(Store::open(&options.store, scope.clone())?);
    let (project, _) = desk.project(&options.settings);
    let session = desk.store.session(session)?;
    let history = desk.history(&session)?;
    let empty =
        |next: String| Preview { step: None, next, command: None, directory: None, sandbox: None, problem: None };
    let halt = desk.store.last_halt(session.id)?.filter(|halt| halt.decision.is_none());
    if let Some(halt) = halt
        && desk.store.board_row(session.id)?.halt.is_some()
    {
        let problem = format!(
            "halted ({}): {}. {}",
            halt.reason,
            workflow::headline(&halt.message),
            workflow::ways_out(halt.reason)
        );
        return Ok(Preview { problem: Some(problem), ..empty("halt".to_owned()) });
    }
    let step = match workflow::next(&history) {
        Ok(Next::Step(step)) => step,
        Ok(other @ (Next::Complete | Next::Halt(_) | Next::Waiting(_))) => return Ok(empty(other.to_string())),
        Err(error) => return Ok(empty(error.to_string())),
    };
    let about = |command, directory, problem| Preview {
        step: Some(step),
        next: step.to_string(),
        command,
        directory,
        sandbox: None,
        problem,
    };
    let project = match project {
        Ok(project) => project,
        Err(message) => return Ok(about(None, None, Some(message))),
    };
    let directory = session.worktree.clone();
    if let Some(plan) = desk.spawn_plan(&project, &session, step)? {
        return Ok(match plan {
            Ok(plan) => {
                let reactivated = plan.reopen.iter().map(|(id, _)| *id).collect();
                about(Some(Command::SpawnSessions { child_session_ids: plan.children, reactivated }), directory, None)
            }
            Err(message) => about(None, directory, Some(message)),
        });
    }
    let writer = Arc::new(Writer::start(&options.store)?);
    let shared = Arc::new(Shared {
        recorder: Recorder::new(Arc::clone(&writer)),
        writer,
        branches: Branches::default(),
        questions: Questions::default(),
        ears: Ears::default(),
        places: Places::of(&options.store),
        owner: String::new(),
        store: options.store.clone(),
        grace: options.grace,
        program: options.program.clone(),
    });
    let job = desk.job(&shared, project, session, history, step, None)?;
    let composed = steps::compose(&job).await;
    let sandbox = steps::sandbox(&job, &composed.plan);
    let problem = match composed.plan {
        steps::Plan::Known(result) => result.error_message,
        steps::Plan::Prepare
        | steps::Plan::Agent(_)
        | steps::Plan::Tests(_)
        | steps::Plan::Validate
        | steps::Plan::Finalize => None,
    };
    let lacks = sandbox.as_ref().and_then(|_| steps::lacks(&job));
    Ok(Preview { sandbox, ..about(Some(composed.command), directory, problem.or(lacks)) })
}

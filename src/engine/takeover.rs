//! A person goes on with a session's conversation in the agent's own program, in the terminal.

use std::{
    io::{self, ErrorKind},
    process::{Command, ExitStatus},
};

use camino::Utf8PathBuf;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    agent,
    git::Repo,
    model::{Confine, Mode, SessionId},
    project::Project,
    store::{BoardRow, Consent, Store, StoreError},
};

use super::lock::Hold;

/// Why a conversation cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// As things are, it must not be: the end of a sentence.
    #[error("{0}")]
    No(String),
    /// The record cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A conversation that nobody else goes on with until this is dropped.
#[derive(Debug)]
pub struct Takeover {
    argv: Vec<String>,
    env: Vec<(String, String)>,
    worktree: Utf8PathBuf,
    package: Option<&'static str>,
    _hold: Hold,
}

impl Takeover {
    /// Takes a session's conversation, unless it may be gone on with by itself or its program must not be run.
    ///
    /// # Errors
    /// Why not.
    pub fn prepare(store: &Store, project: &Project, session: SessionId) -> Result<Self, Refused> {
        // First the hold, then the look: what begins in between finds the conversation taken.
        let hold = Hold::take(store.path(), session)
            .map_err(|error| Refused::No(format!("its conversation cannot be kept for this terminal: {error}")))?;
        stands_still(&store.board_row(session)?).map_err(Refused::No)?;
        let Some(hold) = hold else {
            let why =
                "its agent is still ending, or another terminal has its conversation: try again when that is over";
            return Err(Refused::No(why.into()));
        };
        let session = store.session(session)?;
        let no = |why: String| Err(Refused::No(why));
        let Some(conversation) = &session.conversation_id else {
            return no("its agent has no conversation yet: there is one once an agent step has begun".into());
        };
        let Some(worktree) = session.worktree.clone().filter(|worktree| worktree.is_dir()) else {
            return no("it has no worktree: none was made yet, or it is gone; a reactivation makes it again".into());
        };
        if let Err(error) = Repo::open(&project.root).and_then(|repo| repo.expect_own(&worktree)) {
            return no(error.to_string());
        }
        let name = session.agent.as_deref().or(project.agent.as_deref()).unwrap_or_default();
        let Some(agent) = project.agent_named(name) else {
            return no(format!("its agent {name:?} is not known: add [agents.{name}] to callboard.toml"));
        };
        if project.sandbox.mode != Confine::Off {
            // Files that its agent wrote may be what its program runs by itself.
            let why = "its project holds agents back ([sandbox]), and in your terminal nothing would";
            return no(why.into());
        }
        let hash = project.consent_hash().filter(|_| project.brings(&agent));
        if let Some(hash) = hash
            && store.consent(&hash)? == Consent::Missing
        {
            let why = "callboard.toml brings its agent's command, and nobody has agreed to run it here: read it, then \
                       `callboard trust`";
            return no(why.into());
        }
        let argv = agent::takeover(&agent, conversation).map_err(Refused::No)?;
        let own = agent.preset.map_or(&[][..], |preset| preset.env());
        let own = own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let env = own.chain(agent.env.clone()).collect();
        Ok(Self { argv, env, worktree, package: agent.preset.map(|preset| preset.package()), _hold: hold })
    }

    /// The command line.
    #[must_use]
    pub fn argv(&self) -> &[String] {
        &self.argv
    }

    /// Runs the program in the terminal of this process, and waits until it ends. `begun` is called once it runs.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn run(self, begun: impl FnOnce()) -> io::Result<ExitStatus> {
        let Some((program, arguments)) = self.argv.split_first() else {
            return Err(io::Error::other("there is no program to run"));
        };
        // What the keyboard sends to everybody in the terminal is the program's, not ours.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let _deaf = {
            let _inside = runtime.enter();
            (signal(SignalKind::interrupt())?, signal(SignalKind::quit())?)
        };
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.worktree);
        let ours = std::env::vars_os().map(|(name, _)| name);
        for name in ours.filter(|name| name.to_string_lossy().starts_with("CALLBOARD_")) {
            command.env_remove(name);
        }
        command.env("PWD", &self.worktree).envs(self.env);
        let mut child = command.spawn().map_err(|error| match (error.kind(), self.package) {
            (ErrorKind::NotFound, Some(package)) => io::Error::other(format!(
                "the program `{program}` was not found: `npm install --global {package}` brings it"
            )),
            _ => io::Error::other(format!("`{program}` could not be started: {error}")),
        })?;
        begun();
        child.wait()
    }
}

/// Whether nothing of the session begins by itself.
fn stands_still(row: &BoardRow) -> Result<(), String> {
    if row.is_running() {
        let step = row.step.map_or("its step", |step| step.as_str());
        return Err(format!("{step} is running: wait until it has ended, or interrupt it"));
    }
    match row.mode {
        _ if row.status.is_terminal() || row.halt.is_some() => Ok(()),
        Mode::Manual => Ok(()),
        mode @ (Mode::Auto | Mode::Agentic) => {
            Err(format!("its next step begins by itself, its mode is {mode}: put it to manual first"))
        }
    }
}

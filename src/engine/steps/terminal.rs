//! The terminals of an agent: commands that callboard runs for it, by its own supervision and held back as the agent is.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use camino::Utf8PathBuf;
use tokio::{
    sync::{Notify, mpsc},
    task::JoinSet,
};
use uuid::Uuid;

use crate::{
    agent::{Ended, Start, Terminal, Told, acp},
    engine::{
        job::Job,
        process::{self, Pulse, Spec},
        steps::{confine, git},
    },
    model::Exit,
};

/// The terminals of a turn. To drop them ends their commands.
pub(super) struct Terminals {
    /// What all commands have in common.
    like: Spec,
    worktree: Utf8PathBuf,
    /// The agent waits for its commands: their signs of life are its own.
    pulse: Pulse,
    open: HashMap<String, Open>,
    running: JoinSet<()>,
    /// Where the ends of commands are told.
    ended: mpsc::UnboundedSender<Ended>,
    /// No more commands are run.
    over: bool,
}

struct Open {
    screen: Arc<Mutex<Screen>>,
    end: Arc<Notify>,
}

impl Terminals {
    /// Terminals for an agent that runs like `agent`.
    pub(super) fn new(job: &Job, agent: &Spec, worktree: Utf8PathBuf, ended: mpsc::UnboundedSender<Ended>) -> Self {
        let mut env = git::environment(job);
        let temporary = agent.env.iter().rev().find(|(name, _)| name == "TMPDIR");
        env.extend(temporary.filter(|_| agent.confinement.is_some()).cloned());
        let like = Spec {
            confinement: agent.confinement.clone(),
            record: None,
            keep: 0,
            // The agent is to hear of it before its own silence is too long.
            inactivity: job.project.limits.inactivity / 4 * 3,
            ..git::spec(job, Vec::new(), worktree.clone(), env)
        };
        let pulse = agent.pulse.clone().unwrap_or_default();
        Self { like, worktree, pulse, open: HashMap::new(), running: JoinSet::new(), ended, over: false }
    }

    /// Does what is asked for; what is to be told at once.
    pub(super) fn perform(&mut self, job: &Job, terminal: Terminal) -> Option<Told> {
        match terminal {
            Terminal::Start(start) => {
                let (key, id) = (start.key.clone(), start.id.clone());
                let result = self.start(job, *start);
                Some(Told::Started { key, id, result })
            }
            Terminal::Output { key, id } => {
                let (text, truncated, exit) = match self.open.get(&id) {
                    Some(open) => lock(&open.screen).shown(),
                    None => (String::new(), false, None),
                };
                Some(Told::Output { key, text, truncated, exit })
            }
            Terminal::Kill { id } => {
                if let Some(open) = self.open.get(&id) {
                    open.end.notify_one();
                }
                None
            }
            Terminal::Release { id } => {
                if let Some(open) = self.open.remove(&id) {
                    open.end.notify_one();
                }
                None
            }
        }
    }

    fn start(&mut self, job: &Job, start: Start) -> Result<(), String> {
        while self.running.try_join_next().is_some() {}
        if self.over {
            return Err("the turn is over".to_owned());
        }
        let directory = acp::folder(&self.worktree, &start.folder)?;
        let Start { id, argv, env, keep, .. } = start;
        let spaced = argv.len() == 1 && argv.iter().any(|program| program.contains(char::is_whitespace));
        let mut spec = Spec {
            argv,
            directory,
            // Whatever carries a marker ends with the run that has it: each command has its own.
            marker: Uuid::now_v7().to_string(),
            confinement: confine::alike(job, &self.like),
            ..self.like.clone()
        };
        spec.env.extend(env);
        let (screen, end) = (Arc::new(Mutex::new(Screen::new(keep))), Arc::new(Notify::new()));
        self.open.insert(id.clone(), Open { screen: Arc::clone(&screen), end: Arc::clone(&end) });
        let (pulse, ended) = (self.pulse.clone(), self.ended.clone());
        pulse.beat();
        self.running.spawn(async move {
            let chunks = |chunk: process::Chunk| {
                pulse.beat();
                lock(&screen).push(&chunk.text);
            };
            let finished = process::run(spec, chunks, end.notified()).await;
            pulse.beat();
            let mut screen = lock(&screen);
            if let Exit::NotStarted { message } = &finished.exit {
                screen.push(message);
                screen.push(if spaced {
                    "\nThere is no shell: give the program in `command`, its arguments in `args`"
                } else {
                    ""
                });
            }
            screen.exit = Some(finished.exit.clone());
            let (text, ..) = screen.shown();
            drop(screen);
            // A turn that is over wants to know no more.
            ended.send(Ended { id, exit: finished.exit, text }).unwrap_or_default();
        });
        Ok(())
    }

    /// Tells all commands to end, since the turn is over.
    pub(super) fn end(&mut self) {
        self.over = true;
        for open in self.open.values() {
            open.end.notify_one();
        }
    }

    /// Waits until nothing is left of any command.
    pub(super) async fn finish(&mut self) {
        self.end();
        while self.running.join_next().await.is_some() {}
    }
}

/// What is on a screen is whole even if a thread panicked while it wrote.
fn lock(screen: &Mutex<Screen>) -> MutexGuard<'_, Screen> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The end of what a command said.
struct Screen {
    text: String,
    limit: usize,
    truncated: bool,
    exit: Option<Exit>,
}

impl Screen {
    const fn new(limit: usize) -> Self {
        Self { text: String::new(), limit, truncated: false, exit: None }
    }

    /// Text came. It is cut when there is twice as much as may be, so that not every piece moves all of it.
    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        if self.text.len() > self.limit.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let begin = self.text.ceil_char_boundary(self.text.len().saturating_sub(self.limit));
        self.truncated |= begin > 0;
        self.text.drain(..begin);
    }

    fn shown(&mut self) -> (String, bool, Option<Exit>) {
        self.cut();
        (self.text.clone(), self.truncated, self.exit.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::Screen;

    #[test]
    fn the_end_is_kept_at_the_border_of_a_character() {
        let mut screen = Screen::new(5);
        assert_eq!(screen.shown(), (String::new(), false, None));
        screen.push("ab");
        assert_eq!(screen.shown(), ("ab".into(), false, None));
        for _ in 0..100 {
            screen.push("äöü");
        }
        assert_eq!(screen.shown(), ("öü".into(), true, None));
        let mut none = Screen::new(0);
        none.push("x");
        assert_eq!(none.shown(), (String::new(), true, None));
    }
}

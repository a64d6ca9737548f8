//! Driving an agent that is talked with: its process, its protocol's machine, and what the machine wants done.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use camino::Utf8PathBuf;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};

use crate::{
    agent::{Conversation, Effect, Failure, Lines, Opening, Talk, Told, acp, command},
    engine::{
        clock, conversation,
        job::{Job, Stop, Stopper},
        process::{self, Finished, STORE_MARKER},
        recorder::Tap,
        steps::{
            agent::{self, AgentPlan},
            asking::Answered,
            confine, git, opening,
            terminal::Terminals,
            tests,
        },
    },
    model::{
        AgentConfig, AgentFailure, AgentReport, Cause, Data, EventKind, Exit, Message, MessageId, MessageState, Micros,
        OutputFile, Permissions, Rule, Standing, StepResult, Usage,
    },
    store::Change,
    workflow::Outcome,
};

/// So many pieces of messages may wait for an agent to read them, each of so many bytes at most: 32 MiB.
const UNREAD: usize = 512;
const PIECE: usize = 64 << 10;
/// So long an agent may take to end by itself once its turn is over.
const LINGER: Duration = Duration::from_secs(10);

/// What came of a turn.
struct Turn {
    result: StepResult,
    failure: Option<Failure>,
    usage: Option<Usage>,
    /// The name of the conversation, as the agent said it.
    conversation: Option<String>,
}

/// Gives an agent its prompt and follows its turn to the end.
pub(super) async fn converse(job: &Job, plan: &AgentPlan, stopper: &mut Stopper) -> StepResult {
    let AgentPlan { agent, prompt, conversation, told, .. } = plan;
    let worktree = match git::worktree(job) {
        Ok(worktree) => worktree.to_owned(),
        Err(result) => return *result,
    };
    let mut opening = opening::of(job, agent, prompt, conversation.clone(), worktree).await;
    let mut turn = once(job, agent, &opening, told, stopper).await;
    // What is on record about the conversation may be wrong: an attempt was cut off before the agent had begun, or right after.
    let other = turn.failure.as_ref().and_then(|failure| other(failure.kind, &opening.conversation));
    if let Some((other, why)) = other {
        job.tap().note(why);
        opening.conversation = other;
        turn = once(job, agent, &opening, told, stopper).await;
    }
    let id = turn.conversation.unwrap_or_else(|| opening.conversation.id().to_owned());
    let report = AgentReport {
        conversation_id: id,
        usage: turn.usage,
        failure: turn.failure.as_ref().map(|failure| failure.kind),
        resumes_at: turn.failure.and_then(|failure| failure.resumes_at),
        ..AgentReport::default()
    };
    turn.result.with_data(Data::Agent(report))
}

/// How the conversation is to be taken instead, if that is what went wrong.
fn other(kind: AgentFailure, conversation: &Conversation) -> Option<(Conversation, &'static str)> {
    match (kind, conversation) {
        (AgentFailure::NoConversation, Conversation::Old(id)) => Some((
            Conversation::New(id.clone()),
            "The agent does not know the conversation any more; it begins a new one, with nothing but this prompt.",
        )),
        (AgentFailure::Taken, Conversation::New(id)) => {
            Some((Conversation::Old(id.clone()), "The agent has begun the conversation before; it goes on with it."))
        }
        _ => None,
    }
}

async fn once(job: &Job, agent: &AgentConfig, opening: &Opening, told: &[Message], stopper: &mut Stopper) -> Turn {
    let Some((talk, first)) = Talk::open(agent.protocol, opening) else {
        let message = format!("the protocol {} is not talked", agent.protocol);
        return Turn {
            result: StepResult::error(Cause::AgentUnavailable, message),
            failure: None,
            usage: None,
            conversation: None,
        };
    };
    let held = match confine::hold(job, spec(job, agent, opening), &agent.write).await {
        Ok(held) => held,
        Err(result) => return Turn { result: *result, failure: None, usage: None, conversation: None },
    };
    let confine::Held { mut spec, folder } = held;
    spec.pulse = Some(process::Pulse::default());
    let record = spec.record.clone();
    confine::say(job, &agent.write);
    let (sender, receiver) = mpsc::channel(UNREAD);
    let over = Notify::new();
    let (answers, mut answered) = mpsc::unbounded_channel();
    let (ended, mut endings) = mpsc::unbounded_channel();
    let driver = Mutex::new(Driver {
        job,
        talk,
        lines: Lines::default(),
        tap: job.tap(),
        worktree: opening.worktree.clone(),
        terminals: Terminals::new(job, &spec, opening.worktree.clone(), ended),
        permissions: agent.permissions,
        sender: Some(sender),
        conversation: None,
        messages: 0,
        garbled: 0,
        deaf: false,
        over: &over,
        standing: agent::work(job).map(|work| work.standing.clone()).unwrap_or_default(),
        ruled: Vec::new(),
        agent: agent.name.clone(),
        answers,
        told: told.to_vec(),
        prompted: told.iter().map(|message| message.id).collect(),
        unseen: told.to_vec(),
    });
    lock(&driver).tap.event(EventKind::Command { line: git::shown(&shown(&spec.argv)) });
    lock(&driver).perform(first);
    let mut said = job.shared.ears.open(job.session.id);
    // What was said after the prompt was made, and before somebody listened.
    for message in agent::unseen(job).await {
        lock(&driver).say(message);
    }
    let chunks = |chunk: process::Chunk| lock(&driver).hear(chunk);
    let cancel = async {
        let patience = loop {
            tokio::select! {
                () = stopper.stopped() => {
                    let goes_on = lock(&driver).talk.goes_on();
                    lock(&driver).interrupt();
                    break if goes_on { Duration::ZERO } else { job.shared.grace.interrupt };
                }
                () = over.notified() => break LINGER,
                Some(answer) = answered.recv() => lock(&driver).answered(answer),
                Some(ended) = endings.recv() => lock(&driver).news(Told::Ended(ended)),
                Some(message) = said.recv() => lock(&driver).say(message),
            }
        };
        tokio::time::sleep(patience).await;
    };
    let finished = process::talk(spec, receiver, chunks, cancel).await;
    let mut driver = driver.into_inner().unwrap_or_else(PoisonError::into_inner);
    driver.end();
    driver.terminals.finish().await;
    while let Ok(ended) = endings.try_recv() {
        driver.news(Told::Ended(ended));
    }
    confine::release(folder).await;
    if finished.leftovers > 0 {
        driver.tap.note(format!("{} processes that the agent left behind were ended.", finished.leftovers));
    }
    let outcome = match driver.talk.outcome(&String::from_utf8_lossy(&finished.stderr)) {
        Some(outcome) => outcome,
        None => Err(unsaid(&driver, &finished)),
    };
    let output = record.filter(|_| finished.bytes > 0).map(|path| OutputFile {
        path,
        bytes: finished.bytes,
        kept: finished.kept,
    });
    if outcome.is_ok() {
        // It came to its end, if without a word.
        let prompted = std::mem::take(&mut driver.prompted);
        driver.seen(|message| prompted.contains(&message.id));
    }
    let (result, mut failure) = judged(agent, outcome, &finished.exit, stopper);
    if let Some(failure) = failure.as_mut().filter(|_| Outcome::of(&result).is_for_later()) {
        failure.resumes_at = Some(resumption(job, failure));
    }
    let result = StepResult { output, code: finished.exit.code(), ..result };
    Turn { result, failure, usage: driver.talk.usage(), conversation: driver.conversation }
}

fn spec(job: &Job, agent: &AgentConfig, opening: &Opening) -> process::Spec {
    let mut argv = agent.program();
    argv.extend(Talk::arguments(agent.protocol, opening));
    argv.extend(agent.args.clone());
    let pass: Vec<String> =
        agent.preset.map_or(&[][..], |preset| preset.pass()).iter().map(|name| (*name).into()).collect();
    let mut env = process::clean_env(&[job.project.env_pass.clone(), pass].concat());
    env.push((STORE_MARKER.to_owned(), job.shared.store.to_string()));
    let own = agent.preset.map_or(&[][..], |preset| preset.env());
    env.extend(own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    env.extend(Talk::environment(agent.protocol, opening));
    env.extend(agent.env.clone());
    env.extend(command::environment(&agent::facts(job, opening.conversation.id(), &opening.worktree)));
    git::spec(job, argv, opening.worktree.clone(), env)
}

/// A command line without what is only a matter between callboard and the agent.
fn shown(argv: &[String]) -> Vec<String> {
    argv.iter().map(|word| if word.starts_with('{') { "{…}".to_owned() } else { word.clone() }).collect()
}

/// What stands between the process and the machine.
pub(super) struct Driver<'a> {
    pub(super) job: &'a Job,
    pub(super) talk: Talk,
    lines: Lines,
    pub(super) tap: Tap,
    pub(super) worktree: Utf8PathBuf,
    terminals: Terminals,
    pub(super) permissions: Permissions,
    /// Gone once the agent is to read no more.
    sender: Option<mpsc::Sender<Vec<u8>>>,
    conversation: Option<String>,
    /// How many lines were messages, and how many were not.
    messages: u64,
    garbled: u64,
    /// It does not read what it is told.
    deaf: bool,
    over: &'a Notify,
    /// Words of persons that hold for longer than once.
    pub(super) standing: Vec<Standing>,
    /// Rules that persons made while this attempt runs.
    pub(super) ruled: Vec<Rule>,
    /// The agent's name in the configuration.
    pub(super) agent: String,
    /// Where words of persons come from, or that none came in time.
    pub(super) answers: mpsc::UnboundedSender<Answered>,
    /// What persons said to the agent in this attempt, in its prompt or while the turn runs.
    told: Vec<Message>,
    /// What of it is in the prompt: the agent has taken that in as soon as it says something.
    prompted: Vec<MessageId>,
    /// What of it the agent has not taken in yet.
    unseen: Vec<Message>,
}

/// What a driver knows is whole even if a thread panicked while it held the lock.
fn lock<'a, 'b>(driver: &'a Mutex<Driver<'b>>) -> MutexGuard<'a, Driver<'b>> {
    driver.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Driver<'_> {
    fn hear(&mut self, chunk: process::Chunk) {
        if chunk.stderr {
            self.tap.text(chunk.text, |text| EventKind::Output { text, stderr: true });
            return;
        }
        for line in self.lines.feed(&chunk.text) {
            self.line(&line);
        }
    }

    fn line(&mut self, line: &str) {
        match serde_json::from_str::<Value>(line) {
            Ok(message) if message.is_object() => {
                self.messages += 1;
                let effects = self.talk.message(&message);
                self.perform(effects);
            }
            Ok(_) | Err(_) => {
                self.garbled += 1;
                self.tap.text(format!("{line}\n"), |text| EventKind::Output { text, stderr: false });
            }
        }
    }

    /// Nothing more comes.
    fn end(&mut self) {
        if let Some(line) = self.lines.finish() {
            self.line(&line);
        }
    }

    /// The turn is to end early.
    fn interrupt(&mut self) {
        let effects = self.talk.interrupt();
        self.perform(effects);
        self.sender = None;
        self.terminals.end();
    }

    pub(super) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Send(message) => self.send(&message),
                Effect::Event(kind) => {
                    self.spoken(&kind);
                    self.tap.bounded(kind);
                }
                Effect::Conversation(id) => self.named(id),
                Effect::Ask(question) => self.decide(question),
                Effect::File(request) => {
                    let result = acp::serve(&self.worktree, &request);
                    let effects = self.talk.file(&request.key, result);
                    self.perform(effects);
                }
                Effect::Terminal(terminal) => {
                    if let Some(told) = self.terminals.perform(self.job, terminal) {
                        self.news(told);
                    }
                }
                // Whom nothing more is sent was told nothing, and takes nothing in.
                Effect::Told(_) | Effect::Seen(_) if self.sender.is_none() => {}
                Effect::Told(id) => self.delivered(id),
                Effect::Seen(id) => self.seen(|message| message.id == id),
                Effect::Close => {
                    self.sender = None;
                    self.terminals.end();
                    self.over.notify_one();
                }
            }
        }
    }

    /// There is news of a terminal.
    fn news(&mut self, told: Told) {
        let effects = self.talk.terminal(told);
        self.perform(effects);
    }

    /// A person says something. It may come twice: it was on record, and it was told.
    fn say(&mut self, message: Message) {
        if self.told.iter().any(|told| told.id == message.id) {
            return;
        }
        let effects = self.talk.say(message.id, &message.text);
        self.told.push(message);
        self.perform(effects);
    }

    /// The agent was told what a person said.
    fn delivered(&mut self, id: MessageId) {
        let Some(message) = self.told.iter().find(|message| message.id == id) else { return };
        if !self.unseen.iter().any(|told| told.id == id) {
            self.unseen.push(message.clone());
            self.tap.event(conversation::news(message, MessageState::Delivered));
        }
        let change =
            Change::Delivered { session: self.job.session.id, message: id, seq: self.job.seq, at: clock::now() };
        self.job.shared.writer.post(&self.job.scope, vec![change]);
    }

    /// Who says something has read its prompt.
    fn spoken(&mut self, kind: &EventKind) {
        let speaks =
            matches!(kind, EventKind::AgentText { .. } | EventKind::AgentThought { .. } | EventKind::ToolCall { .. });
        if speaks && !self.prompted.is_empty() {
            let prompted = std::mem::take(&mut self.prompted);
            self.seen(|message| prompted.contains(&message.id));
        }
    }

    /// The agent has taken in what persons said.
    fn seen(&mut self, which: impl Fn(&Message) -> bool) {
        let (seen, unseen) = std::mem::take(&mut self.unseen).into_iter().partition(|message| which(message));
        self.unseen = unseen;
        let seen: Vec<Message> = seen;
        for message in &seen {
            self.tap.event(conversation::news(message, MessageState::Seen));
        }
        let (session, at) = (self.job.session.id, clock::now());
        let changes = seen.iter().map(|message| Change::Seen { session, message: message.id, at }).collect();
        self.job.shared.writer.post(&self.job.scope, changes);
    }

    fn send(&mut self, message: &Value) {
        let Some(sender) = &self.sender else { return };
        let message = format!("{message}\n");
        let pieces = message.as_bytes().chunks(PIECE);
        let full = match sender.try_reserve_many(pieces.len()) {
            Ok(places) => {
                places.zip(pieces).for_each(|(place, piece)| place.send(piece.to_vec()));
                false
            }
            // Whoever closed its ears has ended, or will say how its turn went.
            Err(mpsc::error::TrySendError::Closed(())) => false,
            Err(mpsc::error::TrySendError::Full(())) => true,
        };
        if full {
            self.deaf = true;
            self.sender = None;
            self.over.notify_one();
        }
    }

    /// The agent has a name of its own for the conversation: it is put on record at once, so that a repeat finds it.
    fn named(&mut self, id: String) {
        if self.conversation.as_ref() == Some(&id) {
            return;
        }
        if self.job.session.conversation_id.as_ref() != Some(&id) {
            let change = Change::Conversation { session: self.job.session.id, id: id.clone() };
            self.job.shared.writer.post(&self.job.scope, vec![change]);
        }
        self.conversation = Some(id);
    }
}

/// What is to be said about a turn of which the agent did not say how it went.
fn unsaid(driver: &Driver<'_>, finished: &Finished) -> Failure {
    let said = tests::tail(&finished.stderr, if driver.messages == 0 { &finished.stdout } else { b"" });
    let said = if said.is_empty() { String::new() } else { format!(":\n{said}") };
    let how = tests::ended(&finished.exit);
    let failure = |kind, message: String| Failure { kind, message, resumes_at: None };
    if driver.deaf {
        return failure(AgentFailure::BadOutput, "the agent asks more than it reads answers, and was ended".into());
    }
    match &finished.exit {
        Exit::NotStarted { message } => failure(AgentFailure::Missing, message.clone()),
        Exit::Signal { .. } => {
            failure(AgentFailure::Killed, format!("the agent {how} in the middle of its turn{said}"))
        }
        Exit::Code { .. } | Exit::Timeout | Exit::Inactive | Exit::Cancelled
            if driver.messages == 0 && driver.garbled > 0 =>
        {
            let message =
                format!("the agent {how} and said nothing that its protocol has; is it the right program?{said}");
            failure(AgentFailure::BadOutput, message)
        }
        Exit::Code { .. } | Exit::Timeout | Exit::Inactive | Exit::Cancelled => {
            failure(AgentFailure::Crashed, format!("the agent {how} before its turn was over{said}"))
        }
    }
}

/// The step's result: what the agent said about its turn counts, and only where it said nothing how its process ended.
fn judged(
    agent: &AgentConfig,
    outcome: Result<(), Failure>,
    exit: &Exit,
    stopper: &Stopper,
) -> (StepResult, Option<Failure>) {
    let Err(failure) = outcome else { return (StepResult::ok(), None) };
    if matches!(stopper.now(), Stop::Interrupted | Stop::Cancelled | Stop::Shutdown) {
        return (StepResult::error(stopper.cause(), stopper.words("the agent was ended")), None);
    }
    let how = tests::ended(exit);
    let result = match (failure.kind, exit) {
        (_, Exit::Timeout) => StepResult::error(Cause::Timeout, format!("the agent {how} (limits.step_timeout)")),
        (_, Exit::Inactive) => StepResult::error(Cause::Inactive, format!("the agent {how} (limits.inactivity)")),
        (AgentFailure::Missing, _) => StepResult::error(Cause::AgentUnavailable, missing(agent, &failure.message)),
        (AgentFailure::LoggedOut | AgentFailure::Mode, _) => {
            StepResult::error(Cause::AgentUnavailable, failure.message.clone())
        }
        (AgentFailure::Quota, _) => StepResult::error(Cause::Quota, failure.message.clone()),
        (AgentFailure::Overloaded, _) => StepResult::error(Cause::Overloaded, failure.message.clone()),
        _ => StepResult::error(Cause::Failed, failure.message.clone()),
    };
    (result, Some(failure))
}

/// When an agent is tried again that could not be used: when it says, or else later each time.
fn resumption(job: &Job, failure: &Failure) -> Micros {
    const SECOND: Micros = 1_000_000;
    const LONGEST: Micros = 8 * 24 * 60 * 60 * SECOND;
    let now = clock::now();
    if let Some(told) = failure.resumes_at.filter(|at| (now..now + LONGEST).contains(at)) {
        return told + SECOND;
    }
    let before = job.history.attempts.iter().rev();
    let in_a_row = before.take_while(|attempt| attempt.outcome.is_some_and(Outcome::is_for_later)).count();
    let (first, longest) = if failure.kind == AgentFailure::Quota { (5 * 60, 60 * 60) } else { (30, 15 * 60) };
    let wait = (0..in_a_row.min(10)).fold(first, |wait, _| wait * 2).min(longest);
    now + wait * SECOND
}

fn missing(agent: &AgentConfig, message: &str) -> String {
    let what_to_try = match agent.preset {
        Some(preset) if agent.command.is_empty() => {
            format!(
                "install it (npm install --global {}), or name another agent; `callboard doctor` shows them",
                preset.package()
            )
        }
        Some(_) | None => format!("check `command` of [agents.{}]", agent.name),
    };
    format!("the agent {:?} could not be started: {message}; {what_to_try}", agent.name)
}

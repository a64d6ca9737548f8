//! Agent steps: a prompt is made, recorded, and handed to an agent.

use camino::Utf8Path;
use serde_json::json;
use uuid::Uuid;

use crate::{
    agent::{
        Conversation,
        command::{self, StepFacts},
    },
    engine::{
        clock, conversation,
        job::{AgentWork, Composed, Job, Performed, Stopper, Work},
        lock::Hold,
        process,
        steps::{Plan, confine, git, initialize, line, script, talk, tests},
    },
    git::{Repo, Tree},
    model::{
        AgentConfig, AgentReport, Cause, Command, Component, Data, DesignProblem, Event, EventKind, Exit, Message,
        MessageState, OutputFile, Preset, Protocol, Runner, SessionKind, Step, StepResult, Wish,
    },
    prompt::{
        self, ComponentInfo, ContextInfo, LedgerLine, Neighbour, ProjectInfo, PromptInput, PromptPaths, Reactivation,
    },
    store::{Change, Makers},
    workflow::LedgerState,
};

/// So many of a session's requests are looked through for those of one attempt.
const REQUESTS: u32 = 50;

/// An agent step that is ready to be performed.
pub(in crate::engine) struct AgentPlan {
    pub(super) agent: AgentConfig,
    pub(super) prompt: String,
    pub(super) conversation: Conversation,
    /// What persons said to the agent, which is in the prompt.
    pub(super) told: Vec<Message>,
}

impl AgentPlan {
    /// Where the agent's processes may write beside the worktree; `None` when it has none.
    pub(super) fn also(&self) -> Option<&[String]> {
        (self.agent.protocol != Protocol::Script).then_some(&self.agent.write)
    }
}

pub(super) async fn compose(job: &Job, work: &AgentWork) -> Composed {
    let agent = match agent_of(job) {
        Ok(agent) => agent,
        Err(result) => return super::known(job, *result),
    };
    let mut prompt = match prompt_of(job, work, &agent).await {
        Ok(prompt) => prompt,
        Err(message) => return super::known(job, StepResult::error(Cause::Environment, message)),
    };
    prompt::add_messages(&mut prompt, work.unseen.iter().map(|it| (it.user.as_str(), it.text.as_str())));
    // The conversation is on record before the agent hears of it, so that a repeat goes on with the same one.
    let id = job.session.conversation_id.clone().unwrap_or_else(|| Uuid::now_v7().to_string());
    let conversation = if work.resumed { Conversation::Old(id.clone()) } else { Conversation::New(id.clone()) };
    Composed {
        command: Command::Agent {
            agent: agent.name.clone(),
            prompt: prompt.clone(),
            conversation_id: work.resumed.then(|| id.clone()),
        },
        changes: [Change::Conversation { session: job.session.id, id }].into_iter().chain(told(job, work)).collect(),
        plan: Plan::Agent(AgentPlan { agent, prompt, conversation, told: work.unseen.clone() }),
    }
}

/// That the agent is told with its prompt what persons said.
fn told(job: &Job, work: &AgentWork) -> Vec<Change> {
    let at = clock::now();
    let delivered =
        |message: &Message| Change::Delivered { session: job.session.id, message: message.id, seq: job.seq, at };
    let event = |message: &Message| Event {
        session_id: job.session.id,
        n: 0,
        interaction: job.seq,
        at,
        kind: conversation::news(message, MessageState::Delivered),
    };
    let events = (!work.unseen.is_empty()).then(|| Change::Events(work.unseen.iter().map(event).collect()));
    work.unseen.iter().map(delivered).chain(events).collect()
}

/// What persons said to the session's agent and it has not taken in yet.
pub(super) async fn unseen(job: &Job) -> Vec<Message> {
    let (store, scope, id) = (job.shared.store.clone(), job.scope.as_ref().clone(), job.session.id);
    let read = super::integration::ask_store(store, scope, move |store| store.unseen(id)).await;
    // What cannot be read now stays where it is: the next prompt has it.
    read.unwrap_or_default()
}

/// The agent of the session, if it can be used.
fn agent_of(job: &Job) -> Result<AgentConfig, git::StepError> {
    let unavailable = |message: String| Box::new(StepResult::error(Cause::AgentUnavailable, message));
    let Some(name) = job.session.agent.as_ref().or(job.project.agent.as_ref()) else {
        return Err(unavailable(
            "no agent is named: set `agent = \"…\"` in [project] of callboard.toml, or give the session one with --agent".into(),
        ));
    };
    let Some(agent) = job.project.agent_named(name) else {
        let own = job.project.agents.keys().map(String::as_str);
        let known: Vec<&str> = own.chain(Preset::ALL.iter().map(|preset| preset.as_str())).collect();
        return Err(unavailable(format!(
            "there is no agent {name:?}; known: {}; add [agents.{name}] to callboard.toml",
            known.join(", ")
        )));
    };
    if !job.consented && job.project.brings(&agent) {
        return Err(Box::new(initialize::no_consent(job)));
    }
    Ok(agent)
}

/// What the agent's program is told about the step.
pub(super) fn facts(job: &Job, conversation: &str, worktree: &Utf8Path) -> StepFacts {
    StepFacts {
        session_id: job.session.id,
        kind: job.session.kind,
        component: job.session.component.clone(),
        step: job.step,
        iteration: job.iteration,
        generation: job.session.generation,
        conversation_id: conversation.to_owned(),
        worktree: worktree.to_owned(),
        mcp: sessions_tool(job).map(|argv| git::shown(&argv)),
        socket: line::path(job),
    }
}

/// The exact text that the agent gets.
async fn prompt_of(job: &Job, work: &AgentWork, agent: &AgentConfig) -> Result<String, String> {
    let component = job.project.component(&job.session.component).map_err(|error| error.to_string())?;
    let mut input = prompt_input(job, work, agent, component);
    let root = job.project.root.clone();
    let code = component.paths.code.clone().filter(|_| job.session.kind == SessionKind::ComponentTest);
    let code = code.zip(job.session.base_commit.clone());
    // Files are read where it may block, all of them in one go: each way there and back is a change of threads.
    let rendered = tokio::task::spawn_blocking(move || {
        input.test_first = code.is_some_and(|(code, base)| is_missing_at(&root, &base, &code));
        input.rules = prompt::rules(&root, input.component.kind, input.session_kind)?;
        prompt::render(&input, Some(&root))
    });
    match rendered.await {
        Ok(Ok(prompt)) => Ok(prompt),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(format!("the prompt could not be made: {error}")),
    }
}

/// Whether the commit lacks the file. What cannot be read is not called missing.
fn is_missing_at(root: &Utf8Path, commit: &str, file: &str) -> bool {
    Repo::open(root).and_then(|repo| repo.file_exists_at(commit, file)).is_ok_and(|exists| !exists)
}

fn prompt_input(job: &Job, work: &AgentWork, agent: &AgentConfig, component: &Component) -> PromptInput {
    let project = &job.project;
    let context = project.context_of(&component.name);
    let within = if component.kind.is_context() { Some(component.name.as_str()) } else { component.parent.as_deref() };
    let related = |name: &str| project.children_of(name).into_iter().filter(|other| other.name != component.name);
    let judged = work.judged.as_ref();
    let designs = job.session.kind == SessionKind::ComponentDesign;
    PromptInput {
        project: ProjectInfo { name: project.name.clone(), description: project.description.clone() },
        component: ComponentInfo {
            name: component.name.clone(),
            kind: component.kind,
            description: component.description.clone(),
            depends_on: component.depends_on.clone(),
        },
        context: context.map(|context| ContextInfo {
            name: context.name.clone(),
            kind: context.kind,
            description: context.description.clone(),
        }),
        session_kind: job.session.kind,
        step: job.step,
        iteration: job.iteration,
        generation: job.session.generation,
        paths: PromptPaths {
            // A design that nobody has written is nothing to read, unless this session is to write it.
            design: component.paths.design.clone().filter(|path| designs || is_there(job, path)),
            code: component.paths.code.clone(),
            test: component.paths.test.clone(),
            parent_design: context.and_then(|context| context.paths.design.clone()).filter(|path| is_there(job, path)),
        },
        language: match project.runner {
            Runner::Cargo => Some("rust".into()),
            Runner::Custom(_) => None,
        },
        similar: similar(job, component),
        siblings: if component.kind.is_context() {
            Vec::new()
        } else {
            within.map(related).into_iter().flatten().map(neighbour).collect()
        },
        components: if component.kind.is_context() {
            within
                .map(related)
                .into_iter()
                .flatten()
                .map(|component| made(neighbour(component), &work.makers))
                .collect()
        } else {
            Vec::new()
        },
        stories: project.stories_of(&component.name).into_iter().cloned().collect(),
        rules: Vec::new(),
        test_first: false,
        test_run: judged.and_then(StepResult::test_run).cloned(),
        ledger: work.ledger.iter().map(ledger_line).collect(),
        problem: problem(work),
        design_problems: design_problems(judged),
        unchanged: work.unchanged,
        reactivation: (!job.generation.context.is_empty())
            .then(|| Reactivation { context: job.generation.context.clone(), by: work.by.clone() }),
        gap_analysis: judged.and_then(gaps),
        sessions_tool: sessions_tool(job).is_some(),
        sessions_command: sessions_tool(job)
            .and_then(|words| words.into_iter().next())
            .filter(|_| agent.protocol == Protocol::Command)
            .map(|program| git::shown(&[program, "tool".to_owned()])),
    }
}

/// The command line of the sessions tool for the agent of this session; `None`: this engine has no program to give it. One that
/// cannot write the record is told where the engine listens instead of where the record is. The one place that knows it.
pub(super) fn sessions_tool(job: &Job) -> Option<Vec<String>> {
    let program = job.shared.program.clone()?;
    let session = job.session.id.to_string();
    let words = match line::path(job) {
        Some(socket) => vec!["mcp".to_owned(), "--socket".to_owned(), socket.into_string()],
        None => {
            ["--project", job.project.root.as_str(), "--store", job.shared.store.as_str(), "mcp", "--session", &session]
                .map(str::to_owned)
                .to_vec()
        }
    };
    Some(std::iter::once(program).chain(words).collect())
}

fn is_there(job: &Job, path: &str) -> bool {
    job.session.worktree.as_ref().is_some_and(|worktree| worktree.join(path).is_file())
}

/// What is wrong, in words: what the step before found, and what became of sessions that this one had woken.
fn problem(work: &AgentWork) -> Option<String> {
    let found = work.judged.as_ref().and_then(|result| result.error_message.clone());
    let parts: Vec<String> = found.into_iter().chain(work.news.iter().cloned()).collect();
    (!parts.is_empty()).then(|| parts.join("\n"))
}

fn design_problems(judged: Option<&StepResult>) -> Vec<DesignProblem> {
    match judged.and_then(|result| result.data.as_ref()) {
        Some(Data::Design { design_problems }) => design_problems.clone(),
        _ => Vec::new(),
    }
}

fn gaps(judged: &StepResult) -> Option<String> {
    if let Some(Data::Criteria { gap_analysis, .. }) = &judged.data { gap_analysis.clone() } else { None }
}

/// Components of the same kind elsewhere in the project: how things are done here.
fn similar(job: &Job, component: &Component) -> Vec<Neighbour> {
    const AT_MOST: usize = 3;
    let alike = |other: &&Component| {
        other.kind == component.kind && other.name != component.name && other.parent != component.parent
    };
    job.project.components.iter().filter(alike).take(AT_MOST).map(neighbour).collect()
}

fn neighbour(component: &Component) -> Neighbour {
    Neighbour {
        name: component.name.clone(),
        kind: component.kind,
        description: component.description.clone(),
        paths: component.paths.clone(),
        made_by: Vec::new(),
    }
}

/// A component with the sessions that made it.
fn made(component: Neighbour, makers: &[(String, Makers)]) -> Neighbour {
    let files = makers.iter().find(|(name, _)| *name == component.name).map(|(_, files)| files);
    let made_by = files.into_iter().flatten().map(|(file, session)| (file.clone(), session.to_string())).collect();
    Neighbour { made_by, ..component }
}

fn ledger_line(row: &crate::workflow::LedgerRow) -> LedgerLine {
    let state = match row.state {
        LedgerState::New => prompt::LedgerState::New,
        LedgerState::StillFailing => prompt::LedgerState::StillFailing,
        LedgerState::MessageChanged => prompt::LedgerState::MessageChanged,
        LedgerState::Fixed => prompt::LedgerState::Fixed,
        LedgerState::CameBack => prompt::LedgerState::CameBack,
        LedgerState::Flaky => prompt::LedgerState::Flaky,
    };
    LedgerLine {
        test: row.test.clone(),
        state,
        message: row.message.clone(),
        placement: row.placement,
        context: row.context.clone(),
    }
}

pub(super) async fn perform(job: &Job, plan: AgentPlan, stopper: &mut Stopper) -> Performed {
    // Who is talked with says itself when it has read something.
    let told = match plan.agent.protocol {
        Protocol::Script | Protocol::Command => plan.told.clone(),
        Protocol::Claude | Protocol::Codex | Protocol::Acp => Vec::new(),
    };
    let (Ok(result) | Err(result)) = try_perform(job, plan, stopper).await;
    let seen = told.into_iter().filter(|_| has_read(&result));
    let changes = seen.map(|message| {
        job.tap().event(conversation::news(&message, MessageState::Seen));
        Change::Seen { session: job.session.id, message: message.id, at: clock::now() }
    });
    Performed { changes: changes.collect(), result: *result }
}

async fn try_perform(job: &Job, plan: AgentPlan, stopper: &mut Stopper) -> Result<git::StepError, git::StepError> {
    initialize::ensure(job, stopper).await?;
    let before = if job.step.is_fix() && !is_repeated(job) { Some(first_snapshot(job).await?) } else { None };
    let mut result = match plan.agent.protocol {
        Protocol::Script => script::play(job, &plan.agent, &plan.prompt, stopper).await,
        Protocol::Command => {
            let line = line::open(job).await?;
            let result = run(job, &plan, stopper).await;
            line::close(line).await;
            result
        }
        Protocol::Claude | Protocol::Codex | Protocol::Acp => {
            let _held = hold(job).await?;
            let line = line::open(job).await?;
            let result = talk::converse(job, &plan, stopper).await;
            line::close(line).await;
            result
        }
    };
    let changed = match before {
        Some((before, tree)) if result.cause.is_none() => {
            before != git::read(move || tree.change_hash()).await? || woke_somebody(job).await?
        }
        Some(_) | None => true,
    };
    let said = if let Some(Data::Agent(report)) = result.data.take() { report } else { AgentReport::default() };
    if !changed {
        result = StepResult {
            code: result.code,
            output: result.output,
            ..StepResult::error(Cause::EmptyDiff, format!("{} changed nothing", fix_name(job.step)))
        };
    }
    if let Some(issue) = reported_issue(job).await? {
        result = StepResult { code: result.code, output: result.output, ..issue };
    }
    let id = if said.conversation_id.is_empty() { plan.conversation.id().to_owned() } else { said.conversation_id };
    let report = AgentReport { conversation_id: id, changed, ..said };
    Ok(Box::new(result.with_data(Data::Agent(report))))
}

/// Whether an agent whose attempt ended so has read its prompt. One that is in doubt is told again.
const fn has_read(result: &StepResult) -> bool {
    matches!(result.cause, None | Some(Cause::EmptyDiff | Cause::ArchitecturalIssue))
}

/// Keeps the conversation for this attempt.
async fn hold(job: &Job) -> Result<Hold, git::StepError> {
    let (store, session) = (job.shared.store.clone(), job.session.id);
    let why = match tokio::task::spawn_blocking(move || Hold::take(&store, session)).await {
        Ok(Ok(Some(held))) => return Ok(held),
        Ok(Ok(None)) => "it is taken over in a terminal: end that, then retry".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(Box::new(StepResult::error(Cause::Environment, format!("the conversation cannot be gone on with: {why}"))))
}

/// Whether the attempt before was cut off: it may have changed already what this one would.
fn is_repeated(job: &Job) -> bool {
    let last = job.history.attempts.last();
    last.is_some_and(|last| {
        last.step == job.step && last.outcome.is_some_and(|outcome| outcome.cause == Some(Cause::Interrupted))
    })
}

const fn fix_name(step: Step) -> &'static str {
    step.as_str()
}

/// What stops the session, if its agent has reported in this attempt that the architecture is wrong.
async fn reported_issue(job: &Job) -> Result<Option<StepResult>, git::StepError> {
    if job.session.kind != SessionKind::Integration {
        return Ok(None);
    }
    let (store, scope, id) = (job.shared.store.clone(), job.scope.as_ref().clone(), job.session.id);
    let requests = super::integration::ask_store(store, scope, move |store| store.requests(id, REQUESTS)).await?;
    let mut issues = Vec::new();
    for request in requests.into_iter().filter(|request| request.seq == job.seq) {
        if let Wish::Issue { summary, details } = request.wish {
            issues.push((summary, details));
        }
    }
    if issues.is_empty() {
        return Ok(None);
    }
    let said: Vec<String> =
        issues.iter().map(|(summary, details)| format!("{summary}\n\n{details}").trim().to_owned()).collect();
    let evidence = issues.iter().map(|(summary, details)| json!({"summary": summary, "details": details})).collect();
    Ok(Some(StepResult {
        evidence: Some(evidence),
        ..StepResult::error(Cause::ArchitecturalIssue, format!("the agent reports: {}", said.join("\n\n")))
    }))
}

/// Whether the agent asked for another session in this attempt, or a person woke one for it: that is progress too, even if
/// that session has ended already.
async fn woke_somebody(job: &Job) -> Result<bool, git::StepError> {
    if job.session.kind != SessionKind::Integration {
        return Ok(false);
    }
    let (store, scope, id, seq) = (job.shared.store.clone(), job.scope.as_ref().clone(), job.session.id, job.seq);
    super::integration::ask_store(store, scope, move |store| {
        let asked = store.requests(id, REQUESTS)?.into_iter().any(|request| {
            request.seq == seq && request.ruling.is_none_or(|ruling| ruling.opened.is_some() || !ruling.user.is_empty())
        });
        Ok(asked || store.awaited(id)?.iter().any(|other| !other.status.is_terminal()))
    })
    .await
}

/// The worktree's content in one word, and the open worktree: to open it again would cost more than to look at it again.
async fn first_snapshot(job: &Job) -> Result<(String, Tree), git::StepError> {
    let worktree = git::worktree(job)?.to_owned();
    git::read(move || {
        let tree = Tree::open(&worktree)?;
        Ok((tree.change_hash()?, tree))
    })
    .await
}

/// Any program: the prompt on its standard input, its standard output as text, exit code 0 = ok.
async fn run(job: &Job, plan: &AgentPlan, stopper: &mut Stopper) -> StepResult {
    let worktree = match git::worktree(job) {
        Ok(worktree) => worktree.to_owned(),
        Err(result) => return *result,
    };
    let facts = facts(job, plan.conversation.id(), &worktree);
    let mut env = git::environment(job);
    env.extend(plan.agent.env.clone());
    env.extend(command::environment(&facts));
    let argv = [plan.agent.command.clone(), plan.agent.args.clone()].concat();
    let mut tap = job.tap();
    tap.event(EventKind::Command { line: git::shown(&argv) });
    let spec = process::Spec { stdin: Some(plan.prompt.clone().into_bytes()), ..git::spec(job, argv, worktree, env) };
    let record = spec.record.clone();
    confine::say(job, &plan.agent.write);
    let chunks = |chunk: process::Chunk| {
        tap.text(chunk.text, |text| {
            if chunk.stderr { EventKind::Output { text, stderr: true } } else { EventKind::AgentText { text } }
        });
    };
    let finished = match confine::run(job, spec, &plan.agent.write, chunks, stopper).await {
        Ok(finished) => finished,
        Err(result) => return *result,
    };
    if finished.leftovers > 0 {
        tap.note(format!("{} processes that the agent left behind were ended.", finished.leftovers));
    }
    let output = record.filter(|_| finished.bytes > 0).map(|path| OutputFile {
        path,
        bytes: finished.bytes,
        kept: finished.kept,
    });
    let result = StepResult { code: finished.exit.code(), output, ..outcome(&finished, stopper) };
    if finished.exit == Exit::Cancelled { StepResult { code: None, ..result } } else { result }
}

fn outcome(finished: &process::Finished, stopper: &Stopper) -> StepResult {
    let said = tests::tail(&finished.stderr, &finished.stdout);
    let how = tests::ended(&finished.exit);
    match &finished.exit {
        Exit::Code { code: 0 } => StepResult::ok(),
        Exit::Code { .. } | Exit::Signal { .. } => StepResult::error(
            Cause::Failed,
            if said.is_empty() { format!("the agent {how}") } else { format!("the agent {how}:\n{said}") },
        ),
        Exit::Timeout => StepResult::error(Cause::Timeout, format!("the agent {how} (limits.step_timeout)")),
        Exit::Inactive => StepResult::error(Cause::Inactive, format!("the agent {how} (limits.inactivity)")),
        Exit::Cancelled => StepResult::error(stopper.cause(), stopper.words("the agent was ended")),
        Exit::NotStarted { message } => StepResult::error(
            Cause::AgentUnavailable,
            format!("the agent could not be started: {message}; check its command in callboard.toml"),
        ),
    }
}

/// The work of an agent step, if the job has it.
pub(super) fn work(job: &Job) -> Option<&AgentWork> {
    match &job.work {
        Work::Agent(work) => Some(work),
        Work::Prepare(_)
        | Work::Tests { .. }
        | Work::Check(_)
        | Work::Validate { .. }
        | Work::Finalize { .. }
        | Work::Impossible { .. } => None,
    }
}

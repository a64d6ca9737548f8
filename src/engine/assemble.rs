//! From a session and its next step to a job: everything that an attempt needs is read here, at once.

use std::sync::Arc;

use crate::{
    engine::{
        EngineError, clock,
        desk::Desk,
        job::{AgentWork, Check, Job, Place, Shared, Tested, Work},
        record,
        steps::{self, ChildPlan},
    },
    git::{self, Repo},
    model::{
        Answer, Cause, Command, Data, HaltReason, IntentId, Interaction, InteractionId, Origin, Performer, Protocol,
        Request, ResultStatus, Session, SessionId, SessionKind, Status, Step, StepResult, Verdict, Wish,
    },
    project::Project,
    store::{Change, Makers},
    workflow::{Attempt, History},
};

/// So many of a session's requests are looked through for news.
const LOOKED_AT: u32 = 50;

/// A spawn step's plan, or why there is none.
pub(super) type Spawn = Result<ChildPlan, String>;

impl Desk {
    /// The job of a step's next attempt.
    pub(super) fn job(
        &self,
        shared: &Arc<Shared>,
        project: Arc<Project>,
        session: Session,
        history: History,
        step: Step,
        intent: Option<IntentId>,
    ) -> Result<Job, EngineError> {
        let _glance = self.store.glance()?;
        let work = self.work(shared, &project, &session, &history, step)?;
        let seq = self.store.last_seq(session.id)? + 1;
        let iteration = iteration(&history, step);
        self.assemble(shared, project, session, history, step, (seq, iteration), work, intent)
    }

    /// The job that validates the children of a spawn step's pending attempt.
    pub(super) fn validation(
        &self,
        shared: &Arc<Shared>,
        project: Arc<Project>,
        session: Session,
        history: History,
        seq: u32,
    ) -> Result<Job, EngineError> {
        let step = history.attempts.last().map_or(history.start, |last| last.step);
        let mut children = Vec::new();
        for child in self.store.children(session.id)? {
            let error = self.store.last_error(child.id)?;
            children.push((child, error));
        }
        let work = Work::Validate { children };
        let iteration = iteration(&history, step).saturating_sub(1).max(1);
        self.assemble(shared, project, session, history, step, (seq, iteration), work, None)
    }

    #[expect(clippy::too_many_arguments, reason = "it only puts together what its two callers have at hand")]
    fn assemble(
        &self,
        shared: &Arc<Shared>,
        project: Arc<Project>,
        session: Session,
        history: History,
        step: Step,
        (seq, iteration): (u32, u32),
        work: Work,
        intent: Option<IntentId>,
    ) -> Result<Job, EngineError> {
        // A person who asks for the attempt does not wait.
        let pause = if intent.is_none() && matches!(work, Work::Agent(_)) {
            self.store.pause(&session, step, &project.limits)?
        } else {
            None
        };
        let generation = self
            .store
            .generations(session.id)?
            .pop()
            .ok_or(crate::store::StoreError::Conflict("the session has no generation"))?;
        Ok(Job {
            shared: Arc::clone(shared),
            scope: Arc::clone(&self.scope),
            consented: self.consented()?,
            project,
            permits: self.permits(),
            session,
            generation,
            step,
            seq,
            iteration,
            history,
            work,
            intent,
            pause,
            id: InteractionId::generate(),
        })
    }

    fn work(
        &self,
        shared: &Shared,
        project: &Project,
        session: &Session,
        history: &History,
        step: Step,
    ) -> Result<Work, EngineError> {
        Ok(match (step, step.performer()) {
            (Step::Initialize, _) => Work::Prepare(self.place(shared, project, session)?),
            (Step::Finalize, _) => {
                let children = self.store.children(session.id)?;
                let done = children.into_iter().filter(|child| child.status == Status::Complete);
                Work::Finalize { components: done.map(|child| child.component).collect() }
            }
            (_, Performer::Agent) => Work::Agent(Box::new(self.agent_work(project, session, history)?)),
            (Step::RunTests, _) => self.tests(session, Tested::Component)?,
            (Step::RunIntegrationTests, _) => self.tests(session, Tested::Integration)?,
            (Step::RunTestSuite, _) => self.tests(session, Tested::Suite)?,
            (Step::ReadContextDesign, _) => Work::Check(Check::ContextDesign),
            (Step::ValidateDesign, _) => Work::Check(Check::Design),
            (Step::ValidateAcceptanceCriteria, _) => {
                let run = self.store.last_result(session.id, Step::RunIntegrationTests)?;
                let run = run.as_ref().and_then(StepResult::test_run).cloned().map(Box::new);
                let records = self.store.criteria(Some(&session.component))?;
                let said = records.into_iter().filter_map(|record| Some((record.id, record.said?)));
                Work::Check(Check::Criteria(run, said.collect()))
            }
            (_, Performer::Tests | Performer::Git | Performer::Spawn | Performer::Check) => {
                impossible(Cause::Environment, step, session, format!("{step} has no work of its own"))
            }
        })
    }

    /// A test step with the sessions whose work is to be merged before: those that the session has woken.
    fn tests(&self, session: &Session, tested: Tested) -> Result<Work, EngineError> {
        let mut merge = Vec::new();
        if session.kind == SessionKind::Integration {
            for other in self.store.waits_for(session.id)? {
                merge.push(self.store.session(other.id)?);
            }
        }
        Ok(Work::Tests { ledger: self.store.ledger(session.id)?, tested, merge })
    }

    /// The sessions that made the components of a context, by component: who can be woken about a design flaw.
    fn makers(&self, session: &Session) -> Result<Vec<(String, Makers)>, EngineError> {
        Ok(if session.kind == SessionKind::Integration { self.store.created_by()? } else { Vec::new() })
    }

    /// Who opened a generation, for its agent.
    fn opener(&self, origin: &Origin) -> Result<String, EngineError> {
        Ok(match origin {
            Origin::New => String::new(),
            Origin::Person { user } if user.is_empty() => "a person".into(),
            Origin::Person { user } => user.clone(),
            Origin::Session { id } => {
                let session = self.store.session(*id)?;
                format!("the {} session of {} ({id})", session.kind, session.component)
            }
        })
    }

    /// What became of the sessions that a session has woken and that did not come to a good end, and of what its agent asked
    /// for last.
    fn news(&self, session: &Session, history: &History) -> Result<Vec<String>, EngineError> {
        let mut news = Vec::new();
        if session.kind != SessionKind::Integration {
            return Ok(news);
        }
        for other in self.store.waits_for(session.id)? {
            let how = match other.status {
                Status::Failed => {
                    self.store.last_error(other.id)?.map_or("failed".into(), |error| format!("failed: {error}"))
                }
                Status::Cancelled => "was cancelled".into(),
                Status::Active | Status::Complete => continue,
            };
            news.push(format!("The session of {}, which was woken for this one, {how}", other.component));
        }
        let agents = history.attempts.iter().rev().filter(|attempt| attempt.step.performer() == Performer::Agent);
        let made = agents.filter(|attempt| !is_cut_off(attempt)).map(|attempt| attempt.seq).next().unwrap_or(0);
        for request in self.store.requests(session.id, LOOKED_AT)?.iter().filter(|request| request.seq >= made) {
            news.extend(self.outcome(request)?);
        }
        news.extend(self.overridden(session)?);
        Ok(news)
    }

    /// What its agent is told of a request, if there is anything that it does not know yet.
    fn outcome(&self, request: &Request) -> Result<Option<String>, EngineError> {
        let Some(ruling) = &request.ruling else { return Ok(None) };
        let what = request.wish.in_words();
        let why = ruling.note.as_ref().map_or(String::new(), |note| format!(": {note}"));
        let by = if ruling.user.is_empty() { "callboard" } else { &ruling.user };
        Ok(match ruling.opened {
            _ if !ruling.granted => Some(format!("You asked to {what}; {by} refused{why}")),
            None if matches!(request.wish, Wish::Issue { .. }) => None,
            None => Some(format!("You asked to {what}; that could not be done{why}")),
            Some((opened, _)) => {
                let done = self.store.session(opened)?.status == Status::Complete;
                done.then(|| format!("You asked to {what}: it is done, and merged into this branch{why}"))
            }
        })
    }

    /// What a person said when they went on in spite of an issue that its agent had reported, if that was the last halt.
    fn overridden(&self, session: &Session) -> Result<Option<String>, EngineError> {
        let halt = self.store.last_halt(session.id)?.filter(|halt| halt.reason == HaltReason::ArchitecturalIssue);
        let note =
            halt.and_then(|halt| halt.decision).filter(|it| it.verdict != Verdict::Approve).and_then(|it| it.note);
        Ok(note.map(|note| format!("You reported an architectural issue. A person decided to go on: {note}")))
    }

    fn agent_work(&self, project: &Project, session: &Session, history: &History) -> Result<AgentWork, EngineError> {
        let judges: Vec<&Attempt> = history
            .attempts
            .iter()
            .filter(|attempt| attempt.step.performer() != Performer::Agent && is_error(attempt))
            .collect();
        let judged = match judges.last() {
            Some(last) => self.store.interaction(session.id, last.seq)?.and_then(|interaction| interaction.result),
            None => None,
        };
        let sets: Vec<&str> =
            judges.iter().rev().take(2).filter_map(|attempt| attempt.failure_set.as_deref()).collect();
        let generations = self.store.generations(session.id)?;
        let agent = session.agent.as_ref().or(project.agent.as_ref()).and_then(|name| project.agent_named(name));
        let scripted = agent.is_some_and(|agent| agent.protocol == Protocol::Script);
        Ok(AgentWork {
            judged,
            unchanged: matches!(sets.as_slice(), [a, b] if a == b),
            ledger: self.store.ledger(session.id)?,
            used: if scripted { self.store.turns_played(session.id)? } else { Vec::new() },
            by: generations.last().map(|last| self.opener(&last.origin)).transpose()?.unwrap_or_default(),
            resumed: session.conversation_id.is_some(),
            standing: self.store.standing(session.id)?,
            unseen: self.store.unseen(session.id)?,
            news: self.news(session, history)?,
            makers: self.makers(session)?,
        })
    }

    /// Where a session's work is done: recorded, or decided now.
    fn place(
        &self,
        shared: &Shared,
        project: &Project,
        session: &Session,
    ) -> Result<Result<Place, String>, EngineError> {
        if let (Some(branch), Some(worktree), Some(base)) = (&session.branch, &session.worktree, &session.base_commit) {
            let place = Place { branch: branch.clone(), worktree: worktree.clone(), base: base.clone(), note: None };
            return Ok(Ok(place));
        }
        let repo = match Repo::open(&project.root) {
            Ok(repo) => repo,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let (base, note) = match self.base(&repo, project, session)? {
            Ok(base) => base,
            Err(message) => return Ok(Err(message)),
        };
        let wanted = git::branch_name(session.kind, &session.component);
        let root = &self.scope.project;
        let taken =
            |branch: &str| shared.branches.has(root, branch) || self.store.branch_is_taken(branch).unwrap_or(true);
        Ok(match repo.free_branch(&wanted, &taken) {
            Ok(branch) => {
                shared.branches.keep(root, &branch);
                let worktree = shared.places.worktree(&self.scope.project, &session.component, session.id);
                Ok(Place { branch, worktree, base, note })
            }
            Err(error) => Err(error.to_string()),
        })
    }

    /// The commit that a session starts from: its parent's branch, what the person named, or the newest finished work on
    /// the same context that the checkout does not have yet, or else the checkout's commit.
    fn base(
        &self,
        repo: &Repo,
        project: &Project,
        session: &Session,
    ) -> Result<Result<(String, Option<String>), String>, EngineError> {
        if let Some(parent) = session.parent_id {
            let parent = self.store.session(parent)?;
            let branch = parent.branch.unwrap_or_default();
            return Ok(match repo.tip(&branch) {
                Ok(Some(tip)) => Ok((tip, None)),
                Ok(None) => Err(format!("the parent's branch {branch:?} is not there any more; cancel the parent")),
                Err(error) => Err(error.to_string()),
            });
        }
        if let Some(design) = self.design_before(session)? {
            let branch = design.branch.clone().unwrap_or_default();
            return Ok(match (design.status, repo.tip(&branch)) {
                (Status::Complete, Ok(Some(tip))) => {
                    Ok((tip, Some(format!("It starts from the new design, on {branch}."))))
                }
                (status, _) => Err(format!(
                    "the design comes first, but its session {} is {status} (branch {branch:?}): bring that one to its end, \
                     then retry this one",
                    design.id.short()
                )),
            });
        }
        if let Some(base) = &session.base {
            return Ok(repo.resolve(base).map(|commit| (commit, None)).map_err(|error| error.to_string()));
        }
        let head = match repo.head() {
            Ok(head) => head.commit,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let context = project.context_of(&session.component).map(|context| context.name.clone());
        let mut done: Vec<Session> = self.store.sessions_of(&session.component)?;
        if let Some(context) = context {
            done.extend(self.store.sessions_of(&context)?);
        }
        done.retain(|other| other.parent_id.is_none() && other.status == Status::Complete && other.id != session.id);
        done.sort_by_key(|other| other.updated_at);
        for other in done.iter().rev() {
            if let Some(branch) = &other.branch
                && let Ok(Some(tip)) = repo.tip(branch)
                && repo.is_ancestor(&tip, &head).is_ok_and(|merged| !merged)
            {
                let note = format!("It starts from {branch}, which the checkout does not have yet.");
                return Ok(Ok((tip, Some(note))));
            }
        }
        Ok(Ok((head, None)))
    }

    /// What a spawn step will do; `None` for a step that spawns nothing.
    pub(super) fn spawn_plan(
        &self,
        project: &Project,
        session: &Session,
        step: Step,
    ) -> Result<Option<Spawn>, EngineError> {
        if step.performer() != Performer::Spawn {
            return Ok(None);
        }
        let mut existing = Vec::new();
        for child in self.store.children(session.id)? {
            let restart = steps::restart(child.kind, &self.store.done(child.id)?);
            existing.push((child, restart));
        }
        let last = match self.store.last_result(session.id, step)?.and_then(|result| result.data) {
            Some(Data::Children { problems, .. }) => problems,
            _ => Vec::new(),
        };
        Ok(Some(steps::plan_children(project, session, &existing, &last, clock::now())))
    }

    /// Records the beginning of a spawn step with its children; answers which sessions are to be driven.
    pub(super) async fn begin_spawn(
        &self,
        shared: &Shared,
        session: &Session,
        history: &History,
        step: Step,
        plan: Spawn,
        intent: Option<IntentId>,
    ) -> Result<Vec<SessionId>, EngineError> {
        let (seq, at) = (self.store.last_seq(session.id)? + 1, clock::now());
        let plan_or = plan.as_ref().ok();
        let children = plan_or.map(|plan| plan.children.clone()).unwrap_or_default();
        let reactivated = plan_or.map(|plan| plan.reopen.iter().map(|(id, _)| *id).collect()).unwrap_or_default();
        let interaction = Interaction {
            id: InteractionId::generate(),
            session_id: session.id,
            seq,
            generation: session.generation,
            step,
            iteration: iteration(history, step),
            command: Command::SpawnSessions { child_session_ids: children.clone(), reactivated },
            result: None,
            started_at: at,
            completed_at: None,
        };
        let mut transition = vec![Change::Begin { interaction: Box::new(interaction), owner: None }];
        match plan {
            Ok(plan) => {
                transition.extend(
                    plan.create.into_iter().map(|(child, generation)| Change::NewSession(Box::new(child), generation)),
                );
                transition.extend(
                    plan.reopen.into_iter().map(|(session, generation)| Change::Reopen { session, generation }),
                );
                transition.push(Change::Await { session: session.id, seq, sessions: children.clone() });
            }
            Err(message) => transition.extend(failed_at_once(session, history, step, seq, message, at)),
        }
        transition.extend(intent.map(|intent| Change::Answer { intent, answer: Answer::Done, at }));
        shared.writer.apply(&self.scope, transition).await?;
        Ok(children)
    }

    /// Records that a step cannot be attempted because the project's configuration cannot be read: `pending` is the
    /// attempt that this ends, if one has begun.
    pub(super) async fn unreadable(
        &self,
        shared: &Shared,
        session: &Session,
        history: &History,
        step: Step,
        message: String,
        pending: Option<u32>,
    ) -> Result<(), EngineError> {
        let at = clock::now();
        let mut transition = Vec::new();
        let mut history = history.clone();
        let seq = match pending {
            Some(seq) => {
                history.attempts.retain(|attempt| attempt.seq != seq);
                seq
            }
            None => {
                let seq = self.store.last_seq(session.id)? + 1;
                let interaction = Interaction {
                    id: InteractionId::generate(),
                    session_id: session.id,
                    seq,
                    generation: session.generation,
                    step,
                    iteration: iteration(&history, step),
                    command: Command::Check { subject: crate::project::FILE.to_owned() },
                    result: None,
                    started_at: at,
                    completed_at: None,
                };
                transition.push(Change::Begin { interaction: Box::new(interaction), owner: None });
                seq
            }
        };
        transition.extend(failed_at_once(session, &history, step, seq, message, at));
        Ok(shared.writer.apply(&self.scope, transition).await?)
    }

    /// Raises a halt that the record does not have yet.
    pub(super) async fn halt(
        &self,
        shared: &Shared,
        session: &Session,
        history: &History,
        reason: HaltReason,
    ) -> Result<(), EngineError> {
        let Some(last) = history.attempts.last() else { return Ok(()) };
        let halted = self.store.last_halt(session.id)?;
        if halted.is_some_and(|halt| halt.seq == last.seq && halt.decision.is_none()) {
            return Ok(());
        }
        let result = self.store.interaction(session.id, last.seq)?.and_then(|interaction| interaction.result);
        let at = clock::now();
        let halt = record::raise(session, last, reason, &result.unwrap_or_else(StepResult::ok), at);
        let changes = vec![
            Change::Halt(halt),
            Change::Outlook { session: session.id, next: Some("halt".into()), halt: Some(reason), at },
        ];
        Ok(shared.writer.apply(&self.scope, changes).await?)
    }
}

/// What ends a spawn step that cannot even begin.
fn failed_at_once(
    session: &Session,
    history: &History,
    step: Step,
    seq: u32,
    message: String,
    at: crate::model::Micros,
) -> Vec<Change> {
    let result = StepResult::error(Cause::Environment, message);
    let mut history = history.clone();
    let outcome = Some(crate::workflow::Outcome::of(&result));
    history.attempts.push(Attempt { seq, step, outcome, failure_set: None });
    let mut changes = record::outlook(session, &history, &result, at);
    changes.insert(0, Change::Finish { session: session.id, seq, result: Box::new(result), at });
    changes
}

/// Which attempt at a step in its generation the next one is. Attempts that were cut off, or for which something on this
/// machine was missing, do not count: what follows them is the same attempt again.
fn iteration(history: &History, step: Step) -> u32 {
    let not_made = |attempt: &&Attempt| {
        attempt.outcome.is_some_and(|outcome| {
            matches!(
                outcome.cause,
                Some(
                    Cause::Interrupted
                        | Cause::Cancelled
                        | Cause::Environment
                        | Cause::AgentUnavailable
                        | Cause::Quota
                        | Cause::Overloaded
                )
            )
        })
    };
    let made = history.attempts.iter().filter(|attempt| attempt.step == step && !not_made(attempt)).count();
    u32::try_from(made).unwrap_or(u32::MAX).saturating_add(1)
}

fn is_error(attempt: &Attempt) -> bool {
    attempt.outcome.is_some_and(|outcome| outcome.status == ResultStatus::Error) && !is_cut_off(attempt)
}

fn impossible(cause: Cause, step: Step, session: &Session, message: String) -> Work {
    Work::Impossible {
        command: Command::Check { subject: format!("{step} of {}", session.component) },
        result: Box::new(StepResult::error(cause, message)),
    }
}

/// Whether an attempt was cut off, so that it counts as not having happened.
fn is_cut_off(attempt: &Attempt) -> bool {
    attempt.outcome.is_some_and(|outcome| matches!(outcome.cause, Some(Cause::Interrupted | Cause::Cancelled)))
}

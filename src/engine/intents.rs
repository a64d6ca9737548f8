//! Taking intents: each is carried out and answered in one transition, or refused with the reason.

use crate::{
    engine::{
        EngineError, clock, conversation,
        desk::Desk,
        dispatcher::{Dispatcher, Key},
        job::Stop,
        lock::Hold,
        renewal::Renewal,
        steps,
    },
    git::Tree,
    model::{
        Answer, Cause, Decision, Generation, Grant, Halt, HaltReason, Intent, IntentAction, Lasts, Mode, Origin, Seen,
        Session, SessionId, SessionKind, Status, Step, StepResult, Verdict, Wish,
    },
    store::{Change, StoreError, Summary, Transition},
    workflow::{self, Continuation, Next, Waiting},
};

/// So often a transition is built anew when the record changed under it.
const TRIES: usize = 20;

/// What an intent comes to.
pub(super) enum Weighed {
    /// These changes, and the answer done.
    Do(Transition),
    /// The session's next step begins, and the answer is recorded with its beginning.
    Start,
    /// These changes, and a person is asked.
    Ask(Transition),
    /// These changes, and it is refused, because.
    Fail(Transition, String),
    /// Nothing, because.
    Refuse(String),
}

impl Dispatcher {
    /// Carries out an intent, or refuses it.
    pub(super) async fn take(&mut self, scope: &(String, String), intent: Intent) -> Result<(), EngineError> {
        let key = Key { account: scope.0.clone(), project: scope.1.clone(), session: intent.session_id };
        for tried in 0..TRIES {
            match self.try_take(&key, &intent, tried > 0).await {
                Err(EngineError::Store(StoreError::Conflict(_))) => {}
                Err(EngineError::Store(error @ StoreError::Row { .. })) => {
                    return self.answer(&key, &intent, Answer::Refused { why: error.to_string() }, Vec::new()).await;
                }
                other => return other,
            }
        }
        self.answer(&key, &intent, Answer::Refused { why: "the session keeps changing; try again".into() }, Vec::new())
            .await
    }

    async fn try_take(&mut self, key: &Key, intent: &Intent, again: bool) -> Result<(), EngineError> {
        let running = self.is_running(key);
        let Some(desk) = self.desks.get_mut(&key.desk()) else { return Ok(()) };
        drop(desk.project(&self.options.settings));
        let session = desk.store.session(key.session)?;
        // Who sees on record that a step has ended may go on at once, though its end is not heard of here yet.
        let ended = desk.store.attempts(&session)?.last().filter(|last| last.outcome.is_some()).map(|last| last.seq);
        if starts_a_step(&intent.action) && ended.is_some_and(|seq| self.runs(key, seq)) {
            self.postponed = true;
            return Ok(());
        }
        let Some(desk) = self.desks.get(&key.desk()) else { return Ok(()) };
        match desk.weigh(&session, running, intent).await? {
            Weighed::Refuse(why) => {
                let why = if again { why + kept(&intent.action) } else { why };
                self.answer(key, intent, Answer::Refused { why }, Vec::new()).await
            }
            Weighed::Start => self.drive(key, Some(intent.id)).await,
            Weighed::Ask(changes) => self.answer(key, intent, Answer::Asked, changes).await,
            Weighed::Fail(changes, why) => {
                self.answer(key, intent, Answer::Refused { why }, changes).await?;
                self.todo(key.clone());
                Ok(())
            }
            Weighed::Do(changes) => {
                let opened: Vec<SessionId> = changes.iter().filter_map(opened).collect();
                self.answer(key, intent, Answer::Done, changes).await?;
                opened.into_iter().for_each(|session| self.todo(Key { session, ..key.clone() }));
                self.follow(key, intent)
            }
        }
    }

    async fn answer(
        &self,
        key: &Key,
        intent: &Intent,
        answer: Answer,
        mut changes: Transition,
    ) -> Result<(), EngineError> {
        let Some(desk) = self.desks.get(&key.desk()) else { return Ok(()) };
        changes.push(Change::Answer { intent: intent.id, answer, at: clock::now() });
        match self.shared.writer.apply(&desk.scope, changes).await {
            // An intent that has an answer is not asked again.
            Err(StoreError::Conflict("the intent is answered already")) => Ok(()),
            other => Ok(other?),
        }
    }

    /// What follows from an intent that was carried out: attempts end, sessions go on.
    fn follow(&mut self, key: &Key, intent: &Intent) -> Result<(), EngineError> {
        match &intent.action {
            IntentAction::Cancel => {
                for session in self.family(key)? {
                    self.signal(&Key { session, ..key.clone() }, Stop::Cancelled);
                }
                self.rouse(key)?;
            }
            IntentAction::SetMode { mode: Mode::Manual } => self.signal(key, Stop::Withdrawn),
            IntentAction::Interrupt => self.signal(key, Stop::Interrupted),
            IntentAction::Say { text } => self.shared.ears.tell(conversation::message(intent, text)),
            IntentAction::Approve { .. } => self.rouse(key)?,
            // Another session of the component, or a new one, may be the one that goes on.
            IntentAction::Reactivate { .. } | IntentAction::Renew { .. } => {
                for session in self.colleagues(key)? {
                    self.todo(Key { session, ..key.clone() });
                }
            }
            IntentAction::Permit { id, allow, lasts } => {
                let ruling = Grant { allowed: *allow, lasts: *lasts, user: intent.user.clone() };
                self.shared.questions.tell(*id, ruling);
            }
            IntentAction::SetMode { .. }
            | IntentAction::Start
            | IntentAction::Advance
            | IntentAction::Retry
            | IntentAction::Create { .. }
            | IntentAction::Rule { .. }
            | IntentAction::TakeOver { .. }
            | IntentAction::GiveBack
            | IntentAction::Override { .. } => {}
        }
        self.todo(key.clone());
        Ok(())
    }

    /// The active sessions on the same component.
    fn colleagues(&self, key: &Key) -> Result<Vec<SessionId>, EngineError> {
        let Some(desk) = self.desks.get(&key.desk()) else { return Ok(Vec::new()) };
        let sessions = desk.store.sessions_of(&desk.store.session(key.session)?.component)?;
        Ok(sessions.into_iter().filter(|other| !other.status.is_terminal()).map(|other| other.id).collect())
    }

    /// A session and everything that it spawned.
    fn family(&self, key: &Key) -> Result<Vec<SessionId>, EngineError> {
        match self.desks.get(&key.desk()) {
            Some(desk) => Ok(desk.family(key.session)?),
            None => Ok(Vec::new()),
        }
    }
}

impl Desk {
    async fn weigh(&self, session: &Session, running: bool, intent: &Intent) -> Result<Weighed, EngineError> {
        if !running && sets_going(&intent.action) && Hold::is_taken(self.store.path(), session.id) {
            return Ok(Weighed::Refuse("its conversation is taken over in a terminal: end that first".into()));
        }
        let halt = self.open_halt(session)?;
        Ok(match &intent.action {
            IntentAction::Start => Weighed::Do(Vec::new()),
            IntentAction::Advance => self.advance(session, running, halt.as_ref())?,
            IntentAction::Retry => self.retry(session, running, halt, intent).await?,
            // Who names a session means that one.
            IntentAction::Reactivate { context, requester: None, redesign: false } => {
                self.reactivate(session, context, Continuation::Continue(session.id), intent)?
            }
            IntentAction::Reactivate { context, requester: None, redesign: true } => {
                self.reactivate(session, context, self.continuation(session, true)?, intent)?
            }
            IntentAction::Renew { context } => {
                self.reactivate(session, context, self.continuation(session, false)?, intent)?
            }
            IntentAction::Reactivate { context, requester: Some(requester), redesign } => {
                let (session, component) = (session.id, session.component.clone());
                let (context, redesign) = (context.clone(), *redesign);
                self.wish(*requester, Wish::Reactivate { session, component, context, redesign })?
            }
            IntentAction::Create { kind, component, context } => {
                let (component, context) = (component.clone(), context.clone());
                self.wish(session.id, Wish::Create { session_kind: *kind, component, context })?
            }
            IntentAction::Rule { request, granted, note } => {
                self.rule(session, *request, *granted, note.as_ref(), intent)?
            }
            IntentAction::Say { text } => self.say(session, text, intent)?,
            IntentAction::Interrupt => self.interrupt(session, running, intent)?,
            IntentAction::TakeOver { line } => {
                self.note(session, intent, format!("{} goes on with the conversation: {line}", intent.user))?
            }
            IntentAction::GiveBack => {
                self.note(session, intent, format!("{} gave the conversation back.", intent.user))?
            }
            IntentAction::Cancel => self.cancel(session)?,
            IntentAction::SetMode { mode } => set_mode(session, *mode),
            IntentAction::Permit { id, allow, lasts } => {
                self.permit(session, *id, &Grant { allowed: *allow, lasts: *lasts, user: intent.user.clone() }).await?
            }
            IntentAction::Approve { note, seen } => match halt {
                None => Weighed::Refuse(no_halt(session)),
                Some(halt) => match is_seen(session, &halt, seen.as_ref()).await {
                    Ok(()) => self.approve(session, halt, note.clone(), intent).await?,
                    Err(why) => Weighed::Refuse(why),
                },
            },
            IntentAction::Override { note, seen } => match halt {
                None => Weighed::Refuse(no_halt(session)),
                Some(_) if note.trim().is_empty() => {
                    Weighed::Refuse("an override goes on the record: say why, with a note".into())
                }
                Some(halt) => match is_seen(session, &halt, seen.as_ref()).await {
                    Ok(()) => self.go_on(session, halt, Verdict::Override, Some(note.clone()), intent).await?,
                    Err(why) => Weighed::Refuse(why),
                },
            },
        })
    }

    /// The halt that waits for a decision. One that was left undecided when its session was cancelled, or in an earlier
    /// generation, is history.
    fn open_halt(&self, session: &Session) -> Result<Option<Halt>, StoreError> {
        let Some(halt) = self.store.last_halt(session.id)?.filter(|halt| halt.decision.is_none()) else {
            return Ok(None);
        };
        let current = self.store.attempts(session)?.iter().any(|attempt| attempt.seq == halt.seq);
        Ok(Some(halt).filter(|_| current && session.status != Status::Cancelled))
    }

    fn advance(&self, session: &Session, running: bool, halt: Option<&Halt>) -> Result<Weighed, EngineError> {
        if session.status.is_terminal() {
            return Ok(Weighed::Refuse(format!("it is {}: reactivate it to go on", session.status)));
        }
        if let Some(halt) = halt {
            return Ok(Weighed::Refuse(format!("it is halted ({}): retry, override or approve", halt.reason)));
        }
        if session.mode != Mode::Manual {
            return Ok(Weighed::Refuse(format!("its mode is {}: it goes on by itself", session.mode)));
        }
        if running {
            return Ok(Weighed::Refuse("its step is still running".into()));
        }
        Ok(match workflow::next(&self.history(session)?) {
            Ok(Next::Step(_) | Next::Waiting(Waiting::Agent { .. })) => Weighed::Start,
            Ok(Next::Waiting(_)) => Weighed::Refuse("it waits for its children; `why` says for which".into()),
            Ok(Next::Complete | Next::Halt(_)) => Weighed::Refuse("there is no next step to start".into()),
            Err(error) => Weighed::Refuse(error.to_string()),
        })
    }

    async fn retry(
        &self,
        session: &Session,
        running: bool,
        halt: Option<Halt>,
        intent: &Intent,
    ) -> Result<Weighed, EngineError> {
        if let Some(halt) = halt {
            if halt.reason == HaltReason::ArchitecturalFailure {
                let why = "tests outside its context broke: approve closes it, override (with a note) goes on";
                return Ok(Weighed::Refuse(why.into()));
            }
            return self.go_on(session, halt, Verdict::Retry, None, intent).await;
        }
        let attempts = self.store.attempts(session)?;
        let unfinished = attempts.last().is_some_and(|last| last.step == Step::Finalize);
        Ok(match session.status {
            Status::Failed if unfinished => Weighed::Do(vec![
                Change::Status { session: session.id, status: Status::Active },
                Change::Outlook {
                    session: session.id,
                    next: Some(Step::Finalize.to_string()),
                    halt: None,
                    at: clock::now(),
                },
            ]),
            Status::Failed | Status::Complete | Status::Cancelled => {
                Weighed::Refuse(format!("it is {}: reactivate it, with what its agent should know", session.status))
            }
            Status::Active if running => Weighed::Refuse("its step is still running".into()),
            Status::Active if self.waits_for_its_agent(session)? => Weighed::Start,
            Status::Active => Weighed::Refuse("nothing of it failed or is halted; `why` says what it waits for".into()),
        })
    }

    /// Whether it only waits until its agent may be used again.
    fn waits_for_its_agent(&self, session: &Session) -> Result<bool, EngineError> {
        Ok(matches!(workflow::next(&self.history(session)?), Ok(Next::Waiting(Waiting::Agent { .. }))))
    }

    /// Opens a session again, as a person asks, or new ones for its work. The integration session at work on its context waits
    /// for what is opened.
    fn reactivate(
        &self,
        session: &Session,
        context: &str,
        decided: Continuation,
        intent: &Intent,
    ) -> Result<Weighed, EngineError> {
        let waits = self.integration_of(session)?;
        let origin = Origin::Person { user: intent.user.clone() };
        Ok(match self.opening(&Renewal { session, context, waits, origin }, decided)? {
            Ok((changes, _)) => Weighed::Do(changes),
            Err(why) => Weighed::Refuse(why),
        })
    }

    /// Whether the requester woke this session already in an attempt that was cut off, and asks again in the one that
    /// repeats it.
    pub(super) fn is_asked_again(&self, session: &Session, requester: SessionId) -> Result<bool, EngineError> {
        const LOOKED_AT: usize = 50;
        let opened = match self.store.generations(session.id)?.pop() {
            Some(last) if last.origin == (Origin::Session { id: requester }) => last.opened_at,
            Some(_) | None => return Ok(false),
        };
        let attempts = self.store.summaries(requester, LOOKED_AT)?;
        let Some((now, before)) = attempts.split_last().filter(|(now, _)| now.status.is_none()) else {
            return Ok(false);
        };
        let cut = |attempt: &&Summary| attempt.step == now.step && attempt.cause == Some(Cause::Interrupted);
        let first = before.iter().rev().take_while(cut).last();
        Ok(first.is_some_and(|first| (first.started_at..now.started_at).contains(&opened)))
    }

    /// The integration session at work on the context of a component's session: it gains by what that one does next.
    fn integration_of(&self, session: &Session) -> Result<Option<SessionId>, EngineError> {
        if session.kind.is_for_context() {
            return Ok(None);
        }
        let Some(context) = self.context_of(&session.component) else { return Ok(None) };
        let at_work = self
            .store
            .sessions_of(&context)?
            .into_iter()
            .rev()
            .find(|other| other.kind == SessionKind::Integration && other.status == Status::Active);
        Ok(at_work.map(|other| other.id))
    }

    /// What opens a session again, or why it cannot be.
    pub(super) fn reopening(
        &self,
        session: &Session,
        context: &str,
        origin: Origin,
    ) -> Result<Result<Change, String>, StoreError> {
        if !session.status.is_terminal() {
            return Ok(Err("it is active already; cancel it first, or wait until it has ended".into()));
        }
        if self.open_halt(session)?.is_some() {
            return Ok(Err("it is halted: approve or override that first, so that the decision is on record".into()));
        }
        let generation = Generation {
            number: session.generation + 1,
            start: steps::restart(session.kind, &self.store.done(session.id)?),
            context: context.to_owned(),
            origin,
            opened_at: clock::now(),
        };
        Ok(Ok(Change::Reopen { session: session.id, generation }))
    }

    /// Closes a session and everything that it spawned; what they were doing ends as cancelled.
    fn cancel(&self, session: &Session) -> Result<Weighed, EngineError> {
        if session.status.is_terminal() {
            return Ok(Weighed::Refuse(format!("it is {} already", session.status)));
        }
        let mut changes = Vec::new();
        let at = clock::now();
        for id in self.family(session.id)? {
            let member = self.store.session(id)?;
            if member.status.is_terminal() {
                continue;
            }
            if let Some(last) = self.store.attempts(&member)?.last().filter(|last| last.outcome.is_none()) {
                let result = Box::new(StepResult::error(Cause::Cancelled, "the session was cancelled"));
                changes.push(Change::Finish { session: id, seq: last.seq, result, at });
            }
            changes.extend(self.withdrawn(id)?);
            changes.push(Change::Status { session: id, status: Status::Cancelled });
            changes.push(Change::Outlook { session: id, next: None, halt: None, at });
        }
        Ok(Weighed::Do(changes))
    }

    fn family(&self, session: SessionId) -> Result<Vec<SessionId>, StoreError> {
        let mut family = vec![session];
        let mut at = 0;
        while let Some(member) = family.get(at).copied() {
            family.extend(self.store.children(member)?.iter().map(|child| child.id));
            at += 1;
        }
        Ok(family)
    }

    async fn approve(
        &self,
        session: &Session,
        halt: Halt,
        note: Option<String>,
        intent: &Intent,
    ) -> Result<Weighed, EngineError> {
        let decision = self.decision(session, &halt, Verdict::Approve, note, intent).await?;
        let mut changes = vec![
            Change::Decide { halt: halt.id, decision },
            Change::Status { session: session.id, status: Status::Failed },
            Change::Outlook { session: session.id, next: None, halt: None, at: clock::now() },
        ];
        changes.extend(self.withdrawn(session.id)?);
        Ok(Weighed::Do(changes))
    }

    /// The session goes on in spite of its halt.
    async fn go_on(
        &self,
        session: &Session,
        halt: Halt,
        verdict: Verdict,
        note: Option<String>,
        intent: &Intent,
    ) -> Result<Weighed, EngineError> {
        let decision = self.decision(session, &halt, verdict, note, intent).await?;
        let mut history = self.history(session)?;
        history.status = Status::Active;
        history.decided = history.decided.max(halt.seq);
        let next = workflow::next(&history).ok().map(|next| next.to_string());
        Ok(Weighed::Do(vec![
            Change::Decide { halt: halt.id, decision },
            Change::Status { session: session.id, status: Status::Active },
            Change::Outlook { session: session.id, next, halt: None, at: clock::now() },
        ]))
    }

    async fn decision(
        &self,
        session: &Session,
        halt: &Halt,
        verdict: Verdict,
        note: Option<String>,
        intent: &Intent,
    ) -> Result<Decision, EngineError> {
        let result = self.store.interaction(session.id, halt.seq)?.and_then(|interaction| interaction.result);
        let content = content_of(session, halt).await.unwrap_or_default();
        let evidence_hash = workflow::evidence_hash(&content, halt, result.as_ref());
        Ok(Decision { verdict, note, user: intent.user.clone(), at: clock::now(), evidence_hash })
    }
}

/// The session that a change opens, if it opens one.
fn opened(change: &Change) -> Option<SessionId> {
    if let Change::Reopen { session, .. } = change {
        Some(*session)
    } else if let Change::NewSession(session, _) = change {
        Some(session.id)
    } else {
        None
    }
}

/// The content of the files that a halt is about, in one word; `None`: it cannot be read.
async fn content_of(session: &Session, halt: &Halt) -> Option<String> {
    let (worktree, files) = (session.worktree.clone()?, workflow::halted_files(halt));
    let read = move || Tree::open(&worktree).and_then(|tree| tree.content_hash(&files)).ok();
    tokio::task::spawn_blocking(read).await.ok().flatten()
}

/// Whether what a person had before them who decides a halt is what is there.
async fn is_seen(session: &Session, halt: &Halt, seen: Option<&Seen>) -> Result<(), String> {
    let Some(seen) = seen else { return Ok(()) };
    if seen.halt != halt.id {
        return Err(format!(
            "that was about an earlier halt; now it is halted for another reason ({}): look at this one, then decide",
            halt.reason
        ));
    }
    match (&seen.content, content_of(session, halt).await) {
        (Some(shown), Some(now)) if *shown != now => {
            Err("what it is about has changed since it was shown: look at it again, then decide".into())
        }
        (Some(_) | None, _) => Ok(()),
    }
}

/// What stays of an intent that was carried out in part before it was refused.
const fn kept(action: &IntentAction) -> &'static str {
    if matches!(action, IntentAction::Permit { lasts: Lasts::Always, .. }) {
        "; the rule is in your settings, at their end, and holds"
    } else {
        ""
    }
}

/// Whether it has a step begin, and asks for that while none runs.
const fn starts_a_step(action: &IntentAction) -> bool {
    matches!(action, IntentAction::Advance | IntentAction::Retry)
}

/// Whether the session's next step may begin because of it.
const fn sets_going(action: &IntentAction) -> bool {
    match action {
        IntentAction::Advance
        | IntentAction::Retry
        | IntentAction::Override { .. }
        | IntentAction::Reactivate { requester: None, .. }
        | IntentAction::Renew { .. }
        | IntentAction::SetMode { mode: Mode::Auto | Mode::Agentic } => true,
        // What has only just been made has no conversation.
        IntentAction::Start
        | IntentAction::Reactivate { requester: Some(_), .. }
        | IntentAction::SetMode { mode: Mode::Manual }
        | IntentAction::Approve { .. }
        | IntentAction::Cancel
        | IntentAction::Create { .. }
        | IntentAction::Rule { .. }
        | IntentAction::Say { .. }
        | IntentAction::Interrupt
        | IntentAction::TakeOver { .. }
        | IntentAction::GiveBack
        | IntentAction::Permit { .. } => false,
    }
}

fn set_mode(session: &Session, mode: Mode) -> Weighed {
    if session.status.is_terminal() {
        return Weighed::Refuse(format!("it is {}: a mode would change nothing", session.status));
    }
    Weighed::Do(vec![Change::Mode { session: session.id, mode }])
}

fn no_halt(session: &Session) -> String {
    format!("it is not halted (it is {}): there is nothing to decide", session.status)
}

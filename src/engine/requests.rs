//! What agents ask for through the sessions tool: carried out, refused, or put to a person, by the project's policy.

use crate::{
    engine::{EngineError, clock, desk::Desk, intents::Weighed, renewal::Renewal},
    model::{
        Generation, Intent, Mode, Origin, Policy, Request, RequestId, Ruling, Session, SessionId, SessionKind, Status,
        Wish,
    },
    store::{Change, Transition},
    workflow::{self, Awaited},
};

/// What a wish comes to: changes, and the session with its generation that they open, if they open one.
struct Carried {
    changes: Transition,
    opened: Option<(SessionId, u32)>,
}

impl Desk {
    /// What comes of what a session's agent asks for.
    pub(super) fn wish(&self, requester: SessionId, wish: Wish) -> Result<Weighed, EngineError> {
        let session = self.store.session(requester)?;
        let attempts = self.store.attempts(&session)?;
        let Some(attempt) = attempts.last().filter(|last| last.outcome.is_none()) else {
            return Ok(Weighed::Refuse("the step in which it was asked has ended".into()));
        };
        let Carried { mut changes, opened } = match self.carry_out(&session, &wish)? {
            Ok(carried) => carried,
            Err(why) => return Ok(Weighed::Refuse(why)),
        };
        // It was granted before, in an attempt that was cut off.
        if opened.is_none() {
            return Ok(Weighed::Do(changes));
        }
        if self.store.open_requests(requester)?.iter().any(|other| is_same(&other.wish, &wish)) {
            return Ok(Weighed::Ask(Vec::new()));
        }
        let at = clock::now();
        let request = |ruling| {
            let id = RequestId::generate();
            Change::Request(Box::new(Request { id, session_id: requester, seq: attempt.seq, wish, at, ruling }))
        };
        Ok(match self.policy(session.mode) {
            Policy::Refuse => Weighed::Refuse(
                "this project does not let agents wake or make sessions ([reactivation] policy = \"refuse\"): mend what is yours \
                 to mend, and say at the end of your answer which component has to change, and how"
                    .into(),
            ),
            Policy::Ask => Weighed::Ask(vec![request(None)]),
            Policy::Accept => {
                let ruling = Ruling { granted: true, user: String::new(), note: None, opened, at };
                changes.push(request(Some(ruling)));
                Weighed::Do(changes)
            }
        })
    }

    fn policy(&self, mode: Mode) -> Policy {
        let stated = self.project_as_read().and_then(|project| project.reactivation);
        stated.unwrap_or(match mode {
            Mode::Agentic => Policy::Accept,
            Mode::Auto | Mode::Manual => Policy::Ask,
        })
    }

    /// What carries a wish out, or why it cannot be.
    fn carry_out(&self, requester: &Session, wish: &Wish) -> Result<Result<Carried, String>, EngineError> {
        match wish {
            Wish::Reactivate { session, context, redesign, .. } => self.wake(requester, *session, context, *redesign),
            Wish::Create { session_kind, component, context } => {
                self.make(requester, *session_kind, component, context)
            }
            Wish::Issue { .. } => Ok(Err("an issue is on record; there is nothing to carry out".into())),
        }
    }

    fn wake(
        &self,
        requester: &Session,
        target: SessionId,
        context: &str,
        redesign: bool,
    ) -> Result<Result<Carried, String>, EngineError> {
        let session = self.store.session(target)?;
        let seq = self.store.last_seq(requester.id)?;
        for other in self.store.sessions_of(&session.component)? {
            if self.is_asked_again(&other, requester.id)? {
                let also = Change::AwaitAlso { session: requester.id, seq, awaited: other.id };
                return Ok(Ok(Carried { changes: vec![also], opened: None }));
            }
        }
        let asked = Renewal {
            session: &session,
            context,
            waits: Some(requester.id),
            origin: Origin::Session { id: requester.id },
        };
        let opened = self.opening(&asked, self.continuation(&session, redesign)?)?;
        Ok(opened.map(|(changes, opened)| Carried { changes, opened: Some(opened) }))
    }

    fn make(
        &self,
        requester: &Session,
        kind: SessionKind,
        component: &str,
        context: &str,
    ) -> Result<Result<Carried, String>, EngineError> {
        let Some(project) = self.project_as_read() else {
            return Ok(Err("the project's configuration cannot be read".into()));
        };
        match project.takes(kind, component) {
            Err(why) => return Ok(Err(why)),
            Ok(found) if found.parent.as_deref() != Some(requester.component.as_str()) => {
                return Ok(Err(format!("{component} is not a component of {}", requester.component)));
            }
            Ok(_) => {}
        }
        let past = self.store.sessions_of(component)?;
        if let Some(other) = past.iter().rev().find(|other| other.kind == kind && other.status == Status::Active) {
            return Ok(Err(format!("{component} has a {kind} session at work already ({})", other.id)));
        }
        if past.iter().any(|other| other.kind == kind && other.conversation_id.is_some()) {
            return Ok(Err(format!("{component} has a {kind} session whose agent knows it: reactivate that one")));
        }
        let at = clock::now();
        let session = Session {
            agent: requester.agent.clone(),
            // What it makes is merged into the branch of whoever asks.
            base: requester.branch.clone(),
            ..Session::new(kind, component, Mode::Agentic, at)
        };
        let id = session.id;
        let generation = Generation {
            number: 1,
            start: workflow::first_step(kind),
            context: context.to_owned(),
            origin: Origin::Session { id: requester.id },
            opened_at: at,
        };
        let seq = self.store.last_seq(requester.id)?;
        let changes = vec![
            Change::NewSession(Box::new(session), generation),
            Change::AwaitAlso { session: requester.id, seq, awaited: id },
        ];
        Ok(Ok(Carried { changes, opened: Some((id, 1)) }))
    }

    /// What comes of a person's word on a request.
    pub(super) fn rule(
        &self,
        session: &Session,
        request: RequestId,
        granted: bool,
        note: Option<&String>,
        intent: &Intent,
    ) -> Result<Weighed, EngineError> {
        let Some(found) = self.store.open_requests(session.id)?.into_iter().find(|other| other.id == request) else {
            return Ok(Weighed::Refuse("that request was ruled on already".into()));
        };
        let rule = |note: Option<String>, opened| Change::Rule {
            session: session.id,
            request,
            ruling: Ruling { granted, user: intent.user.clone(), note, opened, at: clock::now() },
        };
        if !granted {
            let mut changes = vec![rule(note.cloned(), None)];
            changes.extend(self.after_ruling(session, None)?);
            return Ok(Weighed::Do(changes));
        }
        let wish = match note {
            Some(note) => with_note(found.wish, note),
            None => found.wish,
        };
        Ok(match self.carry_out(session, &wish)? {
            Ok(Carried { mut changes, opened }) => {
                changes.push(rule(note.cloned(), opened));
                changes.extend(self.after_ruling(session, opened)?);
                Weighed::Do(changes)
            }
            Err(why) => {
                let mut changes = vec![rule(Some(why.clone()), None)];
                changes.extend(self.after_ruling(session, None)?);
                Weighed::Fail(changes, why)
            }
        })
    }

    /// What every open request of a session becomes when the session ends.
    pub(super) fn withdrawn(&self, session: SessionId) -> Result<Transition, EngineError> {
        let ruling = |request: Request| Change::Rule {
            session,
            request: request.id,
            ruling: Ruling {
                granted: false,
                user: String::new(),
                note: Some("its session has ended".into()),
                opened: None,
                at: clock::now(),
            },
        };
        Ok(self.store.open_requests(session)?.into_iter().map(ruling).collect())
    }

    /// What comes next in a session of whose requests one less is open.
    fn after_ruling(&self, session: &Session, opened: Option<(SessionId, u32)>) -> Result<Option<Change>, EngineError> {
        let row = self.store.board_row(session.id)?;
        if session.status.is_terminal() || row.halt.is_some() {
            return Ok(None);
        }
        let mut history = self.history(session)?;
        history.requests = history.requests.saturating_sub(1);
        history.awaited.extend(opened.map(|(session, _)| Awaited { session, status: Status::Active }));
        let next = workflow::next(&history).ok().map(|next| next.to_string());
        Ok(Some(Change::Outlook { session: session.id, next, halt: None, at: clock::now() }))
    }
}

/// Why a session that waits for whoever asks is not woken.
pub(super) fn in_a_circle(chain: &str) -> String {
    format!("it waits for whoever asks: {chain}; they would wait for each other for ever")
}

/// A wish with what the person who grants it adds: the agent that is woken is told.
fn with_note(mut wish: Wish, note: &str) -> Wish {
    match &mut wish {
        Wish::Reactivate { context, .. } | Wish::Create { context, .. } => {
            context.push_str("\n\nThe person who approved this adds: ");
            context.push_str(note);
        }
        Wish::Issue { .. } => {}
    }
    wish
}

/// Whether two wishes are for the same session.
fn is_same(one: &Wish, other: &Wish) -> bool {
    match (one, other) {
        (Wish::Reactivate { session: a, .. }, Wish::Reactivate { session: b, .. }) => a == b,
        (
            Wish::Create { session_kind: a, component: one, .. },
            Wish::Create { session_kind: b, component: other, .. },
        ) => (a, one) == (b, other),
        _ => false,
    }
}
